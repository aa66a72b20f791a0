/** Octets that live through deep sleep on every target: an nRF52 keeps 128, and four of them are a checksum. */
export const RETAINED_OCTETS = 124;

/** Deep sleep: the device starts anew after it, with nothing in RAM but what was retained. */
export interface Power {
	/**
	 * What the last {@link sleep} retained: whole, as a CRC tells, and once only. It is erased before this returns, because a
	 * session that goes on from it twice would use its COUNTs twice.
	 * @returns undefined after any other start than one from deep sleep
	 */
	takeRetained(): Uint8Array | undefined;
	/**
	 * Sleeps. Does not return where the target can do it.
	 * @param milliseconds until the device wakes; it may wake earlier
	 * @param retained {@link RETAINED_OCTETS} octets, which are erased in RAM; undefined: nothing is retained
	 */
	sleep(milliseconds: number, retained: Uint8Array | undefined): void;
}
