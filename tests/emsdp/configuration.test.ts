import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import {
	encodeHseConfiguration,
	encodeUeConfiguration,
	isHseConfiguration,
	isUeConfiguration,
	offers,
	offersFiveGAuthentication,
	offersSharedKey,
	readHseConfiguration,
	readUeConfiguration,
} from "../../firmware/emsdp/configuration.js";
import { fromHex, toHex } from "../../host-tools/hex.js";
import { octets, seeded } from "./arbitraries.js";

const OCTETS = Array.from({ length: 256 }, (_, octet) => octet);

describe("tag 03", () => {
	/** Bits with a meaning, octet by octet (profile section 3). */
	const MEANING = fromHex("ff7f0f0f3707ffff");

	test("every field is where the table says", () => {
		expect(readUeConfiguration(fromHex("ee12550a0c350604d0"), 1)).toEqual({
			release: 18,
			agreements: 0b10101010,
			encryptionAlgorithms: 0b1010,
			integrityAlgorithms: 0b1100,
			counterSchemes: 0b101,
			macLengths: (1 << 4) | (1 << 8),
			service: 2,
			mode: 1,
			largestMessage: 1232,
		});
	});

	test("what is taken is the same after decoding and encoding, but for bits without a meaning, which become 0", () => {
		let taken = 0;
		fc.assert(
			fc.property(octets(8), (value) => {
				if (!isUeConfiguration(value, 0)) return;
				taken++;
				const meant = value.map((octet, at) => octet & MEANING[at]);
				expect(toHex(encodeUeConfiguration(readUeConfiguration(value, 0)))).toBe(toHex(meant));
			}),
			seeded(4000),
		);
		expect(taken).toBeGreaterThan(300);
	});

	test("each octet alone: at most one shared key, no null integrity, no service 3; everything else is taken", () => {
		const refusedAt = (at: number) =>
			OCTETS.filter((octet) => {
				const value = fromHex("12030504370104d0");
				value[at] = octet;
				return !isUeConfiguration(value, 0);
			});
		const sharedKeys = (octet: number) => [0x10, 0x20, 0x40].filter((bit) => (octet & bit) !== 0).length;
		expect(refusedAt(1)).toEqual(OCTETS.filter((octet) => sharedKeys(octet) > 1));
		expect(refusedAt(3)).toEqual(OCTETS.filter((octet) => octet % 2 === 1));
		expect(refusedAt(5)).toEqual(OCTETS.filter((octet) => octet % 4 === 3));
		for (const at of [0, 2, 4, 6, 7]) expect(refusedAt(at)).toEqual([]);
	});

	test("sets: which agreements are 5G authentication, which name a shared key", () => {
		const agreements = [1, 2, 3, 4, 5, 6, 7];
		expect(agreements.filter((number) => offersFiveGAuthentication(1 << number))).toEqual([3, 4]);
		expect(agreements.filter((number) => offersSharedKey(1 << number))).toEqual([5, 6, 7]);
		expect(agreements.filter((number) => offers(0b10010010, number))).toEqual([1, 4, 7]);
	});
});

describe("tag 10", () => {
	const GOOD = "120100020004010100000e1004d0";

	test("every field is where the table says", () => {
		expect(readHseConfiguration(fromHex("ee1203020201080605fffffffe04d0"), 1)).toEqual({
			release: 18,
			agreement: 3,
			encryption: 2,
			integrity: 2,
			counterScheme: 1,
			macLength: 8,
			service: 2,
			mode: 1,
			keyId: 5,
			lifetime: 0xfffffffe,
			largestMessage: 1232,
		});
	});

	test.each([
		[0, OCTETS],
		[1, [1, 2, 3, 4, 5, 6, 7]],
		[2, [0]],
		[3, [1, 2, 3]],
		[4, [0, 1, 2]],
		[5, [4, 8]],
		[6, [0, 1, 4, 5]],
		[7, [1, 2, 3, 4, 5, 6, 7]],
		[8, OCTETS],
		[13, OCTETS],
	])("octet %d of an integrity session", (at, expected) => {
		const taken = OCTETS.filter((octet) => {
			const value = fromHex(GOOD);
			value[at] = octet;
			return isHseConfiguration(value, 0);
		});
		expect(taken).toEqual(expected);
	});

	test("encryption is never null in the confidential service, and always in the others", () => {
		const taken: [number, number][] = [];
		for (let service = 0; service < 3; service++) {
			for (let encryption = 0; encryption < 5; encryption++) {
				const value = fromHex(GOOD);
				value[2] = encryption;
				value[6] = service;
				if (isHseConfiguration(value, 0)) taken.push([service, encryption]);
			}
		}
		expect(taken).toEqual([
			[0, 0],
			[1, 0],
			[2, 1],
			[2, 2],
			[2, 3],
		]);
	});

	test("M = 8 goes with integrity algorithm 2 only", () => {
		const taken = [1, 2, 3].filter((integrity) => {
			const value = fromHex(GOOD);
			value[3] = integrity;
			value[5] = 8;
			return isHseConfiguration(value, 0);
		});
		expect(taken).toEqual([2]);
	});

	test("what is taken is the same after decoding and encoding", () => {
		const upTo = (max: number) => fc.integer({ min: 0, max });
		const choices = fc.tuple(upTo(8), upTo(3), upTo(4), upTo(3), fc.constantFrom(4, 8, 5), upTo(7), upTo(8));
		const likely = fc
			.tuple(octets(14), choices)
			.map(([value, some]) => value.map((octet, at) => some[at - 1] ?? octet));
		let taken = 0;
		fc.assert(
			fc.property(likely, (value) => {
				if (!isHseConfiguration(value, 0)) return;
				taken++;
				expect(toHex(encodeHseConfiguration(readHseConfiguration(value, 0)))).toBe(toHex(value));
			}),
			seeded(5000),
		);
		expect(taken).toBeGreaterThan(100);
	});
});
