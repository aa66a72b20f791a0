import { expect, test } from "@jest/globals";
import fc from "fast-check";
import * as firmware from "../../firmware/keys/sha256";
import * as node from "../../host-tools/node-sha256";

const octets = fc.uint8Array({ maxLength: 300 });

test("the digests of Node are those of the firmware", () => {
	fc.assert(
		fc.property(octets, octets, (key, text) => {
			expect(Array.from(node.sha256(text))).toEqual(Array.from(firmware.sha256(text)));
			expect(Array.from(node.hmacSha256(key, text))).toEqual(Array.from(firmware.hmacSha256(key, text)));
		}),
		{ seed: 1 },
	);
});

test("a slice of a digest is a copy: it outlives the erasure of the digest", () => {
	for (const digest of [node.sha256(Uint8Array.of(1)), node.hmacSha256(Uint8Array.of(1), Uint8Array.of(2))]) {
		expect(Object.getPrototypeOf(digest)).toBe(Uint8Array.prototype);
		const key = digest.slice(16);
		const before = Array.from(key);
		digest.fill(0);
		expect(Array.from(key)).toEqual(before);
	}
});
