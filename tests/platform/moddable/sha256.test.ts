import { createHash, createHmac, type Hash } from "node:crypto";
import { beforeAll, expect, jest, test } from "@jest/globals";

/** Stands for the SDK's `Digest`: what was written since the start or the last reset. */
class Digest {
	static readonly made: Digest[] = [];
	afterReset = 0;
	private hash: Hash;
	private readonly type: string;

	constructor(type: string) {
		this.type = type;
		this.hash = createHash(type);
		Digest.made.push(this);
	}

	write(octets: Uint8Array): void {
		this.hash.update(octets);
		this.afterReset += octets.length;
	}

	close(): ArrayBuffer {
		return new Uint8Array(this.hash.digest()).buffer;
	}

	reset(): void {
		this.hash = createHash(this.type);
		this.afterReset = 0;
	}
}

/** A variable, so that the tests need no declaration of the SDK's module. */
const MODULE = "../../../firmware/platform/moddable/sha256.js";
let native: typeof import("../../../firmware/keys/sha256.js");

beforeAll(async () => {
	jest.unstable_mockModule("crypt", () => ({ Digest }), { virtual: true });
	native = await import(MODULE);
});

test.each([0, 1, 32, 63, 64, 65, 200])("SHA-256 and HMAC of %i octets over the SDK's digest", (length) => {
	const octets = Uint8Array.from({ length }, (_, i) => 3 * i);
	expect(Buffer.from(native.sha256(octets))).toEqual(createHash("sha256").update(octets).digest());
	for (const keyLength of [0, 16, 32, 64, 65, 100]) {
		const key = Uint8Array.from({ length: keyLength }, (_, i) => 5 * i + 1);
		const before = key.slice();
		expect(Buffer.from(native.hmacSha256(key, octets))).toEqual(createHmac("sha256", key).update(octets).digest());
		expect(key).toEqual(before);
	}
});

test("what was digested is written over in the digest's state: a whole block behind a reset", () => {
	Digest.made.length = 0;
	native.hmacSha256(Uint8Array.of(1), Uint8Array.of(2));
	expect(Digest.made.map(({ afterReset }) => afterReset)).toEqual([64, 64]);
});
