/** The key hierarchy of BEST (profile section 5). Every function gives fresh octets that the caller erases. */

import { writeUint32 } from "../emsdp/octets.js";
import { AGREEMENT, FC, KEY_USE } from "../emsdp/profile.js";
import { kdf, leastSignificant128 } from "./kdf.js";

/** What AKA gives for K_base. */
export interface AkaKeys {
	/** 16 octets each. */
	readonly ck: Uint8Array;
	readonly ik: Uint8Array;
	/** First 6 octets of AUTN. */
	readonly sqnXorAk: Uint8Array;
	/** Value of tag 05 behind its form octet: PLMN (3 octets) or serving network name; empty where there is none. */
	readonly servingNetwork: Uint8Array;
}

function octet(value: number): Uint8Array {
	return Uint8Array.of(value);
}

function uint32(value: number): Uint8Array {
	const octets = new Uint8Array(4);
	writeUint32(octets, 0, value);
	return octets;
}

/** a ‖ b */
export function concatenate(a: Uint8Array, b: Uint8Array): Uint8Array {
	const both = new Uint8Array(a.length + b.length);
	both.set(a);
	both.set(b, a.length);
	return both;
}

function keyedByCkIk(fc: number, first: Uint8Array, { ck, ik, sqnXorAk }: AkaKeys): Uint8Array {
	const key = concatenate(ck, ik);
	const output = kdf(key, fc, [first, sqnXorAk]);
	key.fill(0);
	return output;
}

/** K_base by key agreement 1–4, 32 octets. */
const BASE_KEY_FROM_AKA: Readonly<Record<number, (aka: AkaKeys) => Uint8Array>> = {
	[AGREEMENT.umtsAka]: ({ ck, ik }) => concatenate(ck, ik),
	// K_ASME (TS 33.401 A.2)
	[AGREEMENT.epsAka]: (aka) => keyedByCkIk(FC.kAsme, aka.servingNetwork, aka),
	// K_HSE (TS 33.163)
	[AGREEMENT.fiveGAka]: (aka) => keyedByCkIk(FC.kHseFiveGAka, aka.servingNetwork, aka),
	[AGREEMENT.eapAkaPrime]: (aka) => {
		const primes = ckPrimeIkPrime(aka);
		const output = kdf(primes, FC.kHseEapAkaPrime, [aka.servingNetwork, aka.sqnXorAk]);
		primes.fill(0);
		return output;
	},
};

/** CK′ ‖ IK′, 32 octets (TS 33.402 A.2). */
export function ckPrimeIkPrime(aka: AkaKeys): Uint8Array {
	return keyedByCkIk(FC.ckPrimeIkPrime, aka.servingNetwork, aka);
}

/** K_base for key agreements 1–4. @returns 32 octets */
export function baseKeyFromAka(agreement: number, aka: AkaKeys): Uint8Array {
	return BASE_KEY_FROM_AKA[agreement](aka);
}

/** K_base for key agreements 5–7. @param sharedKey Ks_ext_NAF, K_AF or the pre-shared key @returns 32 octets */
export function baseKeyFromSharedKey(sharedKey: Uint8Array, hseNonce: Uint8Array, ueNonce: Uint8Array): Uint8Array {
	return kdf(sharedKey, FC.kBaseFromSharedKey, [hseNonce, ueNonce]);
}

/** K_base after a chained refresh, 32 octets; the caller erases the old one. */
export function chainedBaseKey(baseKey: Uint8Array, hseNonce: Uint8Array, newKeyId: number): Uint8Array {
	return kdf(baseKey, FC.kBaseChained, [hseNonce, octet(newKeyId)]);
}

/** RES*, 16 octets (TS 33.501 A.4). @param servingNetwork the serving network name */
export function resStar(ck: Uint8Array, ik: Uint8Array, servingNetwork: Uint8Array, rand: Uint8Array, res: Uint8Array) {
	const key = concatenate(ck, ik);
	const output = leastSignificant128(kdf(key, FC.resStar, [servingNetwork, rand, res]));
	key.fill(0);
	return output;
}

/** One pair of traffic keys, 16 octets each. */
export interface KeyPair {
	readonly encryption: Uint8Array;
	readonly integrity: Uint8Array;
}

/** The algorithms, session and Key ID that traffic keys are bound to. */
export interface KeyBinding {
	readonly encryption: number;
	readonly integrity: number;
	readonly sessionId: number;
	readonly keyId: number;
}

function trafficKeys(key: Uint8Array, fc: number, binding: KeyBinding): KeyPair {
	const derive = (use: number, algorithm: number) =>
		leastSignificant128(kdf(key, fc, [octet(use), octet(algorithm), uint32(binding.sessionId), octet(binding.keyId)]));
	return {
		encryption: derive(KEY_USE.encryption, binding.encryption),
		integrity: derive(KEY_USE.integrity, binding.integrity),
	};
}

/** K_E2Menc and K_E2Mint. */
export function e2mKeys(baseKey: Uint8Array, binding: KeyBinding): KeyPair {
	return trafficKeys(baseKey, FC.kE2m, binding);
}

/** K_Intermediate, 32 octets. */
export function intermediateKey(baseKey: Uint8Array, sessionId: number, keyId: number): Uint8Array {
	return kdf(baseKey, FC.kIntermediate, [uint32(sessionId), octet(keyId)]);
}

/** K_EAS_PSK, 32 octets. @param easId value of tag 04, taken octet by octet */
export function easPresharedKey(kIntermediate: Uint8Array, easId: Uint8Array): Uint8Array {
	return kdf(kIntermediate, FC.kEasPsk, [easId]);
}

/** K_E2Eenc and K_E2Eint. @param kEasPsk K_EAS_PSK, 32 octets */
export function e2eKeys(kEasPsk: Uint8Array, binding: KeyBinding): KeyPair {
	return trafficKeys(kEasPsk, FC.kE2e, binding);
}
