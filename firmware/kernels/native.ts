/** The kernel as native code: devices that carry it, and the XS host. */
import { AES, type Kernel, type KeySet, MESSAGE_CAPACITY } from "./kernel.js";
import { checkBitLength, checkKeys, checkLengths } from "./lengths.js";

/** The native functions, as native/best-kernel.h declares them. `message` has MESSAGE_CAPACITY octets. */
export interface NativeFunctions {
	/** BEST_KERNEL_NAME; where Node stands in for a device, the name of its kernel. */
	readonly name: string;
	/** Octets of a key set: BEST_KERNEL_KEY_SET_OCTETS. */
	readonly keySetOctets: number;
	setKeys(keySet: Uint8Array, encryptionKey: Uint8Array, integrityKey: Uint8Array): void;
	protect(
		keySet: Uint8Array,
		message: Uint8Array,
		count: number,
		bearerAndDirection: number,
		cipherStart: number,
		length: number,
		macLength: number,
	): void;
	unprotect(
		keySet: Uint8Array,
		message: Uint8Array,
		count: number,
		bearerAndDirection: number,
		cipherStart: number,
		length: number,
		macLength: number,
	): boolean;
	encryptBlocks(keySet: Uint8Array, message: Uint8Array): void;
	ctr(keySet: Uint8Array, message: Uint8Array, bitLength: number): void;
	cmac(keySet: Uint8Array, message: Uint8Array, bitLength: number): void;
	/** Erases the memory that the native code works on; not `message`. */
	erase(): void;
}

/** Compiled from the same sources as the WebAssembly kernels; constant time unless its name begins with best-table. */
export class NativeKernel implements Kernel {
	readonly name: string;
	readonly algorithms = 1 << AES;
	readonly message = new Uint8Array(MESSAGE_CAPACITY);
	readonly #native: NativeFunctions;

	constructor(native: NativeFunctions) {
		this.name = native.name;
		this.#native = native;
	}

	createKeySet(): KeySet {
		return new Uint8Array(this.#native.keySetOctets) as unknown as KeySet;
	}

	setKeys(keySet: KeySet, encryptionKey: Uint8Array, integrityKey: Uint8Array): void {
		checkKeys(encryptionKey, integrityKey);
		this.#native.setKeys(octetsOf(keySet), encryptionKey, integrityKey);
	}

	eraseKeys(keySet: KeySet): void {
		octetsOf(keySet).fill(0);
	}

	protect(
		keySet: KeySet,
		count: number,
		bearerAndDirection: number,
		cipherStart: number,
		length: number,
		macLength: number,
	): void {
		checkLengths(cipherStart, length, macLength);
		const { message } = this;
		this.#native.protect(octetsOf(keySet), message, count, bearerAndDirection, cipherStart, length, macLength);
	}

	unprotect(
		keySet: KeySet,
		count: number,
		bearerAndDirection: number,
		cipherStart: number,
		length: number,
		macLength: number,
	): boolean {
		checkLengths(cipherStart, length, macLength);
		const { message } = this;
		return this.#native.unprotect(octetsOf(keySet), message, count, bearerAndDirection, cipherStart, length, macLength);
	}

	encryptBlocks(keySet: KeySet): void {
		this.#native.encryptBlocks(octetsOf(keySet), this.message);
	}

	ctr(keySet: KeySet, bitLength: number): void {
		checkBitLength(bitLength);
		this.#native.ctr(octetsOf(keySet), this.message, bitLength);
	}

	cmac(keySet: KeySet, bitLength: number): void {
		checkBitLength(bitLength);
		this.#native.cmac(octetsOf(keySet), this.message, bitLength);
	}

	erase(): void {
		this.message.fill(0);
		this.#native.erase();
	}
}

function octetsOf(keySet: KeySet): Uint8Array {
	return keySet as unknown as Uint8Array;
}
