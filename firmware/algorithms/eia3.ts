import { type Generator, readWord } from "./generator.js";

/**
 * The MAC of 128-EIA3 (TS 35.221 4.3): the sum of those 32-bit windows of the key stream that begin where the message has a
 * one, of the one behind its last bit, and of the last word. No branch and no address depends on message or key stream.
 */
export function authenticateByWindows(generator: Generator, message: Uint8Array, bitLength: number): number {
	let window = generator.next();
	let following = generator.next();
	let sum = 0;
	let bits = bitLength;
	for (let at = 0; bits > 0; at += 4, bits -= 32) {
		let word = readWord(message, at, bits);
		let rest = following;
		const steps = Math.min(bits, 32);
		for (let i = 0; i < steps; i++) {
			sum ^= window & (word >> 31);
			window = (window << 1) | (rest >>> 31);
			rest <<= 1;
			word <<= 1;
		}
		following = generator.next();
	}
	return sum ^ window ^ following;
}
