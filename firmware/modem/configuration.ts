import { CARD_ACCESS, type CardAccess } from "./card-access.js";
import { DIALECTS, type Dialect } from "./dialect.js";
import type { ModemOptions } from "./modem.js";

/** What a build or a command line says of a modem, in words. */
export interface ModemConfiguration {
	/** A name of {@link DIALECTS}. */
	readonly dialect: string;
	/** Empty: the network's own. */
	readonly apn?: string;
	/** A name of {@link CARD_ACCESS}; "soft" or nothing: the modem's USIM is not used. */
	readonly usim?: string;
}

/** What an APN is made of (TS 23.003 9.1), so that nothing else gets into a command. */
const NAME_CHARACTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
const LONGEST_NAME = 100;

function isName(text: string): boolean {
	let isGood = text.length > 0 && text.length <= LONGEST_NAME;
	for (const character of text) isGood &&= NAME_CHARACTERS.includes(character);
	return isGood;
}

/** @throws Error that names what is wrong and what there is */
export function modemOptions({ dialect, apn = "", usim = "soft" }: ModemConfiguration): ModemOptions {
	const dialects: Readonly<Record<string, Dialect>> = DIALECTS;
	const accesses: Readonly<Record<string, CardAccess>> = CARD_ACCESS;
	if (!Object.hasOwn(dialects, dialect))
		throw new Error(`There is no modem dialect "${dialect}": there are ${Object.keys(dialects).join(", ")}.`);
	if (usim !== "soft" && !Object.hasOwn(accesses, usim))
		throw new Error(
			`There is no way "${usim}" to a modem's USIM: there are soft, ${Object.keys(accesses).join(", ")}.`,
		);
	if (apn !== "" && !isName(apn)) throw new Error("An APN has letters, digits, hyphens and dots, 100 at most.");
	return { dialect: dialects[dialect], apn, ...(usim !== "soft" && { card: accesses[usim] }) };
}
