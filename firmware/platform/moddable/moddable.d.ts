/** What the firmware uses of the engine and of the Moddable SDK's modules, so that it can be checked without the SDK. */

/** The C function of that name; the engine binds it where this call stands, with a literal name. */
declare function native<F>(name: string): F;
declare function trace(...texts: string[]): void;

declare module "mc/config" {
	/** `config` of the manifests, and `name=value` of mcconfig's command line, then a string. */
	const config: Record<string, unknown>;
	export default config;
}

declare module "time" {
	const Time: {
		/** Milliseconds; on boards a 32-bit integer that wraps round. */
		readonly ticks: number;
		delta(start: number, end?: number): number;
	};
	export default Time;
}

declare module "timer" {
	export default class Timer {
		private constructor();
		static repeat(callback: (timer: Timer) => void, interval: number): Timer;
		static schedule(timer: Timer, interval: number, repeat: number): void;
	}
}

/** ECMA-419: `UdpSocket` in datagram.ts says what is used of it. */
declare module "embedded:io/socket/udp" {
	const UDP: unknown;
	export default UDP;
}

/** ECMA-419: `StoreDirectory` in store.ts says what is used of it. */
declare module "embedded:storage/files" {
	const files: unknown;
	export default files;
}
