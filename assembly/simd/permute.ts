/**
 * AES-128 (FIPS 197) by vector permutations: Hamburg, "Accelerating AES with Vector Permute Instructions", CHES 2009.
 *
 * An octet x + y t, where x, its low half, and y, its high half, are in GF(2^4), stands for an element of
 * GF((2^4)^2) = GF(2^4)[t] / (t^2 + a t + a); see tables.ts. Its inverse comes from six look-ups of half octets:
 * with z = x + y and 1/0 = infinity, u = 1 / (1/y + a/x) + z and v = 1 / (1/z + a/x) + y have inverses of which every
 * linear function of the octet's inverse, so also SubBytes and its double, is a sum of one look-up each.
 *
 * A look-up is one instruction on 16 octets in a register, so that its time does not depend on them. There is no branch
 * and no address that depends on a key or on data.
 *
 * ShiftRows is not carried out. After n rounds the state lies n ShiftRows behind, so MixColumns takes the next rows'
 * octets n columns further, and the round keys lie behind as well.
 */
import { ROUND_KEY_OCTETS, STATE } from "../memory";
import {
	A_OVER,
	DOUBLED_SUBSTITUTE_U,
	DOUBLED_SUBSTITUTE_V,
	INVERSE,
	LAST_SUBSTITUTE_U,
	LAST_SUBSTITUTE_V,
	SUBSTITUTE_U,
	SUBSTITUTE_V,
	TO_TOWER_HIGH,
	TO_TOWER_LOW,
} from "./tables";
import { ONE_DOWN_0, ONE_DOWN_1, ONE_DOWN_2, ONE_DOWN_3, THREE_DOWN_0, THREE_DOWN_1, THREE_DOWN_2, THREE_DOWN_3, TWO_SHIFT_ROWS } from "./places";

/** Within a round key's 32 octets, that of the cipher key first. */
export const INTEGRITY_KEYS: usize = 16;

@inline
export function lowHalf(x: v128): v128 {
	return v128.and(x, i8x16.splat(15));
}

@inline
export function highHalf(x: v128): v128 {
	return v128.and(i32x4.shr_u(x, 4), i8x16.splat(15));
}

/** From GF(2^8) of FIPS 197 4.2 to the tower field. */
@inline
export function toTower(block: v128): v128 {
	return v128.xor(i8x16.swizzle(TO_TOWER_LOW, lowHalf(block)), i8x16.swizzle(TO_TOWER_HIGH, highHalf(block)));
}

/** The last round up to its key: SubBytes without its constant, out of the tower field. */
@inline
export function substituteLast(state: v128): v128 {
	const x = lowHalf(state);
	const y = highHalf(state);
	const z = v128.xor(x, y);
	const quotient = i8x16.swizzle(A_OVER, x);
	const u = v128.xor(i8x16.swizzle(INVERSE, v128.xor(i8x16.swizzle(INVERSE, y), quotient)), z);
	const v = v128.xor(i8x16.swizzle(INVERSE, v128.xor(i8x16.swizzle(INVERSE, z), quotient)), y);
	return v128.xor(i8x16.swizzle(LAST_SUBSTITUTE_U, u), i8x16.swizzle(LAST_SUBSTITUTE_V, v));
}

/** SubBytes, MixColumns, AddRoundKey. */
@inline
function round(state: v128, roundKey: usize, oneDown: v128, threeDown: v128): v128 {
	const x = lowHalf(state);
	const y = highHalf(state);
	const z = v128.xor(x, y);
	const quotient = i8x16.swizzle(A_OVER, x);
	const u = v128.xor(i8x16.swizzle(INVERSE, v128.xor(i8x16.swizzle(INVERSE, y), quotient)), z);
	const v = v128.xor(i8x16.swizzle(INVERSE, v128.xor(i8x16.swizzle(INVERSE, z), quotient)), y);
	const once = v128.xor(i8x16.swizzle(SUBSTITUTE_U, u), i8x16.swizzle(SUBSTITUTE_V, v));
	const twice = v128.xor(i8x16.swizzle(DOUBLED_SUBSTITUTE_U, u), i8x16.swizzle(DOUBLED_SUBSTITUTE_V, v));
	// With b, c, d the octets one, two and three rows down: 2a + 3b + c + d = (2a + b) + (2b + c) + d.
	const sum = v128.xor(twice, i8x16.swizzle(once, oneDown));
	const rest = v128.xor(i8x16.swizzle(once, threeDown), v128.load(roundKey));
	return v128.xor(v128.xor(sum, i8x16.swizzle(sum, oneDown)), rest);
}

@inline
function firstKey(block: v128, roundKeys: usize): v128 {
	return v128.xor(toTower(block), v128.load(roundKeys));
}

/** Ten ShiftRows are outstanding then, which is as good as two. */
@inline
function lastRound(state: v128, roundKeys: usize): v128 {
	return v128.xor(
		i8x16.swizzle(substituteLast(state), TWO_SHIFT_ROWS),
		v128.load(roundKeys + 10 * ROUND_KEY_OCTETS),
	);
}

/** Enciphers one block; `roundKeys` is the first of its round keys: `keySet` or `keySet + INTEGRITY_KEYS`. */
export function encryptOne(block: v128, roundKeys: usize): v128 {
	let state = firstKey(block, roundKeys);
	state = round(state, roundKeys + ROUND_KEY_OCTETS, ONE_DOWN_1, THREE_DOWN_1);
	state = round(state, roundKeys + 2 * ROUND_KEY_OCTETS, ONE_DOWN_2, THREE_DOWN_2);
	state = round(state, roundKeys + 3 * ROUND_KEY_OCTETS, ONE_DOWN_3, THREE_DOWN_3);
	state = round(state, roundKeys + 4 * ROUND_KEY_OCTETS, ONE_DOWN_0, THREE_DOWN_0);
	state = round(state, roundKeys + 5 * ROUND_KEY_OCTETS, ONE_DOWN_1, THREE_DOWN_1);
	state = round(state, roundKeys + 6 * ROUND_KEY_OCTETS, ONE_DOWN_2, THREE_DOWN_2);
	state = round(state, roundKeys + 7 * ROUND_KEY_OCTETS, ONE_DOWN_3, THREE_DOWN_3);
	state = round(state, roundKeys + 8 * ROUND_KEY_OCTETS, ONE_DOWN_0, THREE_DOWN_0);
	state = round(state, roundKeys + 9 * ROUND_KEY_OCTETS, ONE_DOWN_1, THREE_DOWN_1);
	return lastRound(state, roundKeys);
}

/**
 * Enciphers a block under the cipher key and one under the integrity key. Round by round in turn: a processor overlaps
 * their instructions only if they stand near one another.
 * @returns the block of the integrity key; that of the cipher key is in STATE
 */
export function encryptBoth(counter: v128, mac: v128, keySet: usize): v128 {
	const second = keySet + INTEGRITY_KEYS;
	counter = firstKey(counter, keySet);
	mac = firstKey(mac, second);
	counter = round(counter, keySet + ROUND_KEY_OCTETS, ONE_DOWN_1, THREE_DOWN_1);
	mac = round(mac, second + ROUND_KEY_OCTETS, ONE_DOWN_1, THREE_DOWN_1);
	counter = round(counter, keySet + 2 * ROUND_KEY_OCTETS, ONE_DOWN_2, THREE_DOWN_2);
	mac = round(mac, second + 2 * ROUND_KEY_OCTETS, ONE_DOWN_2, THREE_DOWN_2);
	counter = round(counter, keySet + 3 * ROUND_KEY_OCTETS, ONE_DOWN_3, THREE_DOWN_3);
	mac = round(mac, second + 3 * ROUND_KEY_OCTETS, ONE_DOWN_3, THREE_DOWN_3);
	counter = round(counter, keySet + 4 * ROUND_KEY_OCTETS, ONE_DOWN_0, THREE_DOWN_0);
	mac = round(mac, second + 4 * ROUND_KEY_OCTETS, ONE_DOWN_0, THREE_DOWN_0);
	counter = round(counter, keySet + 5 * ROUND_KEY_OCTETS, ONE_DOWN_1, THREE_DOWN_1);
	mac = round(mac, second + 5 * ROUND_KEY_OCTETS, ONE_DOWN_1, THREE_DOWN_1);
	counter = round(counter, keySet + 6 * ROUND_KEY_OCTETS, ONE_DOWN_2, THREE_DOWN_2);
	mac = round(mac, second + 6 * ROUND_KEY_OCTETS, ONE_DOWN_2, THREE_DOWN_2);
	counter = round(counter, keySet + 7 * ROUND_KEY_OCTETS, ONE_DOWN_3, THREE_DOWN_3);
	mac = round(mac, second + 7 * ROUND_KEY_OCTETS, ONE_DOWN_3, THREE_DOWN_3);
	counter = round(counter, keySet + 8 * ROUND_KEY_OCTETS, ONE_DOWN_0, THREE_DOWN_0);
	mac = round(mac, second + 8 * ROUND_KEY_OCTETS, ONE_DOWN_0, THREE_DOWN_0);
	counter = round(counter, keySet + 9 * ROUND_KEY_OCTETS, ONE_DOWN_1, THREE_DOWN_1);
	mac = round(mac, second + 9 * ROUND_KEY_OCTETS, ONE_DOWN_1, THREE_DOWN_1);
	v128.store(STATE, lastRound(counter, keySet));
	return lastRound(mac, second);
}
