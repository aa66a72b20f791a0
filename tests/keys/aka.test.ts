import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { makeAuts, makeVector, sqnNumber, sqnOctets, verifyAutn, verifyAuts } from "../../firmware/keys/aka.js";
import { Milenage } from "../../firmware/keys/milenage.js";
import { fromHex, toHex } from "../../host-tools/hex.js";
import { loadKernel } from "../../host-tools/kernel.js";
import { octets, seeded } from "../emsdp/arbitraries.js";
import { MILENAGE, MILENAGE_SETS, type MilenageSet } from "./published.js";

const kernel = loadKernel();
const subscriber = ({ K, OPc }: { readonly K: string; readonly OPc: string }) =>
	new Milenage(kernel, fromHex(K), fromHex(OPc));
const [[, first]] = MILENAGE_SETS;
const sqnOf = (vector: MilenageSet) => sqnNumber(fromHex(vector.SQN));

/** An octet string with one bit turned over. */
function withBit(text: Uint8Array, bit: number): Uint8Array {
	const other = text.slice();
	other[bit >> 3] ^= 1 << (bit & 7);
	return other;
}

describe("SQN as octets", () => {
	test.each([
		[0, "000000000000"],
		[1, "000000000001"],
		[0x123456789abc, "123456789abc"],
		[2 ** 48 - 1, "ffffffffffff"],
	])("%d", (number, text) => {
		expect(toHex(sqnOctets(number))).toBe(text);
		expect(sqnNumber(fromHex(text))).toBe(number);
	});

	test("48 bits come back exactly", () => {
		const sqns = fc.integer({ min: 0, max: 2 ** 48 - 1 });
		fc.assert(
			fc.property(sqns, (sqn) => sqnNumber(sqnOctets(sqn)) === sqn),
			seeded(1000),
		);
	});
});

test.each(MILENAGE_SETS)("%s: AUTN made by the authentication centre and verified by the USIM", (_name, vector) => {
	const centre = makeVector(subscriber(vector), fromHex(vector.RAND), sqnOf(vector), fromHex(vector.AMF));
	expect(toHex(centre.autn)).toBe(vector.AUTN);
	expect([centre.xres, centre.ck, centre.ik].map(toHex)).toEqual([vector.f2_RES, vector.f3_CK, vector.f4_IK]);
	const verified = verifyAutn(subscriber(vector), centre.rand, centre.autn);
	expect(verified?.sqn).toBe(sqnOf(vector));
	expect(verified && toHex(verified.vectors.res)).toBe(vector.f2_RES);
	expect(verified && toHex(verified.vectors.ck)).toBe(vector.f3_CK);
});

test("any subscriber, RAND, SQN and AMF: both ends come to the same keys and SQN", () => {
	const sqns = fc.integer({ min: 0, max: 2 ** 48 - 1 });
	fc.assert(
		fc.property(octets(16), octets(16), octets(16), sqns, octets(2), (k, opc, rand, sqn, amf) => {
			const milenage = new Milenage(kernel, k, opc);
			const vector = makeVector(milenage, rand, sqn, amf);
			expect(toHex(vector.autn.subarray(6, 8))).toBe(toHex(amf));
			const verified = verifyAutn(milenage, rand, vector.autn);
			expect(verified?.sqn).toBe(sqn);
			expect(verified?.vectors.res).toEqual(vector.xres);
			const auts = makeAuts(milenage, rand, sqn);
			expect(verifyAuts(milenage, rand, auts)).toBe(sqn);
		}),
		seeded(200),
	);
});

describe("the USIM refuses", () => {
	const usim = subscriber(first);
	const rand = fromHex(first.RAND);
	const autn = fromHex(first.AUTN);

	test("AUTN with any bit turned over: SQN, AMF or MAC", () => {
		expect(verifyAutn(usim, rand, autn)?.sqn).toBe(sqnOf(first));
		const taken = Array.from({ length: 128 }, (_, bit) => bit).filter((bit) =>
			verifyAutn(usim, rand, withBit(autn, bit)),
		);
		expect(taken).toEqual([]);
	});

	test("AUTN with another RAND", () => {
		for (let bit = 0; bit < 128; bit++) expect(verifyAutn(usim, withBit(rand, bit), autn)).toBeUndefined();
	});

	test("AUTN of another subscriber", () => {
		const [, [, other]] = MILENAGE_SETS;
		expect(verifyAutn(subscriber(other), rand, autn)).toBeUndefined();
	});
});

describe("AUTS", () => {
	test("a published one gives SQN_MS", () => {
		expect(MILENAGE.auts.length).toBeGreaterThan(0);
		for (const { K, OPc, RAND, AUTS, SQN_MS } of MILENAGE.auts) {
			const milenage = subscriber({ K, OPc });
			expect(verifyAuts(milenage, fromHex(RAND), fromHex(AUTS))).toBe(sqnNumber(fromHex(SQN_MS)));
			expect(toHex(makeAuts(milenage, fromHex(RAND), sqnNumber(fromHex(SQN_MS))))).toBe(AUTS);
		}
	});

	test("hides SQN_MS under AK* of f5*, and has a MAC-S over AMF 0000", () => {
		const auts = makeAuts(subscriber(first), fromHex(first.RAND), 0);
		expect(toHex(auts.subarray(0, 6))).toBe(first.f5star_AK);
		const macS = subscriber(first).f1star(fromHex(first.RAND), new Uint8Array(6), new Uint8Array(2));
		expect(toHex(auts.subarray(6))).toBe(toHex(macS));
	});

	test("the authentication centre refuses any bit turned over, another RAND, and another subscriber", () => {
		const [, [, other]] = MILENAGE_SETS;
		const centre = subscriber(first);
		const rand = fromHex(first.RAND);
		const auts = makeAuts(centre, rand, 1234567);
		const taken = Array.from({ length: 112 }, (_, bit) => bit).filter(
			(bit) => verifyAuts(centre, rand, withBit(auts, bit)) !== undefined,
		);
		expect(taken).toEqual([]);
		expect(verifyAuts(centre, withBit(rand, 0), auts)).toBeUndefined();
		expect(verifyAuts(subscriber(other), rand, auts)).toBeUndefined();
	});

	test("SQN_MS 0 is an answer, not a refusal", () => {
		const centre = subscriber(first);
		expect(verifyAuts(centre, fromHex(first.RAND), makeAuts(centre, fromHex(first.RAND), 0))).toBe(0);
	});
});
