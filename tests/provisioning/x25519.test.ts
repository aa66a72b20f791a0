import { createPrivateKey, createPublicKey, diffieHellman } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { publicKeyOf, x25519 } from "../../firmware/provisioning/x25519.js";
import { fromHex, toHex } from "../../host-tools/hex.js";
import { octets, seeded } from "../emsdp/arbitraries.js";

const ZERO = "00".repeat(32);

/** Node's own, which refuses what gives zero. */
function reference(scalar: Uint8Array, u: Uint8Array): string {
	const privateKey = createPrivateKey({
		key: Buffer.concat([Buffer.from("302e020100300506032b656e04220420", "hex"), scalar]),
		format: "der",
		type: "pkcs8",
	});
	const publicKey = createPublicKey({
		key: Buffer.concat([Buffer.from("302a300506032b656e032100", "hex"), u]),
		format: "der",
		type: "spki",
	});
	try {
		return diffieHellman({ privateKey, publicKey }).toString("hex");
	} catch {
		return ZERO;
	}
}

describe("X25519", () => {
	// RFC 7748 5.2
	test.each([
		[
			"a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
			"e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
			"c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
		],
		[
			"4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
			"e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
			"95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957",
		],
	])("as in RFC 7748: %s", (scalar, u, expected) => {
		expect(toHex(x25519(fromHex(scalar), fromHex(u)))).toBe(expected);
	});

	test("iterated as in RFC 7748", () => {
		let k = Uint8Array.of(9, ...new Uint8Array(31));
		let u: Uint8Array = k;
		for (let i = 1; i <= 1000; i++) {
			const next = x25519(k, u) as Uint8Array<ArrayBuffer>;
			u = k;
			k = next;
			if (i === 1) expect(toHex(k)).toBe("422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079");
		}
		expect(toHex(k)).toBe("684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
	});

	test("as another implementation has it, and both ends get the same", () => {
		fc.assert(
			fc.property(octets(32), octets(32), (a, b) => {
				expect(toHex(x25519(a, b))).toBe(reference(a, b));
				expect(toHex(x25519(a, publicKeyOf(b)))).toBe(toHex(x25519(b, publicKeyOf(a))));
			}),
			seeded(50),
		);
	});

	test("where carries run all the way: values around 0, p, 2^255 and 2^256", () => {
		const scalar = new Uint8Array(32).fill(0xa5);
		for (const fill of [0x00, 0xff])
			for (let low = 0; low < 256; low += 5)
				for (const high of [0x00, 0x7f, 0x80, 0xff]) {
					const u = new Uint8Array(32).fill(fill);
					u[0] = low;
					u[31] = high;
					expect(toHex(x25519(scalar, u))).toBe(reference(scalar, u));
				}
	});

	// RFC 7748 6.1; the points of order 1, 2, 4 and 8 (those of order 8 as in curve25519's paper).
	test.each([
		ZERO,
		`01${"00".repeat(31)}`,
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		`ec${"ff".repeat(30)}7f`,
		`ed${"ff".repeat(30)}7f`,
		`ee${"ff".repeat(30)}7f`,
	])("the point of low order %s gives zero", (u) => {
		expect(toHex(x25519(new Uint8Array(32).fill(0x77), fromHex(u)))).toBe(ZERO);
	});
});
