import { describe, expect, test } from "@jest/globals";
import { keccakP } from "@noble/hashes/sha3.js";
import fc from "fast-check";
import { makeAuts, makeVector, verifyAutn, verifyAuts } from "../../firmware/keys/aka.js";
import {
	AKA_RES_OCTETS,
	deriveTopc,
	Tuak,
	type TuakLengths,
	type TuakParameters,
	tuakCredentials,
	tuakFrom,
} from "../../firmware/keys/tuak.js";
import { fromHex, toHex } from "../../host-tools/hex.js";
import { loadKernel } from "../../host-tools/kernel.js";
import { octets, seeded } from "../emsdp/arbitraries.js";
import { published } from "./published.js";

interface TuakSet {
	readonly name: string;
	readonly iterations: number;
	readonly K: string;
	readonly TOP: string;
	readonly RAND: string;
	readonly SQN: string;
	readonly AMF: string;
	readonly TOPc: string;
	readonly f1_MAC_A: string;
	readonly f1star_MAC_S: string;
	readonly f2_RES: string;
	readonly f3_CK: string;
	readonly f4_IK: string;
	readonly f5_AK: string;
	readonly f5star_AK: string;
}

const { tuak_ts35233: SETS, keccak_f1600_ts35232: KECCAK } = published<{
	readonly tuak_ts35233: readonly TuakSet[];
	readonly keccak_f1600_ts35232: readonly { readonly set: number; readonly input: string; readonly output: string }[];
}>("tuak.json");

/** The lengths that a set was made with, which show in its outputs. */
function tuakOf(set: TuakSet): Tuak {
	const of = (text: string) => text.length / 2;
	const parameters = { resOctets: of(set.f2_RES), iterations: set.iterations } as TuakParameters;
	const lengths = { macOctets: of(set.f1_MAC_A), ckOctets: of(set.f3_CK), ikOctets: of(set.f4_IK) } as TuakLengths;
	return new Tuak(fromHex(set.K), fromHex(set.TOPc), parameters, lengths);
}

test("all published sets are there, with every length of K, MAC, RES, CK and IK", () => {
	expect(SETS).toHaveLength(6);
	const lengths = (...names: (keyof TuakSet)[]) =>
		names.map((name) => [...new Set(SETS.map((set) => String(set[name]).length / 2))].sort((a, b) => a - b));
	expect(lengths("K", "f1_MAC_A", "f2_RES", "f3_CK", "f4_IK")).toEqual([
		[16, 32],
		[8, 16, 32],
		[4, 8, 16, 32],
		[16, 32],
		[16, 32],
	]);
});

test.each(KECCAK.map((set) => [set.set, set] as const))(
	"Keccak-f[1600], TS 35.232 set %d",
	(_set, { input, output }) => {
		const state = fromHex(input);
		keccakP(new Uint32Array(state.buffer, state.byteOffset, 50));
		expect(toHex(state)).toBe(output);
	},
);

describe.each(SETS.map((set) => [set.name, set] as const))("%s", (_name, set) => {
	test("TOPc", () => {
		expect(toHex(deriveTopc(fromHex(set.K), fromHex(set.TOP), set.iterations))).toBe(set.TOPc);
	});

	test("f1, f1*, f2, f3, f4, f5, f5*", () => {
		const tuak = tuakOf(set);
		const [rand, sqn, amf] = [set.RAND, set.SQN, set.AMF].map(fromHex);
		expect(toHex(tuak.f1(rand, sqn, amf))).toBe(set.f1_MAC_A);
		expect(toHex(tuak.f1star(rand, sqn, amf))).toBe(set.f1star_MAC_S);
		const { res, ck, ik, ak } = tuak.f2345(rand);
		expect([res, ck, ik, ak].map(toHex)).toEqual([set.f2_RES, set.f3_CK, set.f4_IK, set.f5_AK]);
		expect(toHex(tuak.f5star(rand))).toBe(set.f5star_AK);
		expect([rand, sqn, amf].map(toHex)).toEqual([set.RAND, set.SQN, set.AMF]);
	});
});

const keys = fc.oneof(octets(16), octets(32));
const parameters: fc.Arbitrary<TuakParameters> = fc.record({
	resOctets: fc.constantFrom(...AKA_RES_OCTETS),
	iterations: fc.integer({ min: 1, max: 3 }),
});

test("any subscriber, RAND, SQN and AMF: both ends come to the same keys and SQN", () => {
	const sqns = fc.integer({ min: 0, max: 2 ** 48 - 1 });
	fc.assert(
		fc.property(keys, octets(32), parameters, octets(16), sqns, octets(2), (k, topc, chosen, rand, sqn, amf) => {
			const vector = makeVector(new Tuak(k, topc, chosen), rand, sqn, amf);
			expect([vector.autn, vector.xres, vector.ck, vector.ik].map(({ length }) => length)).toEqual([
				16,
				chosen.resOctets,
				16,
				16,
			]);
			const usim = tuakFrom(loadKernel(), tuakCredentials(k, topc, chosen));
			if (usim === undefined) throw new Error("not taken");
			const verified = verifyAutn(usim, rand, vector.autn);
			expect(verified?.sqn).toBe(sqn);
			expect(verified?.vectors).toMatchObject({ res: vector.xres, ck: vector.ck, ik: vector.ik });
			expect(verifyAuts(usim, rand, makeAuts(usim, rand, sqn))).toBe(sqn);
			const changed = vector.autn.slice();
			changed[15] ^= 1;
			expect(verifyAutn(usim, rand, changed)).toBeUndefined();
		}),
		seeded(100),
	);
});

describe("credentials", () => {
	const good = tuakCredentials(new Uint8Array(16), new Uint8Array(32), { resOctets: 8, iterations: 1 });
	const kernel = loadKernel();

	test("are taken with K of 128 and of 256 bits", () => {
		expect(tuakFrom(kernel, good)).toBeDefined();
		expect(tuakFrom(kernel, new Uint8Array([...good, ...new Uint8Array(16)]))).toBeDefined();
	});

	test("of any other length, with a RES that AKA does not take, or without an iteration are refused", () => {
		for (let length = 0; length < 80; length++) {
			const cut = new Uint8Array(length);
			cut.set(good.subarray(0, length));
			expect([length, tuakFrom(kernel, cut) !== undefined]).toEqual([length, length === 50 || length === 66]);
		}
		for (const [at, octet] of [
			[0, 32],
			[0, 5],
			[0, 0],
			[1, 0],
		]) {
			const changed = good.slice();
			changed[at] = octet;
			expect(tuakFrom(kernel, changed)).toBeUndefined();
		}
	});

	test("erase: the keys are gone, those of the caller are not", () => {
		const [set] = SETS;
		const k = fromHex(set.K);
		const tuak = new Tuak(k, fromHex(set.TOPc), { resOctets: 4, iterations: 1 });
		expect(toHex(tuak.f2345(fromHex(set.RAND)).ck)).toBe(set.f3_CK);
		tuak.erase();
		expect(toHex(tuak.f2345(fromHex(set.RAND)).ck)).not.toBe(set.f3_CK);
		expect(toHex(k)).toBe(set.K);
	});
});
