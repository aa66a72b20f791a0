/**
 * Which octet comes to each place, as masks of i8x16.swizzle; the first is the lowest one of the first number. Octet 4 column + row of a block is the one in that row and
 * column (FIPS 197 3.4).
 */

/** The octet one row down, on a state that lies 0 to 3 ShiftRows behind. */
export const ONE_DOWN_0: v128 = i64x2(0x0407060500030201, 0x0c0f0e0d080b0a09);
export const ONE_DOWN_1: v128 = i64x2(0x080b0a0904070605, 0x000302010c0f0e0d);
export const ONE_DOWN_2: v128 = i64x2(0x0c0f0e0d080b0a09, 0x0407060500030201);
export const ONE_DOWN_3: v128 = i64x2(0x000302010c0f0e0d, 0x080b0a0904070605);
/** The octet three rows down, on a state that lies 0 to 3 ShiftRows behind. */
export const THREE_DOWN_0: v128 = i64x2(0x0605040702010003, 0x0e0d0c0f0a09080b);
export const THREE_DOWN_1: v128 = i64x2(0x020100030e0d0c0f, 0x0a09080b06050407);
export const THREE_DOWN_2: v128 = i64x2(0x0e0d0c0f0a09080b, 0x0605040702010003);
export const THREE_DOWN_3: v128 = i64x2(0x0a09080b06050407, 0x020100030e0d0c0f);

/** ShiftRows (FIPS 197 5.1.2) twice, */
export const TWO_SHIFT_ROWS: v128 = i64x2(0x0f060d040b020900, 0x070e050c030a0108);
/** and its inverse. */
export const SHIFT_ROWS_BACK: v128 = i64x2(0x0b0e0104070a0d00, 0x0306090c0f020508);

/** Columns moved on by one, zero first, */
export const ONE_COLUMN_ON: v128 = i64x2(0x0302010080808080, 0x0b0a090807060504);
/** and by two. */
export const TWO_COLUMNS_ON: v128 = i64x2(0x8080808080808080, 0x0706050403020100);

/** RotWord (FIPS 197 5.2) of the last column, in all columns. */
export const LAST_COLUMN_TURNED: v128 = i64x2(0x0c0f0e0d0c0f0e0d, 0x0c0f0e0d0c0f0e0d);
