import { readUint32, writeUint32 } from "./octets.js";
import { COUNT, HEADER, TAG } from "./profile.js";
import type { TlvScan } from "./tlv.js";

/** Octets of tag 1A, and of the nonce in tag 06. */
const COUNTERS_OCTETS = 12;
export const RESUME_NONCE_OCTETS = 8;

/** What the two resume messages say of the COUNTs (tag 1A). */
export interface Counters {
	/** From the UE: next UP COUNT it will use. From the HSE: highest UP COUNT received from the UE plus one. */
	readonly fromUe: number;
	/** From the UE: lowest UP COUNT it will take, 0 after a loss of state. From the HSE: next UP COUNT to the UE. */
	readonly toUe: number;
	/** COUNT of the message itself: it alone is tried. */
	readonly message: number;
}

export function encodeCounters({ fromUe, toUe, message }: Counters): Uint8Array {
	const octets = new Uint8Array(COUNTERS_OCTETS);
	writeUint32(octets, 0, fromUe);
	writeUint32(octets, 4, toUe);
	writeUint32(octets, 8, message);
	return octets;
}

/**
 * Reads tag 1A of a resume message whose contents have been checked.
 * @param countBits the bits of COUNT in the header, which must be those of the COUNT in clear
 * @param last the highest COUNT accepted, which it must be above; −1 where that is not known
 * @returns undefined where the COUNT does not fit
 */
export function readCounters(tlvs: TlvScan, countBits: number, last: number): Counters | undefined {
	const { octets } = tlvs;
	const at = tlvs.offsets[TAG.counters];
	const message = readUint32(octets, at + 8);
	if ((message & HEADER.countMask) !== countBits || message <= last || message > COUNT.highest) return undefined;
	return { fromUe: readUint32(octets, at), toUe: readUint32(octets, at + 4), message };
}
