/** What both kernels do alike with the message in linear memory: guards, prefix, counter block, erasure. */
import { BLOCK_OCTETS, KEYSTREAM, MESSAGE, MESSAGE_CAPACITY, PREFIX, STATE, STATE_OCTETS } from "./memory";

/** The guard of protect and unprotect. */
@inline
export function fits(cipherStart: u32, length: u32, macLength: u32): bool {
	return (macLength === 4 || macLength === 8) && length <= <u32>MESSAGE_CAPACITY - macLength && cipherStart <= length;
}

/** The guard of ctr and cmac, which need a block beside the data. */
@inline
export function fitsBits(bitLength: u32): bool {
	return bitLength <= (<u32>(MESSAGE_CAPACITY - BLOCK_OCTETS)) << 3;
}

/** What 128-EIA2 puts before the message (TS 33.401 B.2.3). */
@inline
export function writePrefix(count: u32, bearerAndDirection: u32): void {
	store<u32>(PREFIX, bswap<u32>(count), 0);
	store<u32>(PREFIX, bearerAndDirection, 4);
}

/** Adds one to the 128-bit big-endian number `message[0 .. 16)`, a counter block, which is not secret. */
export function countUp(): void {
	for (let octet = MESSAGE + BLOCK_OCTETS - 1; octet >= MESSAGE; octet--) {
		const sum = load<u8>(octet) + 1;
		store<u8>(octet, sum);
		if (<u8>sum !== 0) break;
	}
}

/** Fills the state, prefix, message and `keystreamBlocks` blocks of key stream with zero. Key sets are not touched. */
export function erase(keystreamBlocks: u32): void {
	for (let word: usize = 0; word < STATE_OCTETS; word += 4) store<u32>(STATE + word, 0);
	for (let address = PREFIX; address < KEYSTREAM + (keystreamBlocks << 4); address += 4) store<u32>(address, 0);
}
