/**
 * SubBytes (FIPS 197 5.1.1) of all octets, computed: `visit` is called for each once.
 * @param visit takes an octet and what it is replaced by
 */
export function subBytes(visit: (octet: number, substitute: number) => void): void {
	// p runs through all powers of 3, which are all octets but 0, and q through their inverses, the powers of 3^-1 = f6.
	let p = 1;
	let q = 1;
	do {
		p = (p ^ (p << 1) ^ (p & 0x80 ? 0x11b : 0)) & 0xff;
		q ^= q << 1;
		q ^= q << 2;
		q ^= q << 4;
		q &= 0xff;
		if (q & 0x80) q ^= 0x09;
		const copies = q * 0x101;
		visit(p, ((copies ^ (copies >> 4) ^ (copies >> 5) ^ (copies >> 6) ^ (copies >> 7)) & 0xff) ^ 0x63);
	} while (p !== 1);
	visit(0, 0x63);
}
