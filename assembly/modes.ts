/** What CTR (SP 800-38A 6.5) does in lane 0 and CMAC (SP 800-38B 6.2, RFC 4493) in lane 1, one block at a time. */
import { STATE, SUBKEY_1, SUBKEY_2 } from "./memory";

/** Lane 0 := the counter block T of 128-EEA2 (TS 33.401 B.1.3): COUNT, BEARER and DIRECTION, zero, number of the block. */
@inline
export function loadCounter(count: u32, bearerAndDirection: u32, number: u32): void {
	store<u32>(STATE, bswap<u32>(count), 0);
	store<u32>(STATE, bearerAndDirection, 8);
	store<u32>(STATE, 0, 16);
	store<u32>(STATE, bswap<u32>(number), 24);
}

/** Lane 0 := the block at `address`. */
@inline
export function loadBlock(address: usize): void {
	store<u32>(STATE, load<u32>(address, 0), 0);
	store<u32>(STATE, load<u32>(address, 4), 8);
	store<u32>(STATE, load<u32>(address, 8), 16);
	store<u32>(STATE, load<u32>(address, 12), 24);
}

/** Keeps lane 0, a block of key stream, at `address`. */
@inline
export function storeBlock(address: usize): void {
	store<u32>(address, load<u32>(STATE, 0), 0);
	store<u32>(address, load<u32>(STATE, 8), 4);
	store<u32>(address, load<u32>(STATE, 16), 8);
	store<u32>(address, load<u32>(STATE, 24), 12);
}

/** Adds lane 0, a block of key stream, to what stands from `address` on and before `end`. */
export function addKeystream(address: usize, end: usize): void {
	if (address + 16 <= end) {
		store<u32>(address, load<u32>(address, 0) ^ load<u32>(STATE, 0), 0);
		store<u32>(address, load<u32>(address, 4) ^ load<u32>(STATE, 8), 4);
		store<u32>(address, load<u32>(address, 8) ^ load<u32>(STATE, 16), 8);
		store<u32>(address, load<u32>(address, 12) ^ load<u32>(STATE, 24), 12);
		return;
	}
	for (let octet: usize = 0; address + octet < end; octet++) {
		const key = load<u8>(STATE + ((octet >>> 2) << 3) + (octet & 3));
		store<u8>(address + octet, load<u8>(address + octet) ^ key);
	}
}

/** Lane 1 := 0, the start of a CMAC. */
@inline
export function startMac(): void {
	store<u32>(STATE, 0, 4);
	store<u32>(STATE, 0, 12);
	store<u32>(STATE, 0, 20);
	store<u32>(STATE, 0, 28);
}

/** Adds a block that is not the last one to lane 1. */
@inline
export function absorb(address: usize): void {
	store<u32>(STATE, load<u32>(STATE, 4) ^ load<u32>(address, 0), 4);
	store<u32>(STATE, load<u32>(STATE, 12) ^ load<u32>(address, 4), 12);
	store<u32>(STATE, load<u32>(STATE, 20) ^ load<u32>(address, 8), 20);
	store<u32>(STATE, load<u32>(STATE, 28) ^ load<u32>(address, 12), 28);
}

/**
 * Adds the last block, of which `bits` bits (0 to 128) count, to lane 1: with K1 if it is full, else with a one bit, zero
 * bits and K2. Up to 16 octets are read; lengths are public, so a branch on them is safe.
 */
export function absorbLast(address: usize, bits: i32, keySet: usize): void {
	const subkey = keySet + (bits === 128 ? SUBKEY_1 : SUBKEY_2);
	for (let word: usize = 0; word < 16; word += 4) {
		let addend = load<u32>(subkey + word);
		if (bits >= 32) {
			addend ^= load<u32>(address + word);
		} else if (bits >= 0) {
			const padding = bswap<u32>(<u32>0x80000000 >>> bits);
			const kept = ~bswap<u32>(<u32>0xffffffff >>> bits);
			addend ^= (load<u32>(address + word) & kept) | padding;
		}
		const lane = STATE + 2 * word;
		store<u32>(lane, load<u32>(lane, 4) ^ addend, 4);
		bits -= 32;
	}
}
