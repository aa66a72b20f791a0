import { fstatSync, ftruncateSync, writeSync } from "node:fs";

/** Writes octets from a place on. @returns how many of them. @throws Error of node:fs */
type Write = (file: number, octets: Uint8Array, from: number) => number;

/** Appends a line as a whole, or not at all: where the medium is full, systems write a part of it first. @throws Error of node:fs */
export function appendLine(file: number, line: string, write: Write = writeSync): void {
	const octets = Buffer.from(`${line}\n`);
	const { size } = fstatSync(file);
	try {
		for (let at = 0; at < octets.length; ) at += write(file, octets, at);
	} catch (error) {
		ftruncateSync(file, size);
		throw error;
	}
}
