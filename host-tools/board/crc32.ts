/** CRC-32 (ISO 3309). node:zlib has it from Node 22 on only. */
export function crc32(octets: Uint8Array): number {
	let sum = 0xffffffff;
	for (const octet of octets) {
		sum ^= octet;
		for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (0xedb88320 & -(sum & 1));
	}
	return ~sum >>> 0;
}
