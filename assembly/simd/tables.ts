/**
 * The tables of permute.ts, sixteen octets each, indexed by half octets; the first octet is the lowest one of the first number.
 *
 * GF(2^4) is GF(2)[w] / (w^4 + w + 1) and the tower field GF(2^4)[t] / (t^2 + a t + a) with a = w = 2; an octet stands for
 * its low half + its high half times t. The element 02 of FIPS 197 4.2 becomes 1c, which is a root of
 * x^8 + x^4 + x^3 + x + 1 here, too.
 *
 * The norm of x + y t is N = x^2 + a x y + a y^2, its inverse ((x + a y) + y t) / N. With U = 1/u = (x + a y) / N and
 * V = 1/v = ((a + 1) x + a y) / N that is U + (U/a + U/a^2 + V/a^2) t. So a table that is indexed by u holds the image of
 * U + (U/a + U/a^2) t under a linear map, and the table beside it, indexed by v, the image of V/a^2 t.
 *
 * Infinity is 80: added to a half octet it stays beyond every table, where a look-up gives zero.
 */

/** From the field of FIPS 197 to the tower field: the low half of an octet, */
export const TO_TOWER_LOW: v128 = i64x2(0x30312c2d1d1c0100, 0x17160b0a3a3b2627);

/** and its high half. */
export const TO_TOWER_HIGH: v128 = i64x2(0xf573088e7bfd8600, 0x82047ff90c8af177);

/** 1/x in GF(2^4). */
export const INVERSE: v128 = i64x2(0x06070b0d0e090180, 0x0803040a050c020f);

/** a/x in GF(2^4). */
export const A_OVER: v128 = i64x2(0x0c0e05090f010280, 0x030608070a0b040d);

/** The linear map of SubBytes (FIPS 197 5.1.1, without its constant 63), in the tower field: the shares of u */
export const SUBSTITUTE_U: v128 = i64x2(0x80437cfc0c4fc300, 0x8cf0b3bf703f33cf);

/** and v. */
export const SUBSTITUTE_V: v128 = i64x2(0x23c5c6e5b772e600, 0x945297207103b451);

/** Twice that: the shares of u */
export const DOUBLED_SUBSTITUTE_U: v128 = i64x2(0x93ef0192cf207c00, 0x5c5db27dceee21b3);

/** and v. */
export const DOUBLED_SUBSTITUTE_V: v128 = i64x2(0xc31225e6f7e5d100, 0x341103f4d237c026);

/** The linear map of SubBytes, out of the tower field: the shares of u */
export const LAST_SUBSTITUTE_U: v128 = i64x2(0xac678d21b0d7cb00, 0x1c91f6463dea5a7b);

/** and v. */
export const LAST_SUBSTITUTE_V: v128 = i64x2(0xe8772ac216619f00, 0xfed4a3b53c5d4b89);

/** The constant 63 of SubBytes in the tower field, in all octets. MixColumns leaves it as it is, so it stands in the round keys. */
export const AFFINE_CONSTANT: v128 = i8x16.splat(0x6e);
