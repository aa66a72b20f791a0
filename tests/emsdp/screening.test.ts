import { describe, expect, test } from "@jest/globals";
import { Header } from "../../firmware/emsdp/header.js";
import { screen } from "../../firmware/emsdp/screening.js";
import { fromHex } from "../../host-tools/hex.js";

const BEFORE_COMMAND = "0100000000";
const FROM_UE = [0x10, 0x12, 0x20, 0x21, 0x30, 0x31, 0x80];
const FROM_HSE = [0x11, 0x20, 0x21, 0x30, 0x80];
const OCTETS = Array.from({ length: 256 }, (_, octet) => octet);

/** A datagram with room for a MAC behind its command. */
const datagram = (flags: number, sessionId: string, command: number, length = 20) => {
	const octets = new Uint8Array(length);
	octets.set(fromHex(`01${flags.toString(16).padStart(2, "0")}${sessionId}${command.toString(16).padStart(2, "0")}`));
	return octets;
};

const judged = (octets: Uint8Array, fromUe = true, length = octets.length) =>
	screen(new Header(), octets, length, fromUe);

test("a first Session Request passes", () => {
	expect(judged(datagram(0x00, "00000000", 0x10))).toBeUndefined();
});

test("7 to 1,232 octets without a Key ID, 11 with one in CP, 10 in UP", () => {
	const shortest = (flags: number, sessionId: string) => {
		const octets = datagram(flags, sessionId, 0x80, 1240);
		return OCTETS.find((length) => judged(octets, true, length) === undefined);
	};
	expect([shortest(0x00, "00000000"), shortest(0x08, "00000001"), shortest(0x88, "00000001")]).toEqual([7, 11, 10]);
	const octets = datagram(0x08, "00000001", 0x20, 1300);
	expect([judged(octets, true, 1232), judged(octets, true, 1233), judged(octets, true, 1300)]).toEqual([
		undefined,
		"length",
		"length",
	]);
});

test("only type 01 passes", () => {
	const taken = OCTETS.filter((type) => {
		const octets = datagram(0x08, "00000001", 0x20);
		octets[0] = type;
		return judged(octets) === undefined;
	});
	expect(taken).toEqual([1]);
});

test("no flags with the RFU bit pass", () => {
	const refused = OCTETS.filter((flags) => judged(datagram(flags, "00000001", 0x20)) === "RFU bit");
	expect(refused).toEqual(OCTETS.filter((flags) => (flags & 0x40) !== 0));
});

test.each([
	["the HSE", true, FROM_UE],
	["the UE", false, FROM_HSE],
])("commands that %s receives", (_who, fromUe, expected) => {
	const results = OCTETS.map((command) => judged(datagram(0x08, "00000001", command), fromUe));
	expect(OCTETS.filter((command) => results[command] === undefined)).toEqual(expected);
	expect(new Set(results)).toEqual(new Set([undefined, "command"]));
});

describe("Key ID and Session ID that go together (section 2)", () => {
	test.each([
		["10 new", 0x10, 0x00, "00000000", true],
		["10 new with a Session ID", 0x10, 0x00, "00000001", false],
		["10 resume", 0x10, 0x08, "00000001", true],
		["10 with a Key ID and no session", 0x10, 0x08, "00000000", false],
		["12 without a Key ID", 0x12, 0x00, "00000001", false],
		["20 without a Key ID", 0x20, 0x00, "00000001", false],
		["21 without a Key ID", 0x21, 0x00, "00000001", false],
		["30 without a Key ID", 0x30, 0x00, "00000001", false],
		["31 without a Key ID", 0x31, 0x00, "00000001", false],
		["20 of a session", 0x20, 0x38, "ffffffff", true],
		["unprotected 80 to a first request", 0x80, 0x00, "00000000", true],
		["unprotected 80 to a session", 0x80, 0x00, "00000001", true],
		["80 with a Key ID and no session", 0x80, 0x08, "00000000", false],
		["UP of a session", 0x20, 0x88, "00000001", true],
		["UP without a Key ID", 0x20, 0x80, "00000001", false],
		["UP without a session", 0x20, 0x88, "00000000", false],
		["UP without either", 0x10, 0x80, "00000000", false],
	])("%s", (_what, command, flags, sessionId, passes) => {
		const result = judged(datagram(flags, sessionId, command));
		expect(result).toBe(passes ? undefined : "Key ID and Session ID");
	});

	test("counter bits of an unprotected message are not looked at", () => {
		for (let bits = 0; bits < 8; bits++) expect(judged(datagram(bits, "00000000", 0x10))).toBeUndefined();
	});
});

test("of several faults the first of section 6.10 is named: length, type, RFU, command, Key ID", () => {
	const faulty = datagram(0x40, "00000001", 0x99, 1300);
	faulty[0] = 2;
	expect(judged(faulty)).toBe("length");
	expect(judged(faulty, true, 20)).toBe("type");
	faulty[0] = 1;
	expect(judged(faulty, true, 20)).toBe("RFU bit");
	faulty[1] = 0;
	expect(judged(faulty, true, 20)).toBe("command");
	faulty[6] = 0x20;
	expect(judged(faulty, true, 20)).toBe("Key ID and Session ID");
});

test("the header is filled in for a datagram that passes", () => {
	const header = new Header();
	expect(screen(header, datagram(0xbd, "01020304", 0x00), 20, true)).toBeUndefined();
	expect({ ...header }).toEqual({ userPlane: true, keyId: 7, sessionId: 0x01020304, countBits: 5 });
});

test("nothing at all, and fewer octets than a header, are refused", () => {
	for (let length = 0; length < 7; length++)
		expect(judged(fromHex(`${BEFORE_COMMAND}0010`), true, length)).toBe("length");
});
