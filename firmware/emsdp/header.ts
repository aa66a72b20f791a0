import { readUint32, writeUint32 } from "./octets.js";
import { COUNTER_EXTENSION_OCTETS, EMSDP_TYPE, HEADER } from "./profile.js";

/** The fields of a received header (profile section 2). One object is filled again for each message. */
export class Header {
	userPlane = false;
	/** 0–7; 0 while no keys are agreed. */
	keyId = 0;
	/** 0 .. 2^32 − 1. */
	sessionId = 0;
	/** The low bits of COUNT that the message carries. */
	countBits = 0;

	/**
	 * Reads the fixed part.
	 * @returns false where there is none: fewer than 6 octets, another type, or the RFU bit set
	 */
	read(octets: Uint8Array, length: number): boolean {
		if (length < HEADER.length || octets[0] !== EMSDP_TYPE) return false;
		const flags = octets[1];
		if ((flags & HEADER.reserved) !== 0) return false;
		this.userPlane = (flags & HEADER.userPlane) !== 0;
		this.keyId = (flags >> HEADER.keyIdShift) & HEADER.keyIdMask;
		this.sessionId = readUint32(octets, HEADER.sessionId);
		this.countBits = flags & HEADER.countMask;
		return true;
	}

	/**
	 * Adds the counter extension of a UP message, `extension` octets, to {@link countBits}. The scheme belongs to the
	 * session, so this comes after {@link read}.
	 * @returns false where the message is too short for it
	 */
	readExtension(octets: Uint8Array, length: number, extension: number): boolean {
		if (length < HEADER.length + extension) return false;
		let high = 0;
		for (let i = 0; i < extension; i++) high = (high << 8) | octets[HEADER.length + i];
		this.countBits |= high << HEADER.countBits;
		return true;
	}
}

/**
 * Writes a header at the start of `octets`.
 * @param extension octets of the counter extension: 0 for CP
 * @returns the length of the header in octets
 */
export function writeHeader(
	octets: Uint8Array,
	userPlane: boolean,
	keyId: number,
	sessionId: number,
	count: number,
	extension: number,
): number {
	octets[0] = EMSDP_TYPE;
	octets[1] = (userPlane ? HEADER.userPlane : 0) | (keyId << HEADER.keyIdShift) | (count & HEADER.countMask);
	writeUint32(octets, HEADER.sessionId, sessionId);
	let high = count >>> HEADER.countBits;
	for (let i = HEADER.length + extension - 1; i >= HEADER.length; i--) {
		octets[i] = high;
		high >>>= 8;
	}
	return HEADER.length + extension;
}

/** Octets of the counter extension of a UP message under a counter scheme. */
export function extensionOctets(counterScheme: number): number {
	return COUNTER_EXTENSION_OCTETS[counterScheme];
}
