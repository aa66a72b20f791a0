/** What the device is to send: a sensor, or another program. */
export interface Readings {
	/** Called while a reading waits, and once when there will be none any more. */
	onReadable: ((count: number) => void) | undefined;
	/**
	 * Copies the next reading into `into` and removes it.
	 * @returns its length in octets, which is above `into.length` where it was cut off; −1 where none waits, −2 where none
	 * will come any more
	 */
	read(into: Uint8Array): number;
}
