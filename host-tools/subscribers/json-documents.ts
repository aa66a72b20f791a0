import { createReadStream, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { Failure } from "../cli/errors.js";

export type Document = Readonly<Record<string, unknown>>;

function isDocument(value: unknown): value is Document {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A member of a member …, undefined where there is none. */
export function member(document: unknown, ...names: readonly string[]): unknown {
	let value = document;
	for (const name of names) value = isDocument(value) ? value[name] : undefined;
	return value;
}

/**
 * Documents as mongoexport writes them: one on each line, or with --jsonArray all in one array; or one alone.
 * @throws Failure that shows nothing of the file
 */
export async function* documentsOf(file: string): AsyncGenerator<Document> {
	let number = 0;
	try {
		for await (const line of createInterface({ input: createReadStream(file) })) {
			number++;
			if (line.trim() === "") continue;
			let value: unknown;
			try {
				value = JSON.parse(line);
			} catch {
				// Not one on each line.
				if (number > 1) throw new Failure(`Line ${number} of ${file} is not a JSON document.`);
				yield* wholeFile(file);
				return;
			}
			yield* (Array.isArray(value) ? value : [value]).filter(isDocument);
		}
	} catch (error) {
		if (error instanceof Failure) throw error;
		throw new Failure(`The file ${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
	}
}

function wholeFile(file: string): Document[] {
	try {
		const value: unknown = JSON.parse(readFileSync(file, "utf8"));
		return (Array.isArray(value) ? value : [value]).filter(isDocument);
	} catch {
		throw new Failure(`The file ${file} does not hold JSON.`);
	}
}
