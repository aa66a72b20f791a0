/** TUAK (TS 35.231): f1 to f5, f1* and f5* over Keccak-f[1600]. A device can leave this module out. */
import { keccakP } from "@noble/hashes/sha3.js";
import type { AkaFunctions, AkaVectors, MakeAkaFunctions } from "./aka.js";

/** What an operator chooses for its subscribers (TS 35.231 6.2). */
export interface TuakParameters {
	/** Octets of RES. 32 do not fit AKA (TS 33.102 6.3.7). */
	readonly resOctets: 4 | 8 | 16 | 32;
	/** How often Keccak-f[1600] is applied, 1 to 255. */
	readonly iterations: number;
}

/** Lengths that AKA fixes, since AUTN has 8 octets for MAC-A and what is below CK and IK takes 16 octets of each. */
export interface TuakLengths {
	readonly macOctets: 8 | 16 | 32;
	readonly ckOctets: 16 | 32;
	readonly ikOctets: 16 | 32;
}

/** TS 33.102 6.3.7. */
const AKA_LENGTHS: TuakLengths = { macOctets: 8, ckOctets: 16, ikOctets: 16 };

export const TOPC_OCTETS = 32;

/** Offsets in the state, in octets, of what goes in and what comes out (TS 35.231 6.2, 6.3). */
const IN = { top: 0, instance: 32, name: 33, rand: 40, amf: 56, sqn: 58, key: 64, firstPad: 96, lastPad: 135 } as const;
const OUT = { mac: 0, res: 0, ck: 32, ik: 64, ak: 96 } as const;
const STATE_WORDS = 50;

/** ALGONAME: "TUAK1.0". */
const ALGORITHM_NAME = Uint8Array.of(0x54, 0x55, 0x41, 0x4b, 0x31, 0x2e, 0x30);

/** INSTANCE, by function; the length of what comes out and of K is added (TS 35.231 6.3 to 6.8). */
const INSTANCE = { topc: 0x00, f1: 0x00, f1star: 0x80, f2345: 0x40, f5star: 0xc0 } as const;
const LONG_CK = 0x04;
const LONG_IK = 0x02;
const LONG_K = 0x01;

/** Bits 2 to 4 of INSTANCE: octets of MAC or RES, of which 4 are written as 0. */
function lengthBits(octets: number): number {
	return octets & 0x38;
}

/** The standard numbers the bits of a string from its end: what the state holds is the string backwards. */
function put(state: Uint8Array, at: number, octets: Uint8Array): void {
	for (let i = 0; i < octets.length; i++) state[at + i] = octets[octets.length - 1 - i];
}

function take(state: Uint8Array, at: number, length: number): Uint8Array {
	const octets = new Uint8Array(length);
	for (let i = 0; i < length; i++) octets[i] = state[at + length - 1 - i];
	return octets;
}

const NONE = new Uint8Array(0);

/** @returns the state, 200 octets, which the caller erases */
function permute(
	iterations: number,
	k: Uint8Array,
	top: Uint8Array,
	instance: number,
	rand: Uint8Array = NONE,
	sqn: Uint8Array = NONE,
	amf: Uint8Array = NONE,
): Uint8Array {
	// The octets of a word as the machine has them: all targets are little-endian, as Keccak is.
	const words = new Uint32Array(STATE_WORDS);
	const state = new Uint8Array(words.buffer);
	put(state, IN.top, top);
	state[IN.instance] = instance | (k.length === 32 ? LONG_K : 0);
	put(state, IN.name, ALGORITHM_NAME);
	put(state, IN.rand, rand);
	put(state, IN.amf, amf);
	put(state, IN.sqn, sqn);
	put(state, IN.key, k);
	state[IN.firstPad] = 0x1f;
	state[IN.lastPad] = 0x80;
	for (let i = 0; i < iterations; i++) keccakP(words);
	return state;
}

/** TOP_C (TS 35.231 6.1). @param k 16 or 32 octets @param top TOP, 32 octets @returns 32 octets */
export function deriveTopc(k: Uint8Array, top: Uint8Array, iterations = 1): Uint8Array {
	const state = permute(iterations, k, top, INSTANCE.topc);
	const topc = take(state, 0, TOPC_OCTETS);
	state.fill(0);
	return topc;
}

/** TUAK of one subscriber. */
export class Tuak implements AkaFunctions {
	private readonly k: Uint8Array;
	private readonly topc: Uint8Array;
	private readonly parameters: TuakParameters;
	private readonly lengths: TuakLengths;

	/**
	 * @param k 16 or 32 octets
	 * @param topc TOP_C, 32 octets
	 * @param lengths other than those of AKA: TS 35.231 has them, TS 33.102 does not
	 */
	constructor(k: Uint8Array, topc: Uint8Array, parameters: TuakParameters, lengths = AKA_LENGTHS) {
		this.k = k.slice();
		this.topc = topc.slice();
		this.parameters = parameters;
		this.lengths = lengths;
	}

	f1(rand: Uint8Array, sqn: Uint8Array, amf: Uint8Array): Uint8Array {
		return this.mac(INSTANCE.f1, rand, sqn, amf);
	}

	f1star(rand: Uint8Array, sqn: Uint8Array, amf: Uint8Array): Uint8Array {
		return this.mac(INSTANCE.f1star, rand, sqn, amf);
	}

	f2345(rand: Uint8Array): AkaVectors {
		const { resOctets } = this.parameters;
		const { ckOctets, ikOctets } = this.lengths;
		const long = (ckOctets === 32 ? LONG_CK : 0) | (ikOctets === 32 ? LONG_IK : 0);
		const state = this.permute(INSTANCE.f2345 | lengthBits(resOctets) | long, rand);
		const result = {
			res: take(state, OUT.res, resOctets),
			ck: take(state, OUT.ck, ckOctets),
			ik: take(state, OUT.ik, ikOctets),
			ak: take(state, OUT.ak, 6),
		};
		state.fill(0);
		return result;
	}

	f5star(rand: Uint8Array): Uint8Array {
		const state = this.permute(INSTANCE.f5star, rand);
		const ak = take(state, OUT.ak, 6);
		state.fill(0);
		return ak;
	}

	erase(): void {
		this.k.fill(0);
		this.topc.fill(0);
	}

	private mac(instance: number, rand: Uint8Array, sqn: Uint8Array, amf: Uint8Array): Uint8Array {
		const { macOctets } = this.lengths;
		const state = this.permute(instance | lengthBits(macOctets), rand, sqn, amf);
		const mac = take(state, OUT.mac, macOctets);
		state.fill(0);
		return mac;
	}

	private permute(instance: number, rand: Uint8Array, sqn?: Uint8Array, amf?: Uint8Array): Uint8Array {
		return permute(this.parameters.iterations, this.k, this.topc, instance, rand, sqn, amf);
	}
}

/** Offsets in the credentials of an identity record: octets of RES, iterations, TOP_C, K. */
const CREDENTIALS = { resOctets: 0, iterations: 1, topc: 2, k: 34 } as const;

/** Octets of RES that AKA can use. */
export const AKA_RES_OCTETS = [4, 8, 16] as const;

export function isTuakParameters(resOctets: number, iterations: number): boolean {
	return AKA_RES_OCTETS.includes(resOctets as 4) && iterations >= 1 && iterations <= 255;
}

/** The credentials as they stand in an identity record. The caller erases them. */
export function tuakCredentials(k: Uint8Array, topc: Uint8Array, parameters: TuakParameters): Uint8Array {
	const octets = new Uint8Array(CREDENTIALS.k + k.length);
	octets[CREDENTIALS.resOctets] = parameters.resOctets;
	octets[CREDENTIALS.iterations] = parameters.iterations;
	octets.set(topc, CREDENTIALS.topc);
	octets.set(k, CREDENTIALS.k);
	return octets;
}

/** TUAK of the credentials that {@link tuakCredentials} gives. */
export const tuakFrom: MakeAkaFunctions = (_kernel, credentials) => {
	const k = credentials.subarray(CREDENTIALS.k);
	const resOctets = credentials[CREDENTIALS.resOctets] as TuakParameters["resOctets"];
	const iterations = credentials[CREDENTIALS.iterations];
	if ((k.length !== 16 && k.length !== 32) || !isTuakParameters(resOctets, iterations)) return undefined;
	return new Tuak(k, credentials.subarray(CREDENTIALS.topc, CREDENTIALS.k), { resOctets, iterations });
};
