import { generateKeyPairSync } from "node:crypto";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { encodeImsi } from "../../firmware/emsdp/imsi.js";
import { concealingWith, encodeConcealment } from "../../firmware/keys/suci.js";
import { CURVES } from "../../firmware/keys/suci-curves.js";
import { toHex } from "../../host-tools/hex.js";
import {
	generateHomeNetworkKey,
	readHomeNetworkKey,
	readHomeNetworkKeys,
	readHomeNetworkPublicKey,
} from "../../host-tools/hse/home-network-key.js";
import { resolveSuci } from "../../host-tools/hse/suci.js";
import { loadKernel } from "../../host-tools/kernel.js";
import { IMSI, SeededRandom } from "../support/pair.js";

let folder: string;
let path: string;
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "best-test-"));
	path = join(folder, "key.pem");
});
afterEach(() => {
	rmSync(folder, { recursive: true });
});

describe.each([
	["a", 1, 32],
	["b", 2, 33],
] as const)("profile %s", (profile, scheme, publicKeyOctets) => {
	test("a key pair is made, for its owner only, and a SUCI for its public key is resolved with the private one", () => {
		const made = generateHomeNetworkKey(path, profile);
		expect([made.scheme, made.publicKey.length]).toEqual([scheme, publicKeyOctets]);
		expect(statSync(path).mode & 0o777).toBe(0o600);
		const known = readHomeNetworkPublicKey(path);
		expect([known.scheme, toHex(known.publicKey)]).toEqual([scheme, toHex(made.publicKey)]);
		const keys = readHomeNetworkKeys(`7=${path}`);
		const concealment = encodeConcealment({ mncDigits: 2, keyId: 7, ...known });
		const random = new SeededRandom(6);
		const conceal = concealingWith(CURVES)(loadKernel(), random, concealment);
		for (let i = 0; i < 4; i++)
			expect(resolveSuci(conceal?.(encodeImsi(IMSI) ?? new Uint8Array(8)) ?? new Uint8Array(0), keys)).toBe(IMSI);
	});

	test("a file that exists is left as it is", () => {
		writeFileSync(path, "something");
		expect(() => generateHomeNetworkKey(path, profile)).toThrow(/EEXIST.*does not exist yet/);
		expect(readFileSync(path, "utf8")).toBe("something");
	});
});

test("a compressed point has the form octet that its y asks for: both occur", () => {
	const forms = new Set<number>();
	for (let i = 0; i < 64 && forms.size < 2; i++) forms.add(generateHomeNetworkKey(`${path}${i}`, "b").publicKey[0]);
	expect([...forms].sort()).toEqual([2, 3]);
});

describe("what is no key is refused, in a sentence without its contents", () => {
	test("a private key that others can read", () => {
		generateHomeNetworkKey(path, "a");
		chmodSync(path, 0o640);
		expect(() => readHomeNetworkKey(path)).toThrow(/can be read by others: chmod 600/);
	});

	test("a public key where a private one is wanted", () => {
		const { publicKey } = generateKeyPairSync("x25519");
		writeFileSync(path, publicKey.export({ type: "spki", format: "pem" }), { mode: 0o600 });
		expect(() => readHomeNetworkKey(path)).toThrow(/There is no key in/);
		expect(readHomeNetworkPublicKey(path).scheme).toBe(1);
	});

	test("a key of another curve", () => {
		for (const pair of [generateKeyPairSync("ed25519"), generateKeyPairSync("ec", { namedCurve: "secp384r1" })]) {
			writeFileSync(path, pair.privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
			expect(() => readHomeNetworkKey(path)).toThrow(/neither of X25519 .* nor of P-256/);
			expect(() => readHomeNetworkPublicKey(path)).toThrow(/neither of X25519 .* nor of P-256/);
		}
	});

	test("anything else, and nothing", () => {
		expect(() => readHomeNetworkKey(path)).toThrow(/cannot be read \(ENOENT\)/);
		writeFileSync(path, "secret but no key", { mode: 0o600 });
		expect(() => readHomeNetworkKey(path)).toThrow(/^(?!.*secret).*There is no key in/);
	});

	test.each(["", "7", "=a", "7=", "0=a", "256=a", "x=a", "-1=a"])('the list "%s"', (list) => {
		expect(() => readHomeNetworkKeys(list)).toThrow(/ID=FILE with an identifier from 1 to 255/);
	});

	test("an identifier that stands twice in a list", () => {
		generateHomeNetworkKey(path, "a");
		expect(() => readHomeNetworkKeys(`1=${path},1=${path}`)).toThrow(/named twice/);
	});
});
