import { sha256 } from "../keys/sha256.js";

const GROUPS = 5;
const DIGITS = "0123456789abcdef";

/** The first 80 bits of SHA-256 over a public key, for people: five groups of four hex digits. */
export function fingerprintOf(publicKey: Uint8Array): string {
	const digest = sha256(publicKey);
	let text = "";
	for (let i = 0; i < 2 * GROUPS; i++)
		text += (i > 0 && i % 2 === 0 ? "-" : "") + DIGITS[digest[i] >> 4] + DIGITS[digest[i] & 15];
	return text;
}
