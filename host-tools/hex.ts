/** Octets as lower-case hex. */
export function toHex(octets: Uint8Array): string {
	return Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString("hex");
}

/** The octets of a hex text. @throws RangeError where it is not one */
export function fromHex(text: string): Uint8Array {
	if (!/^(?:[0-9a-f]{2})*$/i.test(text)) throw new RangeError(`"${text.slice(0, 40)}" is not hexadecimal.`);
	return Uint8Array.from(Buffer.from(text, "hex"));
}

/** A Session ID as text: 8 hex digits. */
export function sessionIdText(sessionId: number): string {
	return (sessionId >>> 0).toString(16).padStart(8, "0");
}
