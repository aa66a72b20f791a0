/** CTR (SP 800-38A 6.5) and CMAC (SP 800-38B 6.2, RFC 4493), one block at a time. */
import { SUBKEY_1, SUBKEY_2 } from "../memory";

/** The number of each octet of a block. */
const NUMBERS: v128 = i64x2(0x0706050403020100, 0x0f0e0d0c0b0a0908);

/** The counter block T of 128-EEA2 (TS 33.401 B.1.3): COUNT, BEARER and DIRECTION, zero, number of the block. */
@inline
export function counterBlock(count: u32, bearerAndDirection: u32, number: u32): v128 {
	const prefix = i64x2.replace_lane(i64x2.splat(0), 0, (<u64>bearerAndDirection << 32) | bswap<u32>(count));
	return i32x4.replace_lane(prefix, 3, bswap<u32>(number));
}

/** Adds a block of key stream to what stands from `address` on and before `end`. Up to 16 octets are read and written. */
@inline
export function addKeystream(keystream: v128, address: usize, end: usize): void {
	let addend = keystream;
	if (address + 16 > end) addend = v128.and(addend, i8x16.lt_u(NUMBERS, i8x16.splat(<i8>(end - address))));
	v128.store(address, v128.xor(v128.load(address), addend));
}

/**
 * The last block of a message, of which `bits` bits (0 to 128) count, with its subkey: with K1 if it is full, else with a
 * one bit, zero bits and K2. 16 octets are read; lengths are public, so a branch on them is safe.
 */
@inline
export function lastBlock(address: usize, bits: u32, keySet: usize): v128 {
	const block = v128.load(address);
	if (bits === 128) return v128.xor(block, v128.load(keySet + SUBKEY_1));
	const octets = i8x16.splat(<i8>(bits >>> 3));
	// The octet in which the message ends, part of which may count.
	const ends = i8x16.eq(NUMBERS, octets);
	const kept = v128.or(i8x16.lt_u(NUMBERS, octets), v128.and(ends, i8x16.splat(<i8>(0xff00 >>> (bits & 7)))));
	const padding = v128.and(ends, i8x16.splat(<i8>(0x80 >>> (bits & 7))));
	return v128.xor(v128.xor(v128.and(block, kept), padding), v128.load(keySet + SUBKEY_2));
}
