import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { decodeImsi, encodeImsi, isImsi } from "../../firmware/emsdp/imsi.js";
import { fromHex, toHex } from "../../host-tools/hex.js";
import { octets, seeded } from "./arbitraries.js";

const DIGITS = "123456789012345";
const LENGTHS = [6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/** EF_IMSI by its nibbles in the order of the digits, decided by a pattern over text. */
function digitsByPattern(imsi: Uint8Array): string | undefined {
	const nibbles = toHex(imsi).replace(/(.)(.)/g, "$2$1");
	const [, type, digits] = /^([19])(\d{6,15})f*$/.exec(nibbles) ?? [];
	return digits !== undefined && (digits.length % 2 === 1) === (type === "9") ? digits : undefined;
}

test("the coding of TS 31.102 4.2.2: parity and type in the low half of the first octet, F behind the last digit", () => {
	expect(toHex(encodeImsi("001010123456789") ?? new Uint8Array())).toBe("0910101032547698");
	expect(toHex(encodeImsi("123456") ?? new Uint8Array())).toBe("113254f6ffffffff");
	expect(toHex(encodeImsi("1234567") ?? new Uint8Array())).toBe("19325476ffffffff");
});

test.each(LENGTHS)("%d digits are the same after encoding and decoding", (length) => {
	const digits = DIGITS.slice(0, length);
	const imsi = encodeImsi(digits);
	expect(imsi && decodeImsi(imsi)).toBe(digits);
	expect(imsi && digitsByPattern(imsi)).toBe(digits);
});

test.each([
	"",
	"12345",
	"1234567890123456",
	"12345a",
	"12345:",
	"12345/",
	"１23456",
	"12 456",
	"-12345",
	"1234567890123456e1",
])("the text '%s' is not an IMSI", (text) => {
	expect(encodeImsi(text)).toBeUndefined();
});

test.each(LENGTHS)(
	"every change of one nibble of an IMSI of %d digits is taken or refused as the pattern says",
	(length) => {
		const good = toHex(encodeImsi(DIGITS.slice(0, length)) ?? new Uint8Array());
		let refused = 0;
		for (let at = 0; at < 16; at++) {
			for (const nibble of "0123456789abcdef") {
				const imsi = fromHex(good.slice(0, at) + nibble + good.slice(at + 1));
				const digits = digitsByPattern(imsi);
				expect([toHex(imsi), decodeImsi(imsi)]).toEqual([toHex(imsi), digits]);
				expect(isImsi(imsi, 0)).toBe(digits !== undefined);
				if (digits === undefined) refused++;
			}
		}
		// Six nibbles at least cannot be A to F.
		expect(refused).toBeGreaterThan(100);
	},
);

test("0 to 5 digits are too few, however well they are coded", () => {
	const coded = ["f1ffffff", "19ffffff", "11f2ffff", "1932ffff", "1132f4ff", "193254ff"].map(
		(octets) => `${octets}ffffffff`,
	);
	expect(coded.filter((octets) => isImsi(fromHex(octets), 0))).toEqual([]);
	expect(isImsi(fromHex("113254f6ffffffff"), 0)).toBe(true);
});

test("any 8 octets are an IMSI only if encoding their digits gives them again", () => {
	const nibble = fc.constantFrom(..."0123456789f");
	const likely = fc
		.array(nibble, { minLength: 15, maxLength: 15 })
		.map((nibbles) => fromHex(`9${nibbles.sort().join("")}`.replace(/(.)(.)/g, "$2$1")));
	fc.assert(
		fc.property(fc.oneof(octets(8), likely), (imsi) => {
			const digits = decodeImsi(imsi);
			expect(digits).toBe(digitsByPattern(imsi));
			if (digits !== undefined) expect(toHex(encodeImsi(digits) ?? new Uint8Array())).toBe(toHex(imsi));
		}),
		seeded(3000),
	);
});

test("an IMSI has 8 octets, and is found at an offset", () => {
	expect(decodeImsi(fromHex("09101010325476"))).toBeUndefined();
	expect(decodeImsi(fromHex("0910101032547698ff"))).toBeUndefined();
	expect(isImsi(fromHex("ffff0910101032547698ff"), 2)).toBe(true);
	expect(isImsi(fromHex("ffff0910101032547698ff"), 1)).toBe(false);
});
