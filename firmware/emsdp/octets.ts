/** Big-endian integers in octet strings (TS 33.220 B.2) without a DataView per packet. */

export function readUint32(octets: Uint8Array, offset: number): number {
	return ((octets[offset] << 24) | (octets[offset + 1] << 16) | (octets[offset + 2] << 8) | octets[offset + 3]) >>> 0;
}

export function writeUint32(octets: Uint8Array, offset: number, value: number): void {
	octets[offset] = value >>> 24;
	octets[offset + 1] = value >>> 16;
	octets[offset + 2] = value >>> 8;
	octets[offset + 3] = value;
}

export function readUint16(octets: Uint8Array, offset: number): number {
	return (octets[offset] << 8) | octets[offset + 1];
}

export function writeUint16(octets: Uint8Array, offset: number, value: number): void {
	octets[offset] = value >>> 8;
	octets[offset + 1] = value;
}

/** Compares without a branch on the contents: for secrets. Lengths are public. */
export function equalInConstantTime(a: Uint8Array, b: Uint8Array): boolean {
	if (a.length !== b.length) return false;
	let difference = 0;
	for (let i = 0; i < a.length; i++) difference |= a[i] ^ b[i];
	return difference === 0;
}

/** Whether `octets[start .. end)` is well-formed UTF-8 (RFC 3629): no overlong form, no surrogate, nothing past U+10FFFF. */
export function isUtf8(octets: Uint8Array, start: number, end: number): boolean {
	let at = start;
	while (at < end) {
		const first = octets[at++];
		if (first < 0x80) continue;
		let more: number;
		let lowest = 0x80;
		let highest = 0xbf;
		if (first >= 0xc2 && first <= 0xdf) more = 1;
		else if (first >= 0xe0 && first <= 0xef) {
			more = 2;
			if (first === 0xe0) lowest = 0xa0;
			if (first === 0xed) highest = 0x9f;
		} else if (first >= 0xf0 && first <= 0xf4) {
			more = 3;
			if (first === 0xf0) lowest = 0x90;
			if (first === 0xf4) highest = 0x8f;
		} else return false;
		if (at + more > end) return false;
		if (octets[at] < lowest || octets[at] > highest) return false;
		for (let i = 1; i < more; i++) if ((octets[at + i] & 0xc0) !== 0x80) return false;
		at += more;
	}
	return true;
}
