import { describe, expect, test } from "@jest/globals";
import * as profile from "../../firmware/emsdp/profile.js";

const { CAUSE, CAUSE_NAMES, COMMAND, COMMANDS, CONTENTS, FC, HEADER, TAG, TLVS } = profile;
const ROWS: readonly profile.ContentsRow[] = Object.values(CONTENTS);

const ascending = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b);
const hex = (number: number) => number.toString(16).padStart(2, "0");

describe("tags", () => {
	test("each tag of the profile has one row, in ascending order, and there are no others", () => {
		expect(TLVS.map(({ tag }) => tag)).toEqual(ascending(Object.values(TAG)));
		expect(TLVS.map(({ tag }) => hex(tag))).toEqual("01 02 03 04 05 06 07 10 11 12 13 14 15 16 17 18 19 1a".split(" "));
	});

	test("names are unique", () => {
		expect(new Set(TLVS.map(({ name }) => name)).size).toBe(TLVS.length);
	});

	test("all tags but the IMSI are marked P", () => {
		expect(TLVS.filter(({ mark }) => mark !== "P").map(({ tag, mark }) => [tag, mark])).toEqual([[0x01, "S"]]);
	});

	test("lengths can stand in a length octet", () => {
		for (const { shortest, longest } of TLVS) {
			expect(shortest).toBeGreaterThanOrEqual(1);
			expect(longest).toBeGreaterThanOrEqual(shortest);
			expect(longest).toBeLessThanOrEqual(255);
		}
	});
});

describe("commands", () => {
	test("codes, senders, ciphering and Key ID 0 are those of section 4", () => {
		const table = COMMANDS.map(({ command, fromUe, fromHse, ciphered, unprotected }) =>
			[hex(command), fromUe && "UE", fromHse && "HSE", ciphered && "ciphered", unprotected && "Key ID 0"]
				.filter(Boolean)
				.join(" "),
		);
		expect(table).toEqual([
			"10 UE Key ID 0",
			"11 HSE",
			"12 UE ciphered",
			"20 UE HSE ciphered",
			"21 UE HSE ciphered",
			"30 UE HSE ciphered",
			"31 UE ciphered",
			"80 UE HSE Key ID 0",
		]);
	});

	test("each command has one row and a name of its own", () => {
		expect(COMMANDS.map(({ command }) => command)).toEqual(ascending(Object.values(COMMAND)));
		expect(new Set(COMMANDS.map(({ name }) => name)).size).toBe(COMMANDS.length);
	});

	test("the liaison statement's eight commands are all there", () => {
		expect(Object.values(COMMAND).map(hex)).toEqual("10 11 12 20 21 30 31 80".split(" "));
	});
});

describe("contents", () => {
	test("names are unique and begin with the code of a command", () => {
		expect(new Set(ROWS.map(({ name }) => name)).size).toBe(ROWS.length);
		const codes = new Set(ROWS.map(({ name }) => name.slice(0, 2)));
		expect([...codes].sort()).toEqual(COMMANDS.map(({ command }) => hex(command)));
	});

	test("TLVs are known, and required or optional but not both", () => {
		const known = TLVS.map(({ tag }) => tag);
		for (const { required, optional } of ROWS) {
			const tags = [...required, ...optional];
			expect(new Set(tags).size).toBe(tags.length);
			expect(tags.filter((tag) => !known.includes(tag))).toEqual([]);
		}
	});

	test("every tag is carried by some message", () => {
		const carried = new Set(ROWS.flatMap(({ required, optional }) => [...required, ...optional]));
		expect(ascending([...carried])).toEqual(ascending(Object.values(TAG)));
	});
});

test("each cause has a number and a name of its own", () => {
	const causes = Object.values(CAUSE);
	expect(ascending(causes)).toEqual([...Array.from({ length: 19 }, (_, i) => i + 1), 0x7f]);
	expect(ascending(Object.keys(CAUSE_NAMES).map(Number))).toEqual(ascending(causes));
	expect(new Set(Object.values(CAUSE_NAMES)).size).toBe(causes.length);
});

test("causes that end a session at the UE, and causes that only a UE sends (sections 4 and 6.1)", () => {
	expect(profile.CAUSES_THAT_END_A_SESSION.map(hex)).toEqual(["04", "05", "0e", "11", "12"]);
	expect(profile.CAUSES_OF_THE_UE.map(hex)).toEqual(["0c", "0d"]);
});

test("octet 1 is made up of flag, RFU, Key ID and counter bits, each bit once", () => {
	const fields = [HEADER.userPlane, HEADER.reserved, HEADER.keyIdMask << HEADER.keyIdShift, HEADER.countMask];
	expect(fields).toEqual([0x80, 0x40, 0x38, 0x07]);
	expect(fields.reduce((sum, field) => sum + field)).toBe(0xff);
	expect(2 ** HEADER.countBits - 1).toBe(HEADER.countMask);
});

test("every FC is its own, those of TS 33.163 that were not at hand are private numbers F0 to FE", () => {
	const { kAsme, ckPrimeIkPrime, kHseFiveGAka, kHseEapAkaPrime, resStar, ...own } = FC;
	expect([kAsme, ckPrimeIkPrime, kHseFiveGAka, kHseEapAkaPrime, resStar]).toEqual([0x10, 0x20, 0x63, 0x64, 0x6b]);
	expect(Object.values(own)).toEqual([0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5]);
});

test("numbers that other standards fix", () => {
	expect(profile.DIRECTION).toEqual({ fromUe: 0, toUe: 1 });
	expect(profile.ALGORITHM).toEqual({ null: 0, snow3g: 1, aes: 2, zuc: 3 });
	expect(profile.BEARER.controlPlane).not.toBe(profile.BEARER.userPlane);
});

test("limits are those of sections 2.1 and 6", () => {
	expect(profile.LIMITS).toEqual({
		cachedAnswers: 8,
		keepAnswer: 120_000,
		oldKeys: 30_000,
		cookies: 2,
		longestBackOff: 3600,
		macFailures: 16,
		firstBlock: 1000,
		longestBlock: 64_000,
		failedVerificationsPerHour: 1000,
		rejectInterval: 1000,
	});
	expect([profile.EMSDP_TYPE, profile.LONGEST_MESSAGE, profile.UDP_PORT]).toEqual([1, 1232, 33163]);
	expect(profile.COUNT.rekeyAt).toBe(0x80000000);
});
