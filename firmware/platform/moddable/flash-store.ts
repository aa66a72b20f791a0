import type { Store } from "../../ports/store.js";

const open: () => void = native("xs_best_store_open");
const read: (key: string) => ArrayBuffer | undefined = native("xs_best_store_read");
const write: (key: string, value: Uint8Array) => void = native("xs_best_store_write");
const remove: (key: string) => void = native("xs_best_store_delete");

/** A {@link Store} in two pages of the processor's own flash (flash-store.c): power may fail at any word. One at a time. */
export class FlashStore implements Store {
	constructor() {
		open();
	}

	read(key: string): Uint8Array | undefined {
		const value = read(key);
		return value === undefined ? undefined : new Uint8Array(value);
	}

	write(key: string, value: Uint8Array): void {
		write(key, value);
	}

	delete(key: string): void {
		remove(key);
	}
}
