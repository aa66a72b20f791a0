import { describe, expect, test } from "@jest/globals";
import { checkContents, fitsServingNetwork, isAka } from "../../firmware/emsdp/contents.js";
import { CAUSE, CAUSE_NAMES, CONTENTS, type ContentsRow, TAG, TLVS } from "../../firmware/emsdp/profile.js";
import { TlvScan } from "../../firmware/emsdp/tlv.js";
import { fromHex } from "../../host-tools/hex.js";
import { encodeTlvs, type Tlv } from "./arbitraries.js";
import { GOOD_VALUES, goodContents, ROWS, withTlv } from "./good-values.js";

const MALFORMED = CAUSE.malformed;
const UNKNOWN_OR_MISSING = CAUSE.tlvUnknownOrMissing;

function causeOf(row: ContentsRow, tlvs: readonly Tlv[], aka = true): number {
	const octets = encodeTlvs(tlvs);
	const scan = new TlvScan();
	return scan.scan(octets, 0, octets.length) || checkContents(scan, row, aka);
}

const without = (tlvs: readonly Tlv[], tag: number) => tlvs.filter((tlv) => tlv.tag !== tag);
const zeros = (length: number) => new Uint8Array(length);
const listed = (row: ContentsRow, tag: number) => row.required.includes(tag) || row.optional.includes(tag);

describe.each(ROWS.map((row) => [row.name, row] as const))("%s", (_name, row) => {
	const good = goodContents(row);

	test("is taken, in whatever order its TLVs come", () => {
		expect(causeOf(row, good)).toBe(0);
		expect(causeOf(row, [...good].reverse())).toBe(0);
	});

	test("lacks each TLV it must have: cause 02", () => {
		expect(good.map(({ tag }) => causeOf(row, without(good, tag)))).toEqual(good.map(() => UNKNOWN_OR_MISSING));
	});

	test("has a known TLV that is not listed for it: cause 02", () => {
		const foreign = TLVS.filter(({ tag }) => !listed(row, tag));
		expect(foreign.length).toBeGreaterThan(0);
		expect(
			foreign.filter(({ tag }) => causeOf(row, withTlv(good, tag, GOOD_VALUES[tag])) !== UNKNOWN_OR_MISSING),
		).toEqual([]);
	});

	test("has an unknown TLV: below 80 cause 02, from 80 on ignored", () => {
		const known: readonly number[] = Object.values(TAG);
		const unknown = Array.from({ length: 256 }, (_, tag) => tag).filter((tag) => !known.includes(tag));
		const refused = unknown.filter((tag) => causeOf(row, withTlv(good, tag, "00")) === UNKNOWN_OR_MISSING);
		expect(refused).toEqual(unknown.filter((tag) => tag < 0x80));
		expect(unknown.filter((tag) => tag >= 0x80 && causeOf(row, withTlv(good, tag, "00")) !== 0)).toEqual([]);
	});

	test("has a TLV twice: cause 01, before any other fault is looked for", () => {
		for (const tlv of good) expect(causeOf(row, [...good, tlv, { tag: 0x7f, value: zeros(0) }])).toBe(MALFORMED);
	});

	test("has a TLV that is one octet too short or too long: cause 01", () => {
		const faulty = TLVS.filter(({ tag }) => listed(row, tag)).flatMap(({ tag, shortest, longest }) =>
			[shortest - 1, longest + 1].filter((length) => length <= 255).map((length) => [tag, length] as const),
		);
		expect(faulty.filter(([tag, length]) => causeOf(row, withTlv(good, tag, zeros(length))) !== MALFORMED)).toEqual([]);
	});
});

describe("order of faults (section 3)", () => {
	const row = CONTENTS.newSessionRequest;
	const good = goodContents(row);
	const badLength = withTlv(good, TAG.easId, "");

	test("a tag that does not belong there (02) comes before a bad length (01)", () => {
		expect(causeOf(row, withTlv(badLength, 0x7f, ""))).toBe(UNKNOWN_OR_MISSING);
		expect(causeOf(row, withTlv(badLength, TAG.counters, GOOD_VALUES[TAG.counters]))).toBe(UNKNOWN_OR_MISSING);
	});

	test("a bad length or value (01) comes before a missing TLV (02)", () => {
		expect(causeOf(row, without(badLength, TAG.imsi))).toBe(MALFORMED);
		expect(causeOf(row, without(withTlv(good, TAG.easId, "ff"), TAG.ueConfiguration))).toBe(MALFORMED);
	});
});

describe("values", () => {
	test.each([
		["an IMSI of 5 digits", TAG.imsi, "091032f4ffffffff"],
		["text that is not UTF-8", TAG.easId, "c328"],
		["a PLMN with a letter", TAG.servingNetwork, "000af110"],
		["a serving network of an unknown form", TAG.servingNetwork, "0200f110"],
		["null integrity offered", TAG.ueConfiguration, "12030505370104d0"],
		["two shared keys offered", TAG.ueConfiguration, "12500504370104d0"],
		["service 3", TAG.ueConfiguration, "12030504370304d0"],
	])("10 with %s: cause 01", (_what, tag, value) => {
		expect(causeOf(CONTENTS.newSessionRequest, withTlv(goodContents(CONTENTS.newSessionRequest), tag, value))).toBe(
			MALFORMED,
		);
	});

	test("tag 03: bits without a meaning are ignored", () => {
		const good = goodContents(CONTENTS.newSessionRequest);
		expect(causeOf(CONTENTS.newSessionRequest, withTlv(good, TAG.ueConfiguration, "1283f5f4fff904d0"))).toBe(0);
	});

	test("tag 18 has a back-off with cause 0F, and only there", () => {
		const row = CONTENTS.terminateRequest;
		const taken = Object.keys(CAUSE_NAMES)
			.map(Number)
			.flatMap((cause) =>
				[1, 2, 3].map((length) => {
					const value = zeros(length);
					value[0] = cause;
					return [cause, length, causeOf(row, [{ tag: TAG.cause, value }])] as const;
				}),
			);
		const right = (cause: number, length: number) => length === (cause === CAUSE.congestion ? 3 : 1);
		expect(taken).toEqual(taken.map(([cause, length]) => [cause, length, right(cause, length) ? 0 : MALFORMED]));
	});
});

describe("conditions", () => {
	const request = CONTENTS.newSessionRequest;
	const offer = (agreements: string, service: string) =>
		withTlv(goodContents(request), TAG.ueConfiguration, `12${agreements}050437${service}04d0`);

	test("10 has exactly one of IMSI and SUCI", () => {
		const both = withTlv(goodContents(request), TAG.suci, GOOD_VALUES[TAG.suci]);
		expect(causeOf(request, both)).toBe(MALFORMED);
		expect(causeOf(request, without(both, TAG.imsi))).toBe(0);
	});

	test.each([
		["no 5G authentication, integrity", "03", "01", false],
		["no 5G authentication, key agreement only", "03", "00", false],
		["no 5G authentication, confidential", "03", "02", true],
		["5G AKA, integrity", "04", "01", true],
		["EAP-AKA', key agreement only", "08", "00", true],
	])("10 with %s: serving network needed: %s %s %s", (_what, agreements, service, isNeeded) => {
		const plain = offer(agreements, service);
		expect(causeOf(request, plain)).toBe(isNeeded ? UNKNOWN_OR_MISSING : 0);
		expect(causeOf(request, withTlv(plain, TAG.servingNetwork, GOOD_VALUES[TAG.servingNetwork]))).toBe(0);
	});

	test.each(["10", "20", "40"])(
		"10 that offers a shared key (agreements %s) names it and brings a nonce",
		(agreements) => {
			const reference = withTlv(offer(agreements, "01"), TAG.keyReference, GOOD_VALUES[TAG.keyReference]);
			const both = withTlv(reference, TAG.ueNonce, GOOD_VALUES[TAG.ueNonce]);
			expect(causeOf(request, both)).toBe(0);
			expect(causeOf(request, reference)).toBe(UNKNOWN_OR_MISSING);
			expect(causeOf(request, without(both, TAG.keyReference))).toBe(UNKNOWN_OR_MISSING);
		},
	);

	test.each([1, 2, 3, 4, 5, 6, 7])(
		"11 of agreement %d has a challenge, or a key reference and a nonce",
		(agreement) => {
			const start = CONTENTS.newSessionStart;
			const value = fromHex(GOOD_VALUES[TAG.hseConfiguration]);
			value[1] = agreement;
			const aka = withTlv(goodContents(start), TAG.hseConfiguration, value);
			const bare = without(aka, TAG.akaChallenge);
			const reference = withTlv(bare, TAG.keyReference, GOOD_VALUES[TAG.keyReference]);
			const shared = withTlv(reference, TAG.hseNonce, GOOD_VALUES[TAG.hseNonce]);
			const mixed = withTlv(shared, TAG.akaChallenge, GOOD_VALUES[TAG.akaChallenge]);
			const right = agreement <= 4 ? aka : shared;
			expect(isAka(agreement)).toBe(agreement <= 4);
			for (const tlvs of [aka, bare, reference, shared, mixed])
				expect(causeOf(start, tlvs)).toBe(tlvs === right ? 0 : UNKNOWN_OR_MISSING);
		},
	);

	test.each([CONTENTS.confirmation, CONTENTS.manageKeysResponse])(
		"$name has a response with AKA, and only there",
		(row) => {
			const [response] = goodContents(row);
			expect([causeOf(row, [response], true), causeOf(row, [], false)]).toEqual([0, 0]);
			expect([causeOf(row, [], true), causeOf(row, [response], false)]).toEqual([
				UNKNOWN_OR_MISSING,
				UNKNOWN_OR_MISSING,
			]);
		},
	);

	test("30 of the UE names no Key ID and any method; 30 of the HSE a Key ID and method 1 or 2 with what goes with it", () => {
		const asked = (value: string) =>
			causeOf(CONTENTS.manageKeysFromUe, [{ tag: TAG.keyRefresh, value: fromHex(value) }]);
		expect(["0000", "0100", "0200"].map(asked)).toEqual([0, 0, 0]);
		expect(["0300", "0001", "0207", "0208"].map(asked)).toEqual(Array(4).fill(MALFORMED));
		const row = CONTENTS.manageKeysFromHse;
		const made = (value: string, ...tags: number[]) =>
			causeOf(row, [
				{ tag: TAG.keyRefresh, value: fromHex(value) },
				...tags.map((tag) => ({ tag, value: fromHex(GOOD_VALUES[tag]) })),
			]);
		expect([made("0101", TAG.akaChallenge), made("0207", TAG.hseNonce)]).toEqual([0, 0]);
		expect([made("0001", TAG.hseNonce), made("0200", TAG.hseNonce), made("0208", TAG.hseNonce)]).toEqual(
			Array(3).fill(MALFORMED),
		);
		expect([
			made("0101", TAG.hseNonce),
			made("0201", TAG.akaChallenge),
			made("0101"),
			made("0201"),
			made("0101", TAG.akaChallenge, TAG.hseNonce),
		]).toEqual(Array(5).fill(UNKNOWN_OR_MISSING));
	});

	test("80 has AUTS with cause 0D, a cookie with cause 10, and neither anywhere else", () => {
		const row = CONTENTS.reject;
		for (const cause of Object.keys(CAUSE_NAMES).map(Number)) {
			const value = cause === CAUSE.congestion ? Uint8Array.of(cause, 0, 9) : Uint8Array.of(cause);
			const plain = [{ tag: TAG.cause, value }];
			const auts = withTlv(plain, TAG.auts, GOOD_VALUES[TAG.auts]);
			const cookie = withTlv(plain, TAG.cookie, GOOD_VALUES[TAG.cookie]);
			const right = cause === 0x0d ? auts : cause === 0x10 ? cookie : plain;
			const found = [plain, auts, cookie].map((tlvs) => causeOf(row, tlvs));
			expect(found).toEqual([plain, auts, cookie].map((tlvs) => (tlvs === right ? 0 : UNKNOWN_OR_MISSING)));
		}
	});
});

test("agreement 2 goes with a PLMN, agreements 3 and 4 with a name, the others with either or none", () => {
	const forms = [new Uint8Array(0), fromHex("0000f110"), fromHex("0135473a61")];
	const fitting = [1, 2, 3, 4, 5, 6, 7].map((agreement) => forms.map((form) => fitsServingNetwork(agreement, form)));
	expect(fitting).toEqual([
		[true, true, true],
		[false, true, false],
		[false, false, true],
		[false, false, true],
		[true, true, true],
		[true, true, true],
		[true, true, true],
	]);
});
