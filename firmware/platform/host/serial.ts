import type { Serial } from "../../ports/serial.js";
import { host } from "./natives.js";

/** The terminal or pseudo-terminal that the host was started with. */
export class HostSerial implements Serial {
	get onReadable(): ((count: number) => void) | undefined {
		return host.onSerial;
	}

	set onReadable(callback: ((count: number) => void) | undefined) {
		host.onSerial = callback;
	}

	read(into: Uint8Array): number {
		return host.serialRead(into);
	}

	write(octets: Uint8Array, length: number): void {
		host.serialWrite(octets, length);
	}

	close(): void {
		host.onSerial = undefined;
	}
}
