import { type Generator, readWord } from "./generator.js";

/** x^64 in the field of 128-EIA1: x^4 + x^3 + x + 1. */
const REDUCTION = 0x1b;

/** The two words of the value so far; they live no longer than a call. */
let high = 0;
let low = 0;

/**
 * The MAC of 128-EIA1 (TS 35.215 4.4): the message as a polynomial over GF(2^64), evaluated at the first two words of the
 * key stream, times the next two, and the fifth added to the first half. No branch and no address depends on any of them.
 */
export function authenticateByEvaluation(generator: Generator, message: Uint8Array, bitLength: number): number {
	const p0 = generator.next();
	const p1 = generator.next();
	const q0 = generator.next();
	const q1 = generator.next();
	high = 0;
	low = 0;
	for (let at = 0, bits = bitLength; bits > 0; at += 8, bits -= 64) {
		high ^= readWord(message, at, bits);
		if (bits > 32) low ^= readWord(message, at + 4, bits - 32);
		multiply(p0, p1);
	}
	low ^= bitLength;
	multiply(q0, q1);
	const mac = high ^ generator.next();
	high = 0;
	low = 0;
	return mac;
}

/** Multiplies the value by the polynomial of two words. */
function multiply(first: number, second: number): void {
	const factorHigh = high;
	const factorLow = low;
	let sumHigh = 0;
	let sumLow = 0;
	let rest = first;
	for (let i = 0; i < 64; i++) {
		if (i === 32) rest = second;
		const overflow = sumHigh >> 31;
		const bit = rest >> 31;
		sumHigh = ((sumHigh << 1) | (sumLow >>> 31)) ^ (factorHigh & bit);
		sumLow = (sumLow << 1) ^ (overflow & REDUCTION) ^ (factorLow & bit);
		rest <<= 1;
	}
	high = sumHigh;
	low = sumLow;
}
