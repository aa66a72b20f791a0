/**
 * The SDK's native SHA-256 as the module `best/keys/sha256`, in place of keys/sha256.ts: quicker, and without scratch
 * arrays, so that all that stands on it can be preloaded.
 */
import * as crypt from "crypt";

interface NativeDigest {
	write(octets: Uint8Array): void;
	close(): ArrayBuffer;
	/** Begins anew. */
	reset(): void;
}

// The SDK's own declaration lets no view be written.
const Digest = crypt.Digest as unknown as new (type: "SHA256") => NativeDigest;

const BLOCK_OCTETS = 64;

function digest(first: Uint8Array, second?: Uint8Array): Uint8Array {
	const state = new Digest("SHA256");
	state.write(first);
	if (second !== undefined) state.write(second);
	const result = new Uint8Array(state.close());
	// What was digested may be secret, and its end stays in the state.
	state.reset();
	state.write(new Uint8Array(BLOCK_OCTETS));
	return result;
}

/** SHA-256 (FIPS 180-4). @returns 32 octets */
export function sha256(octets: Uint8Array): Uint8Array {
	return digest(octets);
}

/** HMAC (RFC 2104) with SHA-256. @returns 32 octets */
export function hmacSha256(key: Uint8Array, octets: Uint8Array): Uint8Array {
	const pad = new Uint8Array(BLOCK_OCTETS);
	pad.set(key.length > BLOCK_OCTETS ? digest(key) : key);
	for (let i = 0; i < BLOCK_OCTETS; i++) pad[i] ^= 0x36;
	const inner = digest(pad, octets);
	for (let i = 0; i < BLOCK_OCTETS; i++) pad[i] ^= 0x36 ^ 0x5c;
	const outer = digest(pad, inner);
	pad.fill(0);
	inner.fill(0);
	return outer;
}
