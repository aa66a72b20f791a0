import { createReadStream, fstatSync, openSync, readFileSync } from "node:fs";
import { freemem, loadavg, totalmem } from "node:os";
import { Failure } from "../cli/errors.js";

const encoder = new TextEncoder();

/** Degrees Celsius of the first sensor there is. */
function temperature(): number | undefined {
	try {
		return Number(readFileSync("/sys/class/thermal/thermal_zone0/temp", "utf8")) / 1000;
	} catch {
		return undefined;
	}
}

/** Readings of this machine: load, memory in use, temperature where there is a sensor. */
export function* machineReadings(count: number): Generator<Uint8Array> {
	for (let i = 0; i < count; i++) {
		const load = loadavg()[0].toFixed(2);
		const memory = (100 * (1 - freemem() / totalmem())).toFixed(1);
		const degrees = temperature();
		yield encoder.encode(`load=${load} mem=${memory}%${degrees === undefined ? "" : ` t=${degrees.toFixed(1)}`}`);
	}
}

/**
 * The lines of a file, or of standard input for "-", as they stand, without their ends.
 * @throws Failure if the file cannot be opened, or later if it cannot be read
 */
export function lines(path: string): AsyncIterable<Uint8Array> {
	return linesOf(path === "-" ? process.stdin : createReadStream(path, { fd: openInput(path) }), path);
}

async function* linesOf(stream: AsyncIterable<Buffer>, path: string): AsyncGenerator<Uint8Array> {
	let rest: Buffer = Buffer.alloc(0);
	try {
		for await (const chunk of stream) {
			rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
			let start = 0;
			for (let end = rest.indexOf(0x0a); end >= 0; end = rest.indexOf(0x0a, start)) {
				yield withoutReturn(rest.subarray(start, end));
				start = end + 1;
			}
			rest = rest.subarray(start);
		}
	} catch (error) {
		throw unreadable(path, error);
	}
	if (rest.length > 0) yield withoutReturn(rest);
}

function openInput(path: string): number {
	try {
		const file = openSync(path, "r");
		if (fstatSync(file).isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
		return file;
	} catch (error) {
		throw unreadable(path, error);
	}
}

function unreadable(path: string, error: unknown): Failure {
	const why = error instanceof Error && "code" in error ? String(error.code) : String(error);
	return new Failure(`The input ${path} cannot be read (${why}): name a file that can, or - for standard input.`);
}

function withoutReturn(line: Uint8Array): Uint8Array {
	return Uint8Array.from(line.at(-1) === 0x0d ? line.subarray(0, -1) : line);
}
