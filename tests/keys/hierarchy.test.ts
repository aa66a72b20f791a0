import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import type { SecurityParameters } from "../../firmware/emsdp/security-context.js";
import {
	baseKeyFromAka,
	baseKeyFromSharedKey,
	chainedBaseKey,
	e2eKeys,
	e2mKeys,
	easPresharedKey,
	intermediateKey,
	resStar,
} from "../../firmware/keys/hierarchy.js";
import { deriveKeys, eraseKeys } from "../../firmware/keys/traffic.js";
import { fromHex, toHex } from "../../host-tools/hex.js";
import { octets, seeded } from "../emsdp/arbitraries.js";
import { CONFIDENTIAL } from "../emsdp/contexts.js";

const BASE = Uint8Array.from({ length: 32 }, (_, i) => i);
const EAS = new TextEncoder().encode("eas.example");

const names = ["e2mEncryption", "e2mIntegrity", "e2eEncryption", "e2eIntegrity", "kEasPsk"] as const;
function derived(
	changes: Partial<SecurityParameters> = {},
	baseKey: Uint8Array = BASE,
	easId: Uint8Array = EAS,
): Record<string, string> {
	const keys = deriveKeys(baseKey, { ...CONFIDENTIAL, ...changes }, easId);
	return Object.fromEntries(names.map((name) => [name, toHex(keys[name])]));
}

/** The keys that a change makes different. */
function changed(changes: Partial<SecurityParameters>, baseKey: Uint8Array = BASE, easId: Uint8Array = EAS): string[] {
	const before = derived();
	const after = derived(changes, baseKey, easId);
	return names.filter((name) => before[name] !== after[name]);
}

describe("what the keys of a session are bound to", () => {
	test("all five are different from each other", () => {
		const keys = Object.values(derived());
		expect(new Set(keys.map((key) => key.slice(0, 32))).size).toBe(5);
	});

	test("Session ID, Key ID and K_base: every key", () => {
		expect(changed({ sessionId: CONFIDENTIAL.sessionId ^ 1 })).toEqual(names);
		expect(changed({ sessionId: (CONFIDENTIAL.sessionId ^ 0x80000000) >>> 0 })).toEqual(names);
		expect(changed({ keyId: 6 })).toEqual(names);
		expect(
			changed(
				{},
				BASE.map((octet, at) => (at === 31 ? octet ^ 1 : octet)),
			),
		).toEqual(names);
	});

	test("an algorithm: the keys of its own use", () => {
		expect(changed({ encryption: 3 })).toEqual(["e2mEncryption", "e2eEncryption"]);
		expect(changed({ integrity: 1 })).toEqual(["e2mIntegrity", "e2eIntegrity"]);
	});

	test("the EAS: the keys shared with it, and no key of the HSE", () => {
		const shared = ["e2eEncryption", "e2eIntegrity", "kEasPsk"];
		expect(changed({}, BASE, new TextEncoder().encode("eas.exampl"))).toEqual(shared);
		expect(changed({}, BASE, new TextEncoder().encode("EAS.example"))).toEqual(shared);
	});

	test("counter scheme, M, service and mode: none", () => {
		expect(changed({ counterScheme: 2, macLength: 8, service: 1, mode: 1 })).toEqual([]);
	});

	test("no two sessions or Key IDs of one K_base have a key in common", () => {
		const sessions = fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 0xffffffff }), fc.integer({ min: 1, max: 7 })), {
			minLength: 2,
			maxLength: 4,
			selector: ([sessionId, keyId]) => `${sessionId} ${keyId}`,
		});
		fc.assert(
			fc.property(sessions, octets(32), (list, baseKey) => {
				const keys = list.flatMap(([sessionId, keyId]) => Object.values(derived({ sessionId, keyId }, baseKey)));
				expect(new Set(keys).size).toBe(keys.length);
			}),
			seeded(30),
		);
	});
});

describe("K_base", () => {
	const aka = {
		ck: new Uint8Array(16).fill(1),
		ik: new Uint8Array(16).fill(2),
		sqnXorAk: new Uint8Array(6).fill(3),
		servingNetwork: fromHex("00f110"),
	};

	test("of agreement 1 is CK and IK; of the others it is something else each time", () => {
		expect(toHex(baseKeyFromAka(1, aka))).toBe("01".repeat(16) + "02".repeat(16));
		expect(new Set([1, 2, 3, 4].map((agreement) => toHex(baseKeyFromAka(agreement, aka)))).size).toBe(4);
	});

	test.each([2, 3, 4])("of agreement %d is bound to CK, IK, serving network and SQN", (agreement) => {
		const others = [
			aka,
			{ ...aka, ck: aka.ik },
			{ ...aka, ik: aka.ck },
			{ ...aka, servingNetwork: fromHex("00f120") },
			{ ...aka, sqnXorAk: new Uint8Array(6) },
		];
		expect(new Set(others.map((other) => toHex(baseKeyFromAka(agreement, other)))).size).toBe(others.length);
	});

	test("from a shared key is bound to both nonces, each in its place", () => {
		const [one, two] = [new Uint8Array(8).fill(1), new Uint8Array(8).fill(2)];
		const keys = [baseKeyFromSharedKey(BASE, one, two), baseKeyFromSharedKey(BASE, two, one)];
		expect(toHex(keys[0])).not.toBe(toHex(keys[1]));
		expect(keys.map((key) => key.length)).toEqual([32, 32]);
	});

	test("after a chained refresh is bound to the old key, the nonce and the new Key ID", () => {
		const nonce = new Uint8Array(8).fill(1);
		const keys = [
			chainedBaseKey(BASE, nonce, 2),
			chainedBaseKey(BASE, nonce, 3),
			chainedBaseKey(BASE, new Uint8Array(8), 2),
			chainedBaseKey(
				BASE.map((octet) => octet ^ 1),
				nonce,
				2,
			),
			BASE,
		];
		expect(new Set(keys.map(toHex)).size).toBe(5);
	});
});

test("no derivation changes its inputs, and each gives octets of its own", () => {
	const ck = new Uint8Array(16).fill(7);
	const ik = new Uint8Array(16).fill(8);
	const base = BASE.slice();
	const kEasPsk = easPresharedKey(intermediateKey(base, 1, 1), EAS);
	resStar(ck, ik, EAS, ck, ik);
	const one = baseKeyFromAka(1, { ck, ik, sqnXorAk: ck.subarray(0, 6), servingNetwork: EAS });
	one.fill(0);
	e2mKeys(base, CONFIDENTIAL).encryption.fill(0);
	e2eKeys(kEasPsk, CONFIDENTIAL).integrity.fill(0);
	expect([ck, ik, base].map(toHex)).toEqual(["07".repeat(16), "08".repeat(16), toHex(BASE)]);
	expect(toHex(easPresharedKey(intermediateKey(base, 1, 1), EAS))).toBe(toHex(kEasPsk));
});

test("erased keys are all zero", () => {
	const keys = deriveKeys(BASE, CONFIDENTIAL, EAS);
	eraseKeys(keys);
	for (const name of names) expect(toHex(keys[name])).toMatch(/^0+$/);
});
