/** The kernels as WebAssembly, for Node: the HSE, the tools and the tests. */
import { AES, type Kernel, type KeySet, MESSAGE_CAPACITY } from "./kernel.js";
import { checkBitLength, checkKeys, checkLengths } from "./lengths.js";

// As far as they are used here: the firmware is compiled without the types of Node or of a browser.
declare const WebAssembly: {
	readonly Module: new (octets: Uint8Array) => WasmModule;
	readonly Instance: new (module: WasmModule) => { readonly exports: unknown };
};

/** A `WebAssembly.Module`. */
export type WasmModule = object;

// The layout of linear memory, see assembly/memory.ts.
const PREFIX = 416;
const MESSAGE = PREFIX + 8;
const KEY_SET_OCTETS = 384;
/** Key-stream blocks kept until the MAC is verified: enough for the longest message. */
const KEYSTREAM_BLOCKS = 78;
/** One page holds, after message and key stream, this many key sets. */
const SLOTS_FROM = 4096;
const SLOT_COUNT = (65536 - SLOTS_FROM) / KEY_SET_OCTETS;

interface Exports {
	readonly memory: { readonly buffer: ArrayBuffer };
	setKeys(address: number): void;
	protect(
		address: number,
		count: number,
		bearerAndDirection: number,
		cipherStart: number,
		length: number,
		macLength: number,
	): void;
	unprotect(
		address: number,
		count: number,
		bearerAndDirection: number,
		cipherStart: number,
		length: number,
		macLength: number,
		keystreamBlocks: number,
	): number;
	encryptBlocks(address: number): void;
	ctr(address: number, bitLength: number): void;
	cmac(address: number, bitLength: number): void;
	erase(keystreamBlocks: number): void;
}

/**
 * The octets of a key set, and the slot of linear memory where a copy lies while the slot has no other owner. A server
 * has more sessions than a page has slots; and linear memory does not grow, because that would detach `message`, nor
 * does it need to be told when a key set is dropped.
 */
class WasmKeySet {
	readonly octets = new Uint8Array(KEY_SET_OCTETS);
	slot = 0;
}

/**
 * Constant time as far as WebAssembly goes: no branch, no address and no table look-up depends on a key or on data. Not so
 * with best-table.wasm.
 */
export class WasmKernel implements Kernel {
	readonly name: string;
	readonly algorithms = 1 << AES;
	readonly message: Uint8Array;
	readonly #exports: Exports;
	readonly #memory: Uint8Array;
	readonly #owners: (WasmKeySet | undefined)[] = new Array(SLOT_COUNT).fill(undefined);
	#nextSlot = 0;

	/** @param source `best-ct-simd.wasm`, `best-ct.wasm` or `best-table.wasm`: its octets, or the module compiled from them */
	constructor(source: WasmModule | Uint8Array, name = "best-ct") {
		this.name = name;
		const module = source instanceof Uint8Array ? new WebAssembly.Module(source) : source;
		this.#exports = new WebAssembly.Instance(module).exports as Exports;
		this.#memory = new Uint8Array(this.#exports.memory.buffer);
		this.message = this.#memory.subarray(MESSAGE, MESSAGE + MESSAGE_CAPACITY);
	}

	createKeySet(): KeySet {
		return new WasmKeySet() as unknown as KeySet;
	}

	setKeys(keySet: KeySet, encryptionKey: Uint8Array, integrityKey: Uint8Array): void {
		checkKeys(encryptionKey, integrityKey);
		const { octets } = keySet as unknown as WasmKeySet;
		const address = this.#addressOf(keySet);
		this.#memory.set(encryptionKey, address);
		this.#memory.set(integrityKey, address + 16);
		this.#exports.setKeys(address);
		octets.set(this.#memory.subarray(address, address + KEY_SET_OCTETS));
	}

	eraseKeys(keySet: KeySet): void {
		const { octets, slot } = keySet as unknown as WasmKeySet;
		octets.fill(0);
		if (this.#owners[slot] !== (keySet as unknown as WasmKeySet)) return;
		this.#owners[slot] = undefined;
		const address = SLOTS_FROM + slot * KEY_SET_OCTETS;
		this.#memory.fill(0, address, address + KEY_SET_OCTETS);
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
		this.#exports.protect(this.#addressOf(keySet), count, bearerAndDirection, cipherStart, length, macLength);
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
		const address = this.#addressOf(keySet);
		return (
			this.#exports.unprotect(address, count, bearerAndDirection, cipherStart, length, macLength, KEYSTREAM_BLOCKS) ===
			1
		);
	}

	encryptBlocks(keySet: KeySet): void {
		this.#exports.encryptBlocks(this.#addressOf(keySet));
	}

	ctr(keySet: KeySet, bitLength: number): void {
		checkBitLength(bitLength);
		this.#exports.ctr(this.#addressOf(keySet), bitLength);
	}

	cmac(keySet: KeySet, bitLength: number): void {
		checkBitLength(bitLength);
		this.#exports.cmac(this.#addressOf(keySet), bitLength);
	}

	erase(): void {
		this.#exports.erase(KEYSTREAM_BLOCKS);
	}

	/** Where the key set lies in linear memory; puts it there first if another one took its slot. */
	#addressOf(keySet: KeySet): number {
		const owner = keySet as unknown as WasmKeySet;
		if (this.#owners[owner.slot] !== owner) {
			owner.slot = this.#nextSlot;
			this.#nextSlot = (owner.slot + 1) % SLOT_COUNT;
			this.#owners[owner.slot] = owner;
			this.#memory.set(owner.octets, SLOTS_FROM + owner.slot * KEY_SET_OCTETS);
		}
		return SLOTS_FROM + owner.slot * KEY_SET_OCTETS;
	}
}
