import { parseArgs } from "node:util";
import { encodeImsi } from "../../firmware/emsdp/imsi.js";
import { UsageError } from "./errors.js";

/** An option of a command: a flag, or one that takes a value. */
export interface OptionRow {
	/** What stands for the value in the help; a flag has none. */
	readonly value?: string;
	readonly help: string;
}

/** A command of `best`. */
export interface Command {
	readonly name: string;
	readonly summary: string;
	/** Names of what stands behind the options, all of them needed. */
	readonly operands?: readonly string[];
	readonly options: Readonly<Record<string, OptionRow>>;
	readonly example: string;
	/** @returns the exit status */
	run(options: Options, operands: readonly string[]): Promise<number>;
}

/** What a person gave: text by option name, or true for a flag. */
export type Options = Readonly<Record<string, string | boolean | undefined>>;

/** Takes the words behind a command apart. @throws UsageError that says which is wrong and what is allowed */
export function parseOptions(command: Command, words: readonly string[]): { options: Options; operands: string[] } {
	const rows = Object.entries(command.options);
	const allowed = rows
		.map(([name, { value }]) => (value === undefined ? `--${name}` : `--${name} ${value}`))
		.join(", ");
	let parsed: ReturnType<typeof parseArgs>;
	try {
		parsed = parseArgs({
			args: [...words],
			allowPositionals: true,
			options: Object.fromEntries(
				rows.map(([name, { value }]) => [name, { type: value === undefined ? "boolean" : "string" } as const]),
			),
		});
	} catch (error) {
		const text = error instanceof Error ? error.message : String(error);
		const sentence = text.split(/[.\n]/)[0];
		throw new UsageError(`best ${command.name}: ${sentence}; allowed: ${allowed || "no options"}.`);
	}
	const operands = command.operands ?? [];
	if (parsed.positionals.length !== operands.length) {
		const wanted = operands.length === 0 ? "no operand" : operands.join(" ");
		const extra = parsed.positionals[operands.length];
		const wrong = extra === undefined ? `${operands[parsed.positionals.length]} is missing` : `"${extra}" is too much`;
		throw new UsageError(`best ${command.name}: ${wrong}; it takes ${wanted}, and the options ${allowed || "none"}.`);
	}
	return { options: parsed.values as Options, operands: parsed.positionals };
}

/** A whole number within bounds. @throws UsageError */
export function numberOption(options: Options, name: string, fallback: number, least: number, most: number): number {
	const given = options[name];
	if (given === undefined) return fallback;
	const number = typeof given === "string" && /^\d{1,15}$/.test(given) ? Number(given) : Number.NaN;
	if (!(number >= least && number <= most))
		throw new UsageError(`--${name} is "${given}": a whole number from ${least} to ${most} is allowed.`);
	return number;
}

/** One of a list of words. @throws UsageError */
export function choiceOption<T extends string>(options: Options, name: string, choices: readonly T[], fallback: T): T {
	const given = options[name];
	if (given === undefined) return fallback;
	const choice = choices.find((word) => word === given);
	if (choice === undefined) throw new UsageError(`--${name} is "${given}": allowed are ${choices.join(", ")}.`);
	return choice;
}

/** Words of a list, separated by commas, each once, in the order given. @throws UsageError */
export function listOption<T extends string>(
	options: Options,
	name: string,
	choices: readonly T[],
	fallback: readonly T[],
): T[] {
	const given = options[name];
	if (typeof given !== "string") return [...fallback];
	const words = given.split(",");
	const list = words.flatMap((word) => choices.find((choice) => choice === word) ?? []);
	if (list.length !== words.length || new Set(list).size !== list.length)
		throw new UsageError(`--${name} is "${given}": allowed are ${choices.join(", ")}, each once, separated by commas.`);
	return list;
}

export function textOption(options: Options, name: string, fallback: string): string {
	const given = options[name];
	return typeof given === "string" ? given : fallback;
}

/** An IMSI, undefined where none was given. @throws UsageError */
export function imsiOption(options: Options): string | undefined {
	const { imsi } = options;
	if (typeof imsi !== "string") return undefined;
	if (encodeImsi(imsi) === undefined) throw new UsageError(`--imsi is "${imsi}": 6 to 15 digits are allowed.`);
	return imsi;
}
