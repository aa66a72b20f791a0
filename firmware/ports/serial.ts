/** A serial line, octets both ways: a UART, USB, or a pseudo-terminal. */
export interface Serial {
	/** Called while octets wait to be read; `count` of them at least. */
	onReadable: ((count: number) => void) | undefined;
	/** Copies waiting octets into `into` and removes them. @returns how many; 0 where none waits */
	read(into: Uint8Array): number;
	/** Sends `octets[0 .. length)`. What the line cannot take is lost. */
	write(octets: Uint8Array, length: number): void;
	/** Idempotent. */
	close(): void;
}
