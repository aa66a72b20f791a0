import type { Serial } from "../../ports/serial.js";

/** What is used of an ECMA-419 serial port that reads and writes buffers. */
export interface SerialPort {
	/** @returns undefined where no octet waits */
	read(): ArrayBuffer | undefined;
	/** @throws Error where there is less room than that */
	write(buffer: ArrayBuffer): void;
	close(): void;
}

export interface IoSerialOptions {
	/** The class of `embedded:io/serial`. */
	readonly io: new (
		options: object,
	) => SerialPort;
	/** The options that name the port on this target (`device.Serial.default`, or `receive`, `transmit` and `port`). */
	readonly port: object;
	/** Bits a second; 115,200 by default. */
	readonly baud?: number;
}

const BAUD_RATE = 115_200;
/** Octets that wait for the port at the most: a command of the longest kind, and an answer of the console. */
const MOST_WAITING = 4096;
const NO_OCTETS = new Uint8Array(0);

/** A {@link Serial} over an ECMA-419 serial port, which has room for a few octets at a time. */
export class IoSerial implements Serial {
	onReadable: ((count: number) => void) | undefined;
	#port: SerialPort | undefined;
	/** What was read and not yet asked for. */
	#incoming: Uint8Array = NO_OCTETS;
	/** What waits for room; made when there is first something to wait. */
	#outgoing: Uint8Array | undefined;
	#waiting = 0;
	#room = 0;

	constructor({ io, port, baud = BAUD_RATE }: IoSerialOptions) {
		this.#port = new io({
			...port,
			baud,
			format: "buffer",
			onReadable: (count: number) => this.onReadable?.(count),
			onWritable: (count: number) => this.#handleWritable(count),
		});
	}

	read(into: Uint8Array): number {
		if (this.#incoming.length === 0) this.#incoming = new Uint8Array(this.#port?.read() ?? new ArrayBuffer(0));
		const length = Math.min(this.#incoming.length, into.length);
		into.set(this.#incoming.subarray(0, length));
		// Session keys of a card may be among it.
		this.#incoming.fill(0, 0, length);
		this.#incoming = this.#incoming.subarray(length);
		return length;
	}

	write(octets: Uint8Array, length: number): void {
		if (this.#port === undefined || this.#waiting + length > MOST_WAITING) return;
		this.#outgoing ??= new Uint8Array(MOST_WAITING);
		for (let i = 0; i < length; i++) this.#outgoing[this.#waiting + i] = octets[i];
		this.#waiting += length;
		this.#flush();
	}

	close(): void {
		this.#port?.close();
		this.#port = undefined;
		this.#waiting = 0;
		this.#incoming = NO_OCTETS;
	}

	#handleWritable(count: number): void {
		this.#room = count;
		this.#flush();
	}

	/** Writes what there is room for; the port tells when there is room again. */
	#flush(): void {
		const length = Math.min(this.#room, this.#waiting);
		if (length === 0 || this.#outgoing === undefined) return;
		// A buffer of its own: not every target takes a view.
		const { buffer } = this.#outgoing.slice(0, length);
		this.#outgoing.copyWithin(0, length, this.#waiting);
		this.#waiting -= length;
		this.#room = 0;
		try {
			this.#port?.write(buffer as ArrayBuffer);
		} catch {
			// The port promised room and has none: these octets are lost, as on any line, and are asked for again.
		}
	}
}
