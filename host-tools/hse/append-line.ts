import { fstatSync, ftruncateSync, writeSync } from "node:fs";

/** Appends a line as a whole, or not at all: where the medium is full the system writes a part and says so. @throws Error of node:fs */
export function appendLine(file: number, line: string): void {
	const octets = Buffer.from(`${line}\n`);
	const { size } = fstatSync(file);
	try {
		for (let at = 0; at < octets.length; ) at += writeSync(file, octets, at);
	} catch (error) {
		ftruncateSync(file, size);
		throw error;
	}
}
