/** Keys that a person gives: from a file, from standard input, or typed without an echo. Never from the command line. */
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { type Fields, SECRET_FIELDS } from "../provision/fields.js";
import { Failure, UsageError } from "./errors.js";

async function ask(question: string, isSecret: boolean): Promise<string> {
	if (!process.stdin.isTTY)
		throw new UsageError("There is no terminal to ask on: give the answer by an option or a file.");
	let isMuted = false;
	const output = new Writable({
		write(chunk, _, done) {
			if (!isMuted) process.stderr.write(chunk);
			done();
		},
	});
	const asking = createInterface({ input: process.stdin, output, terminal: true });
	const answer = new Promise<string>((resolve, reject) => {
		asking.question(question, resolve);
		asking.on("close", () => reject(new Failure("Nothing was entered.")));
	});
	isMuted = isSecret;
	try {
		return (await answer).trim();
	} finally {
		asking.close();
		if (isSecret) process.stderr.write("\n");
	}
}

/** @returns whether the person says yes */
export async function confirm(question: string): Promise<boolean> {
	return /^y(es)?$/i.test(await ask(`${question} [y/N] `, false));
}

async function prompted(): Promise<Fields> {
	const k = await ask("K, hex digits (nothing for a pre-shared key): ", true);
	if (k === "") return { psk: await ask("Pre-shared key, 64 hex digits: ", true) };
	const opc = await ask("OPc or TOPc, hex digits (nothing to give OP or TOP): ", true);
	const name = opc.length === 64 ? "topc" : "opc";
	if (opc !== "") return { k, [name]: opc };
	const op = await ask("OP or TOP, hex digits: ", true);
	return { k, [op.length === 64 ? "top" : "op"]: op };
}

/** The members of a JSON object as fields; numbers are taken as text. @throws Failure that shows nothing of the text */
export function fieldsOfJson(text: string, where: string): Fields {
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch {
		value = undefined;
	}
	const isFlat =
		typeof value === "object" &&
		value !== null &&
		!Array.isArray(value) &&
		Object.values(value).every((member) => typeof member === "string" || typeof member === "number");
	if (!isFlat) throw new Failure(`${where} is not a JSON object of texts and numbers.`);
	return Object.fromEntries(Object.entries(value as object).map(([name, member]) => [name, String(member)]));
}

/**
 * Reads an operator's key: hex digits and nothing else.
 * @param name "OP" or "TOP"
 * @param source "prompt", "-" for standard input, or a file
 * @throws Failure that shows nothing of it
 */
export async function readOperatorKey(name: "OP" | "TOP", source: string): Promise<string> {
	const allowed = `${name}, ${name === "OP" ? 32 : 64} hex digits`;
	const text = source === "prompt" ? await ask(`${allowed}: `, true) : readText(source, allowed).trim();
	if (text.length === (name === "OP" ? 32 : 64) && /^[0-9a-f]+$/i.test(text)) return text;
	const where = source === "-" ? "Standard input" : `The file ${source}`;
	throw new Failure(`${source === "prompt" ? "What was entered" : where} does not hold ${allowed}.`);
}

function readText(source: string, what: string): string {
	try {
		return readFileSync(source === "-" ? 0 : source, "utf8");
	} catch (error) {
		const why = (error as NodeJS.ErrnoException).code;
		throw new Failure(`The file ${source} cannot be read (${why}): name one that holds ${what}, or - or prompt.`);
	}
}

/**
 * Reads keys.
 * @param source "new" for none, "prompt", "-" for standard input, or a file: one JSON object with k and opc or op, k and topc
 * or top, or psk
 * @throws UsageError, Failure
 */
export async function readKeys(source: string): Promise<Fields> {
	if (source === "new") return {};
	if (source === "prompt") return prompted();
	const text = readText(source, "keys as JSON");
	const fields = fieldsOfJson(text, `What ${source === "-" ? "standard input" : source} holds`);
	if (!SECRET_FIELDS.some((name) => fields[name]))
		throw new Failure(`There is no key in ${source}: its members are ${SECRET_FIELDS.join(", ")}.`);
	return fields;
}
