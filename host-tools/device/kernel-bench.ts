/** Runs on the device: times the protection of messages and prints one line of JSON per figure (see bench/xs-rows.ts). */
import aesJs from "aes-js";
import { withAllAlgorithms } from "../../firmware/algorithms/all.js";
import { ALGORITHM } from "../../firmware/emsdp/profile.js";
import { JsKernel } from "../../firmware/kernels/js.js";
import type { Kernel } from "../../firmware/kernels/kernel.js";
import { platform } from "../../firmware/platform/host/platform.js";

/** Octets of payload. */
const SIZES = [20, 64, 200, 1024];
/** Octets of header before it. */
const BEARER_AND_DIRECTION = 4;
const MAC_LENGTH = 4;
/** The best of a few: what else the machine does only adds. */
const ROUNDS = 5;
const ROUND_MILLISECONDS = 40;

const encryptionKey = Uint8Array.from({ length: 16 }, (_, index) => index);
const integrityKey = Uint8Array.from({ length: 16 }, (_, index) => 255 - index);

interface Contestant {
	readonly name: string;
	readonly message: Uint8Array;
	/** Protects a message of `length` octets for every COUNT in `from .. to`: the loop inside, so that only it is timed. */
	protect(from: number, to: number, length: number): void;
}

class KernelContestant implements Contestant {
	readonly message: Uint8Array;
	readonly #keySet;

	constructor(
		readonly name: string,
		readonly kernel: Kernel,
		algorithm: number = ALGORITHM.aes,
	) {
		this.message = kernel.message;
		this.#keySet = kernel.createKeySet();
		kernel.setKeys(this.#keySet, encryptionKey, integrityKey, algorithm, algorithm);
	}

	protect(from: number, to: number, length: number): void {
		const kernel = this.kernel;
		const keySet = this.#keySet;
		for (let count = from; count < to; count++) {
			kernel.protect(keySet, count, BEARER_AND_DIRECTION, 0, length, MAC_LENGTH);
		}
	}
}

/** 128-EEA2 and 128-EIA2 over the blocks of aes-js, with keys expanded once: as well as it can do. */
class AesJsContestant implements Contestant {
	readonly name = "aes-js";
	readonly message = new Uint8Array(1240);
	readonly #cipher = new aesJs.AES(encryptionKey);
	readonly #integrity = new aesJs.AES(integrityKey);
	readonly #block = new Uint8Array(16);
	readonly #padded = new Uint8Array(1264);
	readonly #subkeys: readonly [Uint8Array, Uint8Array];

	constructor() {
		const first = double(this.#integrity.encrypt(new Uint8Array(16)));
		this.#subkeys = [first, double(first)];
	}

	protect(from: number, to: number, length: number): void {
		for (let count = from; count < to; count++) {
			this.#encipher(count, length);
			this.#authenticate(count, length);
		}
	}

	#encipher(count: number, length: number): void {
		const block = this.#block.fill(0);
		writePrefix(block, count);
		for (let start = 0; start < length; start += 16) {
			const keyStream = this.#cipher.encrypt(block);
			const end = Math.min(16, length - start);
			for (let i = 0; i < end; i++) this.message[start + i] ^= keyStream[i];
			if (++block[15] === 0) block[14]++;
		}
	}

	#authenticate(count: number, length: number): void {
		const padded = this.#padded;
		const end = 8 + length;
		const last = Math.ceil(end / 16) * 16 - 16;
		padded.fill(0, last, last + 16);
		writePrefix(padded, count);
		padded.set(this.message.subarray(0, length), 8);
		const whole = end % 16 === 0;
		if (!whole) padded[end] = 0x80;
		const subkey = this.#subkeys[whole ? 0 : 1];
		for (let i = 0; i < 16; i++) padded[last + i] ^= subkey[i];
		let tag: Uint8Array = this.#block.fill(0);
		for (let start = 0; start <= last; start += 16) {
			for (let i = 0; i < 16; i++) tag[i] ^= padded[start + i];
			tag = this.#integrity.encrypt(tag);
		}
		this.message.set(tag.subarray(0, MAC_LENGTH), length);
	}
}

/** The first octets of the counter block and of the input of the MAC: COUNT, BEARER and DIRECTION (TS 33.401 B). */
function writePrefix(into: Uint8Array, count: number): void {
	into[0] = count >>> 24;
	into[1] = count >>> 16;
	into[2] = count >>> 8;
	into[3] = count;
	into[4] = BEARER_AND_DIRECTION;
}

/** Doubling in GF(2^128) (RFC 4493 2.3). */
function double(value: Uint8Array): Uint8Array {
	const doubled = value.map((octet, index) => (octet << 1) | ((value[index + 1] ?? 0) >> 7));
	if (value[0] & 0x80) doubled[15] ^= 0x87;
	return doubled;
}

/** Nanoseconds for one message of `length` octets. */
function measure(contestant: Contestant, length: number): number {
	const { clock } = platform;
	let best = Number.POSITIVE_INFINITY;
	let count = 1;
	for (let round = 0; round < ROUNDS; round++) {
		const start = clock.now();
		contestant.protect(0, count, length);
		const took = clock.now() - start;
		if (took < ROUND_MILLISECONDS / 2) {
			// Too short to be measured: not one of the rounds.
			count *= 2;
			round--;
		} else best = Math.min(best, took / count);
	}
	return best * 1e6;
}

/** All that do AES must give the same octets, or a figure would mean nothing. */
function resultOf(contestant: Contestant, length: number): string {
	for (let i = 0; i < length; i++) contestant.message[i] = i * 7;
	contestant.protect(0x12345678, 0x12345679, length);
	return contestant.message.subarray(0, length + MAC_LENGTH).join();
}

const contestants = [
	new KernelContestant("best-ct", platform.kernel),
	new KernelContestant("best-js", new JsKernel()),
	new AesJsContestant(),
];
const all = withAllAlgorithms(platform.kernel);
const others = [
	new KernelContestant("best-snow3g", all, ALGORITHM.snow3g),
	new KernelContestant("best-zuc", all, ALGORITHM.zuc),
];

for (const size of SIZES) {
	for (const contestant of contestants)
		if (resultOf(contestant, size) !== resultOf(contestants[0], size))
			throw new Error(`${contestant.name} protects ${size} octets in another way.`);
	for (const contestant of [...contestants, ...others]) {
		const ns = Math.round(measure(contestant, size));
		platform.print(JSON.stringify({ where: "xs", what: "protect", name: contestant.name, size, ns }));
	}
}
