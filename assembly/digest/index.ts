/**
 * SHA-256 (FIPS 180-4) and HMAC with it (RFC 2104), for Node. The same operations whatever the octets are: no secret chooses
 * an address or a branch.
 *
 * | from | octets | what |
 * |---|---|---|
 * | 1,024 | 256 | the constants K, the only static data |
 * | 4,096 | 32 | DIGEST |
 * | 4,160 | 256 | SCHEDULE: the words of the block at work |
 * | 4,416 | 128 | OUTER: the outer block of an HMAC, and the inner digest behind it |
 * | 4,608 | 64 | INNER: the inner block of an HMAC, where the caller puts the key |
 * | 4,672 | 2,048 | TEXT |
 *
 * Behind the octets that are digested there is room for their padding.
 */

const DIGEST: usize = 4096;
const SCHEDULE: usize = 4160;
const OUTER: usize = 4416;
const INNER: usize = 4608;
const TEXT: usize = 4672;
const TEXT_CAPACITY: u32 = 2048;

const BLOCK_OCTETS: usize = 64;
const DIGEST_OCTETS: usize = 32;

const K = memory.data<u32>([
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]);

// The functions of FIPS 180-4, 4.1.2.
// @ts-ignore: decorator
@inline function choose(x: u32, y: u32, z: u32): u32 { return z ^ (x & (y ^ z)); }
// @ts-ignore: decorator
@inline function majority(x: u32, y: u32, z: u32): u32 { return (x & y) | (z & (x | y)); }
// @ts-ignore: decorator
@inline function sum0(x: u32): u32 { return rotr(x, 2) ^ rotr(x, 13) ^ rotr(x, 22); }
// @ts-ignore: decorator
@inline function sum1(x: u32): u32 { return rotr(x, 6) ^ rotr(x, 11) ^ rotr(x, 25); }
// @ts-ignore: decorator
@inline function sigma0(x: u32): u32 { return rotr(x, 7) ^ rotr(x, 18) ^ (x >>> 3); }
// @ts-ignore: decorator
@inline function sigma1(x: u32): u32 { return rotr(x, 17) ^ rotr(x, 19) ^ (x >>> 10); }

/** Takes one block into the state in DIGEST, whose words are as the engine has them until {@link digest} is done. */
function compress(block: usize): void {
	for (let at: usize = 0; at < BLOCK_OCTETS; at += 4) store<u32>(SCHEDULE + at, bswap(load<u32>(block + at)));
	for (let at: usize = SCHEDULE + 64; at < SCHEDULE + 256; at += 4)
		store<u32>(at, sigma1(load<u32>(at - 8)) + load<u32>(at - 28) + sigma0(load<u32>(at - 60)) + load<u32>(at - 64));
	let a = load<u32>(DIGEST);
	let b = load<u32>(DIGEST, 4);
	let c = load<u32>(DIGEST, 8);
	let d = load<u32>(DIGEST, 12);
	let e = load<u32>(DIGEST, 16);
	let f = load<u32>(DIGEST, 20);
	let g = load<u32>(DIGEST, 24);
	let h = load<u32>(DIGEST, 28);
	for (let at: usize = 0; at < 256; at += 4) {
		const first = h + sum1(e) + choose(e, f, g) + load<u32>(K + at) + load<u32>(SCHEDULE + at);
		const second = sum0(a) + majority(a, b, c);
		h = g;
		g = f;
		f = e;
		e = d + first;
		d = c;
		c = b;
		b = a;
		a = first + second;
	}
	store<u32>(DIGEST, load<u32>(DIGEST) + a);
	store<u32>(DIGEST, load<u32>(DIGEST, 4) + b, 4);
	store<u32>(DIGEST, load<u32>(DIGEST, 8) + c, 8);
	store<u32>(DIGEST, load<u32>(DIGEST, 12) + d, 12);
	store<u32>(DIGEST, load<u32>(DIGEST, 16) + e, 16);
	store<u32>(DIGEST, load<u32>(DIGEST, 20) + f, 20);
	store<u32>(DIGEST, load<u32>(DIGEST, 24) + g, 24);
	store<u32>(DIGEST, load<u32>(DIGEST, 28) + h, 28);
}

/** Digests what is in the memory; the padding is written behind it, and all of it is erased. */
function digest(from: usize, octets: usize): void {
	store<u32>(DIGEST, 0x6a09e667);
	store<u32>(DIGEST, 0xbb67ae85, 4);
	store<u32>(DIGEST, 0x3c6ef372, 8);
	store<u32>(DIGEST, 0xa54ff53a, 12);
	store<u32>(DIGEST, 0x510e527f, 16);
	store<u32>(DIGEST, 0x9b05688c, 20);
	store<u32>(DIGEST, 0x1f83d9ab, 24);
	store<u32>(DIGEST, 0x5be0cd19, 28);
	const end = from + octets;
	const padded = from + ((octets + 9 + BLOCK_OCTETS - 1) & ~(BLOCK_OCTETS - 1));
	store<u8>(end, 0x80);
	for (let at = end + 1; at < padded - 8; at++) store<u8>(at, 0);
	store<u64>(padded - 8, bswap<u64>(8 * <u64>octets));
	for (let block = from; block < padded; block += BLOCK_OCTETS) compress(block);
	for (let at: usize = 0; at < DIGEST_OCTETS; at += 4) store<u32>(DIGEST + at, bswap(load<u32>(DIGEST + at)));
	for (let at = from; at < padded; at += 8) store<u64>(at, 0);
	for (let at = SCHEDULE; at < SCHEDULE + 256; at += 8) store<u64>(at, 0);
}

/** DIGEST of the first octets of TEXT, which is erased. Nothing where they are too many. */
export function sha256(octets: u32): void {
	if (octets <= TEXT_CAPACITY) digest(TEXT, octets);
}

/** DIGEST is the HMAC of the first octets of TEXT under a key in INNER, followed by zeros there. Both are erased. */
export function hmac(octets: u32): void {
	if (octets > TEXT_CAPACITY) return;
	for (let at: usize = 0; at < BLOCK_OCTETS; at += 8) {
		const key = load<u64>(INNER + at);
		store<u64>(INNER + at, key ^ 0x3636363636363636);
		store<u64>(OUTER + at, key ^ 0x5c5c5c5c5c5c5c5c);
	}
	digest(INNER, BLOCK_OCTETS + octets);
	for (let at: usize = 0; at < DIGEST_OCTETS; at += 8) store<u64>(OUTER + BLOCK_OCTETS + at, load<u64>(DIGEST + at));
	digest(OUTER, BLOCK_OCTETS + DIGEST_OCTETS);
}
