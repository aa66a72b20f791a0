import { fstatSync, ftruncateSync, writeSync } from "node:fs";

/** Writes octets from a place on. @returns how many of them. @throws Error of node:fs */
type Write = (file: number, octets: Uint8Array, from: number) => number;

/** Appends a line as a whole, or not at all: where the medium is full, systems write a part of it first. @throws Error of node:fs */
export function appendLine(file: number, line: string, write: Write = writeSync): void {
	const octets = Buffer.from(`${line}\n`);
	const { size } = fstatSync(file);
	let at = 0;
	try {
		while (at < octets.length) at += write(file, octets, at);
	} catch (error) {
		// Not where another process has written behind it.
		if (fstatSync(file).size === size + at) ftruncateSync(file, size);
		throw error;
	}
}
