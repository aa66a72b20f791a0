import { AGREEMENT, ALGORITHM, CAUSE, CAUSE_NAMES, MODE, SERVICE } from "../../../firmware/emsdp/profile.js";
import type { SessionState } from "../../hse/states.js";

/** `keyAgreementOnly` as `KEY_AGREEMENT_ONLY`. */
function upper(name: string): string {
	return name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

/** The names of a table of the profile by number, in the upper-case words of the API. */
function wordsOf<T extends Record<string, number>>(table: T): Readonly<Record<number, string>> {
	return Object.fromEntries(Object.entries(table).map(([name, number]) => [number, upper(name)]));
}

export const SERVICE_WORDS = wordsOf(SERVICE);
export const MODE_WORDS = wordsOf(MODE);
export const AGREEMENT_WORDS = wordsOf(AGREEMENT);
export const ALGORITHM_WORDS = wordsOf(ALGORITHM);
export const CAUSE_WORDS = wordsOf(CAUSE);

/** The enumeration of a table of words, for a schema. */
export function valuesOf(words: Readonly<Record<number, string>>): [string, ...string[]] {
	return Object.values(words) as [string, ...string[]];
}

export const STATE_WORDS: Readonly<Record<SessionState, string>> = {
	unconfirmed: "UNCONFIRMED",
	live: "LIVE",
	refreshing: "REFRESHING",
	terminating: "TERMINATING",
	over: "OVER",
};

export function causeWord(cause: number): string {
	return CAUSE_WORDS[cause] ?? CAUSE_WORDS[CAUSE.unspecified];
}

/** A cause in words, for people. */
export function causeName(cause: number): string {
	return CAUSE_NAMES[cause] ?? `cause ${cause}`;
}
