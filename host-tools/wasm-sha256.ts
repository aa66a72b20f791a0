/**
 * What stands in for `firmware/keys/sha256.ts` in the `best` command: the kernel of `assembly/digest`. A digest of Node is
 * as fast by itself, but makes an object of the engine and one of OpenSSL each time; so it has only what is long.
 */
import { createHash, createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "./device/project-root.js";
import { copyOctets } from "./octets.js";

declare const WebAssembly: {
	readonly Module: new (octets: Uint8Array) => object;
	readonly Instance: new (module: object) => { readonly exports: unknown };
};

interface Exports {
	readonly memory: { readonly buffer: ArrayBuffer };
	sha256(octets: number): void;
	hmac(octets: number): void;
}

// As in assembly/digest.
const DIGEST = 4096;
const DIGEST_OCTETS = 32;
const INNER = 4608;
const BLOCK_OCTETS = 64;
const TEXT = INNER + BLOCK_OCTETS;
const TEXT_CAPACITY = 2048;

const module = new WebAssembly.Module(readFileSync(join(projectRoot(), "build/kernels/sha256.wasm")));
const kernel = new WebAssembly.Instance(module).exports as Exports;
const memory = new Uint8Array(kernel.memory.buffer);

/** @returns 32 octets */
export function sha256(octets: Uint8Array): Uint8Array {
	if (octets.length > TEXT_CAPACITY) return plain(createHash("sha256").update(octets).digest());
	copyOctets(memory, TEXT, octets, 0, octets.length);
	kernel.sha256(octets.length);
	return takeDigest();
}

/** @returns 32 octets */
export function hmacSha256(key: Uint8Array, octets: Uint8Array): Uint8Array {
	if (key.length > BLOCK_OCTETS || octets.length > TEXT_CAPACITY)
		return plain(createHmac("sha256", key).update(octets).digest());
	copyOctets(memory, INNER, key, 0, key.length);
	copyOctets(memory, TEXT, octets, 0, octets.length);
	kernel.hmac(octets.length);
	return takeDigest();
}

function takeDigest(): Uint8Array {
	const digest = memory.slice(DIGEST, DIGEST + DIGEST_OCTETS);
	memory.fill(0, DIGEST, DIGEST + DIGEST_OCTETS);
	return digest;
}

/** Not a Buffer: the slice of one is no copy, and what it was cut from is erased. */
const plain = ({ buffer, byteOffset, length }: Buffer) => new Uint8Array(buffer, byteOffset, length);
