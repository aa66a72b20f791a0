/** The key expansion of FIPS 197 5.2 for both lanes at once, on bit slices, and the subkeys of CMAC. */
import { clearState, encrypt, substitute, transpose } from "./fixslice";
import { BLOCK_OCTETS, ROUND_KEY_OCTETS, STATE, SUBKEY_2 } from "./memory";
import { makeSubkeys } from "./subkeys";

/** The constant of SubBytes: its bit j goes into slice j. */
const AFFINE_CONSTANT: u32 = 0x63;
/** x^8 in the field of FIPS 197 4.2, without the term of degree 8. */
const AES_REDUCTION: u32 = 0x1b;

/** All ones if bit `bit` of the public number `constant` is set, else zero. */
@inline
function spread(constant: u32, bit: u32): u32 {
	return 0 - ((constant >>> bit) & 1);
}

/** From a round key to the next one, slice `bit`; STATE holds the slices after SubBytes without its constant. */
@inline
function nextSlice(roundKey: usize, bit: u32, roundConstant: u32): void {
	const substituted = load<u32>(STATE + 4 * bit);
	// RotWord and SubWord of column 3, brought to column 0; the round constant is added to row 0 only.
	let x = (rotr<u32>(substituted, 14) ^ spread(AFFINE_CONSTANT, bit)) & 0x03030303;
	x ^= load<u32>(roundKey + 4 * bit) ^ (spread(roundConstant, bit) & 0x03);
	// Each column is the sum of all columns up to it.
	x ^= (x << 2) & 0xfcfcfcfc;
	x ^= (x << 4) & 0xf0f0f0f0;
	store<u32>(roundKey + 4 * bit, x, ROUND_KEY_OCTETS);
}

/** Puts a slice as many ShiftRows behind as the state is when the key is added: row r turns r times `round` columns left. */
@inline
function fallBehind(slice: u32, round: u32): u32 {
	let x = slice;
	if (round & 1) {
		const halves = (x ^ (x >>> 4)) & 0x0f0f0000;
		x ^= halves ^ (halves << 4);
		x = (x & 0x00ff00ff) | ((x << 2) & 0xfc00fc00) | ((x >>> 6) & 0x03000300);
	}
	if (round & 2) {
		const halves = (x ^ (x >>> 4)) & 0x0f000f00;
		x ^= halves ^ (halves << 4);
	}
	return x;
}

/** Turns the cipher key and the integrity key, 16 octets each at the start of the key set, into the key set. */
export function expandKeys(keySet: usize): void {
	for (let column: usize = 0; column < BLOCK_OCTETS; column += 4) {
		store<u32>(STATE + 2 * column, load<u32>(keySet + column));
		store<u32>(STATE + 2 * column + 4, load<u32>(keySet + BLOCK_OCTETS + column));
	}
	transpose();
	for (let word: usize = 0; word < ROUND_KEY_OCTETS; word += 4) {
		store<u32>(keySet + word, load<u32>(STATE + word));
	}

	let roundConstant: u32 = 1;
	let roundKey = keySet;
	for (let round: u32 = 1; round <= 10; round++) {
		clearState();
		substitute(roundKey);
		for (let bit: u32 = 0; bit < 8; bit++) nextSlice(roundKey, bit, roundConstant);
		roundConstant = ((roundConstant << 1) ^ (spread(roundConstant, 7) & AES_REDUCTION)) & 0xff;
		roundKey += ROUND_KEY_OCTETS;
	}

	roundKey = keySet;
	for (let round: u32 = 1; round <= 10; round++) {
		roundKey += ROUND_KEY_OCTETS;
		for (let bit: u32 = 0; bit < 8; bit++) {
			const slice = roundKey + 4 * bit;
			store<u32>(slice, fallBehind(load<u32>(slice), round) ^ spread(AFFINE_CONSTANT, bit));
		}
	}

	clearState();
	encrypt(keySet);
	for (let column: usize = 0; column < BLOCK_OCTETS; column += 4) {
		store<u32>(keySet + SUBKEY_2 + column, load<u32>(STATE + 2 * column + 4));
	}
	makeSubkeys(keySet);
}
