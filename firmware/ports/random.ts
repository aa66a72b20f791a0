/** A cryptographic source of randomness. */
export interface Random {
	/** Fills all of `into`. @throws Error where the device has no such source: it refuses rather than guess. */
	fill(into: Uint8Array): void;
}
