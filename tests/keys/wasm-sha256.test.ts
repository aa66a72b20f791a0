import { createHash, createHmac } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import * as firmware from "../../firmware/keys/sha256";
import * as kernel from "../../host-tools/wasm-sha256";

const hex = (octets: Uint8Array) => Buffer.from(octets).toString("hex");

describe.each([
	["of the firmware", firmware],
	["of the kernel", kernel],
])("the digests %s", (_name, { sha256, hmacSha256 }) => {
	test("are those of Node, for every length around a block and around what the kernel takes", () => {
		const lengths = [...Array(200).keys(), ...Array.from({ length: 80 }, (_, i) => 2000 + i)];
		for (const length of lengths) {
			const text = Uint8Array.from({ length }, (_, i) => 7 * i + length);
			expect(hex(sha256(text))).toBe(createHash("sha256").update(text).digest("hex"));
			expect(hex(hmacSha256(text.subarray(0, 32), text))).toBe(
				createHmac("sha256", text.subarray(0, 32)).update(text).digest("hex"),
			);
		}
	});

	test("are those of Node, for keys of every length", () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 140 }), fc.uint8Array({ maxLength: 300 }), (key, text) => {
				expect(hex(hmacSha256(key, text))).toBe(createHmac("sha256", key).update(text).digest("hex"));
			}),
			{ seed: 1 },
		);
	});

	test("leave what is digested as it was; a slice of a digest outlives its erasure", () => {
		const key = Uint8Array.of(1, 2, 3);
		for (const digest of [sha256(key), hmacSha256(key, key)]) {
			expect(Object.getPrototypeOf(digest)).toBe(Uint8Array.prototype);
			const part = digest.slice(16);
			const before = hex(part);
			digest.fill(0);
			expect(hex(part)).toBe(before);
		}
		expect([...key]).toEqual([1, 2, 3]);
	});
});
