/** What stands in for `firmware/keys/sha256.ts` in the `best` command: the digests of Node, which are faster there. */
import { createHash, createHmac } from "node:crypto";

/** Not a Buffer: the slice of one is no copy, and what it was cut from is erased. */
const plain = ({ buffer, byteOffset, length }: Buffer) => new Uint8Array(buffer, byteOffset, length);

/** @returns 32 octets */
export function sha256(octets: Uint8Array): Uint8Array {
	return plain(createHash("sha256").update(octets).digest());
}

/** @returns 32 octets */
export function hmacSha256(key: Uint8Array, octets: Uint8Array): Uint8Array {
	return plain(createHmac("sha256", key).update(octets).digest());
}
