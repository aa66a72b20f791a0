/** Commands to a UICC and its answers (TS 102 221, TS 31.102). An answer is its octets and the status words SW1, SW2. */
import type { AuthenticationResult } from "../ports/usim.js";

/** RID of 3GPP and the application code of a USIM: the first octets of every USIM's AID (TS 101 220 Annex E). */
export const USIM_AID = Uint8Array.of(0xa0, 0x00, 0x00, 0x00, 0x87, 0x10, 0x02);

/** MANAGE CHANNEL: the card names a free logical channel (TS 102 221 11.1.17). */
export const OPEN_CHANNEL = Uint8Array.of(0x00, 0x70, 0x00, 0x00, 0x01);
export const closeChannel = (channel: number) => Uint8Array.of(0x00, 0x70, 0x80, channel);
/** SELECT by path from the MF, without an answer's octets: EF_DIR (TS 102 221 11.1.1, 13.1). */
export const selectDirectory = (channel: number) => Uint8Array.of(channel, 0xa4, 0x08, 0x0c, 0x02, 0x2f, 0x00);
/** READ RECORD, absolute (TS 102 221 11.1.5); the card tells the length with 6C. */
export const readRecord = (channel: number, record: number) => Uint8Array.of(channel, 0xb2, record, 0x04, 0x00);
/** SELECT by AID (TS 102 221 11.1.1). */
export const selectApplication = (channel: number, aid: Uint8Array) =>
	Uint8Array.of(channel, 0xa4, 0x04, 0x04, aid.length, ...aid);
/** SELECT EF_IMSI below the ADF (TS 31.102 4.2.2). */
export const selectImsi = (channel: number) => Uint8Array.of(channel, 0xa4, 0x00, 0x0c, 0x02, 0x6f, 0x07);
export const IMSI_FILE_OCTETS = 9;
export const readImsi = (channel: number) => Uint8Array.of(channel, 0xb0, 0x00, 0x00, IMSI_FILE_OCTETS);
export const getResponse = (channel: number, octets: number) => Uint8Array.of(channel, 0xc0, 0x00, 0x00, octets);

/** AUTHENTICATE in the 3G security context (TS 31.102 7.1.2.1). */
export const authenticate = (channel: number, rand: Uint8Array, autn: Uint8Array) =>
	Uint8Array.of(channel, 0x88, 0x00, 0x81, 0x22, 0x10, ...rand, 0x10, ...autn);

/** Status words (TS 102 221 10.2, TS 31.102 7.3). */
export const SW1 = { normal: 0x90, toolkit: 0x91, more: 0x61, length: 0x6c } as const;
const INCORRECT_MAC = 0x9862;

const TAG_APPLICATION = 0x61;
const TAG_AID = 0x4f;

/** The AID of a USIM in a record of EF_DIR, or in several (TS 102 221 13.1); undefined where there is none. */
export function findUsimAid(octets: Uint8Array, length: number): Uint8Array | undefined {
	for (let at = 0; at + 1 < length; ) {
		// Records are filled up with FF.
		if (octets[at] !== TAG_APPLICATION) {
			at++;
			continue;
		}
		const end = Math.min(at + 2 + octets[at + 1], length);
		for (let inner = at + 2; inner + 1 < end; inner += 2 + octets[inner + 1]) {
			if (octets[inner] !== TAG_AID) continue;
			const aid = octets.slice(inner + 2, Math.min(inner + 2 + octets[inner + 1], end));
			if (isUsim(aid)) return aid;
		}
		at = end;
	}
	return undefined;
}

function isUsim(aid: Uint8Array): boolean {
	if (aid.length > 16) return false;
	for (let i = 0; i < USIM_AID.length; i++) if (aid[i] !== USIM_AID[i]) return false;
	return true;
}

const TAG_SUCCESS = 0xdb;
const TAG_SYNCHRONISATION_FAILURE = 0xdc;
const KEY_OCTETS = 16;
const AUTS_OCTETS = 14;

/**
 * What AUTHENTICATE has brought (TS 31.102 7.1.2.1).
 * @param octets of the answer, without the status words
 * @returns undefined where it is neither a result nor a refusal of the challenge
 */
export function readAuthentication(
	octets: Uint8Array,
	length: number,
	statusWords: number,
): AuthenticationResult | undefined {
	if (statusWords === INCORRECT_MAC) return { status: "MAC failure" };
	const sw1 = statusWords >> 8;
	if (sw1 !== SW1.normal && sw1 !== SW1.toolkit) return undefined;
	if (length >= 2 + AUTS_OCTETS && octets[0] === TAG_SYNCHRONISATION_FAILURE && octets[1] === AUTS_OCTETS)
		return { status: "synchronisation failure", auts: octets.slice(2, 2 + AUTS_OCTETS) };
	if (length < 2 || octets[0] !== TAG_SUCCESS) return undefined;
	const resEnd = 2 + octets[1];
	const ckEnd = resEnd + 1 + KEY_OCTETS;
	const ikEnd = ckEnd + 1 + KEY_OCTETS;
	if (octets[1] < 4 || octets[1] > 16 || ikEnd > length) return undefined;
	if (octets[resEnd] !== KEY_OCTETS || octets[ckEnd] !== KEY_OCTETS) return undefined;
	return {
		status: "success",
		res: octets.slice(2, resEnd),
		ck: octets.slice(resEnd + 1, ckEnd),
		ik: octets.slice(ckEnd + 1, ikEnd),
	};
}
