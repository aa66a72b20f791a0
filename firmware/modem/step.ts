import { octetsOf } from "./ascii.js";
import { Pattern } from "./pattern.js";
import { Template } from "./values.js";

/** One command of a table, and how the modem answers it. */
export interface Step {
	/** Without its CR. Places in braces are filled in: values.ts has their names. */
	readonly command: string;
	/** It is left out where this is not configured. */
	readonly onlyWith?: "apn";
	/** Lines of information; one of them has to come before the final result. */
	readonly reply?: readonly string[];
	/**
	 * Where the line of information announces `{count}` octets, and they follow in a line of their own: as hexadecimal
	 * digits, or as they are.
	 */
	readonly data?: "hexadecimal" | "octets";
	/** The character with which the modem asks for the payload's octets. */
	readonly prompt?: string;
	/** Milliseconds between the prompt and the octets. */
	readonly pause?: number;
	/** The final result that stands in place of OK, and one more that stands for ERROR. */
	readonly final?: string;
	readonly failure?: string;
	/** A line that tells later how it went. */
	readonly later?: { readonly good: string; readonly bad: string };
	/** Milliseconds that the modem may take for the final result, and again for what comes later. */
	readonly within?: number;
	/** Whether the modem may refuse it. */
	readonly mayFail?: true;
	/** How often it is tried where the modem says nothing. */
	readonly tries?: number;
}

const DEFAULT_PATIENCE = 10_000;

/** A {@link Step} made ready once, so that running it allocates nothing. */
export interface ReadyStep {
	readonly command: Template;
	readonly onlyWith: "apn" | undefined;
	readonly reply: readonly Pattern[];
	readonly data: "hexadecimal" | "octets" | undefined;
	/** 0 for none. */
	readonly prompt: number;
	readonly pause: number;
	readonly final: Uint8Array | undefined;
	readonly failure: Uint8Array | undefined;
	readonly good: Pattern | undefined;
	readonly bad: Pattern | undefined;
	readonly within: number;
	readonly mayFail: boolean;
	readonly tries: number;
}

/** @throws Error for a mistake in the table */
export function ready(step: Step): ReadyStep {
	const { final, failure, later } = step;
	return {
		command: new Template(step.command),
		onlyWith: step.onlyWith,
		reply: (step.reply ?? []).map((text) => new Pattern(text)),
		data: step.data,
		prompt: step.prompt?.charCodeAt(0) ?? 0,
		pause: step.pause ?? 0,
		final: final === undefined ? undefined : octetsOf(final),
		failure: failure === undefined ? undefined : octetsOf(failure),
		good: later && new Pattern(later.good),
		bad: later && new Pattern(later.bad),
		within: step.within ?? DEFAULT_PATIENCE,
		mayFail: step.mayFail ?? false,
		tries: step.tries ?? 1,
	};
}

export function readyAll(steps: readonly Step[]): readonly ReadyStep[] {
	return steps.map(ready);
}
