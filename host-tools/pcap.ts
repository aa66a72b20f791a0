import { closeSync, openSync, writeSync } from "node:fs";

/** LINKTYPE_RAW: each packet begins with its IPv4 header. */
const LINKTYPE_RAW = 101;
const MAGIC_MICROSECONDS = 0xa1b2c3d4;
const IPV4_OCTETS = 20;
const UDP_OCTETS = 8;
const PROTOCOL_UDP = 17;

/** An IPv4 address and UDP port. */
export interface Endpoint {
	readonly address: string;
	readonly port: number;
}

/** Writes UDP datagrams to a capture file (pcap 2.4) as they come. */
export class PcapWriter {
	private readonly file: number;
	private identification = 0;

	/** Begins the file anew. @throws Error of node:fs */
	constructor(path: string) {
		this.file = openSync(path, "w");
		const header = Buffer.alloc(24);
		header.writeUInt32BE(MAGIC_MICROSECONDS, 0);
		header.writeUInt16BE(2, 4);
		header.writeUInt16BE(4, 6);
		header.writeUInt32BE(0xffff, 16);
		header.writeUInt32BE(LINKTYPE_RAW, 20);
		writeSync(this.file, header);
	}

	/** @param milliseconds since 1970 */
	write(milliseconds: number, from: Endpoint, to: Endpoint, payload: Uint8Array): void {
		const length = IPV4_OCTETS + UDP_OCTETS + payload.length;
		const packet = Buffer.alloc(16 + length);
		packet.writeUInt32BE(Math.floor(milliseconds / 1000), 0);
		packet.writeUInt32BE(Math.floor((milliseconds % 1000) * 1000), 4);
		packet.writeUInt32BE(length, 8);
		packet.writeUInt32BE(length, 12);
		const ip = packet.subarray(16);
		ip[0] = 0x45;
		ip.writeUInt16BE(length, 2);
		ip.writeUInt16BE(this.identification++ & 0xffff, 4);
		ip[8] = 64;
		ip[9] = PROTOCOL_UDP;
		ip.set(from.address.split(".").map(Number), 12);
		ip.set(to.address.split(".").map(Number), 16);
		ip.writeUInt16BE(checksum(ip.subarray(0, IPV4_OCTETS)), 10);
		const udp = ip.subarray(IPV4_OCTETS);
		udp.writeUInt16BE(from.port, 0);
		udp.writeUInt16BE(to.port, 2);
		udp.writeUInt16BE(UDP_OCTETS + payload.length, 4);
		udp.set(payload, UDP_OCTETS);
		const pseudo = Buffer.concat([ip.subarray(12, 20), Buffer.of(0, PROTOCOL_UDP), udp.subarray(4, 6), udp]);
		// A sum of zero is sent as all ones (RFC 768).
		udp.writeUInt16BE(checksum(pseudo) || 0xffff, 6);
		writeSync(this.file, packet);
	}

	close(): void {
		closeSync(this.file);
	}
}

/** The Internet checksum (RFC 1071). */
function checksum(octets: Uint8Array): number {
	let sum = 0;
	for (let i = 0; i < octets.length; i += 2) sum += (octets[i] << 8) | (octets[i + 1] ?? 0);
	while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
	return ~sum & 0xffff;
}
