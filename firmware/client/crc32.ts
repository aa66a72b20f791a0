/** CRC-32 (IEEE 802.3) of `octets[0 .. length)`: tells a torn or worn record, not a forged one. */
export function crc32(octets: Uint8Array, length: number): number {
	let crc = 0xffffffff;
	for (let i = 0; i < length; i++) {
		crc ^= octets[i];
		for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) === 1 ? 0xedb88320 : 0);
	}
	return ~crc >>> 0;
}
