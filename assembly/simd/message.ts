/**
 * A whole EMSDP message in one call: 128-EEA2 (TS 33.401 B.1.3) over its payload and, beside it, 128-EIA2 (B.2.3) over
 * prefix and message.
 */
import { fits, writePrefix } from "../buffer";
import { BLOCK_OCTETS, KEYSTREAM, MESSAGE, PREFIX, PREFIX_OCTETS, STATE } from "../memory";
import { addKeystream, counterBlock, lastBlock } from "./modes";
import { encryptBoth, encryptOne, INTEGRITY_KEYS } from "./permute";

/** Adds the block at `address` to the MAC, padded if it is the last one. */
@inline
function absorb(mac: v128, address: usize, end: usize, keySet: usize): v128 {
	if (address + BLOCK_OCTETS < end) return v128.xor(mac, v128.load(address));
	return v128.xor(mac, lastBlock(address, <u32>(end - address) << 3, keySet));
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
		addKeystream(encryptOne(counterBlock(count, bearerAndDirection, block++), keySet), cipherAt, end);
		cipherAt += BLOCK_OCTETS;
	}
	let mac = i64x2.splat(0);
	let macAt = PREFIX;
	do {
		mac = absorb(mac, macAt, end, keySet);
		macAt += BLOCK_OCTETS;
		if (cipherAt < end) {
			mac = encryptBoth(counterBlock(count, bearerAndDirection, block++), mac, keySet);
			addKeystream(v128.load(STATE), cipherAt, end);
			cipherAt += BLOCK_OCTETS;
		} else {
			mac = encryptOne(mac, keySet + INTEGRITY_KEYS);
		}
	} while (macAt < end);
	if (macLength === 8) store<u64>(end, i64x2.extract_lane(mac, 0));
	else store<u32>(end, i32x4.extract_lane(mac, 0));
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

	let mac = i64x2.splat(0);
	let macAt = PREFIX;
	do {
		mac = absorb(mac, macAt, end, keySet);
		macAt += BLOCK_OCTETS;
		if (block < kept) {
			mac = encryptBoth(counterBlock(count, bearerAndDirection, block), mac, keySet);
			v128.store(KEYSTREAM + (block << 4), v128.load(STATE));
			block++;
		} else {
			mac = encryptOne(mac, keySet + INTEGRITY_KEYS);
		}
	} while (macAt < end);

	// Every octet of the MAC is looked at before anything is decided.
	let difference = load<i64>(end) ^ i64x2.extract_lane(mac, 0);
	if (macLength === 4) difference &= 0xffffffff;
	if (difference !== 0) return 0;

	let cipherAt = MESSAGE + cipherStart;
	for (block = 0; block < wanted; block++) {
		const keystream =
			block < kept
				? v128.load(KEYSTREAM + (block << 4))
				: encryptOne(counterBlock(count, bearerAndDirection, block), keySet);
		addKeystream(keystream, cipherAt, end);
		cipherAt += BLOCK_OCTETS;
	}
	return 1;
}
