import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { encodeImsi } from "../../firmware/emsdp/imsi.js";
import { CAUSE } from "../../firmware/emsdp/profile.js";
import {
	type Concealment,
	concealingWith,
	encodeConcealment,
	encryptWithEcies,
	msinOctets,
	PROTECTION_SCHEME,
	suciOf,
} from "../../firmware/keys/suci.js";
import { CURVES } from "../../firmware/keys/suci-curves.js";
import type { Random } from "../../firmware/ports/random.js";
import { fromHex, toHex } from "../../host-tools/hex.js";
import { resolveSuci } from "../../host-tools/hse/suci.js";
import { loadKernel } from "../../host-tools/kernel.js";
import { octets, seeded } from "../emsdp/arbitraries.js";
import { SeededRandom } from "../support/pair.js";
import {
	concealments,
	PROFILE_A_KEY_ID,
	PROFILE_B_KEY_ID,
	PUBLISHED_IMSI,
	PUBLISHED_KEYS,
	publicKeyOf,
	SUCI,
} from "../support/suci.js";

const kernel = loadKernel();
const imsiOctets = (imsi: string) => encodeImsi(imsi) ?? new Uint8Array(8);

/** Gives the published ephemeral key. */
const ephemeral = (text: string): Random => ({ fill: (into) => into.set(fromHex(text)) });

/** The SUCI of an IMSI, as a device makes it. */
function suci(concealment: Concealment, imsi: string, random: Random = new SeededRandom(5)): Uint8Array {
	const conceal = concealingWith(CURVES)(kernel, random, encodeConcealment(concealment));
	if (conceal === undefined) throw new Error("not taken");
	return conceal(imsiOctets(imsi));
}

/** Header of the SUCI of TS 33.501 C.4 with scheme and key identifier (TS 24.501 9.11.3.4). */
const header = (scheme: number, keyId: number) => `01722410f0ff${toHex(Uint8Array.of(scheme, keyId))}`;

describe("TS 33.501 C.4", () => {
	const [nullScheme, profileA, profileB] = concealments(3).map(([, concealment]) => concealment);

	test("the vectors' keys belong together", () => {
		expect(publicKeyOf(PROFILE_A_KEY_ID)).toBe(SUCI.profile_A.hn_pub);
		expect(`04${publicKeyOf(PROFILE_B_KEY_ID)}`).toBe(SUCI.profile_B.hn_pub);
	});

	test("scheme input, and output of the null scheme", () => {
		expect(toHex(msinOctets(PUBLISHED_IMSI.slice(6)))).toBe(SUCI.profile_A.plaintext);
		expect(toHex(suci(nullScheme, PUBLISHED_IMSI))).toBe(header(0, 0) + SUCI.null_scheme.scheme_output);
	});

	test.each([
		["profile A", profileA, SUCI.profile_A],
		["profile B", profileB, SUCI.profile_B],
	] as const)(
		"%s: ephemeral public key, shared secret, scheme output and the SUCI",
		(_name, concealment, published) => {
			const { scheme, keyId, publicKey } = concealment;
			const curve = CURVES[scheme];
			const key = fromHex(published.eph_priv);
			expect(toHex(curve.publicKey(key) ?? key)).toBe(published.eph_pub);
			expect(toHex(curve.sharedSecret(key, publicKey))).toBe(published.shared);
			const output = encryptWithEcies(kernel, curve, publicKey, key, fromHex(published.plaintext));
			expect(output && toHex(output)).toBe(published.scheme_output);
			expect(toHex(key)).toBe("00".repeat(32));
			const value = suci(concealment, PUBLISHED_IMSI, ephemeral(published.eph_priv));
			expect(toHex(value)).toBe(header(scheme, keyId) + published.scheme_output);
			expect(resolveSuci(value, PUBLISHED_KEYS)).toBe(PUBLISHED_IMSI);
		},
	);

	test("the home network resolves the null scheme without a key", () => {
		expect(resolveSuci(suci(nullScheme, PUBLISHED_IMSI), new Map())).toBe(PUBLISHED_IMSI);
	});
});

describe("any IMSI", () => {
	const digits = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 7, maxLength: 15 }).map((list) => list.join(""));

	test.each([2, 3] as const)("with an MNC of %d digits and any scheme comes back", (mncDigits) => {
		const random = new SeededRandom(8);
		const schemes = fc.constantFrom(...concealments(mncDigits).map(([, concealment]) => concealment));
		fc.assert(
			fc.property(digits, schemes, (imsi, concealment) => {
				expect(resolveSuci(suci(concealment, imsi, random), PUBLISHED_KEYS)).toBe(imsi);
			}),
			seeded(60),
		);
	});
});

describe("at the UE", () => {
	const [, [, profileA], [, profileB]] = concealments(2);

	test.each([
		["profile A", profileA],
		["profile B", profileB],
	] as const)(
		"%s: each SUCI of one IMSI is another, in the ephemeral key, the ciphertext and the tag",
		(_name, wanted) => {
			const random = new SeededRandom(4);
			const all = Array.from({ length: 8 }, () => toHex(suci(wanted, PUBLISHED_IMSI, random)).slice(16));
			for (const part of [
				(text: string) => text.slice(0, 66),
				(text: string) => text.slice(-26, -16),
				(text: string) => text.slice(-16),
			])
				expect(new Set(all.map(part)).size).toBe(8);
		},
	);

	test("octets that are no private key of P-256 are drawn again", () => {
		const draws = ["00".repeat(32), "ff".repeat(32), SUCI.profile_B.eph_priv];
		const random: Random = { fill: (into) => into.set(fromHex(draws.shift() ?? "")) };
		expect(toHex(suci(profileB, PUBLISHED_IMSI, random)).slice(16)).toContain(SUCI.profile_B.eph_pub);
		expect(draws).toEqual([]);
	});

	test("a message in the kernel's buffer leaves no trace in the SUCI, nor the SUCI's keys in the buffer", () => {
		const clean = toHex(suci(profileA, PUBLISHED_IMSI));
		kernel.message.fill(0xee);
		expect(toHex(suci(profileA, PUBLISHED_IMSI))).toBe(clean);
		expect(toHex(kernel.message.subarray(0, 32))).toBe(`${"00".repeat(21)}${"ee".repeat(11)}`);
	});

	test("a concealment that is none, or whose curve the device lacks, is refused", () => {
		const make = (concealment: Uint8Array, curves = CURVES) =>
			concealingWith(curves)(kernel, new SeededRandom(1), concealment);
		const good = encodeConcealment(profileA);
		expect(make(good)).toBeDefined();
		expect(make(good, {})).toBeUndefined();
		expect(make(Uint8Array.of(2, 0, 0), {})).toBeDefined();
		for (const bad of [
			good.subarray(1),
			Uint8Array.of(...good, 0),
			Uint8Array.of(4, ...good.subarray(1)),
			Uint8Array.of(2, 2, ...good.subarray(2)),
			Uint8Array.of(2, 9, ...good.subarray(2)),
			Uint8Array.of(2, 1, 0, ...good.subarray(3)),
			Uint8Array.of(2, 0, 1),
			new Uint8Array(0),
		])
			expect([toHex(bad), make(bad)]).toEqual([toHex(bad), undefined]);
	});

	test("a public key that is no point of the curve raises an error rather than a SUCI that anybody can open", () => {
		// No point of P-256 has x = 1; zero is of small order on X25519.
		const offCurve = { ...profileB, publicKey: Uint8Array.of(2, ...new Uint8Array(31), 1) };
		expect(() => suci(offCurve, PUBLISHED_IMSI)).toThrow();
		expect(() => suci({ ...profileA, publicKey: new Uint8Array(32) }, PUBLISHED_IMSI)).toThrow();
	});
});

describe("the home network refuses", () => {
	const { malformed, ueUnknown } = CAUSE;
	const good = concealments(2).map(([, concealment]) => suci(concealment, "001010000000001"));
	const [nullScheme, profileA, profileB] = good;

	/** A copy with octets replaced from an offset on. */
	const changed = (value: Uint8Array, at: number, ...octetsThere: number[]) => {
		const copy = value.slice();
		copy.set(octetsThere, at);
		return copy;
	};
	const causeOf = (value: Uint8Array) => resolveSuci(value, PUBLISHED_KEYS);

	test("nothing of these as they stand", () => {
		expect(good.map(causeOf)).toEqual(["001010000000001", "001010000000001", "001010000000001"]);
	});

	test.each([
		["nothing", new Uint8Array(0), malformed],
		["an IMSI", imsiOctets("001010000000001"), malformed],
		["a header without an output", nullScheme.subarray(0, 8), malformed],
		["a header cut short", profileA.subarray(0, 7), malformed],
		["a type of identity that is not SUCI", changed(profileA, 0, 0x02), malformed],
		["a network specific identifier", changed(profileA, 0, 0x11), ueUnknown],
		["an MCC that is not digits", changed(profileA, 1, 0xa0), malformed],
		["an MNC that is not digits", changed(profileA, 3, 0xf1), malformed],
		["a routing indicator without a digit", changed(profileA, 4, 0xff), malformed],
		["a routing indicator with a gap", changed(profileA, 4, 0xf0, 0x0f), malformed],
		["a scheme that is reserved", changed(profileA, 6, 3), ueUnknown],
		["a scheme of an operator", changed(profileA, 6, 12), ueUnknown],
		["the null scheme with a key", changed(nullScheme, 7, 1), malformed],
		["profile A without a key", changed(profileA, 7, 0), malformed],
		["an unknown key", changed(profileA, 7, 99), ueUnknown],
		["the key of the other profile", changed(profileA, 7, PROFILE_B_KEY_ID), ueUnknown],
		["the null scheme with an MSIN too long", Uint8Array.of(...nullScheme.subarray(0, 8), 0, 0, 0, 0, 0, 0), malformed],
		["the null scheme with an MSIN that is not digits", changed(nullScheme, 9, 0xa0), malformed],
		["the null scheme with an F before the end", changed(nullScheme, 9, 0xf0), malformed],
		["profile A without a ciphertext", profileA.subarray(0, 8 + 32 + 8), malformed],
		["profile A with a ciphertext too long", Uint8Array.of(...profileA, 0), malformed],
		["profile B without a ciphertext", profileB.subarray(0, 8 + 33 + 8), malformed],
		["profile B with a ciphertext too long", Uint8Array.of(...profileB, 0), malformed],
		["profile A with a part of the tag cut off", profileA.subarray(0, profileA.length - 1), ueUnknown],
		["profile A with a public key of small order", changed(profileA, 8, ...new Uint8Array(32)), ueUnknown],
		["profile B with an x without a point", changed(profileB, 9, ...new Uint8Array(31), 1), ueUnknown],
		["profile B with an x beyond the field", changed(profileB, 9, ...new Uint8Array(32).fill(0xff)), ueUnknown],
		["profile B with a form octet that is none", changed(profileB, 8, 5), ueUnknown],
		["profile B with the form octet of a point not compressed", changed(profileB, 8, 4), ueUnknown],
		["profile B with the other point of the same x", changed(profileB, 8, profileB[8] ^ 1), ueUnknown],
	] as const)("%s", (_name, value, cause) => {
		expect(causeOf(value)).toBe(cause);
	});

	test.each([
		["profile A", profileA],
		["profile B", profileB],
	])("%s with any bit of the scheme output turned over: 03, and never another subscriber", (_name, value) => {
		const taken: number[] = [];
		for (let bit = 64; bit < 8 * value.length; bit++) {
			const copy = value.slice();
			copy[bit >> 3] ^= 1 << (bit & 7);
			if (causeOf(copy) !== ueUnknown) taken.push(bit);
		}
		expect(taken).toEqual([]);
	});

	test("a SUCI for the key of another home network", () => {
		const [, [, ours]] = concealments(2);
		const theirs = suci({ ...ours, publicKey: fromHex(SUCI.profile_A.eph_pub) }, "001010000000001");
		expect(causeOf(theirs)).toBe(ueUnknown);
	});

	test("a plaintext with the right tag that is no MSIN", () => {
		const key = new SeededRandom(2).octets(32);
		const [, [, ours]] = concealments(2);
		const output = encryptWithEcies(kernel, CURVES[1], ours.publicKey, key, fromHex("0a00000000"));
		expect(causeOf(suciOf("001010000000001", ours, output ?? key))).toBe(ueUnknown);
	});

	test("any octets give an IMSI or one of two causes, and only the null scheme gives an IMSI by chance", () => {
		const headers = fc.constantFrom(...good.map((value) => value.subarray(0, 8)), new Uint8Array(0));
		fc.assert(
			fc.property(headers, fc.integer({ min: 0, max: 60 }).chain(octets), (start, rest) => {
				const value = Uint8Array.of(...start, ...rest);
				const answer = causeOf(value);
				if (typeof answer === "string") {
					expect(answer).toMatch(/^\d{6,15}$/);
					expect(value[6] & 15).toBe(PROTECTION_SCHEME.null);
				} else expect([malformed, ueUnknown]).toContain(answer);
			}),
			seeded(2000),
		);
	});
});
