/**
 * Between the emulated board's Ethernet and UDP: QEMU puts each frame into a datagram of its own; 14 octets of header
 * come off on the way out and are put on on the way in (see firmware/platform/board/ethernet.c).
 */
import { createSocket, type Socket } from "node:dgram";

const HEADER_OCTETS = 14;
const PORT_OFFSET = 4;
const LENGTH_OFFSET = 12;
const LOOPBACK = "127.0.0.1";

function bound(socket: Socket): Promise<number> {
	return new Promise((resolve, reject) => {
		socket.once("error", reject);
		socket.bind(0, LOOPBACK, () => {
			socket.off("error", reject);
			// A datagram that could not be sent is lost, as datagrams are.
			socket.on("error", () => {});
			resolve(socket.address().port);
		});
	});
}

export class BoardLink {
	private readonly frames = createSocket("udp4");
	private readonly datagrams = createSocket("udp4");
	private boardPort = 0;

	/** @returns the port that QEMU sends frames to */
	async open(): Promise<number> {
		const port = await bound(this.frames);
		await bound(this.datagrams);
		this.frames.on("message", (frame, { port: from }) => this.outward(frame, from));
		this.datagrams.on("message", (datagram, { address, port: from }) => this.inward(datagram, address, from));
		return port;
	}

	close(): void {
		this.frames.close();
		this.datagrams.close();
	}

	private outward(frame: Buffer, from: number): void {
		this.boardPort = from;
		if (frame.length < HEADER_OCTETS) return;
		const length = frame.readUInt16BE(LENGTH_OFFSET);
		const address = frame.subarray(0, PORT_OFFSET).join(".");
		this.datagrams.send(
			frame.subarray(HEADER_OCTETS, HEADER_OCTETS + length),
			frame.readUInt16BE(PORT_OFFSET),
			address,
		);
	}

	private inward(datagram: Buffer, address: string, port: number): void {
		if (this.boardPort === 0 || datagram.length === 0) return;
		const frame = Buffer.alloc(HEADER_OCTETS + datagram.length);
		frame[0] = 2;
		frame.set(address.split(".").map(Number), 6);
		frame.writeUInt16BE(port, 6 + PORT_OFFSET);
		frame.writeUInt16BE(datagram.length, LENGTH_OFFSET);
		frame.set(datagram, HEADER_OCTETS);
		this.frames.send(frame, this.boardPort, LOOPBACK);
	}
}
