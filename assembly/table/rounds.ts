/**
 * AES-128 (FIPS 197) with four tables, for Node. NOT constant time: addresses depend on keys and data. A round key is 16 octets
 * of lane 0, then 16 of lane 1.
 */
import { BLOCK_OCTETS, ROUND_KEY_OCTETS, STATE, TABLE, TABLE_OCTETS } from "../memory";
import { substitute } from "./tables";

/** The octet of row 0 of `column`, four times over: where its entry begins in a table. */
@inline
function place0(column: u32): u32 {
	return (column << 2) & 0x3fc;
}

@inline
function place1(column: u32): u32 {
	return (column >>> 6) & 0x3fc;
}

@inline
function place2(column: u32): u32 {
	return (column >>> 14) & 0x3fc;
}

@inline
function place3(column: u32): u32 {
	return (column >>> 22) & 0x3fc;
}

// The places of the tables are constant offsets of the instructions: an addition for each look-up is a fifth of the time.

/** What a column after ShiftRows, SubBytes and MixColumns gets from the octet of row 0 of `column`. */
@inline
export function mixed0(column: u32): u32 {
	return load<u32>(place0(column), TABLE);
}

@inline
export function mixed1(column: u32): u32 {
	return load<u32>(place1(column), TABLE + TABLE_OCTETS);
}

@inline
export function mixed2(column: u32): u32 {
	return load<u32>(place2(column), TABLE + 2 * TABLE_OCTETS);
}

@inline
export function mixed3(column: u32): u32 {
	return load<u32>(place3(column), TABLE + 3 * TABLE_OCTETS);
}

/** A column of the next state: SubBytes, ShiftRows and MixColumns of four octets, one of each column. */
@inline
function mixed(c0: u32, c1: u32, c2: u32, c3: u32, roundKey: u32): u32 {
	return mixed0(c0) ^ mixed1(c1) ^ mixed2(c2) ^ mixed3(c3) ^ roundKey;
}

/** The same in the tenth round, which has no MixColumns. */
@inline
function unmixed(c0: u32, c1: u32, c2: u32, c3: u32, roundKey: u32): u32 {
	const low = substitute(c0 & 0xff) | (substitute((c1 >>> 8) & 0xff) << 8);
	return (low | (substitute((c2 >>> 16) & 0xff) << 16) | (substitute(c3 >>> 24) << 24)) ^ roundKey;
}

@inline
function finish(state: usize, c0: u32, c1: u32, c2: u32, c3: u32, roundKey: usize): void {
	store<u32>(state, unmixed(c0, c1, c2, c3, load<u32>(roundKey, 0)), 0);
	store<u32>(state, unmixed(c1, c2, c3, c0, load<u32>(roundKey, 4)), 8);
	store<u32>(state, unmixed(c2, c3, c0, c1, load<u32>(roundKey, 8)), 16);
	store<u32>(state, unmixed(c3, c0, c1, c2, load<u32>(roundKey, 12)), 24);
}

/** Enciphers one lane, 0 or 1. */
export function encryptLane(keySet: usize, lane: usize): void {
	const state = STATE + 4 * lane;
	let roundKey = keySet + BLOCK_OCTETS * lane;
	let c0 = load<u32>(state, 0) ^ load<u32>(roundKey, 0);
	let c1 = load<u32>(state, 8) ^ load<u32>(roundKey, 4);
	let c2 = load<u32>(state, 16) ^ load<u32>(roundKey, 8);
	let c3 = load<u32>(state, 24) ^ load<u32>(roundKey, 12);
	for (let round = 1; round < 10; round++) {
		roundKey += ROUND_KEY_OCTETS;
		const next0 = mixed(c0, c1, c2, c3, load<u32>(roundKey, 0));
		const next1 = mixed(c1, c2, c3, c0, load<u32>(roundKey, 4));
		const next2 = mixed(c2, c3, c0, c1, load<u32>(roundKey, 8));
		c3 = mixed(c3, c0, c1, c2, load<u32>(roundKey, 12));
		c0 = next0;
		c1 = next1;
		c2 = next2;
	}
	finish(state, c0, c1, c2, c3, roundKey + ROUND_KEY_OCTETS);
}

/** Eight columns are more than V8 keeps in registers, so each round leaves them in memory. */
@inline
function round(state: usize, roundKey: usize): void {
	const c0 = load<u32>(state, 0);
	const c1 = load<u32>(state, 8);
	const c2 = load<u32>(state, 16);
	const c3 = load<u32>(state, 24);
	store<u32>(state, mixed(c0, c1, c2, c3, load<u32>(roundKey, 0)), 0);
	store<u32>(state, mixed(c1, c2, c3, c0, load<u32>(roundKey, 4)), 8);
	store<u32>(state, mixed(c2, c3, c0, c1, load<u32>(roundKey, 8)), 16);
	store<u32>(state, mixed(c3, c0, c1, c2, load<u32>(roundKey, 12)), 24);
}

@inline
function addRoundKey(state: usize, roundKey: usize): void {
	store<u32>(state, load<u32>(state, 0) ^ load<u32>(roundKey, 0), 0);
	store<u32>(state, load<u32>(state, 8) ^ load<u32>(roundKey, 4), 8);
	store<u32>(state, load<u32>(state, 16) ^ load<u32>(roundKey, 8), 16);
	store<u32>(state, load<u32>(state, 24) ^ load<u32>(roundKey, 12), 24);
}

/** A round of both lanes, in turn: two chains of look-ups for the processor to overlap. */
@inline
function roundOfBoth(keySet: usize, number: usize): void {
	const roundKey = keySet + number * ROUND_KEY_OCTETS;
	round(STATE, roundKey);
	round(STATE + 4, roundKey + BLOCK_OCTETS);
}

/** Enciphers both lanes. Not a loop: that is a tenth faster. */
export function encryptLanes(keySet: usize): void {
	addRoundKey(STATE, keySet);
	addRoundKey(STATE + 4, keySet + BLOCK_OCTETS);
	roundOfBoth(keySet, 1);
	roundOfBoth(keySet, 2);
	roundOfBoth(keySet, 3);
	roundOfBoth(keySet, 4);
	roundOfBoth(keySet, 5);
	roundOfBoth(keySet, 6);
	roundOfBoth(keySet, 7);
	roundOfBoth(keySet, 8);
	roundOfBoth(keySet, 9);
	const last = keySet + 10 * ROUND_KEY_OCTETS;
	finish(STATE, load<u32>(STATE, 0), load<u32>(STATE, 8), load<u32>(STATE, 16), load<u32>(STATE, 24), last);
	finish(STATE + 4, load<u32>(STATE, 4), load<u32>(STATE, 12), load<u32>(STATE, 20), load<u32>(STATE, 28), last + BLOCK_OCTETS);
}
