/**
 * A whole EMSDP message in one call: 128-EEA2 (TS 33.401 B.1.3) over its payload in lane 0, beside it 128-EIA2 (B.2.3)
 * over prefix and message in lane 1.
 */
import { encryptBoth, encryptCounter, encryptMac } from "./block-cipher";
import { fits, writePrefix } from "./buffer";
import { BLOCK_OCTETS, KEYSTREAM, MESSAGE, PREFIX, PREFIX_OCTETS, STATE } from "./memory";
import { absorb, absorbLast, addKeystream, loadBlock, loadCounter, startMac, storeBlock } from "./modes";

/** Adds the block at `address`, padded if it is the last one, and tells whether it was. */
@inline
function absorbUpTo(end: usize, address: usize, keySet: usize): bool {
	if (address + BLOCK_OCTETS < end) {
		absorb(address);
		return false;
	}
	absorbLast(address, (<i32>(end - address)) << 3, keySet);
	return true;
}

/** Enciphers `message[cipherStart .. length)` and appends the MAC. Does nothing if the lengths do not fit. */
export function protect(
	keySet: usize,
	count: u32,
	bearerAndDirection: u32,
	cipherStart: u32,
	length: u32,
	macLength: u32,
): void {
	if (!fits(cipherStart, length, macLength)) return;
	writePrefix(count, bearerAndDirection);
	const end = MESSAGE + length;
	let cipherAt = MESSAGE + cipherStart;
	let block: u32 = 0;

	// The MAC runs over ciphertext. Its block j ends 16j + 8 octets into the message and key-stream block j begins 16j
	// octets after cipherStart: with 8 octets or more in clear they are independent, else CTR runs one block ahead.
	if (cipherStart < length && cipherStart < PREFIX_OCTETS) {
		loadCounter(count, bearerAndDirection, block++);
		encryptCounter(keySet);
		addKeystream(cipherAt, end);
		cipherAt += BLOCK_OCTETS;
	}
	startMac();
	let last = false;
	for (let macAt = PREFIX; !last; macAt += BLOCK_OCTETS) {
		last = absorbUpTo(end, macAt, keySet);
		if (cipherAt < end) {
			loadCounter(count, bearerAndDirection, block++);
			encryptBoth(keySet);
			addKeystream(cipherAt, end);
			cipherAt += BLOCK_OCTETS;
		} else {
			encryptMac(keySet);
		}
	}
	store<u32>(end, load<u32>(STATE, 4), 0);
	if (macLength === 8) store<u32>(end, load<u32>(STATE, 12), 4);
}

/**
 * Verifies the MAC at `message[length ..]` and only then deciphers `message[cipherStart .. length)`. The key stream is
 * computed beside the MAC and waits in KEYSTREAM, as far as its `keystreamBlocks` blocks reach.
 * @returns 1 if the MAC is right, else 0, and 0 too if the lengths do not fit
 */
export function unprotect(
	keySet: usize,
	count: u32,
	bearerAndDirection: u32,
	cipherStart: u32,
	length: u32,
	macLength: u32,
	keystreamBlocks: u32,
): u32 {
	if (!fits(cipherStart, length, macLength)) return 0;
	writePrefix(count, bearerAndDirection);
	const end = MESSAGE + length;
	const wanted = (length - cipherStart + 15) >>> 4;
	const kept = keystreamBlocks < wanted ? keystreamBlocks : wanted;
	let block: u32 = 0;

	startMac();
	let last = false;
	for (let macAt = PREFIX; !last; macAt += BLOCK_OCTETS) {
		last = absorbUpTo(end, macAt, keySet);
		if (block < kept) {
			loadCounter(count, bearerAndDirection, block);
			encryptBoth(keySet);
			storeBlock(KEYSTREAM + (block << 4));
			block++;
		} else {
			encryptMac(keySet);
		}
	}

	// Every octet of the MAC is looked at before anything is decided.
	let difference = load<u32>(end, 0) ^ load<u32>(STATE, 4);
	if (macLength === 8) difference |= load<u32>(end, 4) ^ load<u32>(STATE, 12);
	if (difference !== 0) return 0;

	let cipherAt = MESSAGE + cipherStart;
	for (block = 0; block < wanted; block++) {
		if (block < kept) {
			loadBlock(KEYSTREAM + (block << 4));
		} else {
			loadCounter(count, bearerAndDirection, block);
			encryptCounter(keySet);
		}
		addKeystream(cipherAt, end);
		cipherAt += BLOCK_OCTETS;
	}
	return 1;
}
