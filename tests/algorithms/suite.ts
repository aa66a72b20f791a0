/**
 * SNOW 3G and ZUC: the published vectors, straightforward forms of their MACs, and a kernel that has them beside AES.
 * Plain functions that throw, for every engine, as `tests/kernels/suite.ts`.
 */
import { type Algorithm, authenticate, encipher } from "../../firmware/algorithms/algorithm.js";
import { ComposedKernel } from "../../firmware/algorithms/composed-kernel.js";
import { type Generator, readKey } from "../../firmware/algorithms/generator.js";
import { snow3g } from "../../firmware/algorithms/snow3g.js";
import { zuc } from "../../firmware/algorithms/zuc.js";
import { type Kernel, type KeySet, MESSAGE_CAPACITY } from "../../firmware/kernels/kernel.js";
import {
	equal,
	everyBitError,
	hex,
	octets,
	otherPrefix,
	randomOctets,
	refused,
	same,
	generator as seeded,
} from "../kernels/suite.js";

interface Vector {
	readonly set: number;
	readonly key: string;
	readonly count: number;
	readonly direct: number;
	readonly data: string;
	readonly bitlen: number;
	readonly output: string;
}

type BearerVector = Vector & { readonly bearer: number };

/** `tests/vectors/3gpp/eea1_eia1_eea3_eia3.json` */
export interface AlgorithmVectors {
	readonly uea2_eea1: readonly BearerVector[];
	readonly uia2: readonly (Vector & { readonly fresh: number })[];
	readonly eia1: readonly BearerVector[];
	readonly eea3: readonly BearerVector[];
	readonly eia3: readonly BearerVector[];
}

export interface Case {
	readonly name: string;
	run(): void;
}

const ALGORITHMS = [snow3g(), zuc()];
const [SNOW_3G, ZUC] = ALGORITHMS;

/** All published vectors, bit by bit. */
export function vectorCases(vectors: AlgorithmVectors): Case[] {
	const ciphering = (name: string, algorithm: Algorithm, list: readonly BearerVector[]) =>
		list.map((vector) => ({
			name: `${name} set ${vector.set}, ${vector.bitlen} bits`,
			run: () => ciphers(algorithm, vector),
		}));
	const integrity = (name: string, algorithm: Algorithm, list: readonly BearerVector[]) =>
		list.map((vector) => ({
			name: `${name} set ${vector.set}, ${vector.bitlen} bits`,
			run: () => authenticates(algorithm, vector, vector.bearer << 27),
		}));
	return [
		...ciphering("UEA2 and 128-EEA1", SNOW_3G, vectors.uea2_eea1),
		...vectors.uia2.map((vector) => ({
			name: `UIA2 set ${vector.set}, ${vector.bitlen} bits`,
			run: () => authenticates(SNOW_3G, vector, vector.fresh),
		})),
		...integrity("128-EIA1", SNOW_3G, vectors.eia1),
		...ciphering("128-EEA3", ZUC, vectors.eea3),
		...integrity("128-EIA3", ZUC, vectors.eia3),
	];
}

/**
 * The vectors that a kernel can be given. It works on whole octets of one message: all other bit lengths, UIA2 with its
 * FRESH, and messages that are longer than its buffer are left to {@link vectorCases}.
 */
export function vectorsOfKernel(kernel: Kernel, vectors: AlgorithmVectors): Case[] {
	const fits = ({ bitlen }: Vector) => bitlen % 8 === 0 && bitlen / 8 + 4 <= MESSAGE_CAPACITY;
	const cases = (name: string, identity: number, list: readonly BearerVector[], isMac: boolean) =>
		list.filter(fits).map((vector) => ({
			name: `${name} set ${vector.set}, ${vector.bitlen} bits`,
			run: () => {
				const keySet = kernel.createKeySet();
				kernel.setKeys(keySet, octets(vector.key), octets(vector.key), identity, identity);
				const length = vector.bitlen / 8;
				kernel.message.set(octets(vector.data).subarray(0, length));
				const bearerAndDirection = (vector.bearer << 3) | (vector.direct << 2);
				kernel.protect(keySet, vector.count, bearerAndDirection, isMac ? length : 0, length, 4);
				const output = isMac ? kernel.message.subarray(length, length + 4) : kernel.message.subarray(0, length);
				same(hex(output), vector.output);
			},
		}));
	return [
		...cases("128-EEA1", 1, vectors.uea2_eea1, false),
		...cases("128-EIA1", 1, vectors.eia1, true),
		...cases("128-EEA3", 3, vectors.eea3, false),
		...cases("128-EIA3", 3, vectors.eia3, true),
	];
}

/** A kernel that has both beside AES: every pair of ciphering and integrity. */
export function pairCases(kernel: Kernel): Case[] {
	const cases: Case[] = [];
	for (const encryption of [1, 2, 3])
		for (const integrity of [1, 2, 3]) {
			const add = (what: string, run: (keySet: KeySet) => void) =>
				cases.push({
					name: `128-EEA${encryption} with 128-EIA${integrity}: ${what}`,
					run: () => run(keySetOf(kernel, KEY_1, KEY_2, encryption, integrity)),
				});
			const macLengths = integrity === 2 ? [4, 8] : [4];
			add("protect and unprotect agree with the algorithms by themselves", () =>
				everyMessage(kernel, encryption, integrity),
			);
			add("unprotect refuses every single-bit error and leaves the message as it was", (keySet) =>
				everyBitError(kernel, keySet, macLengths),
			);
			add("unprotect refuses another COUNT, BEARER or DIRECTION", (keySet) => otherPrefix(kernel, keySet));
			add("eraseKeys leaves nothing of the keys", (keySet) => erases(kernel, keySet));
			add("the key set can be used again for any other pair", (keySet) => changesOver(kernel, keySet));
			if (integrity !== 2)
				add("M = 8 is refused", (keySet) => {
					refused("message-length", () => kernel.protect(keySet, 1, 4, 6, 26, 8));
					refused("message-length", () => kernel.unprotect(keySet, 1, 4, 6, 26, 8));
				});
		}
	return [
		...cases,
		{ name: "an algorithm that the kernel does not have", run: () => refusesAlgorithms(kernel) },
		{ name: "128-EIA1 is the polynomial over GF(2^64) of its definition", run: () => agreesByEvaluation() },
		{ name: "128-EIA3 is the sum of windows of its definition", run: () => agreesByWindows() },
		{ name: "erase leaves nothing of a key stream", run: () => erasesGenerators(kernel) },
	];
}

const KEY_1 = "2b7e151628aed2a6abf7158809cf4f3c";
const KEY_2 = "000102030405060708090a0b0c0d0e0f";
const COUNT = 0xfedcba98;
/** BEARER 3, DIRECTION 1. */
const BEARER_AND_DIRECTION = 0x1c;

function wordsOf(key: string): number[] {
	const words = [0, 0, 0, 0];
	readKey(words, octets(key));
	return words;
}

function keySetOf(kernel: Kernel, encryptionKey: string, integrityKey: string, encryption: number, integrity: number) {
	const keySet = kernel.createKeySet();
	kernel.setKeys(keySet, octets(encryptionKey), octets(integrityKey), encryption, integrity);
	return keySet;
}

function ciphers(algorithm: Algorithm, vector: BearerVector): void {
	const { count, bearer, direct, bitlen } = vector;
	const length = Math.ceil(bitlen / 8);
	const message = new Uint8Array(length + 4).fill(0xee);
	message.set(octets(vector.data).subarray(0, length), 3);
	// A message does not begin at a word.
	encipher(algorithm, wordsOf(vector.key), count, (bearer << 3) | (direct << 2), message, 3, bitlen);
	same(hex(message), `eeeeee${vector.output.slice(0, 2 * length)}ee`);
}

function authenticates(algorithm: Algorithm, vector: Vector, fresh: number): void {
	const length = Math.ceil(vector.bitlen / 8);
	const message = new Uint8Array(length + 9).fill(0xee);
	message.set(octets(vector.data).subarray(0, length));
	// Bits of the last octet that do not belong to the message must not matter, nor what comes behind it.
	if (vector.bitlen % 8 !== 0) message[length - 1] ^= 0xff >> (vector.bitlen % 8);
	const mac = authenticate(algorithm, wordsOf(vector.key), vector.count, fresh, vector.direct, message, vector.bitlen);
	same(hexOfWord(mac), vector.output);
}

function hexOfWord(word: number): string {
	return (word >>> 0).toString(16).padStart(8, "0");
}

const sample = randomOctets(seeded(35215), MESSAGE_CAPACITY);

function everyMessage(kernel: Kernel, encryption: number, integrity: number): void {
	const keySet = keySetOf(kernel, KEY_1, KEY_2, encryption, integrity);
	for (let length = 6; length <= 102; length++) oneMessage(kernel, keySet, encryption, integrity, 6, length);
	for (const start of [0, 1, 7, 8, 9, 40]) oneMessage(kernel, keySet, encryption, integrity, start, 40);
	oneMessage(kernel, keySet, encryption, integrity, 0, 0);
	oneMessage(kernel, keySet, encryption, integrity, 8, MESSAGE_CAPACITY - 4);
}

function oneMessage(
	kernel: Kernel,
	keySet: KeySet,
	encryption: number,
	integrity: number,
	cipherStart: number,
	length: number,
): void {
	const clear = sample.subarray(0, length);
	const enciphered = encipheredBy(kernel, encryption, clear, cipherStart);
	const wanted = new Uint8Array(length + 4);
	wanted.set(enciphered);
	wanted.set(macBy(kernel, integrity, enciphered), length);
	kernel.message.set(clear);
	kernel.protect(keySet, COUNT, BEARER_AND_DIRECTION, cipherStart, length, 4);
	const what = `cipherStart ${cipherStart}, length ${length}`;
	equal(kernel.message, wanted, `protect, ${what}`);
	if (!kernel.unprotect(keySet, COUNT, BEARER_AND_DIRECTION, cipherStart, length, 4))
		throw new Error(`unprotect refuses what protect made: ${what}.`);
	equal(kernel.message, clear, `unprotect, ${what}`);
	// The MAC stays where it was.
	equal(kernel.message.subarray(length), wanted.subarray(length), `the MAC after unprotect, ${what}`);
}

/** Ciphering by itself: with AES by a kernel's AES key set, else by the algorithm. */
function encipheredBy(kernel: Kernel, encryption: number, clear: Uint8Array, cipherStart: number): Uint8Array {
	const result = clear.slice();
	const algorithm = ALGORITHMS.find(({ identity }) => identity === encryption);
	if (algorithm !== undefined) {
		const bits = 8 * (clear.length - cipherStart);
		encipher(algorithm, wordsOf(KEY_1), COUNT, BEARER_AND_DIRECTION, result, cipherStart, bits);
		return result;
	}
	kernel.message.set(clear);
	const keySet = keySetOf(kernel, KEY_1, KEY_1, 2, 2);
	kernel.protect(keySet, COUNT, BEARER_AND_DIRECTION, cipherStart, clear.length, 4);
	result.set(kernel.message.subarray(0, clear.length));
	return result;
}

function macBy(kernel: Kernel, integrity: number, message: Uint8Array): Uint8Array {
	const algorithm = ALGORITHMS.find(({ identity }) => identity === integrity);
	const { length } = message;
	if (algorithm !== undefined) {
		const [fresh, direction] = [0x18 << 24, 1];
		const mac = authenticate(algorithm, wordsOf(KEY_2), COUNT, fresh, direction, message, 8 * length);
		return octets(hexOfWord(mac));
	}
	kernel.message.set(message);
	kernel.protect(keySetOf(kernel, KEY_2, KEY_2, 2, 2), COUNT, BEARER_AND_DIRECTION, length, length, 4);
	return kernel.message.slice(length, length + 4);
}

function erases(kernel: Kernel, keySet: KeySet): void {
	kernel.eraseKeys(keySet);
	const left = (value: unknown): boolean =>
		Array.isArray(value) || value instanceof Uint8Array
			? value.some((number) => number !== 0)
			: typeof value === "object" && value !== null && !("generator" in value) && Object.values(value).some(left);
	if (left(keySet)) throw new Error("Something of the keys is left.");
}

function changesOver(kernel: Kernel, keySet: KeySet): void {
	for (const encryption of [1, 2, 3])
		for (const integrity of [1, 2, 3]) {
			kernel.setKeys(keySet, octets(KEY_1), octets(KEY_2), encryption, integrity);
			oneMessage(kernel, keySet, encryption, integrity, 6, 26);
		}
}

function refusesAlgorithms(kernel: Kernel): void {
	const key = octets(KEY_1);
	const few = new ComposedKernel(kernel, [zuc()]);
	for (const [one, encryption, integrity] of [
		[kernel, 4, 2],
		[kernel, 2, 4],
		[kernel, 2, 0],
		[few, 4, 2],
	] as const)
		refused("algorithm", () => one.setKeys(one.createKeySet(), key, key, encryption, integrity));
}

/** 128-EIA1 with integers of any length (TS 35.215 4.4 and 4.3). */
function agreesByEvaluation(): void {
	const multiply = (v: bigint, p: bigint) => {
		let product = 0n;
		for (let i = 0n, power = v; i < 64n; i++, power = (power << 1n) ^ (power >> 63n ? (1n << 64n) | 0x1bn : 0n)) {
			if ((p >> i) & 1n) product ^= power;
		}
		return product;
	};
	compare(SNOW_3G, (bits, words) => {
		const word = (i: number) => BigInt(words[i] >>> 0);
		const p = (word(0) << 32n) | word(1);
		const q = (word(2) << 32n) | word(3);
		let value = 0n;
		for (let at = 0; at < bits.length; at += 64)
			value = multiply(value ^ BigInt(`0b${bits.slice(at, at + 64).padEnd(64, "0")}`), p);
		value = multiply(value ^ BigInt(bits.length), q);
		return Number(value >> 32n) ^ words[4];
	});
}

/** 128-EIA3 on strings of bits (TS 35.221 4.3). */
function agreesByWindows(): void {
	compare(ZUC, (bits, words) => {
		const stream = words.map((word) => (word >>> 0).toString(2).padStart(32, "0")).join("");
		const window = (at: number) => Number.parseInt(stream.slice(at, at + 32), 2);
		let sum = window(bits.length) ^ words[Math.ceil(bits.length / 32) + 1];
		for (let i = 0; i < bits.length; i++) if (bits[i] === "1") sum ^= window(i);
		return sum;
	});
}

/** Compares a MAC at every bit length with its definition on the same key stream. */
function compare(algorithm: Algorithm, define: (bits: string, words: number[]) => number): void {
	const text = sample.reduce((bits, octet) => bits + octet.toString(2).padStart(8, "0"), "");
	const [fresh, direction] = [0x18 << 24, 1];
	for (let bitLength = 0; bitLength <= 300; bitLength++) {
		const { generator } = algorithm;
		const key = wordsOf(KEY_2);
		const mac = authenticate(algorithm, key, COUNT, fresh, direction, sample, bitLength);
		generator.initialise(key, COUNT | 0, fresh, COUNT ^ (1 << 31), fresh ^ (1 << 15));
		const words = Array.from({ length: Math.ceil(bitLength / 32) + 5 }, () => generator.next());
		same(`${bitLength}: ${hexOfWord(mac)}`, `${bitLength}: ${hexOfWord(define(text.slice(0, bitLength), words))}`);
	}
}

function erasesGenerators(kernel: Kernel): void {
	const generators: Generator[] = ALGORITHMS.map(({ generator }) => generator);
	const composed = new ComposedKernel(kernel, ALGORITHMS);
	for (const generator of generators) generator.initialise(wordsOf(KEY_1), 1, 2, 3, 4);
	composed.erase();
	// From zero no generator leaves zero.
	for (const generator of generators) if (generator.next() !== 0) throw new Error("Something of the state is left.");
}
