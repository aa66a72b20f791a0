import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Kernel } from "../../firmware/kernels/kernel.js";
import { checkCount } from "./count.js";
import { checkHeader } from "./header.js";
import { checkInvalid } from "./invalid.js";
import { checkKeys } from "./keys.js";
import { checkMessage } from "./messages.js";
import { checkTlv } from "./tlv.js";
import { checkTranscript } from "./transcripts.js";
import type { CaseCheck, VectorCase } from "./vector-case.js";

/** The formats by a field that only their cases have. */
const FORMATS: readonly {
	readonly name: string;
	readonly field: string;
	check(kernel: Kernel): CaseCheck;
}[] = [
	{ name: "header", field: "header_length", check: () => checkHeader },
	{ name: "count", field: "counter_bits", check: () => checkCount },
	{ name: "tlv", field: "kind", check: () => checkTlv },
	{ name: "keys", field: "derivations", check: (kernel) => (vector) => checkKeys(kernel, vector) },
	{ name: "transcripts", field: "hse_random", check: (kernel) => (vector) => checkTranscript(kernel, vector) },
	{ name: "invalid", field: "expected", check: (kernel) => (vector) => checkInvalid(kernel, vector) },
	{ name: "messages", field: "content", check: (kernel) => (vector) => checkMessage(kernel, vector) },
];

export interface FileReport {
	readonly file: string;
	readonly format: string;
	readonly passed: number;
	readonly failures: readonly { readonly description: string; readonly why: string }[];
}

/** Checks every case of a vector file. @returns undefined where the file has none of the formats */
export function checkFile(kernel: Kernel, path: string): FileReport | undefined {
	const cases: VectorCase[] = JSON.parse(readFileSync(path, "utf8")).cases;
	if (!Array.isArray(cases) || cases.length === 0) return undefined;
	const format = FORMATS.find(({ field }) => cases[0][field] !== undefined);
	if (format === undefined) return undefined;
	const check = format.check(kernel);
	const failures: { description: string; why: string }[] = [];
	for (const vector of cases) {
		try {
			check(vector);
		} catch (error) {
			failures.push({ description: vector.description, why: error instanceof Error ? error.message : String(error) });
		}
	}
	return { file: path, format: format.name, passed: cases.length - failures.length, failures };
}

/** Checks every vector file below a folder. @throws Error of node:fs where it cannot be read */
export function checkFolder(kernel: Kernel, folder: string): FileReport[] {
	return readdirSync(folder, { withFileTypes: true, recursive: true })
		.filter((entry) => entry.isFile() && entry.name.endsWith(".json"))
		.map((entry) => join(entry.parentPath ?? entry.path, entry.name))
		.sort()
		.flatMap((path) => checkFile(kernel, path) ?? []);
}
