/** Non-volatile storage. A write is atomic and durable once it returns; after a torn write the older value is read. */
export interface Store {
	/** A fresh copy of the value, undefined where there is none. */
	read(key: string): Uint8Array | undefined;
	/** @throws Error if the value is not in non-volatile storage when this returns */
	write(key: string, value: Uint8Array): void;
	delete(key: string): void;
}
