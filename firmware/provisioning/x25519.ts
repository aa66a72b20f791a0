/**
 * X25519 (RFC 7748) in plain numbers, for engines without BigInt arithmetic worth the name.
 *
 * A field element is eleven limbs in radix 2^24, signed and kept near ±2^23, as doubles: a product of two such elements
 * stays below 2^53, even where both are sums of two, so no step loses a bit. Nothing branches on, or looks up by, a
 * secret; how long an addition takes is the processor's (and, without a floating-point unit, its library's) business.
 */

const LIMBS = 11;
const RADIX = 2 ** 24;
const INVERSE_RADIX = 2 ** -24;
/** Added and taken away again, it rounds a double below 2^74 to a multiple of 2^24. */
const ROUND = 3 * 2 ** 75;
/** 2^264 mod p, since 2^255 ≡ 19 and 264 = 255 + 9. */
const FOLD = 19 * 2 ** 9;
/** (A − 2) / 4 of the curve's A = 486662. */
const A24 = 121665;

type Field = Float64Array;

function field(): Field {
	return new Float64Array(LIMBS);
}

/** Carries each limb into the next, the last one into the first: |limb| ≤ 2^23 but for a little in the first two. */
function carry(out: Field): void {
	for (let i = 0; i < LIMBS - 1; i++) {
		const high = out[i] + ROUND - ROUND;
		out[i] -= high;
		out[i + 1] += high * INVERSE_RADIX;
	}
	const high = out[10] + ROUND - ROUND;
	out[10] -= high;
	out[0] += high * INVERSE_RADIX * FOLD;
	const low = out[0] + ROUND - ROUND;
	out[0] -= low;
	out[1] += low * INVERSE_RADIX;
}

/** out = a · b; it may be one of them. Written out: a loop costs an interpreter four times as much. */
function multiply(out: Field, a: Field, b: Field): void {
	const a0 = a[0];
	const a1 = a[1];
	const a2 = a[2];
	const a3 = a[3];
	const a4 = a[4];
	const a5 = a[5];
	const a6 = a[6];
	const a7 = a[7];
	const a8 = a[8];
	const a9 = a[9];
	const a10 = a[10];
	const b0 = b[0];
	const b1 = b[1];
	const b2 = b[2];
	const b3 = b[3];
	const b4 = b[4];
	const b5 = b[5];
	const b6 = b[6];
	const b7 = b[7];
	const b8 = b[8];
	const b9 = b[9];
	const b10 = b[10];
	// The columns above 2^264 first: each is carried into the next and then folded down.
	let c = a1 * b10 + a2 * b9 + a3 * b8 + a4 * b7 + a5 * b6 + a6 * b5 + a7 * b4 + a8 * b3 + a9 * b2 + a10 * b1;
	let high = c + ROUND - ROUND;
	const h0 = c - high;
	c = a2 * b10 + a3 * b9 + a4 * b8 + a5 * b7 + a6 * b6 + a7 * b5 + a8 * b4 + a9 * b3 + a10 * b2 + high * INVERSE_RADIX;
	high = c + ROUND - ROUND;
	const h1 = c - high;
	c = a3 * b10 + a4 * b9 + a5 * b8 + a6 * b7 + a7 * b6 + a8 * b5 + a9 * b4 + a10 * b3 + high * INVERSE_RADIX;
	high = c + ROUND - ROUND;
	const h2 = c - high;
	c = a4 * b10 + a5 * b9 + a6 * b8 + a7 * b7 + a8 * b6 + a9 * b5 + a10 * b4 + high * INVERSE_RADIX;
	high = c + ROUND - ROUND;
	const h3 = c - high;
	c = a5 * b10 + a6 * b9 + a7 * b8 + a8 * b7 + a9 * b6 + a10 * b5 + high * INVERSE_RADIX;
	high = c + ROUND - ROUND;
	const h4 = c - high;
	c = a6 * b10 + a7 * b9 + a8 * b8 + a9 * b7 + a10 * b6 + high * INVERSE_RADIX;
	high = c + ROUND - ROUND;
	const h5 = c - high;
	c = a7 * b10 + a8 * b9 + a9 * b8 + a10 * b7 + high * INVERSE_RADIX;
	high = c + ROUND - ROUND;
	const h6 = c - high;
	c = a8 * b10 + a9 * b9 + a10 * b8 + high * INVERSE_RADIX;
	high = c + ROUND - ROUND;
	const h7 = c - high;
	c = a9 * b10 + a10 * b9 + high * INVERSE_RADIX;
	high = c + ROUND - ROUND;
	const h8 = c - high;
	c = a10 * b10 + high * INVERSE_RADIX;
	high = c + ROUND - ROUND;
	const h9 = c - high;
	const h10 = high * INVERSE_RADIX;
	c = a0 * b0 + h0 * FOLD;
	high = c + ROUND - ROUND;
	const low = c - high;
	c = a0 * b1 + a1 * b0 + h1 * FOLD + high * INVERSE_RADIX;
	high = c + ROUND - ROUND;
	out[1] = c - high;
	c = a0 * b2 + a1 * b1 + a2 * b0 + h2 * FOLD + high * INVERSE_RADIX;
	high = c + ROUND - ROUND;
	out[2] = c - high;
	c = a0 * b3 + a1 * b2 + a2 * b1 + a3 * b0 + h3 * FOLD + high * INVERSE_RADIX;
	high = c + ROUND - ROUND;
	out[3] = c - high;
	c = a0 * b4 + a1 * b3 + a2 * b2 + a3 * b1 + a4 * b0 + h4 * FOLD + high * INVERSE_RADIX;
	high = c + ROUND - ROUND;
	out[4] = c - high;
	c = a0 * b5 + a1 * b4 + a2 * b3 + a3 * b2 + a4 * b1 + a5 * b0 + h5 * FOLD + high * INVERSE_RADIX;
	high = c + ROUND - ROUND;
	out[5] = c - high;
	c = a0 * b6 + a1 * b5 + a2 * b4 + a3 * b3 + a4 * b2 + a5 * b1 + a6 * b0 + h6 * FOLD + high * INVERSE_RADIX;
	high = c + ROUND - ROUND;
	out[6] = c - high;
	c = a0 * b7 + a1 * b6 + a2 * b5 + a3 * b4 + a4 * b3 + a5 * b2 + a6 * b1 + a7 * b0 + h7 * FOLD + high * INVERSE_RADIX;
	high = c + ROUND - ROUND;
	out[7] = c - high;
	c =
		a0 * b8 +
		a1 * b7 +
		a2 * b6 +
		a3 * b5 +
		a4 * b4 +
		a5 * b3 +
		a6 * b2 +
		a7 * b1 +
		a8 * b0 +
		h8 * FOLD +
		high * INVERSE_RADIX;
	high = c + ROUND - ROUND;
	out[8] = c - high;
	c =
		a0 * b9 +
		a1 * b8 +
		a2 * b7 +
		a3 * b6 +
		a4 * b5 +
		a5 * b4 +
		a6 * b3 +
		a7 * b2 +
		a8 * b1 +
		a9 * b0 +
		h9 * FOLD +
		high * INVERSE_RADIX;
	high = c + ROUND - ROUND;
	out[9] = c - high;
	c =
		a0 * b10 +
		a1 * b9 +
		a2 * b8 +
		a3 * b7 +
		a4 * b6 +
		a5 * b5 +
		a6 * b4 +
		a7 * b3 +
		a8 * b2 +
		a9 * b1 +
		a10 * b0 +
		h10 * FOLD +
		high * INVERSE_RADIX;
	high = c + ROUND - ROUND;
	out[10] = c - high;
	// What is above 2^264 comes back to the first limb, and what is too much there goes to the second.
	c = low + high * INVERSE_RADIX * FOLD;
	high = c + ROUND - ROUND;
	out[0] = c - high;
	out[1] += high * INVERSE_RADIX;
}

function add(out: Field, a: Field, b: Field): void {
	for (let i = 0; i < LIMBS; i++) out[i] = a[i] + b[i];
}

function subtract(out: Field, a: Field, b: Field): void {
	for (let i = 0; i < LIMBS; i++) out[i] = a[i] - b[i];
}

function multiplySmall(out: Field, a: Field, factor: number): void {
	for (let i = 0; i < LIMBS; i++) out[i] = a[i] * factor;
	carry(out);
}

/** Exchanges a and b where `swap` is 1 and leaves them where it is 0, with the same steps. */
function swapIf(swap: number, a: Field, b: Field): void {
	for (let i = 0; i < LIMBS; i++) {
		const difference = swap * (a[i] - b[i]);
		a[i] -= difference;
		b[i] += difference;
	}
}

/** out = a^(p − 2) = 1 / a, and 0 for 0. p − 2 = 2^255 − 21: all bits are 1 but 2 and 4. @param out not `a` */
function invert(out: Field, a: Field): void {
	out.set(a);
	for (let bit = 253; bit >= 0; bit--) {
		multiply(out, out, out);
		if (bit !== 2 && bit !== 4) multiply(out, out, a);
	}
}

/** A limb spans three octets. The highest bit of the last octet is not looked at (RFC 7748 5). */
function decode(octets: Uint8Array): Field {
	const limbs = field();
	for (let i = 0; i < LIMBS - 1; i++) limbs[i] = octets[3 * i] + 256 * octets[3 * i + 1] + 65536 * octets[3 * i + 2];
	limbs[10] = octets[30] + 256 * (octets[31] & 0x7f);
	carry(limbs);
	return limbs;
}

/** The one representative from 0 to p − 1, 32 octets, least significant first. */
function encode(value: Field): Uint8Array {
	const limbs = value.slice();
	// Twice p, so that nothing is negative; then carries that round down. The last limb holds 15 bits below 2^255.
	limbs[0] -= 2 * 19;
	limbs[10] += 2 * 2 ** 15;
	for (let round = 0; round < 3; round++) {
		for (let i = 0; i < LIMBS; i++) {
			const size = i === 10 ? 2 ** 15 : RADIX;
			const high = Math.floor(limbs[i] / size);
			limbs[i] -= high * size;
			if (i < 10) limbs[i + 1] += high;
			else limbs[0] += 19 * high;
		}
	}
	// Now below 2^255. Adding 19 carries out of bit 255 exactly where the value is p or above.
	let high = 19;
	for (let i = 0; i < LIMBS; i++) high = Math.floor((limbs[i] + high) / (i === 10 ? 2 ** 15 : RADIX));
	limbs[0] += 19 * high;
	limbs[10] -= 2 ** 15 * high;
	for (let i = 0; i < LIMBS - 1; i++) {
		const carried = Math.floor(limbs[i] / RADIX);
		limbs[i] -= carried * RADIX;
		limbs[i + 1] += carried;
	}
	const octets = new Uint8Array(32);
	for (let i = 0; i < 32; i++) octets[i] = limbs[Math.floor(i / 3)] / 2 ** (8 * (i % 3));
	return octets;
}

/**
 * X25519(k, u): the Montgomery ladder of RFC 7748 5.
 * @param scalar 32 octets, secret; clamped here
 * @param u 32 octets, the other side's public key
 * @returns 32 octets, all zero where `u` is a point of low order: the caller must refuse that (RFC 7748 6.1)
 */
export function x25519(scalar: Uint8Array, u: Uint8Array): Uint8Array {
	const k = scalar.slice();
	k[0] &= 0xf8;
	k[31] = (k[31] & 0x7f) | 0x40;
	const x1 = decode(u);
	const x2 = field();
	const z2 = field();
	const x3 = x1.slice();
	const z3 = field();
	const sum2 = field();
	const difference2 = field();
	const sum3 = field();
	const difference3 = field();
	x2[0] = 1;
	z3[0] = 1;
	let swapped = 0;
	for (let bit = 254; bit >= 0; bit--) {
		const one = (k[bit >> 3] >> (bit & 7)) & 1;
		swapIf(swapped ^ one, x2, x3);
		swapIf(swapped ^ one, z2, z3);
		swapped = one;
		add(sum2, x2, z2);
		subtract(difference2, x2, z2);
		add(sum3, x3, z3);
		subtract(difference3, x3, z3);
		multiply(sum3, sum3, difference2);
		multiply(difference3, difference3, sum2);
		add(x3, sum3, difference3);
		multiply(x3, x3, x3);
		subtract(z3, sum3, difference3);
		multiply(z3, z3, z3);
		multiply(z3, z3, x1);
		// AA and BB of the RFC; then E in place of AA.
		multiply(sum2, sum2, sum2);
		multiply(difference2, difference2, difference2);
		multiply(x2, sum2, difference2);
		subtract(sum2, sum2, difference2);
		multiplySmall(z2, sum2, A24);
		// AA + a24 · E, where AA = BB + E.
		add(z2, z2, difference2);
		add(z2, z2, sum2);
		multiply(z2, z2, sum2);
	}
	swapIf(swapped, x2, x3);
	swapIf(swapped, z2, z3);
	invert(z3, z2);
	multiply(x2, x2, z3);
	const result = encode(x2);
	for (const secret of [k, x1, x2, z2, x3, z3, sum2, difference2, sum3, difference3]) secret.fill(0);
	return result;
}

/** u of the base point. */
const BASE_POINT = Uint8Array.of(9, ...new Uint8Array(31));

/** @param scalar 32 random octets, secret @returns the public key, 32 octets */
export function publicKeyOf(scalar: Uint8Array): Uint8Array {
	return x25519(scalar, BASE_POINT);
}
