/** The key expansion of FIPS 197 5.2, one lane after the other, and the subkeys of CMAC. */
import { BLOCK_OCTETS, ROUND_KEY_OCTETS, STATE, SUBKEY_2 } from "../memory";
import { makeSubkeys } from "../subkeys";
import { encryptLane as encryptLaneWithFourTables } from "./rounds";
import { encryptLane as encryptLaneOnDevice } from "./rounds-on-device";
import { HAS_ALL_TABLES, makeTables, substitute } from "./tables";

/** Expands the key at `key`, which is round key 0 of its lane. */
function expandLane(key: usize): void {
	let roundConstant: u32 = 1;
	for (let round = 1; round <= 10; round++) {
		const last = load<u32>(key, 12);
		// SubWord after RotWord: the columns are little endian here, so octet 1 of the word comes to row 0.
		let column = substitute((last >>> 8) & 0xff) | (substitute((last >>> 16) & 0xff) << 8);
		column |= (substitute(last >>> 24) << 16) | (substitute(last & 0xff) << 24);
		column ^= roundConstant;
		for (let word: usize = 0; word < BLOCK_OCTETS; word += 4) {
			column ^= load<u32>(key + word);
			store<u32>(key + word, column, ROUND_KEY_OCTETS);
		}
		roundConstant = ((roundConstant << 1) ^ ((roundConstant >>> 7) * 0x1b)) & 0xff;
		key += ROUND_KEY_OCTETS;
	}
}

/** Turns the cipher key and the integrity key, 16 octets each at the start of the key set, into the key set. */
export function expandKeys(keySet: usize): void {
	makeTables();
	expandLane(keySet);
	expandLane(keySet + BLOCK_OCTETS);
	for (let word: usize = 0; word < BLOCK_OCTETS; word += 4) store<u32>(STATE + 2 * word, 0, 4);
	if (HAS_ALL_TABLES) encryptLaneWithFourTables(keySet, 1);
	else encryptLaneOnDevice(keySet, 1);
	for (let word: usize = 0; word < BLOCK_OCTETS; word += 4) {
		store<u32>(keySet + SUBKEY_2 + word, load<u32>(STATE + 2 * word, 4));
	}
	makeSubkeys(keySet);
}
