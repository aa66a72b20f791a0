/**
 * The linear memory, the one place that knows its layout. There is no heap and no static data.
 *
 * | from | octets | what |
 * |---|---|---|
 * | 0 | 32 | STATE: the two blocks at work, or their eight bit slices |
 * | 32 | 384 | a key set: on devices, the only one |
 * | 416 | 8 | PREFIX: COUNT, BEARER and DIRECTION, zero (TS 33.401 B.2.3) |
 * | 424 | 1,240 | MESSAGE |
 * | 1,664 | 16 | read, but not used, with the last block of a full message |
 * | 1,680 | 16 each | KEYSTREAM: blocks that wait for the MAC to be verified, 78 in Node |
 *
 * In Node more key sets follow from 4,096 on. Devices take the cipher alone (cipher.ts) and have nothing of this from 416
 * on. All addresses are multiples of 8, and PREFIX one of 16: CMAC runs over prefix and message without a copy, on aligned
 * words.
 *
 * A key set is the round keys 0 to 10 of both lanes, 32 octets each, then the CMAC subkeys K1 and K2. The round keys are bit
 * slices of both lanes together or, for vector permutations (simd/), 16 octets of lane 0 and 16 of lane 1; there STATE holds
 * one block after the other. A build with tables (table/) has the round keys like that and STATE as above. Its tables are in a
 * second page in Node; on devices its only table is at 0, STATE at 1,024 and a key set at 1,072. The bindings in firmware/kernels/wasm.ts and native/best-kernel.c repeat the addresses that they use.
 */

/** Words 0, 2, 4, 6 are the columns of lane 0 (cipher key), words 1, 3, 5, 7 those of lane 1 (integrity key). */
export const STATE: usize = isDefined(WITH_TABLES) && ASC_SHRINK_LEVEL !== 0 ? 1024 : 0;
export const STATE_OCTETS: usize = 32;

/** Within a key set. */
export const ROUND_KEY_OCTETS: usize = 32;
export const SUBKEY_1: usize = 352;
export const SUBKEY_2: usize = 368;

export const PREFIX: usize = 416;
export const PREFIX_OCTETS: usize = 8;
export const MESSAGE: usize = 424;
export const MESSAGE_CAPACITY: usize = 1240;
export const KEYSTREAM: usize = 1680;

/** Four tables of 1,024 octets in Node; on devices, where a rotation costs nothing, the first of them. */
export const TABLE: usize = ASC_SHRINK_LEVEL === 0 ? 65536 : 0;
export const TABLE_OCTETS: usize = 1024;

export const BLOCK_OCTETS: usize = 16;
