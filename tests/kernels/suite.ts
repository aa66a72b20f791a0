/**
 * One suite for every kernel and every engine: plain functions that throw, no test framework, no Node API. The vectors
 * come in as parsed JSON, because an XS machine has no file system.
 */
import { type Kernel, KernelError, type KeySet, MESSAGE_CAPACITY } from "../../firmware/kernels/kernel.js";

export interface KernelCase {
	readonly name: string;
	run(kernel: Kernel): void;
}

/** `tests/vectors/3gpp/aes_cmac_rfc4493.json` */
export interface CmacVectors {
	readonly key: string;
	readonly vectors: readonly { readonly example: number; readonly message: string; readonly tag: string }[];
}

interface AnnexCVector {
	readonly set: number;
	readonly key: string;
	readonly count: number;
	readonly bearer: number;
	readonly direct: number;
	readonly data: string;
	readonly bitlen: number;
}

/** `tests/vectors/3gpp/eea2_eia2_ts33401_annexC.json` */
export interface AnnexCVectors {
	readonly eea2: readonly (AnnexCVector & { readonly output: string })[];
	readonly eia2: readonly (AnnexCVector & { readonly output: string })[];
}

/** Wycheproof's `aes_cmac_test.json` */
export interface WycheproofVectors {
	readonly testGroups: readonly {
		readonly keySize: number;
		readonly tagSize: number;
		readonly tests: readonly {
			readonly tcId: number;
			readonly key: string;
			readonly msg: string;
			readonly tag: string;
			readonly result: string;
		}[];
	}[];
}

const KEY_1 = "2b7e151628aed2a6abf7158809cf4f3c";
const KEY_2 = "000102030405060708090a0b0c0d0e0f";

export function kernelCases(cmac: CmacVectors, annexC: AnnexCVectors): KernelCase[] {
	return [
		{ name: "AES-128: FIPS 197 C.1 and appendix B, each in either lane", run: encryptsBlocks },
		{ name: "CTR: SP 800-38A F.5.1 and F.5.2", run: counterMode },
		{ name: "CTR counts all 128 bits of its counter", run: counterOverflow },
		...cmac.vectors.map((vector) => ({
			name: `CMAC: RFC 4493 example ${vector.example}`,
			run: (kernel: Kernel) => same(tagOf(kernel, keySetOf(kernel, cmac.key), vector.message), vector.tag),
		})),
		...annexC.eea2.map((vector) => ({
			name: `128-EEA2: TS 33.401 C.1 set ${vector.set}, ${vector.bitlen} bits`,
			run: (kernel: Kernel) => encryptionOfAnnexC(kernel, vector),
		})),
		...annexC.eia2.map((vector) => ({
			name: `128-EIA2: TS 33.401 C.2 set ${vector.set}, ${vector.bitlen} bits`,
			run: (kernel: Kernel) => integrityOfAnnexC(kernel, vector),
		})),
		{ name: "protect and unprotect agree with CTR and CMAC at every payload length", run: everyLength },
		{ name: "protect and unprotect agree with CTR and CMAC wherever enciphering begins", run: everyCipherStart },
		{
			name: "unprotect refuses every single-bit error and leaves the message as it was",
			run: (kernel) => everyBitError(kernel),
		},
		{ name: "unprotect refuses another COUNT, BEARER or DIRECTION", run: (kernel) => otherPrefix(kernel) },
		{ name: "two key sets do not disturb each other", run: twoKeySets },
		{ name: "eraseKeys leaves nothing of the keys; the key set can be used again", run: erasesKeys },
		{ name: "erase leaves nothing in the message", run: erasesMessage },
		{ name: "key-length: keys that do not have 16 octets", run: refusesKeys },
		{ name: "message-length: lengths that do not fit", run: refusesLengths },
	];
}

/** Wycheproof's cases for AES-CMAC: 128-bit keys as stated, all other sizes refused. */
export function wycheproofCases(vectors: WycheproofVectors): KernelCase[] {
	return vectors.testGroups.flatMap(({ keySize, tagSize, tests }) =>
		tests.map((test) => ({
			name: `Wycheproof AES-CMAC ${test.tcId}: ${keySize}-bit key, ${test.result}`,
			run(kernel: Kernel) {
				if (keySize !== 128) {
					const key = octets(test.key);
					refused("key-length", () => kernel.setKeys(kernel.createKeySet(), key, key));
					return;
				}
				const tag = tagOf(kernel, keySetOf(kernel, test.key), test.msg).slice(0, tagSize / 4);
				if ((tag === test.tag) !== (test.result === "valid")) {
					throw new Error(`The tag is ${tag}; ${test.tag} is said to be ${test.result}.`);
				}
			},
		})),
	);
}

/**
 * Runs the same random messages through two kernels.
 * @throws Error with the seed and the shortest message on which they differ
 */
export function agree(one: Kernel, other: Kernel, seed: number, messages: number): void {
	const random = generator(seed);
	let shortest = MESSAGE_CAPACITY + 1;
	let report = "";
	for (let i = 0; i < messages; i++) {
		const macLength = random() & 1 ? 8 : 4;
		const longest = i % 16 === 0 ? MESSAGE_CAPACITY - macLength : 96;
		const length = random() % (longest + 1);
		const cipherStart = random() & 1 ? Math.min(6, length) : random() % (length + 1);
		const count = random();
		const bearerAndDirection = random() & 0xfc;
		const keys = [randomOctets(random, 16), randomOctets(random, 16)];
		const clear = randomOctets(random, length);
		const results = [one, other].map((kernel) => {
			const keySet = kernel.createKeySet();
			kernel.setKeys(keySet, keys[0], keys[1]);
			kernel.message.set(clear);
			kernel.protect(keySet, count, bearerAndDirection, cipherStart, length, macLength);
			return hex(kernel.message.subarray(0, length + macLength));
		});
		const back = [one, other].map((kernel) => {
			const keySet = kernel.createKeySet();
			kernel.setKeys(keySet, keys[0], keys[1]);
			kernel.message.set(octets(results[0]));
			return kernel.unprotect(keySet, count, bearerAndDirection, cipherStart, length, macLength)
				? hex(kernel.message.subarray(0, length))
				: "refused";
		});
		const good = results[0] === results[1] && back[0] === hex(clear) && back[1] === hex(clear);
		if (!good && length < shortest) {
			shortest = length;
			report = JSON.stringify({
				keys: keys.map(hex),
				clear: hex(clear),
				count,
				bearerAndDirection,
				cipherStart,
				length,
				macLength,
				[one.name]: { protected: results[0], unprotected: back[0] },
				[other.name]: { protected: results[1], unprotected: back[1] },
			});
		}
	}
	if (report) throw new Error(`${one.name} and ${other.name} differ (seed ${seed}): ${report}`);
}

function encryptsBlocks(kernel: Kernel): void {
	const vectors = [
		[KEY_2, "00112233445566778899aabbccddeeff", "69c4e0d86a7b0430d8cdb78070b4c55a"],
		[KEY_1, "3243f6a8885a308d313198a2e0370734", "3925841d02dc09fbdc118597196a0b32"],
	];
	for (const [a, b] of [vectors, [...vectors].reverse()]) {
		const keySet = keySetOf(kernel, a[0], b[0]);
		kernel.message.set(octets(a[1] + b[1]));
		kernel.encryptBlocks(keySet);
		same(hex(kernel.message.subarray(0, 32)), a[2] + b[2]);
	}
}

function counterMode(kernel: Kernel): void {
	const counter = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";
	const plaintext =
		"6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51" +
		"30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";
	const ciphertext =
		"874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff" +
		"5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee";
	const keySet = keySetOf(kernel, KEY_1, KEY_2);
	for (const [from, to] of [
		[plaintext, ciphertext],
		[ciphertext, plaintext],
	]) {
		kernel.message.set(octets(counter + from));
		kernel.ctr(keySet, 512);
		same(hex(kernel.message.subarray(16, 80)), to);
	}
}

function counterOverflow(kernel: Kernel): void {
	const keySet = keySetOf(kernel, KEY_1, KEY_1);
	kernel.message.set(octets("ff".repeat(16) + "00".repeat(32)));
	kernel.ctr(keySet, 256);
	const keystream = hex(kernel.message.subarray(16, 48));
	kernel.message.set(octets("ff".repeat(16) + "00".repeat(16)));
	kernel.encryptBlocks(keySet);
	same(keystream, hex(kernel.message.subarray(0, 32)));
}

function encryptionOfAnnexC(kernel: Kernel, vector: AnnexCVectors["eea2"][number]): void {
	const length = Math.ceil(vector.bitlen / 8);
	kernel.message.set(prefixOf(vector.count, (vector.bearer << 3) | (vector.direct << 2)));
	kernel.message.fill(0, 8, 16);
	kernel.message.set(octets(vector.data).subarray(0, length), 16);
	kernel.ctr(keySetOf(kernel, vector.key, KEY_1), vector.bitlen);
	same(hex(kernel.message.subarray(16, 16 + length)), vector.output.slice(0, 2 * length));
}

function integrityOfAnnexC(kernel: Kernel, vector: AnnexCVectors["eia2"][number]): void {
	const length = 8 + Math.ceil(vector.bitlen / 8);
	const keySet = keySetOf(kernel, KEY_1, vector.key);
	const prefix = prefixOf(vector.count, (vector.bearer << 3) | (vector.direct << 2));
	if (length > MESSAGE_CAPACITY - 16) {
		// Set 8, whole octets.
		const input = new Uint8Array(length);
		input.set(prefix);
		input.set(octets(vector.data), 8);
		same(hex(macByBlocks(kernel, keySet, input).subarray(0, 4)), vector.output);
		return;
	}
	kernel.message.set(prefix);
	kernel.message.set(octets(vector.data), 8);
	// Bits of the last octet that do not belong to the message must not matter.
	if (vector.bitlen % 8 !== 0) kernel.message[length - 1] ^= 0xff >> (vector.bitlen % 8);
	kernel.cmac(keySet, 64 + vector.bitlen);
	same(hex(kernel.message.subarray(length, length + 4)), vector.output);
}

function everyLength(kernel: Kernel): void {
	const keySet = keySetOf(kernel, KEY_1, KEY_2);
	const header = 6;
	for (let payload = 0; payload <= 1216; payload++) {
		roundTrip(kernel, keySet, header, header + payload, 4);
		roundTrip(kernel, keySet, header, header + payload, 8);
	}
}

function everyCipherStart(kernel: Kernel): void {
	const keySet = keySetOf(kernel, KEY_1, KEY_2);
	for (const length of [0, 1, 7, 8, 9, 23, 24, 25, 40, 64, 1224]) {
		for (let cipherStart = 0; cipherStart <= Math.min(length, 64); cipherStart++) {
			roundTrip(kernel, keySet, cipherStart, length, 4);
		}
		roundTrip(kernel, keySet, length, length, 8);
	}
}

/** Protects, compares with what CTR and CMAC make of the same message, and unprotects. */
function roundTrip(kernel: Kernel, keySet: KeySet, cipherStart: number, length: number, macLength: number): void {
	const { message } = kernel;
	const count = (0xfedcba98 + length) >>> 0;
	const bearerAndDirection = 0x1c;
	const clear = sample.subarray(0, length);

	message.set(prefixOf(count, bearerAndDirection));
	message.fill(0, 8, 16);
	message.set(clear.subarray(cipherStart), 16);
	kernel.ctr(keySet, 8 * (length - cipherStart));
	expected.set(clear.subarray(0, cipherStart));
	expected.set(message.subarray(16, 16 + length - cipherStart), cipherStart);
	expected.set(macOf(kernel, keySet, count, bearerAndDirection, length).subarray(0, macLength), length);
	const whole = expected.subarray(0, length + macLength);

	message.set(clear);
	kernel.protect(keySet, count, bearerAndDirection, cipherStart, length, macLength);
	const what = `cipherStart ${cipherStart}, length ${length}, macLength ${macLength}`;
	equal(message, whole, `protect, ${what}`);
	if (!kernel.unprotect(keySet, count, bearerAndDirection, cipherStart, length, macLength)) {
		throw new Error(`unprotect refuses what protect made: ${what}.`);
	}
	equal(message, clear, `unprotect, ${what}`);
}

const sample = randomOctets(generator(33163), MESSAGE_CAPACITY);
const expected = new Uint8Array(MESSAGE_CAPACITY);

/** 128-EIA2 over the first `length` octets of `expected`; by single blocks where `cmac` has no room for prefix and tag. */
function macOf(kernel: Kernel, keySet: KeySet, count: number, bearerAndDirection: number, length: number): Uint8Array {
	const { message } = kernel;
	const total = 8 + length;
	if (total <= MESSAGE_CAPACITY - 16) {
		message.set(prefixOf(count, bearerAndDirection));
		message.set(expected.subarray(0, length), 8);
		kernel.cmac(keySet, 8 * total);
		return message.slice(total, total + 16);
	}
	const input = new Uint8Array(total);
	input.set(prefixOf(count, bearerAndDirection));
	input.set(expected.subarray(0, length), 8);
	return macByBlocks(kernel, keySet, input);
}

/** CMAC put together from single blocks: for what is too long for `cmac`. */
function macByBlocks(kernel: Kernel, keySet: KeySet, text: Uint8Array): Uint8Array {
	const total = text.length;
	const input = new Uint8Array(16 * Math.ceil(total / 16));
	input.set(text);
	// Subkeys of RFC 4493 2.3: doubled once for a full last block, twice for a padded one.
	const subkey = integrityBlock(kernel, keySet, new Uint8Array(16));
	for (let times = total % 16 === 0 ? 1 : 2; times > 0; times--) {
		const carry = subkey[0] >> 7;
		for (let i = 0; i < 16; i++) subkey[i] = (subkey[i] << 1) | (i < 15 ? subkey[i + 1] >> 7 : 0);
		if (carry) subkey[15] ^= 0x87;
	}
	if (total % 16 !== 0) input[total] = 0x80;
	for (let i = 0; i < 16; i++) input[input.length - 16 + i] ^= subkey[i];
	let chain: Uint8Array = new Uint8Array(16);
	for (let at = 0; at < input.length; at += 16) {
		for (let i = 0; i < 16; i++) chain[i] ^= input[at + i];
		chain = integrityBlock(kernel, keySet, chain);
	}
	return chain;
}

function integrityBlock(kernel: Kernel, keySet: KeySet, block: Uint8Array): Uint8Array {
	kernel.message.set(block, 16);
	kernel.encryptBlocks(keySet);
	return kernel.message.slice(16, 32);
}

export function everyBitError(kernel: Kernel, keySet = keySetOf(kernel, KEY_1, KEY_2), macLengths = [4, 8]): void {
	const { message } = kernel;
	for (const [length, macLength] of [
		[26, 4],
		[26, 8],
		[24, 4],
		[400, 8],
		[400, 4],
	]) {
		if (!macLengths.includes(macLength)) continue;
		message.set(sample.subarray(0, length));
		kernel.protect(keySet, 7, 4, 6, length, macLength);
		const good = message.slice(0, length + macLength);
		const step = length > 100 ? 37 : 1;
		for (let bit = 0; bit < 8 * good.length; bit += step) {
			const bad = good.slice();
			bad[bit >> 3] ^= 1 << (bit & 7);
			message.set(bad);
			if (kernel.unprotect(keySet, 7, 4, 6, length, macLength)) {
				throw new Error(`Bit ${bit} of a message of ${length} + ${macLength} octets can be changed.`);
			}
			equal(message, bad, `after the error in bit ${bit}`);
		}
		message.set(good);
		if (!kernel.unprotect(keySet, 7, 4, 6, length, macLength)) throw new Error("The message itself is refused.");
	}
}

export function otherPrefix(kernel: Kernel, keySet = keySetOf(kernel, KEY_1, KEY_2)): void {
	kernel.message.set(sample.subarray(0, 26));
	kernel.protect(keySet, 0xffffffff, 0x0c, 6, 26, 4);
	for (const [count, bearerAndDirection] of [
		[0xfffffffe, 0x0c],
		[0x7fffffff, 0x0c],
		[0, 0x0c],
		[0xffffffff, 0x08],
		[0xffffffff, 0x14],
	]) {
		if (kernel.unprotect(keySet, count, bearerAndDirection, 6, 26, 4)) {
			throw new Error(`COUNT ${count} with ${bearerAndDirection} is accepted, too.`);
		}
	}
	if (!kernel.unprotect(keySet, 0xffffffff, 0x0c, 6, 26, 4)) throw new Error("The right prefix is refused.");
}

function twoKeySets(kernel: Kernel): void {
	const one = keySetOf(kernel, KEY_1, KEY_2);
	const alone = tagOf(kernel, one, "0011");
	const two = keySetOf(kernel, KEY_2, KEY_1);
	same(tagOf(kernel, one, "0011"), alone);
	different(tagOf(kernel, two, "0011"), alone);
	kernel.eraseKeys(two);
	same(tagOf(kernel, one, "0011"), alone);
}

function erasesKeys(kernel: Kernel): void {
	const [one, two] = [keySetOf(kernel, KEY_1, KEY_2), keySetOf(kernel, KEY_2, KEY_1)];
	const before = tagOf(kernel, one, "0011");
	kernel.eraseKeys(one);
	kernel.eraseKeys(two);
	for (const array of arraysIn(one)) {
		for (let i = 0; i < array.length; i++) if (array[i] !== 0) throw new Error("Something of the keys is left.");
	}
	const [a, b] = [one, two].map((keySet) => {
		kernel.message.set(sample.subarray(0, 32));
		kernel.encryptBlocks(keySet);
		return hex(kernel.message.subarray(0, 32));
	});
	same(a, b);
	kernel.setKeys(one, octets(KEY_1), octets(KEY_2));
	same(tagOf(kernel, one, "0011"), before);
}

/** The arrays that a key set consists of, whatever its kernel. */
function arraysIn(keySet: KeySet): ArrayLike<number>[] {
	const value: unknown = keySet;
	if (value instanceof Uint8Array || Array.isArray(value)) return [value];
	const arrays = Object.values(value as object).filter((part) => part instanceof Uint8Array || Array.isArray(part));
	if (arrays.length === 0) throw new Error("The key set holds no array.");
	return arrays;
}

function erasesMessage(kernel: Kernel): void {
	kernel.message.set(sample);
	kernel.erase();
	equal(kernel.message, new Uint8Array(MESSAGE_CAPACITY), "after erase");
}

function refusesKeys(kernel: Kernel): void {
	const keySet = kernel.createKeySet();
	for (const length of [0, 1, 15, 17, 24, 32]) {
		refused("key-length", () => kernel.setKeys(keySet, new Uint8Array(length), new Uint8Array(16)));
		refused("key-length", () => kernel.setKeys(keySet, new Uint8Array(16), new Uint8Array(length)));
	}
}

function refusesLengths(kernel: Kernel): void {
	const keySet = keySetOf(kernel, KEY_1, KEY_2);
	for (const [cipherStart, length, macLength] of [
		[0, 0, 0],
		[0, 20, 3],
		[0, 20, 6],
		[0, 20, 16],
		[0, 20, Number.NaN],
		[0, MESSAGE_CAPACITY - 3, 4],
		[0, MESSAGE_CAPACITY - 7, 8],
		[0, 0xffffffff, 4],
		[0, -1, 4],
		[0, Number.NaN, 4],
		[21, 20, 4],
		[-1, 20, 4],
		[Number.NaN, 20, 4],
	]) {
		refused("message-length", () => kernel.protect(keySet, 0, 0, cipherStart, length, macLength));
		refused("message-length", () => kernel.unprotect(keySet, 0, 0, cipherStart, length, macLength));
	}
	for (const bitLength of [-1, 8 * (MESSAGE_CAPACITY - 16) + 1, Number.NaN]) {
		refused("message-length", () => kernel.ctr(keySet, bitLength));
		refused("message-length", () => kernel.cmac(keySet, bitLength));
	}
}

function keySetOf(kernel: Kernel, encryptionKey: string, integrityKey = encryptionKey): KeySet {
	const keySet = kernel.createKeySet();
	kernel.setKeys(keySet, octets(encryptionKey), octets(integrityKey));
	return keySet;
}

function tagOf(kernel: Kernel, keySet: KeySet, text: string): string {
	const input = octets(text);
	kernel.message.set(input);
	kernel.cmac(keySet, 8 * input.length);
	return hex(kernel.message.subarray(input.length, input.length + 16));
}

/** TS 33.401 B.2.3: COUNT, BEARER, DIRECTION, 26 zero bits. */
function prefixOf(count: number, bearerAndDirection: number): Uint8Array {
	return Uint8Array.of(count >>> 24, count >>> 16, count >>> 8, count, bearerAndDirection, 0, 0, 0);
}

export function octets(text: string): Uint8Array {
	const result = new Uint8Array(text.length / 2);
	for (let i = 0; i < result.length; i++) result[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
	return result;
}

export function hex(data: Uint8Array): string {
	let text = "";
	for (let i = 0; i < data.length; i++) text += (data[i] < 16 ? "0" : "") + data[i].toString(16);
	return text;
}

export function same(got: string, wanted: string): void {
	if (got !== wanted) throw new Error(`got ${got} instead of ${wanted}`);
}

function different(got: string, unwanted: string): void {
	if (got === unwanted) throw new Error(`got ${got} again`);
}

/** Compares the first octets of `got` with all of `wanted`. */
export function equal(got: Uint8Array, wanted: Uint8Array, what: string): void {
	for (let i = 0; i < wanted.length; i++) {
		if (got[i] !== wanted[i]) throw new Error(`${what}: octet ${i} is ${got[i]} instead of ${wanted[i]}.`);
	}
}

export function refused(code: string, run: () => void): void {
	try {
		run();
	} catch (error) {
		if (error instanceof KernelError && error.code === code) return;
		throw error;
	}
	throw new Error(`There was no KernelError ${code}.`);
}

/** xorshift32: the same numbers on every engine. */
export function generator(seed: number): () => number {
	let state = seed | 0 || 1;
	return () => {
		state ^= state << 13;
		state ^= state >>> 17;
		state ^= state << 5;
		return state >>> 0;
	};
}

export function randomOctets(random: () => number, length: number): Uint8Array {
	const result = new Uint8Array(length);
	for (let i = 0; i < length; i++) result[i] = random() >>> 11;
	return result;
}
