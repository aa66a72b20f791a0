import { host } from "./natives.js";

/** What the device is to send: payloads that another program writes to the host's standard input. */
export class HostReadings {
	/** Called while a payload waits, and once at the end of the input. */
	get onReadable(): ((count: number) => void) | undefined {
		return host.onInput;
	}

	set onReadable(callback: ((count: number) => void) | undefined) {
		host.onInput = callback;
	}

	/**
	 * Copies the next payload into `into` and removes it.
	 * @returns its length, which is above `into.length` where it was cut off; −1 where none waits, −2 at the end of the input
	 */
	read(into: Uint8Array): number {
		return host.inputRead(into);
	}
}
