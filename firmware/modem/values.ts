import { isDigits, octetsOf, readDecimal, readHexadecimal, writeDecimal, writeHexadecimal } from "./ascii.js";

const NO_OCTETS: Uint8Array = new Uint8Array(0);

/** Numbers that a line of the modem gives and a command takes. */
export type NumberName = "socket" | "session" | "count" | "error" | "port";

/** What the places of commands and patterns stand for. */
export class Values implements Record<NumberName, number> {
	/** Number of the open socket, and of the session with the card. */
	socket = 0;
	session = 0;
	/** Octets of the datagram that a line announces. */
	count = 0;
	/** Number of an error, −1 where none was given. */
	error = -1;
	address: Uint8Array = NO_OCTETS;
	port = 0;
	apn: Uint8Array = NO_OCTETS;
	/** What a command carries: `payload[0 .. payloadLength)`. */
	payload: Uint8Array = NO_OCTETS;
	payloadLength = 0;
	/** What a line carried; `dataLength` is above `data.length` where it was cut off, −1 where there was none. */
	readonly data: Uint8Array;
	dataLength = -1;

	/** @param most octets of the longest datagram */
	constructor(most: number) {
		this.data = new Uint8Array(most);
	}

	setText(name: "address" | "apn", text: string): void {
		this[name] = octetsOf(text);
	}
}

type Writer = (into: Uint8Array, at: number, values: Values) => number;

function writeOctets(into: Uint8Array, at: number, octets: Uint8Array): number {
	for (let i = 0; i < octets.length; i++) into[at + i] = octets[i];
	return at + octets.length;
}

/** The places of a command. `length` and `characters` are the payload's octets and its hexadecimal digits. */
const WRITERS: Readonly<Record<string, Writer>> = {
	socket: (into, at, values) => writeDecimal(into, at, values.socket),
	session: (into, at, values) => writeDecimal(into, at, values.session),
	port: (into, at, values) => writeDecimal(into, at, values.port),
	address: (into, at, values) => writeOctets(into, at, values.address),
	apn: (into, at, values) => writeOctets(into, at, values.apn),
	length: (into, at, values) => writeDecimal(into, at, values.payloadLength),
	characters: (into, at, values) => writeDecimal(into, at, 2 * values.payloadLength),
	hex: (into, at, values) => writeHexadecimal(into, at, values.payload, values.payloadLength),
};

/** A command: text with places such as `{socket}`. */
export class Template {
	readonly text: string;
	private readonly parts: (Uint8Array | Writer)[] = [];

	/** @throws Error for a place that does not exist: a mistake in a table */
	constructor(text: string) {
		this.text = text;
		for (const [i, piece] of text.split("{").entries()) {
			const [name, rest] = i === 0 ? ["", piece] : piece.split("}");
			if (i > 0) {
				const writer = WRITERS[name];
				if (writer === undefined) throw new Error(`A command has no place {${name}}: ${text}`);
				this.parts.push(writer);
			}
			if (rest !== "") this.parts.push(octetsOf(rest));
		}
	}

	/** @returns octets of the command */
	write(into: Uint8Array, values: Values): number {
		let at = 0;
		for (let i = 0; i < this.parts.length; i++) {
			const part = this.parts[i];
			at = typeof part === "function" ? part(into, at, values) : writeOctets(into, at, part);
		}
		return at;
	}
}

/** Takes a field, `line[start .. end)`. @returns whether it fits */
type Reader = (line: Uint8Array, start: number, end: number, values: Values, keep: boolean) => boolean;

function numberReader(name: NumberName): Reader {
	return (line, start, end, values, keep) => {
		// Fields at the end of a line may be missing.
		const value = start === end ? 0 : readDecimal(line, start, end);
		if (keep && value >= 0) values[name] = value;
		return value >= 0;
	};
}

function sameReader(name: NumberName): Reader {
	return (line, start, end, values) => readDecimal(line, start, end) === values[name];
}

/** The places of a pattern: `{name}` takes a field, `{=name}` demands the value that is known. */
export const READERS: Readonly<Record<string, Reader>> = {
	socket: numberReader("socket"),
	session: numberReader("session"),
	count: numberReader("count"),
	error: numberReader("error"),
	"=socket": sameReader("socket"),
	hex: (line, start, end, values, keep) => {
		const length = readHexadecimal(line, start, end, values.data);
		if (keep) values.dataLength = length;
		return length >= 0;
	},
	digits: (line, start, end, values, keep) => {
		if (!isDigits(line, start, end)) return false;
		if (keep) {
			values.dataLength = end - start;
			for (let i = start; i < end && i - start < values.data.length; i++) values.data[i - start] = line[i];
		}
		return true;
	},
};

export type { Reader };
