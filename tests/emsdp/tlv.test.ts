import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { CAUSE, TAG } from "../../firmware/emsdp/profile.js";
import { TlvScan, writeTlv } from "../../firmware/emsdp/tlv.js";
import { fromHex, toHex } from "../../host-tools/hex.js";
import { encodeTlvs, octets, seeded, type Tlv } from "./arbitraries.js";

const ALL_TAGS = Array.from({ length: 256 }, (_, tag) => tag);
const KNOWN: readonly number[] = Object.values(TAG);
const NOTHING = new Uint8Array(0);

const scanned = (text: string) => new TlvScan().scan(fromHex(text), 0, text.length / 2);

test("no TLV at all is a run of TLVs", () => {
	const tlvs = new TlvScan();
	expect(tlvs.scan(NOTHING, 0, 0)).toBe(0);
	expect(ALL_TAGS.filter((tag) => tlvs.has(tag))).toEqual([]);
});

test.each(["01", "0401", "040200", "0400ff", "0400ff01", "04ff00"])("%s runs past the end: cause 01", (text) => {
	expect(scanned(text)).toBe(CAUSE.malformed);
});

test("each of the 256 tags is taken once, in any order, and none twice", () => {
	const shuffled = ALL_TAGS.map((tag) => (tag * 167 + 13) & 255);
	const once = encodeTlvs(shuffled.map((tag) => ({ tag, value: NOTHING })));
	expect(new TlvScan().scan(once, 0, once.length)).toBe(0);
	const twice = ALL_TAGS.filter((tag) => {
		const between = { tag: tag ^ 1, value: Uint8Array.of(tag, 0, tag) };
		const run = encodeTlvs([{ tag, value: NOTHING }, between, { tag, value: NOTHING }]);
		return new TlvScan().scan(run, 0, run.length) === CAUSE.malformed;
	});
	expect(twice).toEqual(ALL_TAGS);
});

test("a message that was refused leaves nothing behind in the object", () => {
	const tlvs = new TlvScan();
	expect(tlvs.scan(fromHex("0401617f00040161"), 0, 8)).toBe(CAUSE.malformed);
	expect(tlvs.scan(fromHex("040161"), 0, 3)).toBe(0);
	expect(tlvs.unknownTag).toBe(-1);
	expect(tlvs.scan(NOTHING, 0, 0)).toBe(0);
	expect(tlvs.has(TAG.easId)).toBe(false);
});

test("unknown tags below 80 are reported, those from 80 on are not", () => {
	const reported = ALL_TAGS.filter((tag) => {
		const tlvs = new TlvScan();
		tlvs.scan(Uint8Array.of(tag, 0), 0, 2);
		return tlvs.unknownTag === tag;
	});
	// 00 and 08 to 0F lie between known tags: the tables of contents refuse them.
	expect(reported).toEqual(ALL_TAGS.filter((tag) => tag > TAG.counters && tag < 0x80));
});

test("only the octets from start to end are looked at", () => {
	const around = fromHex("ffff0401610401620401");
	const tlvs = new TlvScan();
	expect(tlvs.scan(around, 2, 5)).toBe(0);
	expect(toHex(tlvs.value(TAG.easId))).toBe("61");
	expect(tlvs.scan(around, 5, 8)).toBe(0);
	expect(toHex(tlvs.value(TAG.easId))).toBe("62");
	expect(tlvs.scan(around, 5, 7)).toBe(CAUSE.malformed);
});

test("the walk is linear: two octets are read for each TLV, and no value", () => {
	const run = new Uint8Array(1232);
	for (let at = 0; at < run.length; at += 2) run[at] = at >> 1;
	let reads = 0;
	const counting = new Proxy(run, {
		get(target, name) {
			if (typeof name === "string" && /^\d+$/.test(name)) reads++;
			return Reflect.get(target, name, target);
		},
	});
	expect(new TlvScan().scan(counting, 0, 512)).toBe(0);
	expect(reads).toBe(512);
	reads = 0;
	expect(new TlvScan().scan(counting, 0, 1232)).toBe(CAUSE.malformed);
	expect(reads).toBeLessThanOrEqual(514);
});

test("TLVs that were written are found with their values, whatever their order", () => {
	const run = fc.uniqueArray(fc.record({ tag: fc.constantFrom(...KNOWN), value: octets(0, 60) }), {
		selector: (tlv: Tlv) => tlv.tag,
	});
	fc.assert(
		fc.property(run, fc.integer({ min: 0, max: 9 }), (tlvs, start) => {
			const buffer = new Uint8Array(2048);
			let end = start;
			for (const { tag, value } of tlvs) end = writeTlv(buffer, end, tag, value);
			expect(toHex(buffer.subarray(start, end))).toBe(toHex(encodeTlvs(tlvs)));
			const scan = new TlvScan();
			expect(scan.scan(buffer, start, end)).toBe(0);
			for (const { tag, value } of tlvs) expect(toHex(scan.value(tag))).toBe(toHex(value));
			expect(KNOWN.filter((tag) => scan.has(tag)).sort()).toEqual(tlvs.map(({ tag }) => tag).sort());
		}),
		seeded(500),
	);
});

test("a value is a copy", () => {
	const run = fromHex("040161");
	const tlvs = new TlvScan();
	tlvs.scan(run, 0, 3);
	tlvs.value(TAG.easId)[0] = 0;
	expect(toHex(run)).toBe("040161");
});
