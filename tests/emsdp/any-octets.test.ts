import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import {
	encodeHseConfiguration,
	encodeUeConfiguration,
	readHseConfiguration,
	readUeConfiguration,
} from "../../firmware/emsdp/configuration.js";
import { checkContents } from "../../firmware/emsdp/contents.js";
import { Header, writeHeader } from "../../firmware/emsdp/header.js";
import { decodeImsi, encodeImsi } from "../../firmware/emsdp/imsi.js";
import { TAG, TLVS } from "../../firmware/emsdp/profile.js";
import { screen } from "../../firmware/emsdp/screening.js";
import { TlvScan } from "../../firmware/emsdp/tlv.js";
import { fromHex, toHex } from "../../host-tools/hex.js";
import { encodeTlvs, octets, seeded, type Tlv } from "./arbitraries.js";
import { GOOD_VALUES, goodContents, ROWS } from "./good-values.js";

const DROPS = [undefined, "length", "type", "RFU bit", "command", "Key ID and Session ID"];
const KNOWN: readonly number[] = Object.values(TAG);

/** Octets that look like a message more often than random ones do. */
const likeMessages = fc
	.tuple(
		fc.constantFrom("010000000000", "010800000001", "018800000001", "01ffffffffff", "02"),
		fc.constantFrom(0x10, 0x11, 0x12, 0x20, 0x21, 0x30, 0x31, 0x80, 0x55),
		fc.array(fc.record({ tag: fc.constantFrom(...KNOWN, 0x00, 0x1b, 0x80), value: octets(0, 33) }), { maxLength: 8 }),
		octets(0, 9),
	)
	.map(([header, command, tlvs, rest]) => Uint8Array.of(...fromHex(header), command, ...encodeTlvs(tlvs), ...rest));

/** Good contents of a row, sometimes with one TLV taken away, added, repeated or with an octet changed. */
function nearContents(good: readonly Tlv[]): fc.Arbitrary<readonly Tlv[]> {
	const changes = fc.array(
		fc.record({ kind: fc.nat(3), at: fc.nat(255), tag: fc.constantFrom(...KNOWN, 0x1b, 0x80), octet: fc.nat(255) }),
		{ maxLength: 2 },
	);
	return changes.map((list) => {
		let tlvs = [...good];
		for (const { kind, at, tag, octet } of list) {
			const index = at % Math.max(1, tlvs.length);
			if (kind === 0) tlvs.splice(index, 1);
			else if (kind === 1) tlvs.push({ tag, value: fromHex(GOOD_VALUES[tag] ?? "00") });
			else if (kind === 2 && tlvs.length > 0) tlvs = [...tlvs, tlvs[index]];
			else if (tlvs.length > 0) {
				const value = tlvs[index].value.slice();
				value[at % Math.max(1, value.length)] = octet;
				tlvs[index] = { tag: tlvs[index].tag, value };
			}
		}
		return tlvs;
	});
}

/** Decodes and encodes again whatever was taken. */
function expectSameAgain(tlvs: TlvScan): void {
	if (tlvs.has(TAG.imsi)) {
		const imsi = tlvs.value(TAG.imsi);
		expect(encodeImsi(decodeImsi(imsi) ?? "")).toEqual(imsi);
	}
	if (tlvs.has(TAG.hseConfiguration)) {
		const value = tlvs.value(TAG.hseConfiguration);
		expect(encodeHseConfiguration(readHseConfiguration(tlvs.octets, tlvs.offsets[TAG.hseConfiguration]))).toEqual(
			value,
		);
	}
	if (tlvs.has(TAG.ueConfiguration)) {
		const configuration = readUeConfiguration(tlvs.octets, tlvs.offsets[TAG.ueConfiguration]);
		expect(readUeConfiguration(encodeUeConfiguration(configuration), 0)).toEqual(configuration);
	}
}

describe.each(ROWS.map((row) => [row.name, row] as const))("contents of %s", (_name, row) => {
	test("any octets give 0 or cause 01 or 02, and nothing is thrown", () => {
		fc.assert(
			fc.property(fc.oneof(octets(0, 1300), octets(0, 60), likeMessages), fc.boolean(), (message, aka) => {
				for (const fromUe of [true, false])
					expect(DROPS).toContain(screen(new Header(), message, message.length, fromUe));
				const tlvs = new TlvScan();
				const fault = tlvs.scan(message, Math.min(7, message.length), message.length);
				expect([0, 1]).toContain(fault);
				if (fault !== 0) return;
				const cause = checkContents(tlvs, row, aka);
				expect([0, 1, 2]).toContain(cause);
				if (cause === 0) expectSameAgain(tlvs);
			}),
			seeded(250),
		);
	});

	test("near-misses: what is taken decodes, and encodes to the same octets", () => {
		const met = new Set<number>();
		const aka = goodContents(row).some(({ tag }) => tag === TAG.akaResponse);
		fc.assert(
			fc.property(nearContents(goodContents(row)), (list) => {
				const run = encodeTlvs(list);
				const tlvs = new TlvScan();
				const cause = tlvs.scan(run, 0, run.length) || checkContents(tlvs, row, aka);
				met.add(cause);
				expect([0, 1, 2]).toContain(cause);
				if (cause !== 0) return;
				expectSameAgain(tlvs);
				// The known TLVs that a receiver reads, written in order, are those that were sent.
				const read = TLVS.filter(({ tag }) => tlvs.has(tag)).map(({ tag }) => ({ tag, value: tlvs.value(tag) }));
				const sent = list.filter(({ tag }) => tag < 0x80).sort((a, b) => a.tag - b.tag);
				expect(toHex(encodeTlvs(read))).toBe(toHex(encodeTlvs(sent)));
			}),
			seeded(400),
		);
		// 21 has no TLV whose value could be wrong, but one can appear twice.
		expect([...met].sort()).toEqual([0, 1, 2]);
	});
});

test("a header that was read is written to the same octets", () => {
	let read = 0;
	fc.assert(
		fc.property(fc.oneof(octets(0, 20), likeMessages), (message) => {
			const header = new Header();
			if (!header.read(message, message.length)) return;
			read++;
			const again = new Uint8Array(6);
			writeHeader(again, header.userPlane, header.keyId, header.sessionId, header.countBits, 0);
			expect(toHex(again)).toBe(toHex(message.subarray(0, 6)));
		}),
		seeded(1000),
	);
	expect(read).toBeGreaterThan(100);
});
