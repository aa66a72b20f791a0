/**
 * The one interface to the kernels: AES as WebAssembly in Node, native code on devices, plain JS where neither exists, and
 * whatever else is put before one of these (`firmware/algorithms`).
 * A kernel works in place on one buffer of its own, `message`, and is called once for a whole EMSDP message.
 */

/** Octets of {@link Kernel.message}: the longest EMSDP message (1,232), one octet more to tell a longer one, rounded up. */
export const MESSAGE_CAPACITY = 1240;

/** Identity of 128-EEA2 and 128-EIA2, which every kernel has (TS 33.401 5.1.3.2, 5.1.4.2). */
export const AES = 2;

declare const keySetBrand: unique symbol;

/** An expanded pair of keys (cipher key, integrity key), AES-128 unless others were asked for. Opaque: it belongs to the kernel that made it. */
export type KeySet = { readonly [keySetBrand]: "KeySet" };

export interface Kernel {
	/** What runs: shown to people and in benchmarks. */
	readonly name: string;

	/** The algorithms it has for both ciphering and integrity: bit i stands for identity i of TS 33.401. */
	readonly algorithms: number;

	/**
	 * The message being worked on, {@link MESSAGE_CAPACITY} octets. Valid only between two calls of whoever owns the
	 * kernel; the contents beyond what a call documents are undefined after it.
	 */
	readonly message: Uint8Array;

	/** Makes an empty key set. Not for the path of a message: it allocates. */
	createKeySet(): KeySet;

	/**
	 * Expands both keys and what else the algorithms need, such as the CMAC subkeys (RFC 4493 2.3), into `keySet`.
	 * @param encryptionKey 16 octets, the cipher key
	 * @param integrityKey 16 octets, the key of the MAC
	 * @param encryption identity of the algorithm, one of {@link algorithms}, or 0 where nothing will be enciphered;
	 * {@link AES} by default, and not looked at by a kernel that has no other
	 * @param integrity the same for the MAC, never 0
	 * @throws KernelError `key-length` if a key does not have 16 octets, `algorithm` if there is no such algorithm
	 */
	setKeys(
		keySet: KeySet,
		encryptionKey: Uint8Array,
		integrityKey: Uint8Array,
		encryption?: number,
		integrity?: number,
	): void;

	/** Fills the key set with zero. It can be given keys again. */
	eraseKeys(keySet: KeySet): void;

	/**
	 * Ciphering of `message[cipherStart .. length)`, then the MAC over `message[0 .. length)`; its `macLength` most
	 * significant octets follow at `message[length ..]` (TS 33.401 B.1, B.2).
	 * @param count COUNT, 0 .. 2^32 − 1
	 * @param bearerAndDirection the octet after COUNT: BEARER (5 bits), DIRECTION (1 bit), two zero bits
	 * @param cipherStart first octet to encipher; `length` where nothing is enciphered
	 * @param length octets of the message without its MAC; `length + macLength` at most MESSAGE_CAPACITY
	 * @param macLength 4, or 8 with AES integrity
	 */
	protect(
		keySet: KeySet,
		count: number,
		bearerAndDirection: number,
		cipherStart: number,
		length: number,
		macLength: number,
	): void;

	/**
	 * The reverse of {@link protect}: compares the MAC at `message[length ..]` in constant time and, only if it is
	 * right, deciphers in place. `message` is unchanged if it is wrong, so that another COUNT can be tried.
	 * @returns true if the MAC is right
	 */
	unprotect(
		keySet: KeySet,
		count: number,
		bearerAndDirection: number,
		cipherStart: number,
		length: number,
		macLength: number,
	): boolean;

	/** AES-128 (FIPS 197) of two blocks in place: `message[0..16)` under the cipher key, `message[16..32)` under the integrity key. */
	encryptBlocks(keySet: KeySet): void;

	/**
	 * CTR (SP 800-38A 6.5) under the cipher key, in place: `message[0..16)` holds the first counter block (128-bit
	 * big-endian increment; left undefined), the data follow at 16. Of a last octet that is used in part, the unused
	 * low bits become 0.
	 */
	ctr(keySet: KeySet, bitLength: number): void;

	/**
	 * CMAC (RFC 4493; bit lengths by SP 800-38B) under the integrity key over the first `bitLength` bits of `message`;
	 * unused low bits of a last octet are not looked at. The 16 octets of the tag are written at
	 * `message[ceil(bitLength / 8) ..]`.
	 */
	cmac(keySet: KeySet, bitLength: number): void;

	/** Fills `message` and all scratch memory with zero. */
	erase(): void;
}

export type KernelErrorCode = "key-length" | "message-length" | "algorithm";

/** The caller's mistake: wrong lengths, or an algorithm that the kernel does not have. Nothing from the wire can raise it. */
export class KernelError extends Error {
	// A field, since XS with frozen primordials does not take an assignment to an inherited name.
	override readonly name = "KernelError";
	readonly code: KernelErrorCode;
	constructor(code: KernelErrorCode, message: string) {
		super(message);
		this.code = code;
	}
}
