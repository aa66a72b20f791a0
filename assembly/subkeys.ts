/** The subkeys of CMAC (SP 800-38B 6.1, RFC 4493 2.3). */
import { SUBKEY_1, SUBKEY_2 } from "./memory";

/** Reduces in the field of SP 800-38B 5.3: x^128 without the terms of degree 128 and more. */
const REDUCTION: u32 = 0x87;

/** Doubles the block at `from`: shift left by one bit, reduce without a branch. */
function double(from: usize, to: usize): void {
	const w0 = bswap<u32>(load<u32>(from, 0));
	const w1 = bswap<u32>(load<u32>(from, 4));
	const w2 = bswap<u32>(load<u32>(from, 8));
	const w3 = bswap<u32>(load<u32>(from, 12));
	store<u32>(to, bswap<u32>((w0 << 1) | (w1 >>> 31)), 0);
	store<u32>(to, bswap<u32>((w1 << 1) | (w2 >>> 31)), 4);
	store<u32>(to, bswap<u32>((w2 << 1) | (w3 >>> 31)), 8);
	store<u32>(to, bswap<u32>((w3 << 1) ^ ((0 - (w0 >>> 31)) & REDUCTION)), 12);
}

/** Makes both subkeys of a key set, where the place of the second one holds the zero block enciphered. */
export function makeSubkeys(keySet: usize): void {
	double(keySet + SUBKEY_2, keySet + SUBKEY_1);
	double(keySet + SUBKEY_1, keySet + SUBKEY_2);
}
