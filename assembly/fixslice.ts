/**
 * AES-128 (FIPS 197) on two blocks at once, fixsliced: Adomnicai, Peyrin, "Fixslicing AES-like Ciphers", TCHES 2021.
 *
 * Word j of the state holds bit j of all 32 octets: row r, column c and lane l stand at bit 8r + 2c + l. ShiftRows is
 * never carried out. After n rounds the state lies n ShiftRows behind, so MixColumns takes the next row's octet n
 * columns further; after four rounds all is back in its place.
 *
 * There is no branch and no address that depends on a key or on data, and no table.
 */
import { ROUND_KEY_OCTETS, STATE } from "./memory";

const NO_MIX_COLUMNS: i32 = -1;

/** V8 is faster with the slices in memory between SubBytes and MixColumns, a C compiler with variables. */
const STATE_IN_MEMORY: bool = ASC_SHRINK_LEVEL === 0;

/** Fills both blocks with zero. Not a loop: a C compiler makes that a call of memset, which on a device may go by octets. */
export function clearState(): void {
	store<u32>(STATE, 0, 0);
	store<u32>(STATE, 0, 4);
	store<u32>(STATE, 0, 8);
	store<u32>(STATE, 0, 12);
	store<u32>(STATE, 0, 16);
	store<u32>(STATE, 0, 20);
	store<u32>(STATE, 0, 24);
	store<u32>(STATE, 0, 28);
}

/**
 * From columns to bit slices and back: bit j of word i against bit i of word j, in each of the four octets.
 * On the way back the last round key is added before, and the ten outstanding ShiftRows, which are as good as two, are
 * carried out after: rows 1 and 3 of each column against those of the column two further on.
 */
@inline
function exchangeBits(back: bool, roundKey: usize): void {
	let w0 = load<u32>(STATE, 0);
	let w1 = load<u32>(STATE, 4);
	let w2 = load<u32>(STATE, 8);
	let w3 = load<u32>(STATE, 12);
	let w4 = load<u32>(STATE, 16);
	let w5 = load<u32>(STATE, 20);
	let w6 = load<u32>(STATE, 24);
	let w7 = load<u32>(STATE, 28);
	if (back) {
		w0 ^= load<u32>(roundKey, 0);
		w1 ^= load<u32>(roundKey, 4);
		w2 ^= load<u32>(roundKey, 8);
		w3 ^= load<u32>(roundKey, 12);
		w4 ^= load<u32>(roundKey, 16);
		w5 ^= load<u32>(roundKey, 20);
		w6 ^= load<u32>(roundKey, 24);
		w7 ^= load<u32>(roundKey, 28);
	}
	let exchanged: u32;

	// Single bits of neighbours,
	exchanged = ((w0 >>> 1) ^ w1) & 0x55555555;
	w0 ^= exchanged << 1;
	w1 ^= exchanged;
	exchanged = ((w2 >>> 1) ^ w3) & 0x55555555;
	w2 ^= exchanged << 1;
	w3 ^= exchanged;
	exchanged = ((w4 >>> 1) ^ w5) & 0x55555555;
	w4 ^= exchanged << 1;
	w5 ^= exchanged;
	exchanged = ((w6 >>> 1) ^ w7) & 0x55555555;
	w6 ^= exchanged << 1;
	w7 ^= exchanged;

	// pairs of bits two words apart,
	exchanged = ((w0 >>> 2) ^ w2) & 0x33333333;
	w0 ^= exchanged << 2;
	w2 ^= exchanged;
	exchanged = ((w1 >>> 2) ^ w3) & 0x33333333;
	w1 ^= exchanged << 2;
	w3 ^= exchanged;
	exchanged = ((w4 >>> 2) ^ w6) & 0x33333333;
	w4 ^= exchanged << 2;
	w6 ^= exchanged;
	exchanged = ((w5 >>> 2) ^ w7) & 0x33333333;
	w5 ^= exchanged << 2;
	w7 ^= exchanged;

	// half octets four words apart.
	storePair(back, 0, w0, w4);
	storePair(back, 4, w1, w5);
	storePair(back, 8, w2, w6);
	storePair(back, 12, w3, w7);
}

/** The last step of {@link exchangeBits}, for one pair of words. */
@inline
function storePair(back: bool, place: usize, first: u32, second: u32): void {
	let exchanged = ((first >>> 4) ^ second) & 0x0f0f0f0f;
	let a = first ^ (exchanged << 4);
	let b = second ^ exchanged;
	if (back) {
		exchanged = (a ^ b) & 0xff00ff00;
		a ^= exchanged;
		b ^= exchanged;
	}
	store<u32>(STATE + place, a);
	store<u32>(STATE + place + 16, b);
}

/** From columns to bit slices. */
export function transpose(): void {
	exchangeBits(false, 0);
}

/**
 * The octet one row down and `turn` columns right, brought to each place: two bits to a column, so the four octets of a
 * word move on by one and each of them turns by 2 `turn` bits. Bits that a rotation of the word alone would bring into the
 * next octet are taken from one octet further on before. This order leaves the rotation to the instruction that uses the
 * result, where a processor has a barrel shifter.
 */
@inline
function oneDown(x: u32, turn: i32): u32 {
	if (turn === 0) return rotr<u32>(x, 8);
	const both = x ^ rotr<u32>(x, 8);
	if (turn === 1) return rotr<u32>(x ^ (both & 0xfcfcfcfc), 2);
	if (turn === 2) return rotr<u32>(x ^ (both & 0xf0f0f0f0), 4);
	return rotr<u32>(x ^ (both & 0xc0c0c0c0), 6);
}

/** The octet two rows down and `2 turn` columns right, brought to each place. */
@inline
function twoDown(x: u32, turn: i32): u32 {
	if ((turn & 1) === 0) return rotr<u32>(x, 16);
	return rotr<u32>(x ^ ((x ^ rotr<u32>(x, 8)) & 0xf0f0f0f0), 12);
}

/** A slice after SubBytes: its value, or what stands at its place. */
@inline
function slice(place: usize, value: u32): u32 {
	return STATE_IN_MEMORY ? load<u32>(STATE + place) : value;
}

/**
 * AddRoundKey, then SubBytes without its constant 63, by the 115 gates of Boyar and Peralta ("A new combinational logic
 * minimization technique with applications to cryptology", 2010; their names, U0 the most significant bit). MixColumns
 * leaves an octet repeated in all rows as it is, so the constant stands in the round keys (see key-schedule.ts).
 *
 * Then MixColumns, unless `turn` is NO_MIX_COLUMNS, on a state that lies `turn` ShiftRows behind. With a the octet itself,
 * b, c, d those one, two and three rows down: 2a + 3b + c + d = 2(a + b) + b + (c + d), and c + d is a + b two rows down.
 * All in one function, so that the slices need not go through memory between the steps.
 */
@inline
function substituteThen(turn: i32, roundKey: usize): void {
	const u0 = load<u32>(STATE, 28) ^ load<u32>(roundKey, 28);
	const u1 = load<u32>(STATE, 24) ^ load<u32>(roundKey, 24);
	const u2 = load<u32>(STATE, 20) ^ load<u32>(roundKey, 20);
	const u3 = load<u32>(STATE, 16) ^ load<u32>(roundKey, 16);
	const u4 = load<u32>(STATE, 12) ^ load<u32>(roundKey, 12);
	const u5 = load<u32>(STATE, 8) ^ load<u32>(roundKey, 8);
	const u6 = load<u32>(STATE, 4) ^ load<u32>(roundKey, 4);
	const u7 = load<u32>(STATE, 0) ^ load<u32>(roundKey, 0);

	// Into the tower field GF((2^4)^2).
	const y14 = u3 ^ u5;
	const y13 = u0 ^ u6;
	const y9 = u0 ^ u3;
	const y8 = u0 ^ u5;
	const t0 = u1 ^ u2;
	const y1 = t0 ^ u7;
	const y4 = y1 ^ u3;
	const y12 = y13 ^ y14;
	const y2 = y1 ^ u0;
	const y5 = y1 ^ u6;
	const y3 = y5 ^ y8;
	const t1 = u4 ^ y12;
	const y15 = t1 ^ u5;
	const y20 = t1 ^ u1;
	const y6 = y15 ^ u7;
	const y10 = y15 ^ t0;
	const y11 = y20 ^ y9;
	const y7 = u7 ^ y11;
	const y17 = y10 ^ y11;
	const y19 = y10 ^ y8;
	const y16 = t0 ^ y11;
	const y21 = y13 ^ y16;
	const y18 = u0 ^ y16;

	// Inversion.
	const t2 = y12 & y15;
	const t4 = (y3 & y6) ^ t2;
	const t6 = (y4 & u7) ^ t2;
	const t7 = y13 & y16;
	const t9 = (y5 & y1) ^ t7;
	const t11 = (y2 & y7) ^ t7;
	const t12 = y9 & y11;
	const t14 = (y14 & y17) ^ t12;
	const t16 = (y8 & y10) ^ t12;
	const t21 = t4 ^ t14 ^ y20;
	const t22 = t6 ^ t16 ^ y19;
	const t23 = t9 ^ t14 ^ y21;
	const t24 = t11 ^ t16 ^ y18;
	const t25 = t21 ^ t22;
	const t26 = t21 & t23;
	const t27 = t24 ^ t26;
	const t29 = (t25 & t27) ^ t22;
	const t33 = ((t22 ^ t26) & (t23 ^ t24)) ^ t24;
	const t36 = t24 & (t27 ^ t33);
	const t37 = t36 ^ t23 ^ t33;
	const t40 = t25 ^ (t29 & (t27 ^ t36));
	const t41 = t40 ^ t37;
	const t42 = t29 ^ t33;
	const t43 = t29 ^ t40;
	const t44 = t33 ^ t37;
	const t45 = t42 ^ t41;

	const z0 = t44 & y15;
	const z1 = t37 & y6;
	const z2 = t33 & u7;
	const z3 = t43 & y16;
	const z4 = t40 & y1;
	const z5 = t29 & y7;
	const z6 = t42 & y11;
	const z7 = t45 & y17;
	const z8 = t41 & y10;
	const z9 = t44 & y12;
	const z10 = t37 & y3;
	const z11 = t33 & y4;
	const z12 = t43 & y13;
	const z13 = t40 & y5;
	const z14 = t29 & y2;
	const z15 = t42 & y9;
	const z16 = t45 & y14;
	const z17 = t41 & y8;

	// Back from the tower field, and the affine map.
	const t46 = z15 ^ z16;
	const t48 = z5 ^ z13;
	const t53 = z0 ^ z3;
	const t57 = z2 ^ z12 ^ t53;
	const t58 = z4 ^ t46;
	const t59 = z3 ^ z6 ^ z7;
	const t62 = z7 ^ z8 ^ t58;
	const t63 = z9 ^ z10 ^ t58;
	const t64 = z4 ^ t59;
	const t65 = z14 ^ t57 ^ t62;
	const t66 = z1 ^ t63;
	const s3 = t53 ^ t66;
	const s0 = t59 ^ t63;
	const s1 = t64 ^ s3;
	const s2 = z16 ^ z17 ^ t64 ^ t65;
	const s4 = z2 ^ z5 ^ t66;
	const s5 = z10 ^ z11 ^ t65;
	const s6 = z12 ^ t48 ^ t62;
	const s7 = t48 ^ t46 ^ t57;
	if (turn === NO_MIX_COLUMNS || STATE_IN_MEMORY) {
		store<u32>(STATE, s0, 28);
		store<u32>(STATE, s1, 24);
		store<u32>(STATE, s2, 20);
		store<u32>(STATE, s3, 16);
		store<u32>(STATE, s4, 12);
		store<u32>(STATE, s5, 8);
		store<u32>(STATE, s6, 4);
		store<u32>(STATE, s7, 0);
	}
	if (turn === NO_MIX_COLUMNS) return;

	// MixColumns (see oneDown).
	const a7 = slice(28, s0);
	const b7 = oneDown(a7, turn);
	const high = a7 ^ b7;
	const a6 = slice(24, s1);
	const b6 = oneDown(a6, turn);
	const sum6 = a6 ^ b6;
	store<u32>(STATE, sum6 ^ b7 ^ twoDown(high, turn), 28);
	const a5 = slice(20, s2);
	const b5 = oneDown(a5, turn);
	const sum5 = a5 ^ b5;
	store<u32>(STATE, sum5 ^ b6 ^ twoDown(sum6, turn), 24);
	const a4 = slice(16, s3);
	const b4 = oneDown(a4, turn);
	const sum4 = a4 ^ b4;
	store<u32>(STATE, sum4 ^ b5 ^ twoDown(sum5, turn), 20);
	const a3 = slice(12, s4);
	const b3 = oneDown(a3, turn);
	const sum3 = a3 ^ b3;
	store<u32>(STATE, sum3 ^ high ^ b4 ^ twoDown(sum4, turn), 16);
	const a2 = slice(8, s5);
	const b2 = oneDown(a2, turn);
	const sum2 = a2 ^ b2;
	store<u32>(STATE, sum2 ^ high ^ b3 ^ twoDown(sum3, turn), 12);
	const a1 = slice(4, s6);
	const b1 = oneDown(a1, turn);
	const sum1 = a1 ^ b1;
	store<u32>(STATE, sum1 ^ b2 ^ twoDown(sum2, turn), 8);
	const a0 = slice(0, s7);
	const b0 = oneDown(a0, turn);
	const sum0 = a0 ^ b0;
	store<u32>(STATE, sum0 ^ high ^ b1 ^ twoDown(sum1, turn), 4);
	store<u32>(STATE, high ^ b0 ^ twoDown(sum0, turn), 0);
}

/** {@link substituteThen} without MixColumns, as a function of its own. */
export function substitute(roundKey: usize): void {
	substituteThen(NO_MIX_COLUMNS, roundKey);
}

/** Enciphers the two blocks of STATE in place, each under its own key. */
export function encrypt(keySet: usize): void {
	transpose();
	const ninth = keySet + 8 * ROUND_KEY_OCTETS;
	let roundKey = keySet;
	for (;;) {
		substituteThen(1, roundKey);
		// Ten rounds are two and a half turns of this loop; the tenth round has no MixColumns.
		if (roundKey === ninth) break;
		substituteThen(2, roundKey + ROUND_KEY_OCTETS);
		substituteThen(3, roundKey + 2 * ROUND_KEY_OCTETS);
		substituteThen(0, roundKey + 3 * ROUND_KEY_OCTETS);
		roundKey += 4 * ROUND_KEY_OCTETS;
	}
	substitute(ninth + ROUND_KEY_OCTETS);
	exchangeBits(true, ninth + 2 * ROUND_KEY_OCTETS);
}
