/** Datagrams to and from one HSE: UDP, a modem's AT commands, or loopback. */
export interface Datagram {
	/** Called when datagrams wait to be read; `count` of them, as ECMA-419 has it. */
	onReadable: ((count: number) => void) | undefined;
	/**
	 * Copies the next waiting datagram into `into` and removes it.
	 * @returns its length in octets, which is above `into.length` where it was cut off; −1 where none waits
	 */
	read(into: Uint8Array): number;
	/** Sends `octets[0 .. length)` as one datagram. What the link cannot take is lost, as datagrams are. */
	write(octets: Uint8Array, length: number): void;
	/** Idempotent. */
	close(): void;
}
