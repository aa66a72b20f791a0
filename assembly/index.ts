/**
 * What the kernels without SIMD export for Node. Addresses and lengths are octets; `keySet` is the address of a key set, a multiple of 8. A
 * length that does not fit the memory makes a call do nothing, so that no caller can reach beyond the message.
 */
import { encryptBoth, encryptCounter, encryptMac } from "./block-cipher";
import { countUp, fitsBits } from "./buffer";
import { BLOCK_OCTETS, MESSAGE, STATE } from "./memory";
import { absorb, absorbLast, addKeystream, loadBlock, startMac } from "./modes";

export { expandKeys as setKeys } from "./block-cipher";
export { erase } from "./buffer";
export { protect, unprotect } from "./message";

/** AES-128 of `message[0 .. 16)` under the cipher key and of `message[16 .. 32)` under the integrity key. */
export function encryptBlocks(keySet: usize): void {
	for (let column: usize = 0; column < BLOCK_OCTETS; column += 4) {
		store<u32>(STATE + 2 * column, load<u32>(MESSAGE + column));
		store<u32>(STATE + 2 * column + 4, load<u32>(MESSAGE + BLOCK_OCTETS + column));
	}
	encryptBoth(keySet);
	for (let column: usize = 0; column < BLOCK_OCTETS; column += 4) {
		store<u32>(MESSAGE + column, load<u32>(STATE + 2 * column));
		store<u32>(MESSAGE + BLOCK_OCTETS + column, load<u32>(STATE + 2 * column + 4));
	}
}

/** CTR over `bitLength` bits from `message[16]` on; `message[0 .. 16)` is the counter block and is counted up. */
export function ctr(keySet: usize, bitLength: u32): void {
	if (!fitsBits(bitLength)) return;
	const end = MESSAGE + BLOCK_OCTETS + ((bitLength + 7) >>> 3);
	for (let address = MESSAGE + BLOCK_OCTETS; address < end; address += BLOCK_OCTETS) {
		loadBlock(MESSAGE);
		encryptCounter(keySet);
		addKeystream(address, end);
		countUp();
	}
	const bits = bitLength & 7;
	if (bits !== 0) store<u8>(end - 1, load<u8>(end - 1) & (0xff00 >>> bits));
}

/** CMAC over the first `bitLength` bits of `message`; the tag follows at the next whole octet. */
export function cmac(keySet: usize, bitLength: u32): void {
	if (!fitsBits(bitLength)) return;
	startMac();
	let address = MESSAGE;
	let bits = <i32>bitLength;
	for (; bits > 128; bits -= 128) {
		absorb(address);
		encryptMac(keySet);
		address += BLOCK_OCTETS;
	}
	absorbLast(address, bits, keySet);
	encryptMac(keySet);
	const tag = MESSAGE + ((bitLength + 7) >>> 3);
	for (let column: usize = 0; column < BLOCK_OCTETS; column += 4) {
		store<u32>(tag + column, load<u32>(STATE + 2 * column + 4));
	}
}
