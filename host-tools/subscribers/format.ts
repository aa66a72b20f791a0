import type { Fields } from "../provision/fields.js";

/** A subscriber as other programs take it. Secret. */
export interface ExportedSubscriber {
	readonly imsi: string;
	/** Hex digits, lower case. */
	readonly k: string;
	readonly opc: string;
	readonly amf: string;
	/** SQN of the next challenge: at worst a number is skipped, and none is used twice. */
	readonly sqn: number;
}

/** The form in which another program keeps or takes MILENAGE subscribers (docs/provisioning.md). */
export interface SubscriberFormat {
	/** What `--file` holds. */
	readonly help: string;
	/** The subscribers in a file, as fields. @throws UsageError, Failure that show nothing of it */
	read?(file: string): AsyncIterable<Fields> | Iterable<Fields>;
	/** Lines without their ends. */
	write?(subscribers: AsyncIterable<ExportedSubscriber>): AsyncIterable<string>;
}

/** Hex digits as people write them, with spaces between and in either case. */
export function hexText(value: unknown): string {
	return typeof value === "string" ? value.replace(/\s/g, "").toLowerCase() : "";
}

/** An SQN as a field: 12 hex digits. What is no number is 0. */
export function sqnText(value: unknown): string {
	const number = Number(value ?? 0);
	return (Number.isSafeInteger(number) && number >= 0 && number < 2 ** 48 ? number : 0).toString(16).padStart(12, "0");
}
