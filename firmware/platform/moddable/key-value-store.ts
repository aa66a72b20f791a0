import { crc32 } from "../../client/crc32.js";
import { readUint16, readUint32, writeUint16, writeUint32 } from "../../emsdp/octets.js";
import type { Store } from "../../ports/store.js";

/** With the three characters of a part behind it, the longest key that the NVS of ESP-IDF takes (15). */
const KEY_LENGTH_LIMIT = 12;
const KEY_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789-";
const PARTS_LIMIT = 9;

/** The first part of a copy begins with: CRC-32 of all that follows (4), generation (1), octets of the value (2). */
const GENERATION = 4;
const LENGTH = 5;
const HEADER_OCTETS = 7;

/** What is used of an open ECMA-419 key-value storage whose format is "buffer". */
export interface KeyValueDomain {
	/** @returns undefined where there is no value */
	read(key: string): ArrayBuffer | undefined;
	write(key: string, value: Uint8Array): void;
	delete(key: string): void;
}

/** What is used of the default export of `embedded:storage/key-value`. */
export interface KeyValueStorage {
	open(options: { path: string; format: "buffer" }): KeyValueDomain;
}

export interface KeyValueStoreOptions {
	readonly storage: KeyValueDomain;
	/** The longest value that the storage takes, from 8. Zephyr's settings: 256 octets, one of them the SDK's own. */
	readonly partOctets?: number;
}

/** A value as it stands in the storage. */
interface Copy {
	readonly generation: number;
	readonly value: Uint8Array;
}

/**
 * A {@link Store} over ECMA-419 key-value storage, which promises neither that a write is atomic nor that a long value
 * fits. There are two copies of each value, "a" and "b", in as many parts as are needed: `key.a0`, `key.a1` and so on. A
 * write goes to the copy that does not count, and counts once all its parts are there: until then its checksum is wrong.
 */
export class KeyValueStore implements Store {
	readonly #storage: KeyValueDomain;
	readonly #partOctets: number;

	constructor({ storage, partOctets = 255 }: KeyValueStoreOptions) {
		this.#storage = storage;
		this.#partOctets = partOctets;
	}

	read(key: string): Uint8Array | undefined {
		const a = this.#readCopy(checkKey(key), "a");
		const b = this.#readCopy(key, "b");
		return (counts(a, b) ? a : b)?.value;
	}

	write(key: string, value: Uint8Array): void {
		const a = this.#readCopy(checkKey(key), "a");
		const b = this.#readCopy(key, "b");
		const old = counts(a, b) ? a : b;
		const copy = old !== undefined && old === a ? "b" : "a";
		const generation = old === undefined ? 0 : (old.generation + 1) & 255;
		const octets = encode({ generation, value });
		const parts = Math.ceil(octets.length / this.#partOctets);
		if (parts > PARTS_LIMIT) throw new RangeError(`"${key}" is too long for the store.`);
		for (let part = 0; part < parts; part++) {
			const start = part * this.#partOctets;
			this.#storage.write(`${key}.${copy}${part}`, octets.subarray(start, start + this.#partOctets));
		}
		const isWritten = this.#readCopy(key, copy)?.generation === generation;
		for (const secret of [octets, a?.value, b?.value]) secret?.fill(0);
		if (!isWritten) throw new Error(`"${key}" cannot be written to the store: it is full or worn.`);
		this.#deleteParts(key, copy, parts);
	}

	delete(key: string): void {
		const a = this.#readCopy(checkKey(key), "a");
		const b = this.#readCopy(key, "b");
		// The older copy first: it must not come back.
		for (const copy of counts(a, b) ? "ba" : "ab") this.#deleteParts(key, copy, 0);
		for (const secret of [a, b]) secret?.value.fill(0);
	}

	/** @returns undefined where the copy is not whole */
	#readCopy(key: string, copy: string): Copy | undefined {
		const first = this.#readPart(key, copy, 0);
		if (first === undefined || first.length < HEADER_OCTETS) return undefined;
		const octets = new Uint8Array(HEADER_OCTETS + readUint16(first, LENGTH));
		let length = 0;
		for (let part = 0; part < PARTS_LIMIT && length < octets.length; part++) {
			const piece = part === 0 ? first : this.#readPart(key, copy, part);
			if (piece === undefined) break;
			octets.set(piece.subarray(0, octets.length - length), length);
			length += piece.length;
			piece.fill(0);
		}
		const isWhole = length >= octets.length && readUint32(octets, 0) === checksumOf(octets);
		const found = isWhole ? { generation: octets[GENERATION], value: octets.slice(HEADER_OCTETS) } : undefined;
		octets.fill(0);
		return found;
	}

	#readPart(key: string, copy: string, part: number): Uint8Array | undefined {
		const buffer = this.#storage.read(`${key}.${copy}${part}`);
		return buffer === undefined ? undefined : new Uint8Array(buffer);
	}

	/** The first one first: without it the copy does not count. */
	#deleteParts(key: string, copy: string, from: number): void {
		for (let part = from; part < PARTS_LIMIT; part++) {
			const name = `${key}.${copy}${part}`;
			if (this.#storage.read(name) !== undefined) this.#storage.delete(name);
		}
	}
}

function checkKey(key: string): string {
	let good = key.length > 0 && key.length <= KEY_LENGTH_LIMIT;
	for (const character of key) good &&= KEY_CHARACTERS.includes(character);
	if (!good) throw new RangeError(`A key has 1 to ${KEY_LENGTH_LIMIT} characters of a-z, 0-9 and "-".`);
	return key;
}

/** Whether copy `a` is newer than copy `b`: a write makes the generation one higher than that of the other copy. */
function counts(a: Copy | undefined, b: Copy | undefined): boolean {
	return a !== undefined && (b === undefined || a.generation === ((b.generation + 1) & 255));
}

function checksumOf(octets: Uint8Array): number {
	return crc32(octets.subarray(GENERATION), octets.length - GENERATION);
}

function encode({ generation, value }: Copy): Uint8Array {
	const octets = new Uint8Array(HEADER_OCTETS + value.length);
	octets[GENERATION] = generation;
	writeUint16(octets, LENGTH, value.length);
	octets.set(value, HEADER_OCTETS);
	writeUint32(octets, 0, checksumOf(octets));
	return octets;
}
