/**
 * The tables of the plain JavaScript kernel, computed when the module is loaded: 4 KB in source would be parsed, and
 * frozen tables would lie in flash, which some devices cache, so that a look-up would not always take the same time.
 * As arrays they take 16 octets of RAM an entry, 16 KB together; typed arrays would take 4 KB and a third more time.
 */
import { subBytes } from "./sub-bytes.js";

/** SubBytes and MixColumns (5.1.3) of an octet in row 0: rows 2s, s, s, 3s, row 0 in the low bits. */
export const TABLE_0: number[] = new Array(256);
/** The same for rows 1, 2 and 3. */
export const TABLE_1: number[] = new Array(256);
export const TABLE_2: number[] = new Array(256);
export const TABLE_3: number[] = new Array(256);

subBytes(fill);

function fill(octet: number, s: number): void {
	const double = (s << 1) ^ (s & 0x80 ? 0x11b : 0);
	const word = double | (s << 8) | (s << 16) | ((double ^ s) << 24);
	TABLE_0[octet] = word;
	TABLE_1[octet] = (word << 8) | (word >>> 24);
	TABLE_2[octet] = (word << 16) | (word >>> 16);
	TABLE_3[octet] = (word << 24) | (word >>> 8);
}
