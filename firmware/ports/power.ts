/** Octets that live through deep sleep on every target: an nRF52 in System OFF keeps no more. */
export const RETAINED_OCTETS = 128;

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
	 * @param milliseconds until the device wakes
	 * @param retained at most {@link RETAINED_OCTETS}; erased in RAM by whoever gave it
	 */
	sleep(milliseconds: number, retained: Uint8Array | undefined): void;
}
