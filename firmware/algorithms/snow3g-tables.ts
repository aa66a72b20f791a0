/**
 * The tables of SNOW 3G (TS 35.216 3.3, 3.4), computed when the module is loaded: 4 KB. Words have their first octet in
 * the high bits.
 */
import { subBytes } from "../kernels/sub-bytes.js";

/** S-box and column mix of S1 and S2 for the last octet of a word; those for the others are its rotations. */
export const S1 = new Int32Array(256);
export const S2 = new Int32Array(256);
/** MUL_alpha and DIV_alpha. */
export const MULTIPLY_ALPHA = new Int32Array(256);
export const DIVIDE_ALPHA = new Int32Array(256);

/** Low octets of the polynomials of the three fields (x^8 is left out), all with x as a primitive element. */
const S2_FIELD = 0x69;
const ALPHA_FIELD = 0xa9;

/** The powers of x whose sum, with the constant, is the S-box of S2 (TS 35.216, annex: g49 of Dickson). */
const S2_POWERS = [1, 9, 13, 15, 33, 41, 45, 47, 49];
const S2_CONSTANT = 0x25;
/** The powers of x that are the octets of MUL_alpha and DIV_alpha, the first octet first. */
const MULTIPLY_POWERS = [23, 245, 48, 239];
const DIVIDE_POWERS = [16, 39, 6, 64];

function double(octet: number, field: number): number {
	return ((octet << 1) & 0xff) ^ (octet & 0x80 ? field : 0);
}

/** x^0 to x^254. */
function powersOf(field: number): number[] {
	const powers = [1];
	while (powers.length < 255) powers.push(double(powers[powers.length - 1], field));
	return powers;
}

/** The column of an octet in the last row: 3s, s, s, 2s. */
function column(s: number, field: number): number {
	const twice = double(s, field);
	return ((twice ^ s) << 24) | (s << 16) | (s << 8) | twice;
}

subBytes((octet, s) => {
	S1[octet] = column(s, 0x1b);
});

S2[0] = column(S2_CONSTANT, S2_FIELD);
const inS2 = powersOf(S2_FIELD);
const inAlpha = powersOf(ALPHA_FIELD);
for (let i = 0; i < 255; i++) {
	let s = S2_CONSTANT;
	for (const power of S2_POWERS) s ^= inS2[(i * power) % 255];
	S2[inS2[i]] = column(s, S2_FIELD);
	let multiple = 0;
	let quotient = 0;
	for (const power of MULTIPLY_POWERS) multiple = (multiple << 8) | inAlpha[(i + power) % 255];
	for (const power of DIVIDE_POWERS) quotient = (quotient << 8) | inAlpha[(i + power) % 255];
	MULTIPLY_ALPHA[inAlpha[i]] = multiple;
	DIVIDE_ALPHA[inAlpha[i]] = quotient;
}
