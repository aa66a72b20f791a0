/**
 * The kernel in plain JavaScript, for an interpreter that can take neither WebAssembly nor native code: a mod.
 *
 * **Not constant time.** It looks octets of the state up in tables, and an interpreter makes no promise on time anyway.
 * Where every access to the tables takes the same time, as in the uncached internal RAM of a microcontroller, that is
 * not known to leak; on a machine with caches it leaks the key to whoever measures it. A bit-sliced form would cost an
 * interpreter several times as much. The comparison of MACs is constant time: it looks at all octets before it decides.
 *
 * Written for an interpreter that pays for each bytecode: few and wide operations, four tables instead of rotations,
 * plain arrays for what is read often, no object made for a message. All words hold their first octet in the low bits,
 * so that words of the message come out of the buffer as they are; every supported device is little-endian.
 */
import { AES, type Kernel, type KeySet, MESSAGE_CAPACITY } from "./kernel.js";
import { checkBitLength, checkKeys, checkLengths } from "./lengths.js";
import { TABLE_0, TABLE_1, TABLE_2, TABLE_3 } from "./tables.js";

/** Octets of the prefix: COUNT, BEARER and DIRECTION, zero (TS 33.401 B.2.3). The message follows at once. */
const PREFIX_OCTETS = 8;
/** The last block of a full message may reach this far beyond it, and so may the last words of its key stream. */
const SLACK_OCTETS = 24;
const ROUND_KEY_WORDS = 44;
/** ff000000 as the integer that an interpreter computes with. */
const TOP_OCTET = 0xff << 24;

/** The four columns that go into and come out of {@link encrypt}. */
type Block = [number, number, number, number];

class JsKeySet {
	readonly encryption: number[] = new Array(ROUND_KEY_WORDS).fill(0);
	readonly integrity: number[] = new Array(ROUND_KEY_WORDS).fill(0);
	/** K1 and K2 of CMAC. */
	readonly subkeys: number[] = new Array(8).fill(0);
}

export class JsKernel implements Kernel {
	readonly name = "best-js";
	readonly algorithms = 1 << AES;
	readonly message: Uint8Array;
	/** Prefix, message and slack as words. */
	readonly #words: Int32Array;
	readonly #block: Block = [0, 0, 0, 0];

	constructor() {
		const buffer = new ArrayBuffer(PREFIX_OCTETS + MESSAGE_CAPACITY + SLACK_OCTETS);
		this.message = new Uint8Array(buffer, PREFIX_OCTETS, MESSAGE_CAPACITY);
		this.#words = new Int32Array(buffer);
	}

	createKeySet(): KeySet {
		return new JsKeySet() as unknown as KeySet;
	}

	setKeys(keySet: KeySet, encryptionKey: Uint8Array, integrityKey: Uint8Array): void {
		checkKeys(encryptionKey, integrityKey);
		const { encryption, integrity, subkeys } = keySet as unknown as JsKeySet;
		expand(encryption, encryptionKey);
		expand(integrity, integrityKey);
		const block = this.#block;
		block.fill(0);
		encrypt(integrity, block);
		double(block);
		for (let i = 0; i < 4; i++) subkeys[i] = block[i];
		double(block);
		for (let i = 0; i < 4; i++) subkeys[4 + i] = block[i];
		block.fill(0);
	}

	eraseKeys(keySet: KeySet): void {
		const { encryption, integrity, subkeys } = keySet as unknown as JsKeySet;
		encryption.fill(0);
		integrity.fill(0);
		subkeys.fill(0);
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
		const keys = keySet as unknown as JsKeySet;
		const prefix = this.#writePrefix(count, bearerAndDirection);
		this.#addKeystream(keys.encryption, prefix, bearerAndDirection, cipherStart, length);
		this.#mac(keys, 0, (PREFIX_OCTETS + length) * 8);
		this.#writeMac(length, macLength);
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
		const keys = keySet as unknown as JsKeySet;
		const prefix = this.#writePrefix(count, bearerAndDirection);
		this.#mac(keys, 0, (PREFIX_OCTETS + length) * 8);
		const { message } = this;
		const block = this.#block;
		let difference = 0;
		for (let i = 0; i < macLength; i++) difference |= message[length + i] ^ ((block[i >> 2] >> ((i & 3) << 3)) & 255);
		if (difference !== 0) return false;
		this.#addKeystream(keys.encryption, prefix, bearerAndDirection, cipherStart, length);
		return true;
	}

	encryptBlocks(keySet: KeySet): void {
		const { encryption, integrity } = keySet as unknown as JsKeySet;
		this.#encryptAt(2, encryption);
		this.#encryptAt(6, integrity);
	}

	ctr(keySet: KeySet, bitLength: number): void {
		checkBitLength(bitLength);
		const { encryption } = keySet as unknown as JsKeySet;
		const { message } = this;
		const block = this.#block;
		const words = this.#words;
		const end = 16 + ((bitLength + 7) >> 3);
		for (let at = 16; at < end; at += 16) {
			for (let i = 0; i < 4; i++) block[i] = words[2 + i];
			encrypt(encryption, block);
			this.#addBlock(at, end);
			for (let i = 15; i >= 0; i--) {
				message[i]++;
				if (message[i] !== 0) break;
			}
		}
		if (bitLength & 7) message[end - 1] &= 0xff00 >> (bitLength & 7);
	}

	cmac(keySet: KeySet, bitLength: number): void {
		checkBitLength(bitLength);
		this.#mac(keySet as unknown as JsKeySet, 2, bitLength);
		this.#writeMac((bitLength + 7) >> 3, 16);
	}

	erase(): void {
		this.#words.fill(0);
		this.#block.fill(0);
	}

	/** @returns the first word of the counter block: COUNT, big-endian */
	#writePrefix(count: number, bearerAndDirection: number): number {
		const first = swapOctets(count | 0);
		const words = this.#words;
		words[0] = first;
		words[1] = bearerAndDirection;
		return first;
	}

	/** 128-EEA2 over `message[from .. to)`: counter blocks of TS 33.401 B.1.3. */
	#addKeystream(keys: number[], prefix: number, bearerAndDirection: number, from: number, to: number): void {
		const block = this.#block;
		for (let at = from, number = 0; at < to; at += 16, number++) {
			block[0] = prefix;
			block[1] = bearerAndDirection;
			block[2] = 0;
			block[3] = number << 24;
			encrypt(keys, block);
			this.#addBlock(at, to);
		}
	}

	/** Adds a block of key stream to `message[at .. end)`, at most 16 octets, word by word although `at` may be odd. */
	#addBlock(at: number, end: number): void {
		const words = this.#words;
		const block = this.#block;
		// Not destructured: that would make an iterator for each block.
		let k0 = block[0];
		let k1 = block[1];
		let k2 = block[2];
		let k3 = block[3];
		const octets = end - at;
		if (octets < 16) {
			k0 = firstOctets(k0, octets);
			k1 = firstOctets(k1, octets - 4);
			k2 = firstOctets(k2, octets - 8);
			k3 = firstOctets(k3, octets - 12);
		}
		const shift = (at & 3) << 3;
		let i = (PREFIX_OCTETS + at) >> 2;
		if (shift === 0) {
			words[i++] ^= k0;
			words[i++] ^= k1;
			words[i++] ^= k2;
			words[i] ^= k3;
		} else {
			const rest = 32 - shift;
			words[i++] ^= k0 << shift;
			words[i++] ^= (k0 >>> rest) | (k1 << shift);
			words[i++] ^= (k1 >>> rest) | (k2 << shift);
			words[i++] ^= (k2 >>> rest) | (k3 << shift);
			words[i] ^= k3 >>> rest;
		}
	}

	/** CMAC (RFC 4493 2.4) over `bitLength` bits from word `at` of the buffer on; the tag is left in the block. */
	#mac(keys: JsKeySet, at: number, bitLength: number): void {
		const words = this.#words;
		const block = this.#block;
		const { integrity, subkeys } = keys;
		block[0] = 0;
		block[1] = 0;
		block[2] = 0;
		block[3] = 0;
		let bits = bitLength;
		for (; bits > 128; bits -= 128) {
			block[0] ^= words[at++];
			block[1] ^= words[at++];
			block[2] ^= words[at++];
			block[3] ^= words[at++];
			encrypt(integrity, block);
		}
		const subkey = bits === 128 ? 0 : 4;
		for (let i = 0; i < 4; i++, bits -= 32) {
			let word = subkeys[subkey + i];
			if (bits >= 32) word ^= words[at + i];
			else if (bits >= 0) {
				const octet = bits & 24;
				const kept = ((1 << octet) - 1) | (((0xff00 >> (bits & 7)) & 0xff) << octet);
				word ^= (words[at + i] & kept) | ((0x80 >> (bits & 7)) << octet);
			}
			block[i] ^= word;
		}
		encrypt(integrity, block);
	}

	#writeMac(at: number, octets: number): void {
		const { message } = this;
		const block = this.#block;
		for (let i = 0; i < octets; i++) message[at + i] = block[i >> 2] >> ((i & 3) << 3);
	}

	#encryptAt(at: number, keys: number[]): void {
		const words = this.#words;
		const block = this.#block;
		for (let i = 0; i < 4; i++) block[i] = words[at + i];
		encrypt(keys, block);
		for (let i = 0; i < 4; i++) words[at + i] = block[i];
	}
}

/** Keeps the first `octets` octets of a word; any number of them. */
function firstOctets(word: number, octets: number): number {
	if (octets >= 4) return word;
	return octets <= 0 ? 0 : word & ((1 << (octets << 3)) - 1);
}

function swapOctets(word: number): number {
	return (word << 24) | ((word & 0xff00) << 8) | ((word >> 8) & 0xff00) | (word >>> 24);
}

/** Doubles a block in the field of CMAC (RFC 4493 2.3), without a branch on it. */
function double(block: Block): void {
	const [w0, w1, w2, w3] = block.map(swapOctets);
	block[0] = swapOctets((w0 << 1) | (w1 >>> 31));
	block[1] = swapOctets((w1 << 1) | (w2 >>> 31));
	block[2] = swapOctets((w2 << 1) | (w3 >>> 31));
	block[3] = swapOctets((w3 << 1) ^ ((w0 >> 31) & 0x87));
}

/** FIPS 197 5.2. */
function expand(schedule: number[], key: Uint8Array): void {
	for (let i = 0; i < 4; i++) {
		schedule[i] = key[4 * i] | (key[4 * i + 1] << 8) | (key[4 * i + 2] << 16) | (key[4 * i + 3] << 24);
	}
	let roundConstant = 1;
	for (let i = 4; i < ROUND_KEY_WORDS; i++) {
		let word = schedule[i - 1];
		if ((i & 3) === 0) {
			word = substitute(word >> 8, word >> 16, word >> 24, word);
			word ^= roundConstant;
			roundConstant = (roundConstant << 1) ^ (roundConstant >> 7 ? 0x11b : 0);
		}
		schedule[i] = schedule[i - 4] ^ word;
	}
}

/** FIPS 197 5.1 in place: a round takes each new column from four table words, ShiftRows being in the choice of columns. */
function encrypt(keys: number[], block: Block): void {
	const t0 = TABLE_0;
	const t1 = TABLE_1;
	const t2 = TABLE_2;
	const t3 = TABLE_3;
	let a = block[0] ^ keys[0];
	let b = block[1] ^ keys[1];
	let c = block[2] ^ keys[2];
	let d = block[3] ^ keys[3];
	let e = 0;
	let f = 0;
	let g = 0;
	let k = 4;
	while (k < 40) {
		e = t0[a & 255] ^ t1[(b >> 8) & 255] ^ t2[(c >> 16) & 255] ^ t3[d >>> 24] ^ keys[k++];
		f = t0[b & 255] ^ t1[(c >> 8) & 255] ^ t2[(d >> 16) & 255] ^ t3[a >>> 24] ^ keys[k++];
		g = t0[c & 255] ^ t1[(d >> 8) & 255] ^ t2[(a >> 16) & 255] ^ t3[b >>> 24] ^ keys[k++];
		d = t0[d & 255] ^ t1[(a >> 8) & 255] ^ t2[(b >> 16) & 255] ^ t3[c >>> 24] ^ keys[k++];
		a = e;
		b = f;
		c = g;
	}
	// SubBytes alone stands in each table in the two rows where MixColumns multiplies by one.
	block[0] = substitute(a, b >> 8, c >> 16, d >> 24) ^ keys[40];
	block[1] = substitute(b, c >> 8, d >> 16, a >> 24) ^ keys[41];
	block[2] = substitute(c, d >> 8, a >> 16, b >> 24) ^ keys[42];
	block[3] = substitute(d, a >> 8, b >> 16, c >> 24) ^ keys[43];
}

/** SubBytes of the low octets of four numbers, as rows 0 to 3 of a column. */
function substitute(a: number, b: number, c: number, d: number): number {
	return (
		(TABLE_2[a & 255] & 0xff) |
		(TABLE_3[b & 255] & 0xff00) |
		(TABLE_0[c & 255] & 0xff0000) |
		(TABLE_1[d & 255] & TOP_OCTET)
	);
}
