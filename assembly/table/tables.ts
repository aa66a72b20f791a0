/**
 * SubBytes and MixColumns in one look-up: entry x of the table for row r is what the octet x of that row adds to its column.
 * That is 2, 1, 1, 3 times S(x), from row r on. The tables differ by a rotation of their entries.
 */
import { TABLE, TABLE_OCTETS } from "../memory";

/** x^8 in the field of FIPS 197 4.2, without the term of degree 8. */
const AES_REDUCTION: u32 = 0x1b;
const AFFINE_CONSTANT: u32 = 0x63;

/** A device has the table for row 2 alone: its processor rotates an operand for nothing. */
export const HAS_ALL_TABLES: bool = ASC_SHRINK_LEVEL === 0;
const ROW_2: usize = HAS_ALL_TABLES ? TABLE + 2 * TABLE_OCTETS : TABLE;

/** S(`octet`), FIPS 197 5.1.1: the first octet of an entry for row 2. */
@inline
export function substitute(octet: u32): u32 {
	return load<u8>(octet << 2, ROW_2);
}

/** Twice `octet` in the field. */
@inline
function double(octet: u32): u32 {
	return (octet << 1) ^ ((octet >>> 7) * (0x100 | AES_REDUCTION));
}

/** One octet, rotated left. */
@inline
function rotated(octet: u32, by: u32): u32 {
	return (octet << by) | (octet >>> (8 - by));
}

function put(octet: u32, substituted: u32): void {
	const twice = double(substituted);
	const row2 = substituted | ((twice ^ substituted) << 8) | (twice << 16) | (substituted << 24);
	store<u32>(octet << 2, row2, ROW_2);
	if (!HAS_ALL_TABLES) return;
	store<u32>(octet << 2, rotl<u32>(row2, 16), TABLE);
	store<u32>(octet << 2, rotl<u32>(row2, 24), TABLE + TABLE_OCTETS);
	store<u32>(octet << 2, rotl<u32>(row2, 8), TABLE + 3 * TABLE_OCTETS);
}

/** Makes the tables, once: an instance begins with zero, which no entry is. */
export function makeTables(): void {
	if (load<u32>(ROW_2) !== 0) return;
	// 3 generates all octets but zero, so its powers and their inverses pass each other.
	let power: u32 = 1;
	let inverse: u32 = 1;
	do {
		power ^= double(power);
		// Divided by 3: that is, times 0xf6.
		inverse ^= inverse << 1;
		inverse ^= inverse << 2;
		inverse ^= inverse << 4;
		inverse &= 0xff;
		if (inverse & 0x80) inverse ^= 0x09;
		const sum = inverse ^ rotated(inverse, 1) ^ rotated(inverse, 2) ^ rotated(inverse, 3) ^ rotated(inverse, 4);
		put(power, (sum & 0xff) ^ AFFINE_CONSTANT);
	} while (power !== 1);
	put(0, AFFINE_CONSTANT);
}
