/**
 * AES-128 (FIPS 197) with one table, for devices. NOT constant time: addresses depend on keys and data. It is for processors
 * whose RAM has no cache. Octets are taken from memory: a C compiler for Cortex-M4 makes of this one load for the octet, one
 * for the entry, scaled, and an addition that rotates; with columns in registers it takes five instructions.
 */
import { BLOCK_OCTETS, ROUND_KEY_OCTETS, STATE, STATE_OCTETS, TABLE } from "../memory";
import { substitute } from "./tables";

/** Where the columns of the lane at work lie one after the other, at a place that the compiler knows. */
const COLUMNS: usize = STATE + STATE_OCTETS;

/** The table's entry for the octet in row `row` of column `column`. */
@inline
function entry(row: usize, column: usize): u32 {
	return load<u32>(<usize>load<u8>(COLUMNS + 4 * (column & 3) + row) << 2, TABLE);
}

/** Column `column` after SubBytes, ShiftRows, MixColumns. */
@inline
function mixed(column: usize): u32 {
	// One rotation after the other, so that each is part of an addition.
	const rows01 = rotl<u32>(entry(1, column + 1), 8) ^ entry(0, column);
	return rotl<u32>(rotl<u32>(rows01, 8) ^ entry(3, column + 3), 8) ^ entry(2, column + 2);
}

@inline
function substituted(row: usize, column: usize): u32 {
	return substitute(load<u8>(COLUMNS + 4 * (column & 3) + row)) << (8 * <u32>row);
}

/** The same in the tenth round, which has no MixColumns. */
@inline
function unmixed(column: usize): u32 {
	return substituted(0, column) | substituted(1, column + 1) | substituted(2, column + 2) | substituted(3, column + 3);
}

@inline
function putColumns(c0: u32, c1: u32, c2: u32, c3: u32): void {
	store<u32>(COLUMNS, c0, 0);
	store<u32>(COLUMNS, c1, 4);
	store<u32>(COLUMNS, c2, 8);
	store<u32>(COLUMNS, c3, 12);
}

/** A round of COLUMNS, which adds the round key `number` after the one at `roundKey`. */
@inline
function round(roundKey: usize, number: usize): void {
	const c0 = mixed(0) ^ load<u32>(roundKey + number * ROUND_KEY_OCTETS, 0);
	const c1 = mixed(1) ^ load<u32>(roundKey + number * ROUND_KEY_OCTETS, 4);
	const c2 = mixed(2) ^ load<u32>(roundKey + number * ROUND_KEY_OCTETS, 8);
	const c3 = mixed(3) ^ load<u32>(roundKey + number * ROUND_KEY_OCTETS, 12);
	putColumns(c0, c1, c2, c3);
}

/** Enciphers one lane, 0 or 1. */
export function encryptLane(keySet: usize, lane: usize): void {
	const state = STATE + 4 * lane;
	const firstKey = keySet + BLOCK_OCTETS * lane;
	putColumns(
		load<u32>(state, 0) ^ load<u32>(firstKey, 0),
		load<u32>(state, 8) ^ load<u32>(firstKey, 4),
		load<u32>(state, 16) ^ load<u32>(firstKey, 8),
		load<u32>(state, 24) ^ load<u32>(firstKey, 12),
	);
	let roundKey = firstKey;
	for (let rounds = 9; rounds !== 0; rounds -= 3) {
		round(roundKey, 1);
		round(roundKey, 2);
		round(roundKey, 3);
		roundKey += 3 * ROUND_KEY_OCTETS;
	}
	const lastKey = roundKey + ROUND_KEY_OCTETS;
	store<u32>(state, unmixed(0) ^ load<u32>(lastKey, 0), 0);
	store<u32>(state, unmixed(1) ^ load<u32>(lastKey, 4), 8);
	store<u32>(state, unmixed(2) ^ load<u32>(lastKey, 8), 16);
	store<u32>(state, unmixed(3) ^ load<u32>(lastKey, 12), 24);
}
