/** IMSI as EF_IMSI bytes 2–9 (TS 31.102 4.2.2): a parity bit and type 001 in the low half of the first octet, then digits, F after the last. */
export const IMSI_OCTETS = 8;
const SHORTEST_IMSI = 6;
const LONGEST_IMSI = 15;
const TYPE_IMSI = 0x01;
const ODD_NUMBER_OF_DIGITS = 0x08;
const FILLER = 0x0f;

function nibble(octets: Uint8Array, offset: number, index: number): number {
	const octet = octets[offset + (index >> 1)];
	return (index & 1) === 0 ? octet & 0x0f : octet >> 4;
}

/** The number of digits in 8 octets at `offset`, 0 where they are not an IMSI. */
function digitsIn(octets: Uint8Array, offset: number): number {
	let digits = 0;
	while (digits < LONGEST_IMSI && nibble(octets, offset, digits + 1) <= 9) digits++;
	for (let i = digits; i < LONGEST_IMSI; i++) if (nibble(octets, offset, i + 1) !== FILLER) return 0;
	if (digits < SHORTEST_IMSI) return 0;
	return nibble(octets, offset, 0) === (TYPE_IMSI | ((digits & 1) === 1 ? ODD_NUMBER_OF_DIGITS : 0)) ? digits : 0;
}

/** Whether the 8 octets at `offset` hold 6 to 15 digits with the right parity bit and filler. */
export function isImsi(octets: Uint8Array, offset: number): boolean {
	return digitsIn(octets, offset) > 0;
}

/** The digits of an IMSI, undefined where the 8 octets are not one. */
export function decodeImsi(octets: Uint8Array): string | undefined {
	if (octets.length !== IMSI_OCTETS) return undefined;
	const count = digitsIn(octets, 0);
	if (count === 0) return undefined;
	let digits = "";
	for (let i = 1; i <= count; i++) digits += nibble(octets, 0, i);
	return digits;
}

/** EF_IMSI bytes 2–9 of 6 to 15 digits, undefined where the text is not that. */
export function encodeImsi(digits: string): Uint8Array | undefined {
	const count = digits.length;
	if (count < SHORTEST_IMSI || count > LONGEST_IMSI) return undefined;
	const octets = new Uint8Array(IMSI_OCTETS).fill(0xff);
	octets[0] = (FILLER << 4) | TYPE_IMSI | ((count & 1) === 1 ? ODD_NUMBER_OF_DIGITS : 0);
	for (let i = 0; i < count; i++) {
		const digit = digits.charCodeAt(i) - 0x30;
		if (digit < 0 || digit > 9) return undefined;
		const at = (i + 1) >> 1;
		octets[at] = ((i + 1) & 1) === 0 ? (octets[at] & 0xf0) | digit : (octets[at] & 0x0f) | (digit << 4);
	}
	return octets;
}
