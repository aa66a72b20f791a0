/** A key-stream generator of 3GPP: SNOW 3G or ZUC. Words have their first octet in the high bits, as signed integers. */
export interface Generator {
	/**
	 * Starts a key stream.
	 * @param key 4 words
	 * @param iv0 first word of the initialisation vector; in SNOW 3G it is called IV3, and so on down
	 */
	initialise(key: readonly number[], iv0: number, iv1: number, iv2: number, iv3: number): void;

	/** The next word of the key stream. */
	next(): number;

	/** Fills the state with zero. */
	erase(): void;
}

/** Reads a key of 16 octets as 4 words. */
export function readKey(words: number[], key: Uint8Array): void {
	for (let i = 0; i < 4; i++) words[i] = readWord(key, 4 * i, 32);
}

/** The `bits` (1 or more) bits from octet `at` on as a word, at most 32 of them; what is missing is zero. */
export function readWord(octets: Uint8Array, at: number, bits: number): number {
	if (bits >= 32) return (octets[at] << 24) | (octets[at + 1] << 16) | (octets[at + 2] << 8) | octets[at + 3];
	let word = octets[at] << 24;
	if (bits > 8) word |= octets[at + 1] << 16;
	if (bits > 16) word |= octets[at + 2] << 8;
	if (bits > 24) word |= octets[at + 3];
	return word & ~(-1 >>> bits);
}

/**
 * Adds key stream to `bitLength` bits of `message` from octet `from` on. Of a last octet that is used in part, the unused
 * low bits become 0.
 */
export function addKeystream(generator: Generator, message: Uint8Array, from: number, bitLength: number): void {
	let at = from;
	let bits = bitLength;
	for (; bits >= 32; bits -= 32) {
		const word = generator.next();
		message[at] ^= word >> 24;
		message[at + 1] ^= word >> 16;
		message[at + 2] ^= word >> 8;
		message[at + 3] ^= word;
		at += 4;
	}
	if (bits === 0) return;
	let word = generator.next();
	for (; bits > 0; bits -= 8, word <<= 8) message[at++] ^= word >> 24;
	if (bits < 0) message[at - 1] &= 0xff << -bits;
}
