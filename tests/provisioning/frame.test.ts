import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { crc16 } from "../../firmware/provisioning/crc16.js";
import { FrameReader, LONGEST_CONTENTS, LONGEST_FRAME, writeFrame } from "../../firmware/provisioning/frame.js";
import { toHex } from "../../host-tools/hex.js";
import { octets, seeded } from "../emsdp/arbitraries.js";

/** A frame as it stands on the line. */
function frameOf(contents: Uint8Array): Uint8Array {
	const room = new Uint8Array(contents.length + 2);
	room.set(contents);
	const out = new Uint8Array(LONGEST_FRAME);
	return out.slice(0, writeFrame(out, room, contents.length));
}

/** All contents that a reader finds on a line. */
function read(line: Uint8Array, reader = new FrameReader()): string[] {
	const found: string[] = [];
	for (const octet of line) {
		const length = reader.take(octet);
		if (length >= 0) found.push(toHex(reader.contents.subarray(0, length)));
	}
	return found;
}

/** Octets of which many are 0 or in long runs without one, where COBS has its corners. */
const contents = fc.oneof(
	octets(0, LONGEST_CONTENTS),
	fc.uint8Array({ minLength: 250, maxLength: LONGEST_CONTENTS, min: 1 }),
	fc.uint8Array({ maxLength: LONGEST_CONTENTS, max: 1 }),
);

describe("frames", () => {
	test("the CRC has the check value of CRC-16/IBM-3740", () => {
		expect(crc16(new TextEncoder().encode("123456789"), 9)).toBe(0x29b1);
	});

	test("as in the document", () => {
		expect(toHex(frameOf(Uint8Array.of(1, 1, 0)))).toBe("0003010103c89d00");
	});

	test("have no zero inside, and come back", () => {
		fc.assert(
			fc.property(contents, (given) => {
				const frame = frameOf(given);
				expect(frame.length).toBeLessThanOrEqual(LONGEST_FRAME);
				expect(frame.subarray(1, -1)).not.toContain(0);
				expect(read(frame)).toEqual([toHex(given)]);
			}),
			seeded(500),
		);
	});

	test("any octets before, between and behind: nothing is thrown, and whole frames are found", () => {
		fc.assert(
			fc.property(octets(0, 1500), contents, octets(0, 50), contents, (before, first, between, second) => {
				const line = Uint8Array.of(...before, ...frameOf(first), ...between, ...frameOf(second));
				const found = read(line);
				expect(found).toContain(toHex(first));
				expect(found.at(-1)).toBe(toHex(second));
			}),
			seeded(300),
		);
	});

	test("an octet changed or lost spoils the frame and no other", () => {
		const good = frameOf(Uint8Array.from({ length: 60 }, (_, i) => i % 7));
		for (let at = 1; at < good.length - 1; at++) {
			const changed = good.slice();
			changed[at] ^= 0x10;
			const lost = Uint8Array.of(...good.subarray(0, at), ...good.subarray(at + 1));
			for (const spoilt of [changed, lost]) expect(read(Uint8Array.of(...spoilt, ...good))).toHaveLength(1);
		}
	});

	test("one that is too long is passed over, in constant memory", () => {
		const reader = new FrameReader();
		const room = reader.contents.length;
		expect(read(new Uint8Array(100_000).fill(0xff), reader)).toEqual([]);
		expect(reader.contents.length).toBe(room);
		expect(read(frameOf(Uint8Array.of(7)), reader)).toEqual(["07"]);
	});
});
