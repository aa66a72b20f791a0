import { hmacSha256 } from "./sha256.js";

/** The input of the KDF: S = FC ‖ P0 ‖ L0 ‖ P1 ‖ L1 ‖ … with lengths in two octets (TS 33.220 B.2.0). */
export function kdfInput(fc: number, parameters: readonly Uint8Array[]): Uint8Array {
	let length = 1;
	for (const parameter of parameters) length += parameter.length + 2;
	const s = new Uint8Array(length);
	s[0] = fc;
	let at = 1;
	for (const parameter of parameters) {
		s.set(parameter, at);
		at += parameter.length;
		s[at++] = parameter.length >> 8;
		s[at++] = parameter.length;
	}
	return s;
}

/** KDF(Key, S) = HMAC-SHA-256(Key, S) (TS 33.220 B.2.0). @returns 32 octets */
export function kdf(key: Uint8Array, fc: number, parameters: readonly Uint8Array[]): Uint8Array {
	return hmacSha256(key, kdfInput(fc, parameters));
}

/** The 128 least significant bits of a KDF output (house rule of TS 33.501 A.8); the output is erased. */
export function leastSignificant128(output: Uint8Array): Uint8Array {
	const key = output.slice(16);
	output.fill(0);
	return key;
}
