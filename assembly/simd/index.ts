/**
 * The exports of the kernel for engines with SIMD: the same as those of ../index.ts, in the same memory. `keySet` is the
 * address of a key set, a multiple of 16. A length that does not fit the memory makes a call do nothing.
 */
import { countUp, fitsBits } from "../buffer";
import { BLOCK_OCTETS, MESSAGE, STATE } from "../memory";
import { addKeystream, lastBlock } from "./modes";
import { encryptBoth, encryptOne, INTEGRITY_KEYS } from "./permute";

export { erase } from "../buffer";
export { expandKeys as setKeys } from "./key-schedule";
export { protect, unprotect } from "./message";

/** AES-128 of `message[0 .. 16)` under the cipher key and of `message[16 .. 32)` under the integrity key. */
export function encryptBlocks(keySet: usize): void {
	const second = encryptBoth(v128.load(MESSAGE), v128.load(MESSAGE + BLOCK_OCTETS), keySet);
	v128.store(MESSAGE, v128.load(STATE));
	v128.store(MESSAGE + BLOCK_OCTETS, second);
}

/** CTR over `bitLength` bits from `message[16]` on; `message[0 .. 16)` is the counter block and is counted up. */
export function ctr(keySet: usize, bitLength: u32): void {
	if (!fitsBits(bitLength)) return;
	const end = MESSAGE + BLOCK_OCTETS + ((bitLength + 7) >>> 3);
	for (let address = MESSAGE + BLOCK_OCTETS; address < end; address += BLOCK_OCTETS) {
		addKeystream(encryptOne(v128.load(MESSAGE), keySet), address, end);
		countUp();
	}
	const bits = bitLength & 7;
	if (bits !== 0) store<u8>(end - 1, load<u8>(end - 1) & (0xff00 >>> bits));
}

/** CMAC over the first `bitLength` bits of `message`; the tag follows at the next whole octet. */
export function cmac(keySet: usize, bitLength: u32): void {
	if (!fitsBits(bitLength)) return;
	let mac = i64x2.splat(0);
	let address = MESSAGE;
	let bits = bitLength;
	for (; bits > 128; bits -= 128) {
		mac = encryptOne(v128.xor(mac, v128.load(address)), keySet + INTEGRITY_KEYS);
		address += BLOCK_OCTETS;
	}
	mac = encryptOne(v128.xor(mac, lastBlock(address, bits, keySet)), keySet + INTEGRITY_KEYS);
	v128.store(MESSAGE + ((bitLength + 7) >>> 3), mac);
}
