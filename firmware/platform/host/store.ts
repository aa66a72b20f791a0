import type { Store } from "../../ports/store.js";
import { host } from "./natives.js";

/** One file per key in the directory that the host was started with. */
export class HostStore implements Store {
	read(key: string): Uint8Array | undefined {
		return host.storeRead(key);
	}

	write(key: string, value: Uint8Array): void {
		host.storeWrite(key, value);
	}

	delete(key: string): void {
		host.storeDelete(key);
	}
}
