import { beginsWith, COMMA, isText, octetsOf, QUOTE, SPACE } from "./ascii.js";
import { READERS, type Reader, type Values } from "./values.js";

/** Fields that may hold anything, and fields that must hold a text. */
type Field = "any" | Uint8Array | Reader;

function fieldOf(text: string): Field {
	if (text === "*") return "any";
	if (!text.startsWith("{")) return octetsOf(text.split('"').join(""));
	const reader = READERS[text.slice(1, -1)];
	if (reader === undefined) throw new Error(`A pattern has no place ${text}.`);
	return reader;
}

/**
 * A line of the modem: what stands before the colon, then fields (V.250 5.7.1, TS 27.007 4.1). `*` is any field, `{name}`
 * takes one, quotation marks do not matter, further fields do not either. A pattern of a place alone demands that the
 * line holds nothing else; one without colon and places is the whole line.
 */
export class Pattern {
	private readonly prefix: Uint8Array;
	private readonly fields: readonly Field[];
	private readonly isWhole: boolean;
	/** Of the field found last. */
	private start = 0;
	private end = 0;
	private next = 0;

	/** @throws Error for a place that does not exist: a mistake in a table */
	constructor(text: string) {
		const colon = text.indexOf(":");
		const isPlace = text.startsWith("{");
		this.isWhole = colon < 0;
		this.prefix = octetsOf(isPlace ? "" : this.isWhole ? text : text.slice(0, colon + 1));
		const fields = isPlace ? text : text.slice(colon + 1).trim();
		this.fields = (this.isWhole && !isPlace) || fields === "" ? [] : fields.split(",").map(fieldOf);
	}

	/** Whether `line[0 .. end)` is such a line; then the places have taken their fields. */
	matches(line: Uint8Array, end: number, values: Values): boolean {
		const { prefix } = this;
		if (this.isWhole && this.fields.length === 0) return isText(line, 0, end, prefix);
		if (!beginsWith(line, 0, end, prefix)) return false;
		// Only a line that fits as a whole leaves anything behind.
		return this.walk(line, prefix.length, end, values, false) && this.walk(line, prefix.length, end, values, true);
	}

	private walk(line: Uint8Array, start: number, end: number, values: Values, keep: boolean): boolean {
		this.next = start;
		for (let i = 0; i < this.fields.length; i++) {
			const field = this.fields[i];
			this.findField(line, end);
			if (field === "any") continue;
			const fits =
				typeof field === "function"
					? field(line, this.start, this.end, values, keep)
					: isText(line, this.start, this.end, field);
			if (!fits) return false;
		}
		return !this.isWhole || this.next >= end;
	}

	/** The field at `next`; an empty one behind the end of the line. */
	private findField(line: Uint8Array, lineEnd: number): void {
		let at = this.next;
		while (at < lineEnd && line[at] === SPACE) at++;
		if (at < lineEnd && line[at] === QUOTE) {
			this.start = ++at;
			while (at < lineEnd && line[at] !== QUOTE) at++;
			this.end = at;
			while (at < lineEnd && line[at] !== COMMA) at++;
		} else {
			this.start = at;
			while (at < lineEnd && line[at] !== COMMA) at++;
			this.end = at;
		}
		this.next = at + 1;
	}
}
