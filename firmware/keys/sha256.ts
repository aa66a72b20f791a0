/** SHA-256 (FIPS 180-4) and HMAC (RFC 2104) in one place, so that a target can put its native digest behind it. */
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 as nobleSha256 } from "@noble/hashes/sha2.js";

/** @returns 32 octets */
export function sha256(octets: Uint8Array): Uint8Array {
	return nobleSha256(octets);
}

/** @returns 32 octets */
export function hmacSha256(key: Uint8Array, octets: Uint8Array): Uint8Array {
	return hmac(nobleSha256, key, octets);
}
