import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { extensionOctets, Header, writeHeader } from "../../firmware/emsdp/header.js";
import { fromHex, toHex } from "../../host-tools/hex.js";
import { seeded } from "./arbitraries.js";

const written = (userPlane: boolean, keyId: number, sessionId: number, count: number, extension: number) => {
	const octets = new Uint8Array(8).fill(0xee);
	return toHex(octets.subarray(0, writeHeader(octets, userPlane, keyId, sessionId, count, extension)));
};

test("a first Session Request: type 01, all flags 0, Session ID 0", () => {
	expect(written(false, 0, 0, 0, 0)).toBe("010000000000");
});

test("plane in b8, Key ID in b6 to b4, COUNT bits 2..0 in b3 to b1", () => {
	expect(written(true, 0, 0, 0, 0)).toBe("018000000000");
	expect(written(false, 7, 0, 0, 0)).toBe("013800000000");
	expect(written(false, 0, 0, 7, 0)).toBe("010700000000");
	expect(written(true, 5, 0x89abcdef, 0xfffffffe, 0)).toBe("01ae89abcdef");
});

test("counter schemes 0, 1 and 2 carry 3, 11 and 19 bits of COUNT, big-endian", () => {
	const count = 0x8765_4321;
	expect([0, 1, 2].map((scheme) => written(true, 1, 1, count, extensionOctets(scheme)))).toEqual([
		"018900000001",
		"01890000000164",
		"018900000001a864",
	]);
});

test("what is written is read again: plane, Key ID, Session ID and the low bits of COUNT", () => {
	const fields = fc.record({
		userPlane: fc.boolean(),
		keyId: fc.integer({ min: 0, max: 7 }),
		sessionId: fc.integer({ min: 0, max: 0xffffffff }),
		count: fc.integer({ min: 0, max: 0xfffffffe }),
		scheme: fc.constantFrom(0, 1, 2),
	});
	fc.assert(
		fc.property(fields, ({ userPlane, keyId, sessionId, count, scheme }) => {
			const octets = new Uint8Array(8);
			const length = writeHeader(octets, userPlane, keyId, sessionId, count, scheme);
			const header = new Header();
			expect(header.read(octets, length)).toBe(true);
			expect(header.readExtension(octets, length, scheme)).toBe(true);
			const { countBits } = header;
			const expected = Number(BigInt(count) % 2n ** BigInt(3 + 8 * scheme));
			expect({ ...header, countBits }).toEqual({ userPlane, keyId, sessionId, countBits: expected });
		}),
		seeded(2000),
	);
});

test("one header object read twice keeps nothing of the first message", () => {
	const header = new Header();
	header.read(fromHex("01ffffffffff"), 6);
	expect(header.read(fromHex("01bfffffffffffff"), 8)).toBe(true);
	expect(header.readExtension(fromHex("01bfffffffffffff"), 8, 2)).toBe(true);
	expect(header.read(fromHex("010000000000"), 6)).toBe(true);
	expect({ ...header }).toEqual({ userPlane: false, keyId: 0, sessionId: 0, countBits: 0 });
});

test.each([0, 2, 0x81, 0xff])("type %d is refused", (type) => {
	expect(new Header().read(Uint8Array.of(type, 0, 0, 0, 0, 0), 6)).toBe(false);
});

test("the RFU bit is refused whatever stands beside it", () => {
	const taken = Array.from({ length: 256 }, (_, flags) => flags).filter((flags) =>
		new Header().read(Uint8Array.of(1, flags, 0, 0, 0, 1), 6),
	);
	expect(taken).toEqual(Array.from({ length: 256 }, (_, flags) => flags).filter((flags) => (flags & 0x40) === 0));
});

test("fewer octets than a header, or than the extension needs, are refused even if the buffer is longer", () => {
	const octets = fromHex("0189000000010102");
	expect([0, 5, 6].map((length) => new Header().read(octets, length))).toEqual([false, false, true]);
	expect([6, 7, 8].map((length) => new Header().readExtension(octets, length, 2))).toEqual([false, false, true]);
});
