/** The rows of a batch: CSV with a header, or a JSON object on each line. Read as a stream, one at a time. */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { parse } from "csv-parse";
import { Failure, UsageError } from "../cli/errors.js";
import { fieldsOfJson } from "../cli/secrets.js";
import type { Fields } from "./fields.js";

export interface Row {
	/** From 1; a header is not counted. */
	readonly number: number;
	readonly fields: Fields;
}

/** `HSE_Port` is `hse-port`. */
function fieldName(text: string): string {
	return text.trim().toLowerCase().replaceAll("_", "-");
}

async function* csvRows(input: Readable): AsyncGenerator<Fields> {
	const parser = parse({
		bom: true,
		trim: true,
		skip_empty_lines: true,
		columns: (header: string[]) => header.map(fieldName),
	});
	input.on("error", (error) => parser.destroy(error));
	try {
		yield* input.pipe(parser) as AsyncIterable<Fields>;
	} catch (error) {
		// Its message may hold a piece of the text, which may be a key.
		const { code, lines } = error as { code?: string; lines?: number };
		throw new UsageError(`Line ${lines ?? "?"} is not CSV of the header's columns (${code ?? "cannot be read"}).`);
	}
}

async function* jsonRows(input: Readable): AsyncGenerator<Fields> {
	let number = 0;
	for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
		number++;
		if (line.trim() === "") continue;
		const fields = fieldsOfJson(line, `Line ${number}`);
		yield Object.fromEntries(Object.entries(fields).map(([name, value]) => [fieldName(name), value]));
	}
}

/** @param file or "-" for standard input @throws Failure, UsageError that show nothing of the contents */
export async function* rowsOf(file: string): AsyncGenerator<Row> {
	const source: Readable = file === "-" ? process.stdin : createReadStream(file);
	const chunks = source[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
	let first: IteratorResult<Buffer>;
	try {
		first = await chunks.next();
	} catch (error) {
		throw new Failure(
			`The batch ${file} cannot be read (${(error as NodeJS.ErrnoException).code}): name a file, or -.`,
		);
	}
	if (first.done) return;
	const input = Readable.from(
		(async function* () {
			yield first.value;
			for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
		})(),
		{ objectMode: false },
	);
	let number = 0;
	const isJson = /^\s*\{/.test(first.value.toString("latin1", 0, 256));
	for await (const fields of isJson ? jsonRows(input) : csvRows(input)) yield { number: ++number, fields };
}
