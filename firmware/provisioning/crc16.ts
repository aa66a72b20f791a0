/** CRC-16/IBM-3740: polynomial 1021, begins with FFFF, most significant bit first; 29B1 for the octets of "123456789". */
export function crc16(octets: Uint8Array, end: number): number {
	let crc = 0xffff;
	for (let i = 0; i < end; i++) {
		crc ^= octets[i] << 8;
		for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) !== 0 ? ((crc << 1) ^ 0x1021) & 0xffff : crc << 1;
	}
	return crc;
}
