import { createHash } from "node:crypto";
import { closeSync, createReadStream, existsSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { Failure } from "../cli/errors.js";
import type { Report } from "./device-job.js";

const DIGEST_OCTETS = 32;

/** A set of row numbers: one bit each, so that a million rows are 125 KB. */
export class RowSet {
	private bits = new Uint8Array(1024);
	/**
	 * Of all rows and their IMSIs in any order, to tell whether it is the same batch. Not of checksums: they are linear, so
	 * those of two ranges of IMSIs, or of two rows that were exchanged, are the same together.
	 */
	private readonly digest = new Uint8Array(DIGEST_OCTETS);
	private count = 0;

	add(row: number, imsi: string): void {
		if (this.has(row)) return;
		const at = row >> 3;
		if (at >= this.bits.length) {
			const larger = new Uint8Array(Math.max(2 * this.bits.length, at + 1));
			larger.set(this.bits);
			this.bits = larger;
		}
		this.bits[at] |= 1 << (row & 7);
		const own = createHash("sha256").update(`${row} ${imsi}`).digest();
		for (let i = 0; i < DIGEST_OCTETS; i++) this.digest[i] ^= own[i];
		this.count++;
	}

	has(row: number): boolean {
		return ((this.bits[row >> 3] ?? 0) & (1 << (row & 7))) !== 0;
	}

	isSame(other: RowSet): boolean {
		return this.count === other.count && this.digest.every((octet, i) => octet === other.digest[i]);
	}
}

/** @throws Failure that names the option */
function openReport(path: string, flags: string): number {
	try {
		return openSync(path, flags, 0o600);
	} catch (error) {
		const why = (error as NodeJS.ErrnoException).code;
		throw new Failure(`The report ${path} cannot be used (${why}): name a file, or a new one, with --report.`);
	}
}

/** The rows that a report says are done. @throws Failure where it is no report, or one that cannot be written */
export async function rowsDone(path: string): Promise<RowSet> {
	const done = new RowSet();
	if (!existsSync(path)) return done;
	let number = 0;
	for await (const line of createInterface({ input: createReadStream(path, { fd: openReport(path, "r+") }) })) {
		number++;
		let report: Partial<Report>;
		try {
			report = JSON.parse(line);
		} catch {
			// Torn by a power cut: that row was not said to be done.
			if (line.startsWith("{")) continue;
			throw new Failure(
				`Line ${number} of ${path} is no report of a batch: name another file with --report, or mend it.`,
			);
		}
		if (report.status === "ok" && typeof report.row === "number" && typeof report.imsi === "string")
			done.add(report.row, report.imsi);
	}
	return done;
}

const NEW_LINE = 0x0a;

/** Adds lines to a report; each is in the file when `write` returns. @throws Failure where it cannot be made */
export function appendTo(path: string): { write(line: string): void; close(): void } {
	const file = openReport(path, "a+");
	const { size } = fstatSync(file);
	const last = Buffer.alloc(1);
	// Behind a torn line.
	if (size > 0 && readSync(file, last, 0, 1, size - 1) === 1 && last[0] !== NEW_LINE) writeSync(file, "\n");
	return { write: (line) => writeSync(file, `${line}\n`), close: () => closeSync(file) };
}
