import type { Readings } from "../../ports/readings.js";
import { host } from "./natives.js";

/** What the device is to send: payloads that another program writes to the host's standard input. */
export class HostReadings implements Readings {
	get onReadable(): ((count: number) => void) | undefined {
		return host.onInput;
	}

	set onReadable(callback: ((count: number) => void) | undefined) {
		host.onInput = callback;
	}

	read(into: Uint8Array): number {
		return host.inputRead(into);
	}
}
