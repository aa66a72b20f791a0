/** AT lines are ASCII octets: reading and writing them in place, without strings. */

export const CR = 0x0d;
export const LF = 0x0a;
export const SPACE = 0x20;
export const QUOTE = 0x22;
export const COMMA = 0x2c;
const ZERO = 0x30;
const HEXADECIMAL = octetsOf("0123456789ABCDEF");
/** The largest number that a field may hold. */
const LARGEST = 0x7fff_ffff;

export function octetsOf(text: string): Uint8Array {
	const octets = new Uint8Array(text.length);
	for (let i = 0; i < octets.length; i++) octets[i] = text.charCodeAt(i);
	return octets;
}

/** Whether `line[start .. end)` begins with `wanted`. */
export function beginsWith(line: Uint8Array, start: number, end: number, wanted: Uint8Array): boolean {
	const { length } = wanted;
	if (end - start < length) return false;
	for (let i = 0; i < length; i++) if (line[start + i] !== wanted[i]) return false;
	return true;
}

/** Whether `line[start .. end)` is `wanted`. */
export function isText(line: Uint8Array, start: number, end: number, wanted: Uint8Array): boolean {
	return end - start === wanted.length && beginsWith(line, start, end, wanted);
}

export function isDigits(line: Uint8Array, start: number, end: number): boolean {
	for (let i = start; i < end; i++) if (line[i] < ZERO || line[i] > ZERO + 9) return false;
	return end > start;
}

/** @returns −1 where `line[start .. end)` is no decimal number of at most 31 bits */
export function readDecimal(line: Uint8Array, start: number, end: number): number {
	if (!isDigits(line, start, end)) return -1;
	let value = 0;
	for (let i = start; i < end; i++) {
		value = value * 10 + line[i] - ZERO;
		if (value > LARGEST) return -1;
	}
	return value;
}

/** @param value an integer from 0 @returns the offset behind it */
export function writeDecimal(into: Uint8Array, at: number, value: number): number {
	let digits = 1;
	for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) digits++;
	let rest = value;
	for (let i = at + digits - 1; i >= at; i--) {
		into[i] = ZERO + (rest % 10);
		rest = Math.floor(rest / 10);
	}
	return at + digits;
}

function digitOf(character: number): number {
	if (character >= ZERO && character <= ZERO + 9) return character - ZERO;
	const letter = character | 0x20;
	return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

/**
 * Decodes pairs of hexadecimal digits. What does not fit into `into` is counted only.
 * @returns octets, −1 where `line[start .. end)` is not pairs of hexadecimal digits
 */
export function readHexadecimal(line: Uint8Array, start: number, end: number, into: Uint8Array): number {
	const octets = (end - start) >> 1;
	if (((end - start) & 1) !== 0) return -1;
	for (let i = 0; i < octets; i++) {
		const high = digitOf(line[start + 2 * i]);
		const low = digitOf(line[start + 2 * i + 1]);
		if (high < 0 || low < 0) return -1;
		if (i < into.length) into[i] = (high << 4) | low;
	}
	return octets;
}

/** @returns the offset behind the digits */
export function writeHexadecimal(into: Uint8Array, at: number, octets: Uint8Array, length: number): number {
	let next = at;
	for (let i = 0; i < length; i++) {
		into[next++] = HEXADECIMAL[octets[i] >> 4];
		into[next++] = HEXADECIMAL[octets[i] & 15];
	}
	return next;
}
