/** What the firmware uses of the engine and of the Moddable SDK's modules, so that it can be checked without the SDK. */

/** The C function of that name; the engine binds it where this call stands, with a literal name. */
declare function native<F>(name: string): F;
declare function trace(...texts: string[]): void;
/** ECMA-419's host provider, on boards; `HostProvider` in host-provider.ts says what is used of it. */
declare var device: unknown;

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
		static set(callback: (timer: Timer) => void, interval: number): Timer;
		static clear(timer: Timer): void;
		static repeat(callback: (timer: Timer) => void, interval: number): Timer;
		static schedule(timer: Timer, interval: number, repeat: number): void;
	}
}

/** `NativeDigest` in sha256.ts says what is used of it. */
declare module "crypt" {
	export const Digest: unknown;
}

/** ECMA-419: `UdpSocket` in datagram.ts says what is used of it. */
declare module "embedded:io/socket/udp" {
	const UDP: unknown;
	export default UDP;
}

/** ECMA-419: `SerialPort` in serial.ts says what is used of it. */
declare module "embedded:io/serial" {
	const Serial: unknown;
	export default Serial;
}

/** ECMA-419: `StoreDirectory` in store.ts says what is used of it. */
declare module "embedded:storage/files" {
	const files: unknown;
	export default files;
}

/** ECMA-419: `KeyValueStorage` in key-value-store.ts says what is used of it. */
declare module "embedded:storage/key-value" {
	const storage: unknown;
	export default storage;
}

/** Piu: its classes are global. The SDK's own declarations are stricter in some places and looser in others. */
declare module "piu/MC" {
	export interface Content {
		state: number;
		interval: number;
		start(): void;
	}
	export interface Label extends Content {
		string: string;
	}
}

declare class Behavior {}
declare class Skin {
	constructor(dictionary: object);
}
declare class Style {
	constructor(dictionary: object);
}
declare class Label {
	constructor(data: unknown, dictionary: object);
}
declare class Column {
	constructor(data: unknown, dictionary: object);
}
declare class Application {
	constructor(data: unknown, dictionary: object);
}
