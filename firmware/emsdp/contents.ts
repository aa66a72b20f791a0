import {
	isHseConfiguration,
	isUeConfiguration,
	offersFiveGAuthentication,
	offersSharedKey,
	readUeConfiguration,
} from "./configuration.js";
import { isImsi } from "./imsi.js";
import { isUtf8 } from "./octets.js";
import { AGREEMENT, CAUSE, CONTENTS, type ContentsRow, SERVICE, SERVING_NETWORK_FORM, TAG, TLVS } from "./profile.js";
import { isServingNetwork } from "./serving-network.js";
import type { TlvScan } from "./tlv.js";

/** Methods of tag 19. */
export const REFRESH_METHOD = { anyMethod: 0, aka: 1, chained: 2 } as const;

/** Whether a key agreement runs AKA: tag 11 and 12 go with it, tags 14 to 16 with the others. */
export function isAka(agreement: number): boolean {
	return agreement >= AGREEMENT.umtsAka && agreement <= AGREEMENT.eapAkaPrime;
}

/** Agreement 2 needs the PLMN form of tag 05, agreements 3 and 4 the name form (profile section 3). */
export function fitsServingNetwork(agreement: number, servingNetwork: Uint8Array): boolean {
	if (agreement === AGREEMENT.epsAka) return servingNetwork[0] === SERVING_NETWORK_FORM.plmn;
	if (agreement === AGREEMENT.fiveGAka || agreement === AGREEMENT.eapAkaPrime)
		return servingNetwork[0] === SERVING_NETWORK_FORM.name;
	return true;
}

/** Whether a cause is followed by a back-off in seconds: 0F, and only there. */
function isCause(octets: Uint8Array, offset: number, length: number): boolean {
	return length === (octets[offset] === CAUSE.congestion ? 3 : 1);
}

/** Checks of values beyond their length, by tag. */
const VALUE_CHECKS: Readonly<Record<number, (octets: Uint8Array, offset: number, length: number) => boolean>> = {
	[TAG.imsi]: isImsi,
	[TAG.ueConfiguration]: isUeConfiguration,
	[TAG.easId]: (octets, offset, length) => isUtf8(octets, offset, offset + length),
	[TAG.servingNetwork]: isServingNetwork,
	[TAG.hseConfiguration]: isHseConfiguration,
	[TAG.cause]: isCause,
	[TAG.keyRefresh]: (octets, offset) => octets[offset] <= REFRESH_METHOD.chained && octets[offset + 1] <= 7,
};

/** Conditions that need more than one TLV or a value, by the name of the contents. */
const CONDITIONS: Readonly<Record<string, (tlvs: TlvScan, aka: boolean) => number>> = {
	[CONTENTS.newSessionRequest.name]: newSessionRequest,
	[CONTENTS.newSessionStart.name]: newSessionStart,
	[CONTENTS.confirmation.name]: (tlvs, aka) => exactly(tlvs, TAG.akaResponse, aka),
	[CONTENTS.manageKeysResponse.name]: (tlvs, aka) => exactly(tlvs, TAG.akaResponse, aka),
	[CONTENTS.manageKeysFromUe.name]: (tlvs) =>
		tlvs.octets[tlvs.offsets[TAG.keyRefresh] + 1] === 0 ? 0 : CAUSE.malformed,
	[CONTENTS.manageKeysFromHse.name]: manageKeysFromHse,
	[CONTENTS.reject.name]: reject,
};

/**
 * Checks scanned TLVs against what a message may and must carry, in the order of profile section 3: tags (02), lengths
 * and values (01), missing tags (02).
 * @param aka whether the keys that are agreed come from AKA, where the contents depend on it: 12 and 31
 * @returns 0, or the cause
 */
export function checkContents(tlvs: TlvScan, row: ContentsRow, aka = false): number {
	if (tlvs.unknownTag >= 0) return CAUSE.tlvUnknownOrMissing;
	for (let tag = 0; tag < tlvs.offsets.length; tag++)
		if (tlvs.has(tag) && !row.required.includes(tag) && !row.optional.includes(tag)) return CAUSE.tlvUnknownOrMissing;
	for (const { tag, shortest, longest } of TLVS) {
		if (!tlvs.has(tag)) continue;
		const length = tlvs.lengths[tag];
		if (length < shortest || length > longest) return CAUSE.malformed;
		const check = VALUE_CHECKS[tag];
		if (check !== undefined && !check(tlvs.octets, tlvs.offsets[tag], length)) return CAUSE.malformed;
	}
	if (tlvs.has(TAG.imsi) && tlvs.has(TAG.suci)) return CAUSE.malformed;
	for (const tag of row.required) if (!tlvs.has(tag)) return CAUSE.tlvUnknownOrMissing;
	const condition = CONDITIONS[row.name];
	return condition === undefined ? 0 : condition(tlvs, aka);
}

/** A tag that must be there or must not. */
function exactly(tlvs: TlvScan, tag: number, wanted: boolean): number {
	return tlvs.has(tag) === wanted ? 0 : CAUSE.tlvUnknownOrMissing;
}

function newSessionRequest(tlvs: TlvScan): number {
	if (!tlvs.has(TAG.imsi) && !tlvs.has(TAG.suci)) return CAUSE.tlvUnknownOrMissing;
	const { agreements, service } = readUeConfiguration(tlvs.octets, tlvs.offsets[TAG.ueConfiguration]);
	if ((service === SERVICE.confidential || offersFiveGAuthentication(agreements)) && !tlvs.has(TAG.servingNetwork))
		return CAUSE.tlvUnknownOrMissing;
	if (offersSharedKey(agreements) && !(tlvs.has(TAG.keyReference) && tlvs.has(TAG.ueNonce)))
		return CAUSE.tlvUnknownOrMissing;
	return 0;
}

function newSessionStart(tlvs: TlvScan): number {
	const aka = isAka(tlvs.octets[tlvs.offsets[TAG.hseConfiguration] + 1]);
	return (
		exactly(tlvs, TAG.akaChallenge, aka) || exactly(tlvs, TAG.keyReference, !aka) || exactly(tlvs, TAG.hseNonce, !aka)
	);
}

function manageKeysFromHse(tlvs: TlvScan): number {
	const method = tlvs.octets[tlvs.offsets[TAG.keyRefresh]];
	const keyId = tlvs.octets[tlvs.offsets[TAG.keyRefresh] + 1];
	if (method === REFRESH_METHOD.anyMethod || keyId === 0) return CAUSE.malformed;
	const aka = method === REFRESH_METHOD.aka;
	return exactly(tlvs, TAG.akaChallenge, aka) || exactly(tlvs, TAG.hseNonce, !aka);
}

function reject(tlvs: TlvScan): number {
	const cause = tlvs.octets[tlvs.offsets[TAG.cause]];
	return (
		exactly(tlvs, TAG.auts, cause === CAUSE.akaSynchronisationFailure) ||
		exactly(tlvs, TAG.cookie, cause === CAUSE.cookieNeeded)
	);
}
