/** The key expansion of FIPS 197 5.2 by vector permutations. */
import { ROUND_KEY_OCTETS, SUBKEY_2 } from "../memory";
import { makeSubkeys } from "../subkeys";
import { encryptOne, INTEGRITY_KEYS, substituteLast, toTower } from "./permute";
import { LAST_COLUMN_TURNED, ONE_COLUMN_ON, SHIFT_ROWS_BACK, TWO_COLUMNS_ON } from "./places";
import { AFFINE_CONSTANT } from "./tables";

/** x^8 in the field of FIPS 197 4.2, without the term of degree 8. */
const REDUCTION: u32 = 0x1b;

/** From a round key to the next one. */
@inline
function nextRoundKey(key: v128, roundConstant: u32): v128 {
	// Each column is the sum of all columns up to it,
	let next = v128.xor(key, i8x16.swizzle(key, ONE_COLUMN_ON));
	next = v128.xor(next, i8x16.swizzle(next, TWO_COLUMNS_ON));
	// and of RotWord and SubWord of the last one; the round constant is added to row 0 only.
	const substituted = v128.xor(substituteLast(toTower(key)), i8x16.splat(0x63));
	const last = i8x16.swizzle(substituted, LAST_COLUMN_TURNED);
	return v128.xor(v128.xor(next, last), i32x4.splat(roundConstant));
}

/** Turns the key at `roundKeys` into round keys, each as many ShiftRows behind as the state is when it is added. */
function expand(roundKeys: usize): void {
	let key = v128.load(roundKeys);
	v128.store(roundKeys, toTower(key));
	let roundConstant: u32 = 1;
	for (let round: u32 = 1; round < 10; round++) {
		key = nextRoundKey(key, roundConstant);
		roundConstant = ((roundConstant << 1) ^ ((0 - (roundConstant >>> 7)) & REDUCTION)) & 0xff;
		roundKeys += ROUND_KEY_OCTETS;
		let behind = key;
		for (let turn: u32 = round & 3; turn > 0; turn--) behind = i8x16.swizzle(behind, SHIFT_ROWS_BACK);
		v128.store(roundKeys, v128.xor(toTower(behind), AFFINE_CONSTANT));
	}
	// The last one is added after all ShiftRows, outside the tower field.
	key = nextRoundKey(key, roundConstant);
	v128.store(roundKeys + ROUND_KEY_OCTETS, v128.xor(key, i8x16.splat(0x63)));
}

/** Turns the cipher key and the integrity key, 16 octets each at the start of the key set, into the key set. */
export function expandKeys(keySet: usize): void {
	expand(keySet);
	expand(keySet + INTEGRITY_KEYS);
	v128.store(keySet + SUBKEY_2, encryptOne(i64x2.splat(0), keySet + INTEGRITY_KEYS));
	makeSubkeys(keySet);
}
