import type { Serial } from "../../ports/serial.js";
import { host } from "./natives.js";

/** The serial lines of a PC: the number of each, and the callback of the host. */
const LINES = {
	console: { number: 0, callback: "onSerial" },
	modem: { number: 1, callback: "onModem" },
} as const;

/** A terminal or pseudo-terminal that the host was started with. */
export class HostSerial implements Serial {
	private readonly number: number;
	private readonly callback: "onSerial" | "onModem";

	constructor(line: keyof typeof LINES) {
		this.number = LINES[line].number;
		this.callback = LINES[line].callback;
	}

	get onReadable(): ((count: number) => void) | undefined {
		return host[this.callback];
	}

	set onReadable(callback: ((count: number) => void) | undefined) {
		host[this.callback] = callback;
	}

	read(into: Uint8Array): number {
		return host.serialRead(this.number, into);
	}

	write(octets: Uint8Array, length: number): void {
		host.serialWrite(this.number, octets, length);
	}

	close(): void {
		host[this.callback] = undefined;
	}
}
