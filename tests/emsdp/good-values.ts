import { CONTENTS, type ContentsRow, TAG } from "../../firmware/emsdp/profile.js";
import { fromHex } from "../../host-tools/hex.js";
import type { Tlv } from "./arbitraries.js";

/** A value that is right, for every tag of profile section 3. */
export const GOOD_VALUES: Readonly<Record<number, string>> = {
	[TAG.imsi]: "0910101032547698",
	[TAG.suci]: "0100f110f0ff000010325476",
	// Agreements 1 and 2, AES, schemes 0 to 2, M = 4 and 8, integrity, UE-to-HSE, 1,232 octets.
	[TAG.ueConfiguration]: "12030504370104d0",
	[TAG.easId]: "c3bc6561732e6578616d706c65",
	[TAG.servingNetwork]: "0000f110",
	[TAG.resumeNonce]: "0102030405060708",
	[TAG.cookie]: "00112233445566778899aabbccddeeff",
	// Agreement 1, null encryption, AES, scheme 0, M = 4, integrity, Key ID 1.
	[TAG.hseConfiguration]: "120100020004010100000e1004d0",
	[TAG.akaChallenge]: "23553cbe9637a89d218ae64dae47bf3555f328b43577b9b94a9ffac354dfafb3",
	[TAG.akaResponse]: "a54211d5e3ba50bf",
	[TAG.auts]: "797d7a19ca27f99f4363d3ca24be",
	[TAG.keyReference]: "6b65792d31",
	[TAG.hseNonce]: "1112131415161718",
	[TAG.ueNonce]: "2122232425262728",
	[TAG.requestDigest]: "000102030405060708090a0b0c0d0e0f",
	[TAG.cause]: "13",
	[TAG.keyRefresh]: "0202",
	[TAG.counters]: "000000010000000200000003",
};

const WHOLE: Readonly<Record<string, readonly number[]>> = {
	[CONTENTS.newSessionRequest.name]: [TAG.imsi, TAG.ueConfiguration, TAG.easId],
	[CONTENTS.newSessionStart.name]: [TAG.hseConfiguration, TAG.akaChallenge, TAG.requestDigest],
	[CONTENTS.confirmation.name]: [TAG.akaResponse],
	[CONTENTS.manageKeysResponse.name]: [TAG.akaResponse],
	[CONTENTS.manageKeysFromHse.name]: [TAG.hseNonce, TAG.keyRefresh],
};

export const ROWS: readonly ContentsRow[] = Object.values(CONTENTS);

/** TLVs that make up good contents of a row; those of 12 and 31 belong to a session that began with AKA. */
export function goodContents(row: ContentsRow): Tlv[] {
	return (WHOLE[row.name] ?? row.required).map((tag) => {
		const isAsked = row.name === CONTENTS.manageKeysFromUe.name && tag === TAG.keyRefresh;
		return { tag, value: fromHex(isAsked ? "0000" : GOOD_VALUES[tag]) };
	});
}

/** The same TLVs with one value changed or added. */
export function withTlv(tlvs: readonly Tlv[], tag: number, value: Uint8Array | string): Tlv[] {
	const octets = typeof value === "string" ? fromHex(value) : value;
	return [...tlvs.filter((tlv) => tlv.tag !== tag), { tag, value: octets }];
}
