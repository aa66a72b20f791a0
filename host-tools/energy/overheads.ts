import { COUNTER_EXTENSION_OCTETS, HEADER } from "../../firmware/emsdp/profile.js";

/**
 * What others add to a payload, in octets. All with an identifier of 4 octets, as long as EMSDP's Session ID, and with
 * AES-CCM and an authentication tag of 8 octets. EMSDP's usual MAC is of 4, which is a part of the difference.
 */
export const OVERHEADS = {
	/** Record header 13 with CID 4, explicit nonce 8, content type 1, tag 8 (RFC 9146 section 4, RFC 6655 section 3). */
	"DTLS 1.2 with CID": 13 + 4 + 8 + 1 + 8,
	/** Unified header 1 with CID 4 and a sequence number of 2, no length, content type 1, tag 8 (RFC 9147 section 4). */
	"DTLS 1.3 with CID": 1 + 4 + 2 + 1 + 8,
	/**
	 * CoAP header 4 without a token, option header 1, flags 1, Partial IV 2, kid 4, payload marker 1, code and payload
	 * marker inside 2, tag 8 (RFC 7252 section 3, RFC 8613 sections 5 and 6.1).
	 */
	OSCORE: 4 + 1 + 1 + 2 + 4 + 1 + 2 + 8,
} as const;

export type OtherProtocol = keyof typeof OVERHEADS;
export type Protocol = "EMSDP" | OtherProtocol;

/** What a UP message adds to its payload, in octets (profile section 2). */
export function emsdpOverhead({
	counterScheme,
	macLength,
}: {
	readonly counterScheme: number;
	readonly macLength: number;
}): number {
	return HEADER.length + (COUNTER_EXTENSION_OCTETS[counterScheme] ?? 0) + macLength;
}
