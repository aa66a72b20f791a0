import { addKeystream, type Generator } from "./generator.js";

/** A pair of 3GPP algorithms beside AES: 128-EEA1 and 128-EIA1, or 128-EEA3 and 128-EIA3. */
export interface Algorithm {
	/** Identity of both (TS 33.401 5.1.3.2, 5.1.4.2). */
	readonly identity: number;
	/** What people call it. */
	readonly name: string;
	readonly generator: Generator;
	/**
	 * The MAC of the first `bitLength` bits of `message`, one word, with the key stream of a generator that has just been
	 * started; unused low bits of a last octet are not looked at.
	 */
	readonly mac: (generator: Generator, message: Uint8Array, bitLength: number) => number;
}

/**
 * Enciphers, or deciphers, in place (TS 35.215 3.4, TS 35.221 3.3).
 * @param key 4 words
 * @param bearerAndDirection BEARER (5 bits), DIRECTION (1 bit), two zero bits
 */
export function encipher(
	{ generator }: Algorithm,
	key: readonly number[],
	count: number,
	bearerAndDirection: number,
	message: Uint8Array,
	from: number,
	bitLength: number,
): void {
	const second = bearerAndDirection << 24;
	generator.initialise(key, count | 0, second, count | 0, second);
	addKeystream(generator, message, from, bitLength);
}

/**
 * The MAC of the first `bitLength` bits of `message` (TS 35.215 4.4, TS 35.221 4.3).
 * @param key 4 words
 * @param fresh FRESH of UIA2; BEARER in its five high bits for 128-EIA1 and 128-EIA3 (TS 33.401 B.2.2, B.2.4)
 * @param direction 0 or 1
 * @returns one word
 */
export function authenticate(
	{ generator, mac }: Algorithm,
	key: readonly number[],
	count: number,
	fresh: number,
	direction: number,
	message: Uint8Array,
	bitLength: number,
): number {
	generator.initialise(key, count | 0, fresh | 0, count ^ (direction << 31), fresh ^ (direction << 15));
	return mac(generator, message, bitLength);
}
