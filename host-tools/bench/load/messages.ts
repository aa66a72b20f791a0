/** First word of the arguments of a process that takes part in a load test: not for people. */
export const LOAD_COMMAND = "bench-load";

/** What a process of a load test is, as the second word. */
export type LoadRole = "hse" | "echo" | "flood";

/** What the HSE of a load test has counted since the last time it was asked. */
export interface HseCounts {
	readonly uplinks: number;
	/** Milliseconds from the UE's call to the event that tells of the uplink: 99 of 100 take no longer. */
	readonly p99Ms: number;
	readonly sessionsConfirmed: number;
	readonly vectors: number;
	readonly rssBytes: number;
	/** Seconds of processor time that the process has used. */
	readonly cpuSeconds: number;
}

/** Told uplinks between two datagrams that say how many they are. */
export const UPLINKS_PER_CREDIT = 16;
/** Octets of such a datagram; how many there are is the word at its end. */
export const CREDIT_OCTETS = 8;
export const CREDIT_COUNT = 4;

/** Milliseconds of a clock that all processes of this machine share. */
export const sharedNow = () => offset + performance.now();

/** The clock of a process starts with it, by the one of the machine. */
const offset = (() => {
	const [seconds, nanoseconds] = process.hrtime();
	return 1000 * seconds + nanoseconds / 1e6 - performance.now();
})();
