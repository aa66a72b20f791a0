/** The key expansion of FIPS 197 5.2 for both lanes at once, on bit slices, and the subkeys of CMAC. */
import { clearState, encrypt, substitute, transpose } from "./fixslice";
import { BLOCK_OCTETS, ROUND_KEY_OCTETS, STATE, SUBKEY_1, SUBKEY_2 } from "./memory";

/** The constant of SubBytes: its bit j goes into slice j. */
const AFFINE_CONSTANT: u32 = 0x63;
/** x^8 in the field of FIPS 197 4.2, without the term of degree 8. */
const AES_REDUCTION: u32 = 0x1b;
/** The same for the field of CMAC (SP 800-38B 5.3). */
const CMAC_REDUCTION: u32 = 0x87;

/** All ones if bit `bit` of the public number `constant` is set, else zero. */
@inline
function spread(constant: u32, bit: u32): u32 {
	return 0 - ((constant >>> bit) & 1);
}

/** From a round key to the next one, one slice: `substituted` is the same slice after SubBytes without its constant. */
@inline
function nextSlice(slice: u32, substituted: u32, bit: u32, roundConstant: u32): u32 {
	// RotWord and SubWord of column 3, brought to column 0; the round constant is added to row 0 only.
	let x = (rotr<u32>(substituted, 14) ^ spread(AFFINE_CONSTANT, bit)) & 0x03030303;
	x ^= slice ^ (spread(roundConstant, bit) & 0x03);
	// Each column is the sum of all columns up to it.
	x ^= (x << 2) & 0xfcfcfcfc;
	x ^= (x << 4) & 0xf0f0f0f0;
	return x;
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

/** Doubles the block at `from` in the field of CMAC (RFC 4493 2.3): shift left by one bit, reduce without a branch. */
function double(from: usize, to: usize): void {
	const w0 = bswap<u32>(load<u32>(from, 0));
	const w1 = bswap<u32>(load<u32>(from, 4));
	const w2 = bswap<u32>(load<u32>(from, 8));
	const w3 = bswap<u32>(load<u32>(from, 12));
	store<u32>(to, bswap<u32>((w0 << 1) | (w1 >>> 31)), 0);
	store<u32>(to, bswap<u32>((w1 << 1) | (w2 >>> 31)), 4);
	store<u32>(to, bswap<u32>((w2 << 1) | (w3 >>> 31)), 8);
	store<u32>(to, bswap<u32>((w3 << 1) ^ ((0 - (w0 >>> 31)) & CMAC_REDUCTION)), 12);
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
		for (let bit: u32 = 0; bit < 8; bit++) {
			const slice = roundKey + 4 * bit;
			const next = nextSlice(load<u32>(slice), load<u32>(STATE + 4 * bit), bit, roundConstant);
			store<u32>(slice + ROUND_KEY_OCTETS, next);
		}
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
	double(keySet + SUBKEY_2, keySet + SUBKEY_1);
	double(keySet + SUBKEY_1, keySet + SUBKEY_2);
}
