import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { isUtf8 } from "../../firmware/emsdp/octets.js";
import { toHex } from "../../host-tools/hex.js";
import { octets, seeded } from "./arbitraries.js";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decodes(text: Uint8Array): boolean {
	try {
		decoder.decode(text);
		return true;
	} catch {
		return false;
	}
}

const isAll = (text: Uint8Array) => isUtf8(text, 0, text.length);

/** The first strings of a list on which the two disagree. */
function disagreements(texts: Iterable<readonly number[]>): string[] {
	const found: string[] = [];
	for (const text of texts) {
		const value = Uint8Array.from(text);
		if (isAll(value) !== decodes(value)) found.push(toHex(value));
	}
	return found.slice(0, 10);
}

/** Octets at which the rules of RFC 3629 change. */
const EDGES = [
	0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0,
	0xf1, 0xf3, 0xf4, 0xf5, 0xf8, 0xff,
];
const FIRSTS = EDGES.filter((octet) => octet >= 0xe0);
const LAST = [0x7f, 0x80, 0xbf, 0xc0];

function* product(...sets: readonly (readonly number[])[]): Generator<number[]> {
	const [first, ...rest] = sets;
	if (first === undefined) yield [];
	else for (const octet of first) for (const more of product(...rest)) yield [octet, ...more];
}

test("no octets are well-formed, and so is every code point", () => {
	expect(isUtf8(new Uint8Array(0), 0, 0)).toBe(true);
	const encoder = new TextEncoder();
	const refused: number[] = [];
	for (let point = 0; point < 0x110000; point += 61)
		if ((point < 0xd800 || point > 0xdfff) && !isAll(encoder.encode(String.fromCodePoint(point)))) refused.push(point);
	for (const point of [0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xfeff, 0xffff, 0x10000, 0x10ffff])
		if (!isAll(encoder.encode(String.fromCodePoint(point)))) refused.push(point);
	expect(refused).toEqual([]);
});

test.each([
	["an overlong slash", [0xc0, 0xaf]],
	["an overlong form of three octets", [0xe0, 0x9f, 0xbf]],
	["an overlong form of four octets", [0xf0, 0x8f, 0xbf, 0xbf]],
	["a surrogate", [0xed, 0xa0, 0x80]],
	["a code point past U+10FFFF", [0xf4, 0x90, 0x80, 0x80]],
	["a continuation alone", [0x80]],
	["a form that ends early", [0x61, 0xe2, 0x82]],
])("%s is refused", (_what, text) => {
	expect(isAll(Uint8Array.from(text))).toBe(false);
});

test("agrees with TextDecoder on every single octet and every pair", () => {
	const all = Array.from({ length: 256 }, (_, octet) => octet);
	expect(disagreements(product(all))).toEqual([]);
	expect(
		disagreements(
			product(
				all.filter((octet) => octet >= 0x7e),
				all,
			),
		),
	).toEqual([]);
});

test("agrees with TextDecoder wherever the rules for three and four octets change", () => {
	expect(disagreements(product(FIRSTS, EDGES, EDGES))).toEqual([]);
	expect(disagreements(product(FIRSTS, EDGES, LAST, LAST))).toEqual([]);
	expect(disagreements(product([0x41], FIRSTS, [0x80, 0x90, 0xa0], LAST, LAST, [0x41, 0xc3]))).toEqual([]);
});

test("agrees with TextDecoder on random octets and on text with one octet spoilt", () => {
	const spoilt = fc
		.tuple(fc.string({ unit: "binary", maxLength: 20 }), fc.nat(), fc.nat({ max: 255 }))
		.map(([text, at, octet]) => {
			const value = new TextEncoder().encode(text);
			if (value.length > 0) value[at % value.length] = octet;
			return value;
		});
	let good = 0;
	fc.assert(
		fc.property(fc.oneof(octets(0, 24), spoilt), (text) => {
			if (decodes(text)) good++;
			expect(isAll(text)).toBe(decodes(text));
		}),
		seeded(5000),
	);
	expect(good).toBeGreaterThan(100);
});

test("only the octets from start to end are looked at", () => {
	const around = Uint8Array.of(0xff, 0xc3, 0xbc, 0xbc);
	expect([isUtf8(around, 1, 3), isUtf8(around, 0, 3), isUtf8(around, 1, 4), isUtf8(around, 1, 2)]).toEqual([
		true,
		false,
		false,
		false,
	]);
});
