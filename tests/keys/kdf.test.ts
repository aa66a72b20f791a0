import { expect, test } from "@jest/globals";
import { baseKeyFromAka, ckPrimeIkPrime, resStar } from "../../firmware/keys/hierarchy.js";
import { kdf, kdfInput, leastSignificant128 } from "../../firmware/keys/kdf.js";
import { hmacSha256, sha256 } from "../../firmware/keys/sha256.js";
import { fromHex, toHex } from "../../host-tools/hex.js";
import { published } from "./published.js";

interface Derivation {
	readonly name: string;
	readonly key: string;
	readonly FC: string;
	readonly params: readonly string[];
	readonly S: string;
	readonly output: string;
	readonly result: string;
}

const ts33220 = published<{
	readonly kdf: readonly (Record<"name" | "key" | "FC" | "S" | "output", string> & Record<string, string>)[];
	readonly hmac_sha256_rfc4231: readonly Record<"name" | "key" | "data" | "hmac_sha256", string>[];
}>("kdf_ts33220.json");
const fiveG = published<{ readonly vectors: readonly Derivation[] }>("kdf_5g_and_khse.json").vectors;

const named = <T extends { readonly name: string }>(vectors: readonly T[]) =>
	vectors.map((vector) => [vector.name, vector] as const);

/** The parameters of a vector that has them as P0, P1 … */
const parametersOf = (vector: Record<string, string>) =>
	Object.keys(vector)
		.filter((name) => /^P\d+$/.test(name))
		.sort()
		.map((name) => fromHex(vector[name]));

/** The vector whose name begins so; CK and IK are the halves of its key. */
function fiveGVector(beginning: string) {
	const vector = fiveG.find(({ name }) => name.startsWith(beginning));
	if (vector === undefined) throw new Error(`there is no vector "${beginning}"`);
	const key = fromHex(vector.key);
	const [first, ...rest] = vector.params.map(fromHex);
	return { ...vector, ck: key.slice(0, 16), ik: key.slice(16), first, rest };
}

test("all vectors are there", () => {
	expect([ts33220.kdf.length, ts33220.hmac_sha256_rfc4231.length, fiveG.length]).toEqual([8, 5, 7]);
});

test.each(named(ts33220.hmac_sha256_rfc4231))("HMAC-SHA-256: %s", (_name, { key, data, hmac_sha256 }) => {
	expect(toHex(hmacSha256(fromHex(key), fromHex(data)))).toBe(hmac_sha256);
});

test("SHA-256 of FIPS 180-4", () => {
	expect(toHex(sha256(new TextEncoder().encode("abc")))).toBe(
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	);
});

test.each(named(ts33220.kdf))("KDF of TS 33.220: %s", (_name, vector) => {
	const fc = Number.parseInt(vector.FC, 16);
	expect(toHex(kdfInput(fc, parametersOf(vector)))).toBe(vector.S);
	expect(toHex(kdf(fromHex(vector.key), fc, parametersOf(vector)))).toBe(vector.output);
});

test.each(named(fiveG))("KDF: %s", (_name, vector) => {
	const fc = Number.parseInt(vector.FC, 16);
	const parameters = vector.params.map(fromHex);
	expect(toHex(kdfInput(fc, parameters))).toBe(vector.S);
	const output = kdf(fromHex(vector.key), fc, parameters);
	expect(toHex(output)).toBe(vector.output);
	const result = vector.result.length === 32 ? leastSignificant128(output) : output;
	expect(toHex(result)).toBe(vector.result);
});

test("the length of a parameter has two octets", () => {
	expect(toHex(kdfInput(0xf0, []))).toBe("f0");
	expect(toHex(kdfInput(0xf0, [new Uint8Array(0), fromHex("aa")]))).toBe("f00000aa0001");
	expect(toHex(kdfInput(0xf0, [new Uint8Array(258)])).slice(-4)).toBe("0102");
});

test("the 128 least significant bits are the last 16 octets, and the whole output is erased", () => {
	const output = Uint8Array.from({ length: 32 }, (_, i) => i + 1);
	expect(toHex(leastSignificant128(output))).toBe("1112131415161718191a1b1c1d1e1f20");
	expect(output.every((octet) => octet === 0)).toBe(true);
});

test("K_ASME is K_base of agreement 2 (TS 33.401 A.2)", () => {
	const vector = ts33220.kdf[0];
	const key = fromHex(vector.key);
	const aka = {
		ck: key.slice(0, 16),
		ik: key.slice(16),
		servingNetwork: fromHex(vector.P0),
		sqnXorAk: fromHex(vector.P1),
	};
	expect(toHex(baseKeyFromAka(2, aka))).toBe(vector.output);
});

test("K_HSE is K_base of agreement 3, from CK and IK", () => {
	const { ck, ik, first, rest, result } = fiveGVector("TS 33.163 5.1.0a K_HSE, 5G AKA");
	expect(toHex(baseKeyFromAka(3, { ck, ik, servingNetwork: first, sqnXorAk: rest[0] }))).toBe(result);
});

test("K_HSE is K_base of agreement 4, from CK' and IK' of the same CK and IK", () => {
	const source = fiveGVector("TS 33.163 5.1.0a K_HSE, 5G AKA");
	const { key, result } = fiveGVector("TS 33.163 5.1.0a K_HSE, EAP-AKA'");
	const aka = { ck: source.ck, ik: source.ik, servingNetwork: source.first, sqnXorAk: source.rest[0] };
	expect(toHex(ckPrimeIkPrime(aka))).toBe(key);
	expect(toHex(baseKeyFromAka(4, aka))).toBe(result);
});

test.each(["WLAN", "HRPD"])("CK' and IK' of RFC 9048 for the network %s", (network) => {
	const vector = fiveG.find(({ name }) => name.includes(`network name ${network}`));
	const { ck, ik, first, rest, result } = fiveGVector(vector?.name ?? "none");
	expect(toHex(ckPrimeIkPrime({ ck, ik, servingNetwork: first, sqnXorAk: rest[0] }))).toBe(result);
});

test("RES* (TS 33.501 A.4)", () => {
	const { ck, ik, first, rest, result } = fiveGVector("TS 33.501 A.4");
	expect(toHex(resStar(ck, ik, first, rest[0], rest[1]))).toBe(result);
});
