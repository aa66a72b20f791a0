/**
 * EMSDP wire profile 1: every number of the wire, once. Marks say where a number comes from:
 * - S: fixed by 3GPP TS 33.163; never change.
 * - G: fixed by another standard, named beside it; never change.
 * - P: chosen by this profile where the text of TS 33.163 was not at hand; a person with the text corrects it here.
 */
export type Mark = "S" | "G" | "P";

/** EMSDP type. S: type 01. P: that it is an octet of its own. */
export const EMSDP_TYPE = 0x01;

/** P: UDP port of the HSE; none is registered. */
export const UDP_PORT = 33163;

/** P: the longest message in octets; fits an IPv6 minimum MTU. */
export const LONGEST_MESSAGE = 1232;

/** Release of the specification that the configurations of tags 03 and 10 name. */
export const RELEASE = 18;

/** Fields of octet 1 (profile section 2). Flag, RFU, Key ID and at least three counter bits: S; place of the counter bits: P. */
export const HEADER = {
	/** Octet 1 b8: 1 user plane, 0 control plane. */
	userPlane: 0x80,
	/** Octet 1 b7: sent as 0, a receiver refuses 1. */
	reserved: 0x40,
	/** Octet 1 b6–b4. */
	keyIdShift: 3,
	keyIdMask: 0x07,
	/** Octet 1 b3–b1: COUNT bits 2..0. */
	countMask: 0x07,
	countBits: 3,
	/** Octets 2–5. Width P. */
	sessionId: 2,
	/** Type, flags and Session ID. */
	length: 6,
} as const;

/** S: the octet of the flags, Key ID and counter bits, for a program outside of the codec: no device needs it. */
export const FLAGS_OCTET = 1;

/** P: octets of the counter extension of a UP message, by counter scheme. */
export const COUNTER_EXTENSION_OCTETS = [0, 1, 2] as const;

/** P: MAC lengths in octets; 8 only with integrity algorithm 2. */
export const MAC_LENGTHS = [4, 8] as const;

/** Profile section 2.1. */
export const COUNT = {
	/** P: the last COUNT that may be used. */
	highest: 0xfffffffe,
	/** P: COUNT at which a sender asks for new keys. */
	rekeyAt: 0x80000000,
	/** P: candidates tried where three bits are received. */
	trialsAtHse: 8,
	trialsAtUe: 4,
	/** P: width of the window of counter schemes 1 and 2. */
	window: 64,
} as const;

/** P: BEARER of each plane (TS 33.401 B.1, B.2 take five bits). */
export const BEARER = { controlPlane: 0, userPlane: 1 } as const;

/** G: TS 33.401 B.1. */
export const DIRECTION = { fromUe: 0, toUe: 1 } as const;

/** G: algorithm identities of TS 33.401 5.1.3.2 and 5.1.4.2. */
export const ALGORITHM = { null: 0, snow3g: 1, aes: 2, zuc: 3 } as const;

/** P: the codes of tags 03 and 10. */
export const SERVICE = { keyAgreementOnly: 0, integrity: 1, confidential: 2 } as const;
export const MODE = { ueToHse: 0, ueToEas: 1 } as const;

/** P: numbers of the key agreements, as the bits of tag 03 [1]. */
export const AGREEMENT = {
	umtsAka: 1,
	epsAka: 2,
	fiveGAka: 3,
	eapAkaPrime: 4,
	gba: 5,
	akma: 6,
	preShared: 7,
} as const;

/** Tags of the TLVs (profile section 3). IMSI: S. All others: P. */
export const TAG = {
	imsi: 0x01,
	suci: 0x02,
	ueConfiguration: 0x03,
	easId: 0x04,
	servingNetwork: 0x05,
	resumeNonce: 0x06,
	cookie: 0x07,
	hseConfiguration: 0x10,
	akaChallenge: 0x11,
	akaResponse: 0x12,
	auts: 0x13,
	keyReference: 0x14,
	hseNonce: 0x15,
	ueNonce: 0x16,
	requestDigest: 0x17,
	cause: 0x18,
	keyRefresh: 0x19,
	counters: 0x1a,
} as const;

/** P: unknown tags from here on are ignored, unknown lower ones are refused. */
export const FIRST_IGNORED_TAG = 0x80;

export interface TlvRow {
	readonly tag: number;
	readonly name: string;
	/** Octets of the value. */
	readonly shortest: number;
	readonly longest: number;
	readonly mark: Mark;
}

/** Profile section 3. */
export const TLVS: readonly TlvRow[] = [
	{ tag: TAG.imsi, name: "IMSI", shortest: 8, longest: 8, mark: "S" },
	{ tag: TAG.suci, name: "SUCI", shortest: 1, longest: 255, mark: "P" },
	{ tag: TAG.ueConfiguration, name: "BEST UE configuration", shortest: 8, longest: 8, mark: "P" },
	{ tag: TAG.easId, name: "Enterprise setup IE", shortest: 1, longest: 64, mark: "P" },
	{ tag: TAG.servingNetwork, name: "Serving network", shortest: 4, longest: 255, mark: "P" },
	{ tag: TAG.resumeNonce, name: "Resume nonce", shortest: 8, longest: 8, mark: "P" },
	{ tag: TAG.cookie, name: "Cookie", shortest: 1, longest: 32, mark: "P" },
	{ tag: TAG.hseConfiguration, name: "BEST HSE configuration", shortest: 14, longest: 14, mark: "P" },
	{ tag: TAG.akaChallenge, name: "AKA challenge", shortest: 32, longest: 32, mark: "P" },
	{ tag: TAG.akaResponse, name: "AKA response", shortest: 4, longest: 16, mark: "P" },
	{ tag: TAG.auts, name: "AUTS", shortest: 14, longest: 14, mark: "P" },
	{ tag: TAG.keyReference, name: "Key reference", shortest: 1, longest: 127, mark: "P" },
	{ tag: TAG.hseNonce, name: "HSE nonce", shortest: 8, longest: 8, mark: "P" },
	{ tag: TAG.ueNonce, name: "UE nonce", shortest: 8, longest: 8, mark: "P" },
	{ tag: TAG.requestDigest, name: "Request digest", shortest: 16, longest: 16, mark: "P" },
	{ tag: TAG.cause, name: "Cause", shortest: 1, longest: 3, mark: "P" },
	{ tag: TAG.keyRefresh, name: "Key refresh", shortest: 2, longest: 2, mark: "P" },
	{ tag: TAG.counters, name: "Counters", shortest: 12, longest: 12, mark: "P" },
];

/** Command octets (profile section 4). S. */
export const COMMAND = {
	sessionRequest: 0x10,
	sessionStart: 0x11,
	sessionStartConfirmation: 0x12,
	sessionTerminateRequest: 0x20,
	sessionTerminateResponse: 0x21,
	manageKeysRequest: 0x30,
	manageKeysResponse: 0x31,
	messageReject: 0x80,
} as const;

export interface CommandRow {
	readonly command: number;
	readonly name: string;
	readonly fromUe: boolean;
	readonly fromHse: boolean;
	/** P: whether the octets after the command octet are enciphered in the confidential service. */
	readonly ciphered: boolean;
	/** P: whether it goes with Key ID 0 too. */
	readonly unprotected: boolean;
}

/** Codes and senders: S. */
export const COMMANDS: readonly CommandRow[] = [
	{ command: 0x10, name: "Session Request", fromUe: true, fromHse: false, ciphered: false, unprotected: true },
	{ command: 0x11, name: "Session Start", fromUe: false, fromHse: true, ciphered: false, unprotected: false },
	{
		command: 0x12,
		name: "Session Start Confirmation",
		fromUe: true,
		fromHse: false,
		ciphered: true,
		unprotected: false,
	},
	{ command: 0x20, name: "Session Terminate Request", fromUe: true, fromHse: true, ciphered: true, unprotected: false },
	{
		command: 0x21,
		name: "Session Terminate Response",
		fromUe: true,
		fromHse: true,
		ciphered: true,
		unprotected: false,
	},
	{ command: 0x30, name: "Manage Keys Request", fromUe: true, fromHse: true, ciphered: true, unprotected: false },
	{ command: 0x31, name: "Manage Keys Response", fromUe: true, fromHse: false, ciphered: true, unprotected: false },
	{ command: 0x80, name: "Message Reject", fromUe: true, fromHse: true, ciphered: false, unprotected: true },
];

/** Which TLVs a message may and must carry (profile section 4). Conditions that need values stand in `contents.ts`. */
export interface ContentsRow {
	readonly name: string;
	readonly required: readonly number[];
	readonly optional: readonly number[];
}

export const CONTENTS = {
	newSessionRequest: {
		name: "10 new",
		required: [TAG.ueConfiguration, TAG.easId],
		optional: [TAG.imsi, TAG.suci, TAG.servingNetwork, TAG.cookie, TAG.keyReference, TAG.ueNonce],
	},
	resumeRequest: { name: "10 resume", required: [TAG.resumeNonce, TAG.counters], optional: [] },
	newSessionStart: {
		name: "11 new",
		required: [TAG.hseConfiguration, TAG.requestDigest],
		optional: [TAG.akaChallenge, TAG.keyReference, TAG.hseNonce],
	},
	resumeStart: { name: "11 resume", required: [TAG.resumeNonce, TAG.counters], optional: [] },
	confirmation: { name: "12", required: [], optional: [TAG.akaResponse] },
	terminateRequest: { name: "20", required: [TAG.cause], optional: [] },
	terminateResponse: { name: "21", required: [], optional: [] },
	manageKeysFromUe: { name: "30 from the UE", required: [TAG.keyRefresh], optional: [] },
	manageKeysFromHse: {
		name: "30 from the HSE",
		required: [TAG.keyRefresh],
		optional: [TAG.akaChallenge, TAG.hseNonce],
	},
	manageKeysResponse: { name: "31", required: [], optional: [TAG.akaResponse] },
	reject: { name: "80", required: [TAG.cause], optional: [TAG.auts, TAG.cookie] },
} as const satisfies Record<string, ContentsRow>;

/** Causes of tag 18 (profile section 4). P. */
export const CAUSE = {
	malformed: 0x01,
	tlvUnknownOrMissing: 0x02,
	ueUnknown: 0x03,
	ueNotAuthorised: 0x04,
	barredWhileRoaming: 0x05,
	serviceNotSupported: 0x06,
	nothingInCommon: 0x07,
	easUnknown: 0x08,
	easRefusedOrOutOfReach: 0x09,
	sessionUnknown: 0x0a,
	keyIdUnknown: 0x0b,
	akaMacFailure: 0x0c,
	akaSynchronisationFailure: 0x0d,
	wrongRes: 0x0e,
	congestion: 0x0f,
	cookieNeeded: 0x10,
	keyLifetimeOver: 0x11,
	restrictedByRegulation: 0x12,
	normalRelease: 0x13,
	unspecified: 0x7f,
} as const;

/** The causes in words, for people. */
export const CAUSE_NAMES: Readonly<Record<number, string>> = {
	[CAUSE.malformed]: "malformed",
	[CAUSE.tlvUnknownOrMissing]: "TLV unknown or missing",
	[CAUSE.ueUnknown]: "UE unknown",
	[CAUSE.ueNotAuthorised]: "UE not authorised for BEST",
	[CAUSE.barredWhileRoaming]: "barred while roaming",
	[CAUSE.serviceNotSupported]: "service not supported",
	[CAUSE.nothingInCommon]: "no algorithm or key agreement in common",
	[CAUSE.easUnknown]: "EAS unknown",
	[CAUSE.easRefusedOrOutOfReach]: "EAS refused or out of reach",
	[CAUSE.sessionUnknown]: "session unknown",
	[CAUSE.keyIdUnknown]: "Key ID unknown",
	[CAUSE.akaMacFailure]: "AKA: MAC failure",
	[CAUSE.akaSynchronisationFailure]: "AKA: synchronisation failure",
	[CAUSE.wrongRes]: "wrong RES",
	[CAUSE.congestion]: "congestion",
	[CAUSE.cookieNeeded]: "cookie needed",
	[CAUSE.keyLifetimeOver]: "key lifetime over",
	[CAUSE.restrictedByRegulation]: "restricted by regulation",
	[CAUSE.normalRelease]: "normal release",
	[CAUSE.unspecified]: "unspecified",
};

/** P: a protected 80 of the HSE with one of these ends the session at the UE (profile section 6, 1). */
export const CAUSES_THAT_END_A_SESSION: readonly number[] = [
	CAUSE.ueNotAuthorised,
	CAUSE.barredWhileRoaming,
	CAUSE.wrongRes,
	CAUSE.keyLifetimeOver,
	CAUSE.restrictedByRegulation,
];

/** P: causes that only the UE sends (profile section 4); the UE ignores them in an 80. */
export const CAUSES_OF_THE_UE: readonly number[] = [CAUSE.akaMacFailure, CAUSE.akaSynchronisationFailure];

/** FC of the KDF (TS 33.220 B.2) by key (profile section 5). */
export const FC = {
	/** G: TS 33.401 A.2. */
	kAsme: 0x10,
	/** G: TS 33.402 A.2. */
	ckPrimeIkPrime: 0x20,
	/** S. */
	kHseFiveGAka: 0x63,
	/** S. */
	kHseEapAkaPrime: 0x64,
	/** G: TS 33.501 A.4. */
	resStar: 0x6b,
	/** P, as all from here on: private numbers by TS 33.220 B.2.2 in place of those of TS 33.163. */
	kE2m: 0xf0,
	kIntermediate: 0xf1,
	kEasPsk: 0xf2,
	kE2e: 0xf3,
	kBaseChained: 0xf4,
	kBaseFromSharedKey: 0xf5,
} as const;

/** P: first parameter of K_E2M and K_E2E: which of the pair. */
export const KEY_USE = { encryption: 0x01, integrity: 0x02 } as const;

/** P: forms of tag 05, octet 0. */
export const SERVING_NETWORK_FORM = { plmn: 0x00, name: 0x01 } as const;

/** Retransmission of CP requests (profile section 6, 7). G by analogy: RFC 7252 4.2. */
export const RETRANSMISSION = {
	/** Milliseconds; multiplied by a random factor of 1.0 to 1.5, doubled each time. */
	firstAfter: 2000,
	times: 4,
} as const;

/** P: limits of section 2.1 and section 6. */
export const LIMITS = {
	/** How often a cached answer is sent again. */
	cachedAnswers: 8,
	/** Milliseconds an unconfirmed session, or the 21 of one that is over, is kept. */
	keepAnswer: 120_000,
	/** Milliseconds that old keys still verify what was on its way. */
	oldKeys: 30_000,
	/** Requests with a cookie in one attempt. */
	cookies: 2,
	/** The longest back-off a UE obeys from an unprotected 80, in seconds. */
	longestBackOff: 3600,
	/** MAC failures in a row from one source before it is dropped. */
	macFailures: 16,
	/** Milliseconds a source is dropped: first and longest. */
	firstBlock: 1000,
	longestBlock: 64_000,
	/** Failed verifications on one session in an hour. */
	failedVerificationsPerHour: 1000,
	/** Milliseconds between two unprotected 80 with cause 0A or 0B to one source. */
	rejectInterval: 1000,
} as const;
