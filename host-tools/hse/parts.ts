import { readUint16, writeUint16 } from "../../firmware/emsdp/octets.js";

const HEADER = 3;

/** Octet strings by number, one after another: number (1 octet), length (2), octets. */
export type Parts = ReadonlyMap<number, Uint8Array>;

export function encodeParts(parts: Parts): Uint8Array {
	let length = 0;
	for (const part of parts.values()) length += HEADER + part.length;
	const octets = new Uint8Array(length);
	let at = 0;
	for (const [number, part] of parts) {
		octets[at] = number;
		writeUint16(octets, at + 1, part.length);
		octets.set(part, at + HEADER);
		at += HEADER + part.length;
	}
	return octets;
}

/** @returns copies, each in memory of its own: a Buffer's slice is none */
export function decodeParts(octets: Uint8Array): Parts {
	const parts = new Map<number, Uint8Array>();
	for (let at = 0; at < octets.length; ) {
		const end = at + HEADER + readUint16(octets, at + 1);
		parts.set(octets[at], Uint8Array.from(octets.subarray(at + HEADER, end)));
		at = end;
	}
	return parts;
}
