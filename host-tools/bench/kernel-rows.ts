/**
 * What one protected message costs in Node, beside other libraries: 128-EEA2 over the payload and 128-EIA2 over its
 * ciphertext (TS 33.401 B.1.3, B.2.3), a MAC of 4 octets, keys expanded before. An EMSDP message has a header of 6 octets
 * and more in front, in clear, which can cost one more block of the MAC.
 */
import { createCipheriv } from "node:crypto";
import { createRequire } from "node:module";
import { withAllAlgorithms } from "../../firmware/algorithms/all.js";
import { ALGORITHM } from "../../firmware/emsdp/profile.js";
import { JsKernel } from "../../firmware/kernels/js.js";
import type { Kernel } from "../../firmware/kernels/kernel.js";
import { hasSimd, loadKernel } from "../kernel.js";

export interface BenchRow {
	/** Where it was measured. */
	readonly where: "node" | "xs" | "board";
	/** The operation, for example "protect". */
	readonly what: string;
	/** The implementation. */
	readonly name: string;
	/** Octets of payload. */
	readonly size: number;
	/** Time of one operation in nanoseconds. */
	readonly ns?: number;
	/** Executed instructions of one operation. */
	readonly instructions?: number;
}

/** Octets of payload. */
const SIZES = [20, 64, 200, 1024];
const ROUNDS = 41;
const ROUND_NS = 1_000_000;

const MAC = 4;
const BEARER_AND_DIRECTION = 4;
const ENCRYPTION_KEY = new Uint8Array(16).map((_, i) => i);
const INTEGRITY_KEY = new Uint8Array(16).map((_, i) => 255 - i);

/** Protects the first `length` octets of `message`, and appends the MAC. */
interface Peer {
	readonly name: string;
	readonly message: Uint8Array;
	protect(count: number, length: number): void;
}

/** One AES-128 block in place. */
type BlockCipher = (block: Uint8Array) => void;

/**
 * Measures all kernels and peers, and SNOW 3G and ZUC beside them, round by round in turn, so that what else the machine
 * does hits all alike.
 * Peers that are not installed are left out.
 * @returns medians
 * @throws Error if two that do AES do not make the same octets
 */
export async function kernelRows(): Promise<BenchRow[]> {
	const peers = [
		ofKernel(loadKernel()),
		...(hasSimd() ? [ofKernel(loadKernel("fixsliced", "best-ct-fixsliced"))] : []),
		ofKernel(loadKernel("table")),
		ofKernel(new JsKernel()),
		...(await noblePeers().catch(missing)),
		...aesJsPeers(),
		nodeCipherPeer(),
		nodePersistentPeer(),
	];
	checkAgreement(peers);
	const all = withAllAlgorithms(loadKernel());
	const others = [ofKernel(all, "best-snow3g", ALGORITHM.snow3g), ofKernel(all, "best-zuc", ALGORITHM.zuc)];
	return SIZES.flatMap((size) => measure([...peers, ...others], size));
}

function missing(error: NodeJS.ErrnoException): Peer[] {
	if (error.code === "ERR_MODULE_NOT_FOUND" || error.code === "MODULE_NOT_FOUND") return [];
	throw error;
}

function checkAgreement(peers: Peer[]): void {
	for (const length of [0, ...SIZES]) {
		const results = peers.map(({ message, protect }) => {
			for (let i = 0; i < length; i++) message[i] = 7 * i;
			protect(0x80000001, length);
			return Buffer.from(message.subarray(0, length + MAC)).toString("hex");
		});
		const wrong = results.findIndex((result) => result !== results[0]);
		if (wrong >= 0) throw new Error(`${peers[wrong].name} and ${peers[0].name} differ at ${length} octets.`);
	}
}

function measure(peers: Peer[], size: number): BenchRow[] {
	const length = size;
	const time = ({ protect }: Peer, messages: number) => {
		const start = process.hrtime.bigint();
		for (let count = 0; count < messages; count++) protect(count, length);
		return Number(process.hrtime.bigint() - start) / messages;
	};
	const runs = peers.map((peer) => {
		time(peer, 2000);
		return { peer, messages: Math.ceil(ROUND_NS / time(peer, 200)), times: [] as number[] };
	});
	for (let round = 0; round < ROUNDS; round++) {
		for (const { peer, messages, times } of runs) times.push(time(peer, messages));
	}
	return runs.map(({ peer: { name }, times }) => {
		const ns = times.sort((a, b) => a - b)[ROUNDS >> 1];
		return { where: "node", what: "protect", name, size, ns };
	});
}

function ofKernel(kernel: Kernel, name = kernel.name, algorithm: number = ALGORITHM.aes): Peer {
	const keySet = kernel.createKeySet();
	kernel.setKeys(keySet, ENCRYPTION_KEY, INTEGRITY_KEY, algorithm, algorithm);
	return {
		name,
		message: kernel.message,
		protect: (count, length) => kernel.protect(keySet, count, BEARER_AND_DIRECTION, 0, length, MAC),
	};
}

/** A buffer that begins with the prefix of 128-EIA2, and a counter block of 128-EEA2, which begins with the same octets. */
function workspace() {
	const input = new Uint8Array(2048);
	const counter = new Uint8Array(16);
	const begin = (count: number) => {
		input[0] = counter[0] = count >>> 24;
		input[1] = counter[1] = count >>> 16;
		input[2] = counter[2] = count >>> 8;
		input[3] = counter[3] = count;
		input[4] = counter[4] = BEARER_AND_DIRECTION;
		counter.fill(0, 5);
	};
	return { input, counter, message: input.subarray(8), begin };
}

async function noblePeers(): Promise<Peer[]> {
	const { ctr, cmac, unsafe } = await import("@noble/ciphers/aes.js");

	const plain = workspace();
	const noble: Peer = {
		name: "noble",
		message: plain.message,
		protect(count, length) {
			plain.begin(count);
			const payload = plain.message.subarray(0, length);
			payload.set(ctr(ENCRYPTION_KEY, plain.counter).encrypt(payload));
			plain.message.set(cmac(plain.input.subarray(0, 8 + length), INTEGRITY_KEY).subarray(0, MAC), length);
		},
	};

	const expanded = workspace();
	const encryptionKey = unsafe.expandKeyLE(ENCRYPTION_KEY);
	const integrityKey = unsafe.expandKeyLE(INTEGRITY_KEY);
	// The payload has to be aligned for it.
	const aligned = new Uint8Array(2048);
	const encrypt = (block: Uint8Array) => {
		unsafe.encryptBlock(integrityKey, block);
	};
	const addMac = cmacOf(encrypt);
	const nobleUnsafe: Peer = {
		name: "noble-unsafe",
		message: expanded.message,
		protect(count, length) {
			expanded.begin(count);
			const payload = expanded.message.subarray(0, length);
			const source = aligned.subarray(0, payload.length);
			source.set(payload);
			payload.set(unsafe.ctrCounter(encryptionKey, expanded.counter, source));
			addMac(expanded.input, 8 + length);
		},
	};
	return [noble, nobleUnsafe];
}

function aesJsPeers(): Peer[] {
	interface AesJs {
		readonly AES: new (key: Uint8Array) => { encrypt(block: Uint8Array): Uint8Array };
	}
	let aesJs: AesJs;
	try {
		aesJs = createRequire(import.meta.url)("aes-js");
	} catch (error) {
		return missing(error as NodeJS.ErrnoException);
	}
	const encryption = new aesJs.AES(ENCRYPTION_KEY);
	const integrity = new aesJs.AES(INTEGRITY_KEY);
	const addMac = cmacOf((block) => block.set(integrity.encrypt(block)));
	const { input, counter, message, begin } = workspace();
	const protect = (count: number, length: number) => {
		begin(count);
		for (let at = 0; at < length; at += 16) {
			const keystream = encryption.encrypt(counter);
			const end = Math.min(length - at, 16);
			for (let i = 0; i < end; i++) message[at + i] ^= keystream[i];
			counter[15]++;
		}
		addMac(input, 8 + length);
	};
	return [{ name: "aes-js", message, protect }];
}

function nodeCipherPeer(): Peer {
	const { input, counter, message, begin } = workspace();
	const zero = new Uint8Array(16);
	const [k1, k2] = subkeysOf(nodeBlockCipher(INTEGRITY_KEY));
	const protect = (count: number, length: number) => {
		begin(count);
		const payload = message.subarray(0, length);
		payload.set(createCipheriv("aes-128-ctr", ENCRYPTION_KEY, counter).update(payload));
		const end = padLastBlock(input, 8 + length, k1, k2);
		const cipher = createCipheriv("aes-128-cbc", INTEGRITY_KEY, zero);
		const tag = cipher.update(input.subarray(0, end)).subarray(end - 16, end - 16 + MAC);
		restoreLastBlock(input, 8 + length, k1, k2);
		message.set(tag, length);
	};
	return { name: "node:crypto", message, protect };
}

/** One ECB and one CBC object for all messages: CBC starts from zero if what it ended with is added to the first block. */
function nodePersistentPeer(): Peer {
	const { input, counter, message, begin } = workspace();
	const ecb = createCipheriv("aes-128-ecb", ENCRYPTION_KEY, null);
	const cbc = createCipheriv("aes-128-cbc", INTEGRITY_KEY, new Uint8Array(16));
	const [k1, k2] = subkeysOf(nodeBlockCipher(INTEGRITY_KEY));
	const counters = new Uint8Array(2048);
	const blocks = new Uint8Array(2048);
	const chain = new Uint8Array(16);
	const protect = (count: number, length: number) => {
		begin(count);
		const end = 16 * Math.ceil(length / 16);
		for (let at = 0; at < end; at += 16) {
			counters.set(counter, at);
			counters[at + 15] = at >> 4;
		}
		const keystream = ecb.update(counters.subarray(0, end));
		for (let i = 0; i < length; i++) message[i] ^= keystream[i];

		const total = 8 + length;
		blocks.set(input.subarray(0, total));
		const padded = padLastBlock(blocks, total, k1, k2);
		for (let i = 0; i < 16; i++) blocks[i] ^= chain[i];
		const out = cbc.update(blocks.subarray(0, padded));
		chain.set(out.subarray(padded - 16));
		message.set(chain.subarray(0, MAC), length);
	};
	return { name: "node:crypto-persistent", message, protect };
}

function nodeBlockCipher(key: Uint8Array): BlockCipher {
	const ecb = createCipheriv("aes-128-ecb", key, null);
	return (block) => block.set(ecb.update(block));
}

/** CMAC (RFC 4493) on a block cipher; appends the first MAC octets of the tag to the first `length` octets of the input. */
function cmacOf(encrypt: BlockCipher): (input: Uint8Array, length: number) => void {
	const [k1, k2] = subkeysOf(encrypt);
	const chain = new Uint8Array(16);
	return (input, length) => {
		chain.fill(0);
		const end = padLastBlock(input, length, k1, k2);
		for (let at = 0; at < end; at += 16) {
			for (let i = 0; i < 16; i++) chain[i] ^= input[at + i];
			encrypt(chain);
		}
		restoreLastBlock(input, length, k1, k2);
		for (let i = 0; i < MAC; i++) input[length + i] = chain[i];
	};
}

/** Pads the last block and adds its subkey, in place; returns where it ends. */
function padLastBlock(input: Uint8Array, length: number, k1: Uint8Array, k2: Uint8Array): number {
	const end = 16 * Math.ceil(length / 16);
	if (length < end) {
		input.fill(0, length, end);
		input[length] = 0x80;
	}
	addSubkey(input, end, length === end ? k1 : k2);
	return end;
}

function restoreLastBlock(input: Uint8Array, length: number, k1: Uint8Array, k2: Uint8Array): void {
	const end = 16 * Math.ceil(length / 16);
	addSubkey(input, end, length === end ? k1 : k2);
}

function addSubkey(input: Uint8Array, end: number, subkey: Uint8Array): void {
	for (let i = 0; i < 16; i++) input[end - 16 + i] ^= subkey[i];
}

function subkeysOf(encrypt: BlockCipher): [Uint8Array, Uint8Array] {
	const block = new Uint8Array(16);
	encrypt(block);
	const double = (from: Uint8Array) => {
		const to = from.map((octet, i) => (octet << 1) | (i < 15 ? from[i + 1] >> 7 : 0));
		if (from[0] & 0x80) to[15] ^= 0x87;
		return to;
	};
	const k1 = double(block);
	return [k1, double(k1)];
}
