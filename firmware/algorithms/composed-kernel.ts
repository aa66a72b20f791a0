import { AES, type Kernel, KernelError, type KeySet } from "../kernels/kernel.js";
import { checkKeys, checkLengths } from "../kernels/lengths.js";
import { type Algorithm, authenticate, encipher } from "./algorithm.js";
import { readKey } from "./generator.js";

/** For the half of an AES key set that nothing of the other algorithms uses. */
const NO_KEY = new Uint8Array(16);
/** Octets of a MAC of 128-EIA1 and 128-EIA3. */
const MAC_OCTETS = 4;

class ComposedKeySet {
	/** Undefined where AES does it. */
	encryption: Algorithm | undefined;
	integrity: Algorithm | undefined;
	readonly encryptionKey: number[] = [0, 0, 0, 0];
	readonly integrityKey: number[] = [0, 0, 0, 0];
	/** Made when it is needed first. */
	aes: KeySet | undefined;
}

/**
 * A kernel that can do more than AES: a kernel for AES, and other algorithms beside it. Ciphering and integrity are chosen
 * key set by key set, and need not be of the same kind. A device that is not given one has none of this in its image.
 */
export class ComposedKernel implements Kernel {
	readonly name: string;
	readonly algorithms: number;
	readonly #aes: Kernel;
	readonly #others: readonly Algorithm[];

	constructor(aes: Kernel, others: readonly Algorithm[]) {
		let { name, algorithms } = aes;
		for (const other of others) {
			name += `, ${other.name}`;
			algorithms |= 1 << other.identity;
		}
		this.name = name;
		this.algorithms = algorithms;
		this.#aes = aes;
		this.#others = others;
	}

	get message(): Uint8Array {
		return this.#aes.message;
	}

	createKeySet(): KeySet {
		return new ComposedKeySet() as unknown as KeySet;
	}

	setKeys(
		keySet: KeySet,
		encryptionKey: Uint8Array,
		integrityKey: Uint8Array,
		encryption: number = AES,
		integrity: number = AES,
	): void {
		checkKeys(encryptionKey, integrityKey);
		const cipher = encryption === 0 ? undefined : this.#other(encryption);
		const mac = this.#other(integrity);
		this.eraseKeys(keySet);
		const keys = partsOf(keySet);
		keys.encryption = cipher;
		keys.integrity = mac;
		if (cipher !== undefined) readKey(keys.encryptionKey, encryptionKey);
		if (mac !== undefined) readKey(keys.integrityKey, integrityKey);
		if (cipher !== undefined && mac !== undefined) return;
		keys.aes ??= this.#aes.createKeySet();
		// No key goes to an algorithm that it was not derived for.
		this.#aes.setKeys(
			keys.aes,
			cipher === undefined ? encryptionKey : NO_KEY,
			mac === undefined ? integrityKey : NO_KEY,
		);
	}

	eraseKeys(keySet: KeySet): void {
		const keys = partsOf(keySet);
		keys.encryptionKey.fill(0);
		keys.integrityKey.fill(0);
		if (keys.aes !== undefined) this.#aes.eraseKeys(keys.aes);
	}

	protect(
		keySet: KeySet,
		count: number,
		bearerAndDirection: number,
		cipherStart: number,
		length: number,
		macLength: number,
	): void {
		const keys = partsOf(keySet);
		if (keys.integrity === undefined) {
			checkLengths(cipherStart, length, macLength);
			let start = cipherStart;
			if (keys.encryption !== undefined) {
				this.#encipher(keys, count, bearerAndDirection, cipherStart, length);
				start = length;
			}
			this.#aes.protect(aesOf(this.#aes, keys), count, bearerAndDirection, start, length, macLength);
			return;
		}
		checkShortMac(cipherStart, length, macLength);
		this.#encipher(keys, count, bearerAndDirection, cipherStart, length);
		this.#writeMac(length, this.#mac(keys.integrity, keys, count, bearerAndDirection, length));
	}

	unprotect(
		keySet: KeySet,
		count: number,
		bearerAndDirection: number,
		cipherStart: number,
		length: number,
		macLength: number,
	): boolean {
		const keys = partsOf(keySet);
		if (keys.integrity === undefined) {
			checkLengths(cipherStart, length, macLength);
			const start = keys.encryption === undefined ? cipherStart : length;
			const aes = aesOf(this.#aes, keys);
			if (!this.#aes.unprotect(aes, count, bearerAndDirection, start, length, macLength)) return false;
			if (keys.encryption !== undefined) this.#encipher(keys, count, bearerAndDirection, cipherStart, length);
			return true;
		}
		checkShortMac(cipherStart, length, macLength);
		const mac = this.#mac(keys.integrity, keys, count, bearerAndDirection, length);
		const { message } = this.#aes;
		const difference =
			(message[length] ^ (mac >>> 24)) |
			(message[length + 1] ^ ((mac >> 16) & 255)) |
			(message[length + 2] ^ ((mac >> 8) & 255)) |
			(message[length + 3] ^ (mac & 255));
		if (difference !== 0) return false;
		this.#encipher(keys, count, bearerAndDirection, cipherStart, length);
		this.#writeMac(length, mac);
		return true;
	}

	encryptBlocks(keySet: KeySet): void {
		this.#aes.encryptBlocks(aesOf(this.#aes, partsOf(keySet)));
	}

	ctr(keySet: KeySet, bitLength: number): void {
		this.#aes.ctr(aesOf(this.#aes, partsOf(keySet)), bitLength);
	}

	cmac(keySet: KeySet, bitLength: number): void {
		this.#aes.cmac(aesOf(this.#aes, partsOf(keySet)), bitLength);
	}

	erase(): void {
		this.#aes.erase();
		for (const { generator } of this.#others) generator.erase();
	}

	/** @returns undefined for AES */
	#other(identity: number): Algorithm | undefined {
		if (identity === AES) return undefined;
		for (const other of this.#others) if (other.identity === identity) return other;
		throw new KernelError("algorithm", `The kernel ${this.name} has no algorithm ${identity}.`);
	}

	/** Ciphering by itself. With AES it leaves a MAC under no key behind the message. */
	#encipher(keys: ComposedKeySet, count: number, bearerAndDirection: number, from: number, to: number): void {
		if (from === to) return;
		if (keys.encryption === undefined)
			this.#aes.protect(aesOf(this.#aes, keys), count, bearerAndDirection, from, to, MAC_OCTETS);
		else
			encipher(
				keys.encryption,
				keys.encryptionKey,
				count,
				bearerAndDirection,
				this.#aes.message,
				from,
				(to - from) << 3,
			);
	}

	#mac(integrity: Algorithm, keys: ComposedKeySet, count: number, bearerAndDirection: number, length: number): number {
		return authenticate(
			integrity,
			keys.integrityKey,
			count,
			(bearerAndDirection & 0xf8) << 24,
			(bearerAndDirection >> 2) & 1,
			this.#aes.message,
			length << 3,
		);
	}

	#writeMac(at: number, mac: number): void {
		const { message } = this.#aes;
		message[at] = mac >> 24;
		message[at + 1] = mac >> 16;
		message[at + 2] = mac >> 8;
		message[at + 3] = mac;
	}
}

function checkShortMac(cipherStart: number, length: number, macLength: number): void {
	if (macLength !== MAC_OCTETS)
		throw new KernelError("message-length", "macLength must be 4: only the MAC of AES has more octets.");
	checkLengths(cipherStart, length, macLength);
}

/** The AES keys; of a key set that was never given any, as they are in a new one. */
function aesOf(kernel: Kernel, keys: ComposedKeySet): KeySet {
	keys.aes ??= kernel.createKeySet();
	return keys.aes;
}

function partsOf(keySet: KeySet): ComposedKeySet {
	return keySet as unknown as ComposedKeySet;
}
