import type { Provisioning } from "../../ports/provisioning.js";
import type { Serial } from "../../ports/serial.js";
import { SerialConsole, type SerialConsoleOptions } from "../../provisioning/serial-console.js";

/** What is used of an ECMA-419 serial port that reads and writes buffers. */
export interface SerialPort {
	/** @returns undefined where no octet waits */
	read(): ArrayBuffer | undefined;
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
}

/** As in docs/provisioning.md. */
const BAUD_RATE = 115_200;

/** A {@link Serial} over an ECMA-419 serial port. */
export class IoSerial implements Serial {
	onReadable: ((count: number) => void) | undefined;
	#port: SerialPort | undefined;
	/** What was read and not yet asked for. */
	#waiting = new Uint8Array(0);

	constructor({ io, port }: IoSerialOptions) {
		this.#port = new io({
			...port,
			baud: BAUD_RATE,
			format: "buffer",
			onReadable: (count: number) => this.onReadable?.(count),
		});
	}

	read(into: Uint8Array): number {
		if (this.#waiting.length === 0) this.#waiting = new Uint8Array(this.#port?.read() ?? new ArrayBuffer(0));
		const length = Math.min(this.#waiting.length, into.length);
		into.set(this.#waiting.subarray(0, length));
		this.#waiting = this.#waiting.subarray(length);
		return length;
	}

	write(octets: Uint8Array, length: number): void {
		try {
			// A buffer of its own: not every target takes a view.
			this.#port?.write(octets.slice(0, length).buffer);
		} catch {
			// The line does not take it: the laptop asks again.
		}
	}

	close(): void {
		this.#port?.close();
		this.#port = undefined;
	}
}

/** What is used of an ECMA-419 digital input. */
export interface DigitalInput {
	read(): number;
	close(): void;
}

export interface IoConsoleOptions extends Omit<SerialConsoleOptions, "openSerial" | "isRequested"> {
	readonly serial: IoSerialOptions;
	/** Opens the input of the button; it reads 0 while it is pressed, as the boot pins of the usual boards do. */
	openButton?(): DigitalInput;
}

/**
 * The provisioning console of a board. A provisioned device whose button is not pressed at the start leaves the port off,
 * which is what its battery wants.
 */
export function ioConsole({ serial, openButton, ...options }: IoConsoleOptions): Provisioning {
	return new SerialConsole({
		...options,
		openSerial: (isOpen) => (isOpen ? new IoSerial(serial) : undefined),
		isRequested() {
			const button = openButton?.();
			const isPressed = button?.read() === 0;
			button?.close();
			return isPressed;
		},
	});
}
