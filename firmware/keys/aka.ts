/** Authentication and key agreement (TS 33.102 6.3) at both ends, over one subscriber's f1 to f5*. */
import { equalInConstantTime } from "../emsdp/octets.js";
import type { Kernel } from "../kernels/kernel.js";

/** Outputs of f2, f3, f4 and f5. */
export interface AkaVectors {
	/** 8 octets; with TUAK 4, 8 or 16. */
	readonly res: Uint8Array;
	/** 16 octets. */
	readonly ck: Uint8Array;
	/** 16 octets. */
	readonly ik: Uint8Array;
	/** 6 octets. */
	readonly ak: Uint8Array;
}

/** The functions of TS 33.102 6.3 for one subscriber, as MILENAGE and TUAK give them. */
export interface AkaFunctions {
	/** @param sqn 6 octets @param amf 2 octets @returns MAC-A, 8 octets */
	f1(rand: Uint8Array, sqn: Uint8Array, amf: Uint8Array): Uint8Array;
	/** @returns MAC-S, 8 octets */
	f1star(rand: Uint8Array, sqn: Uint8Array, amf: Uint8Array): Uint8Array;
	f2345(rand: Uint8Array): AkaVectors;
	/** @returns AK of resynchronisation, 6 octets */
	f5star(rand: Uint8Array): Uint8Array;
	/** Erases the keys; the object is of no use afterwards. */
	erase(): void;
}

/** Numbers of the algorithms in a device's identity record. */
export const AKA_ALGORITHM = { milenage: 1, tuak: 2 } as const;

/**
 * Makes the functions of a subscriber from the credentials in the identity record.
 * @returns undefined where the octets are not credentials of this algorithm
 */
export type MakeAkaFunctions = (kernel: Kernel, credentials: Uint8Array) => AkaFunctions | undefined;

/** AMF that stands in MAC-S: all zero (TS 33.102 6.3.3). */
const AMF_RESYNCHRONISATION = new Uint8Array(2);

/** Bits of SQN that are its index (TS 33.102 C.1.1.1; C.3 has 5). */
export const INDEX_BITS = 5;
/** One challenge more at the same index. */
export const SQN_STEP = 1 << INDEX_BITS;

/** An authentication vector. */
export interface AuthenticationVector {
	/** 16 octets. */
	readonly rand: Uint8Array;
	/** 16 octets: SQN ⊕ AK ‖ AMF ‖ MAC-A. */
	readonly autn: Uint8Array;
	/** 4 to 16 octets. */
	readonly xres: Uint8Array;
	readonly ck: Uint8Array;
	readonly ik: Uint8Array;
}

/** SQN, 48 bits, as 6 octets. */
export function sqnOctets(sqn: number): Uint8Array {
	const octets = new Uint8Array(6);
	let rest = sqn;
	for (let i = 5; i >= 0; i--) {
		octets[i] = rest % 256;
		rest = Math.floor(rest / 256);
	}
	return octets;
}

/** 6 octets as SQN. A number holds 48 bits exactly. */
export function sqnNumber(octets: Uint8Array): number {
	let sqn = 0;
	for (let i = 0; i < 6; i++) sqn = sqn * 256 + octets[i];
	return sqn;
}

function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
	const result = new Uint8Array(b.length);
	for (let i = 0; i < b.length; i++) result[i] = a[i] ^ b[i];
	return result;
}

/** Makes a vector at the authentication centre (TS 33.102 6.3.2). @param sqn below 2^48 @param amf 2 octets */
export function makeVector(functions: AkaFunctions, rand: Uint8Array, sqn: number, amf: Uint8Array) {
	const octets = sqnOctets(sqn);
	const { res, ck, ik, ak } = functions.f2345(rand);
	const autn = new Uint8Array(16);
	autn.set(xor(octets, ak));
	autn.set(amf, 6);
	autn.set(functions.f1(rand, octets, amf), 8);
	return { rand, autn, xres: res, ck, ik } satisfies AuthenticationVector;
}

/** What the USIM finds in AUTN. */
export type Verified = { readonly sqn: number; readonly vectors: AkaVectors };

/** Verifies MAC-A and recovers SQN at the USIM (TS 33.102 6.3.3). @returns undefined if the MAC is wrong */
export function verifyAutn(functions: AkaFunctions, rand: Uint8Array, autn: Uint8Array): Verified | undefined {
	const vectors = functions.f2345(rand);
	const sqn = xor(autn, vectors.ak);
	const expected = functions.f1(rand, sqn, autn.subarray(6, 8));
	if (!equalInConstantTime(expected, autn.subarray(8, 16))) {
		vectors.ck.fill(0);
		vectors.ik.fill(0);
		return undefined;
	}
	return { sqn: sqnNumber(sqn), vectors };
}

/** AUTS = SQN_MS ⊕ AK* ‖ MAC-S, 14 octets (TS 33.102 6.3.3). */
export function makeAuts(functions: AkaFunctions, rand: Uint8Array, sqnMs: number): Uint8Array {
	const octets = sqnOctets(sqnMs);
	const auts = new Uint8Array(14);
	auts.set(xor(octets, functions.f5star(rand)));
	auts.set(functions.f1star(rand, octets, AMF_RESYNCHRONISATION), 6);
	return auts;
}

/** Verifies AUTS at the authentication centre (TS 33.102 6.3.5). @returns SQN_MS, undefined if MAC-S is wrong */
export function verifyAuts(functions: AkaFunctions, rand: Uint8Array, auts: Uint8Array): number | undefined {
	const octets = xor(auts, functions.f5star(rand));
	const expected = functions.f1star(rand, octets, AMF_RESYNCHRONISATION);
	return equalInConstantTime(expected, auts.subarray(6, 14)) ? sqnNumber(octets) : undefined;
}
