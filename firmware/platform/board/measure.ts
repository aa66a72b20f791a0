/**
 * The measuring program for the board: a fixed list of operations without waiting for anything, so that every run
 * executes the same instructions. Prints one line of JSON, in ticks of the timer.
 */
import { platform as target } from "best/platform";
import type { UeEvent } from "../../client/events.js";
import type { Datagram } from "../../ports/datagram.js";
import type { Platform } from "../../ports/platform.js";
import { type Host, host } from "../host/natives.js";
import { MESSAGES, measuredClient, PAYLOAD_OCTETS } from "./scenario.js";

/** What the HSE answers: a Session Start, user-plane messages, and the answer to a resume. Put in by build-board.js, as hexadecimal digits. */
declare const TRANSCRIPT: readonly string[];

interface MeasuringHost extends Host {
	ticks(): number;
	bootTicks(): number;
	kernelTicks(operation: number, length: number): number;
	inUse(): number;
	collect(): void;
}

const platform: Platform = target;
const { store } = platform;
const measuring = host as MeasuringHost;

/** A datagram port whose far end is a list; what is written goes out by the real link, to nobody. */
class Replay implements Datagram {
	onReadable: ((count: number) => void) | undefined;
	private readonly link = platform.openDatagram("127.0.0.1", 9);
	private waiting: Uint8Array | undefined;

	/** Takes a message of the transcript in. Not before: what the measuring program needs itself is not to count. */
	receive(index: number): void {
		this.waiting = octetsOf(TRANSCRIPT[index]);
	}

	tell(): void {
		this.onReadable?.(1);
	}

	read(into: Uint8Array): number {
		const { waiting } = this;
		if (waiting === undefined) return -1;
		into.set(waiting);
		this.waiting = undefined;
		return waiting.length;
	}

	write(octets: Uint8Array, length: number): void {
		this.link.write(octets, length);
	}

	close(): void {}
}

function digitAt(digits: string, index: number): number {
	const code = digits.charCodeAt(index);
	return code < 0x3a ? code - 0x30 : code - 0x57;
}

/** Leaves no garbage behind that a collection in a measured operation would have to clear away. */
function octetsOf(digits: string): Uint8Array {
	const octets = new Uint8Array(digits.length / 2);
	for (let i = 0; i < octets.length; i++) octets[i] = (digitAt(digits, 2 * i) << 4) | digitAt(digits, 2 * i + 1);
	return octets;
}

/** When the session could be used. */
let usable = 0;
let downlinks = 0;
const replay = new Replay();

function hear(event: UeEvent): void {
	if (event.kind === "session started" || event.kind === "session resumed") usable = measuring.ticks();
	if (event.kind === "downlink") downlinks++;
}

let client = measuredClient(platform.kernel, replay, store, hear);
const payload = new Uint8Array(PAYLOAD_OCTETS).fill(0x42);
const result: Record<string, number> = {};

function failWith(error: unknown): void {
	platform.print(JSON.stringify({ event: "failed", why: String(error) }));
	platform.exit(1);
}

/** Runs an operation several times, each after a preparation. Garbage collections are part of the mean. */
function repeat(name: string, prepare: (index: number) => void, operation: () => void): void {
	prepare(0);
	operation();
	let sum = 0;
	let most = 0;
	// Less than nothing where there was a collection.
	let allocated = 0;
	for (let i = 1; i <= MESSAGES; i++) {
		prepare(i);
		const inUse = measuring.inUse();
		const from = measuring.ticks();
		operation();
		const took = measuring.ticks() - from;
		allocated = Math.max(allocated, measuring.inUse() - inUse);
		sum += took;
		if (took > most) most = took;
	}
	result[`${name}Allocated`] = allocated;
	result[name] = sum / MESSAGES;
	result[`${name}Most`] = most;
}

function measureMessages(): void {
	const nothing = () => {};
	repeat("nothing", nothing, nothing);
	repeat("uplink20", nothing, () => {
		client.send(payload);
	});
	repeat(
		"downlink20",
		(index) => replay.receive(index + 1),
		() => replay.tell(),
	);
	if (downlinks !== MESSAGES + 1) throw new Error(`${downlinks} downlinks came through.`);
}

/** Sleep and wake: from a session to its snapshot, from there to one that can send, and the uplink that follows. */
function measureSleep(): Promise<void> {
	let from = measuring.ticks();
	const snapshot = client.snapshot();
	result.snapshot = measuring.ticks() - from;
	client = measuredClient(platform.kernel, replay, store, hear, snapshot);
	// A device that wakes has a heap without garbage: it has just started.
	measuring.collect();
	from = measuring.ticks();
	const waking = client.start();
	result.wake = measuring.ticks() - from;
	from = measuring.ticks();
	client.send(payload);
	result.wakeUplink20 = measuring.ticks() - from;
	return waking;
}

/** From a client that has only its store to one whose session goes on. */
function measureResume(): Promise<void> {
	usable = 0;
	replay.receive(MESSAGES + 2);
	const from = measuring.ticks();
	client = measuredClient(platform.kernel, replay, store, hear);
	const resuming = client.start();
	replay.tell();
	result.resume = usable - from;
	return resuming;
}

function finish(): void {
	if (!(result.resume > 0)) throw new Error("The session was not resumed.");
	platform.print(JSON.stringify({ event: "measured", ...result }));
	platform.exit(0);
}

result.boot = measuring.bootTicks();
result.kernelNothing = measuring.kernelTicks(0, 0);
result.loopOf20000 = measuring.kernelTicks(1, 0);
result.setKey = measuring.kernelTicks(2, 0);
for (const length of [20, 200, 1024]) result[`protect${length}`] = measuring.kernelTicks(3, length);
replay.receive(0);
const from = measuring.ticks();
const starting = client.start();
replay.tell();
result.newSession = usable - from;
starting.then(measureMessages).then(measureSleep).then(measureResume).then(finish).catch(failWith);
