import type { Datagram } from "../../ports/datagram.js";

/** What is used of an ECMA-419 UDP socket. */
export interface UdpSocket {
	/** @returns undefined where no packet waits */
	read(): (ArrayBuffer & { readonly address: string; readonly port: number }) | undefined;
	write(buffer: Uint8Array, address: string, port: number): void;
	close(): void;
}

export interface UdpDatagramOptions {
	/** The class of `embedded:io/socket/udp`. */
	readonly io: new (options: {
		onReadable: (count: number) => void;
	}) => UdpSocket;
	/** The IPv4 address of the HSE, four decimal numbers: the socket looks no names up. */
	readonly address: string;
	readonly port: number;
}

function isDecimalAtMost(text: string, most: number): boolean {
	const value = Number(text);
	return Number.isInteger(value) && value >= 0 && value <= most && String(value) === text;
}

function isIpv4Address(text: string): boolean {
	const parts = text.split(".");
	return parts.length === 4 && parts.every((part) => isDecimalAtMost(part, 255));
}

/** A {@link Datagram} over an ECMA-419 UDP socket, to one address and port and from nowhere else. */
export class UdpDatagram implements Datagram {
	onReadable: ((count: number) => void) | undefined;
	readonly #address: string;
	readonly #port: number;
	#socket: UdpSocket | undefined;
	/** What was sent last: a socket takes a whole view, and messages of one length from one buffer are the rule. */
	#view: Uint8Array | undefined;
	#viewed: Uint8Array | undefined;

	/** @throws RangeError if the address is no IPv4 address or the port none of 1 to 65,535 */
	constructor(options: UdpDatagramOptions) {
		const { io, address, port } = options;
		if (!isIpv4Address(address)) throw new RangeError(`"${address}" is no IPv4 address.`);
		if (!Number.isInteger(port) || port < 1 || port > 65535) throw new RangeError("A port is from 1 to 65535.");
		this.#address = address;
		this.#port = port;
		this.#socket = new io({ onReadable: (count: number) => this.onReadable?.(count) });
	}

	read(into: Uint8Array): number {
		for (;;) {
			const packet = this.#socket?.read();
			if (packet === undefined) return -1;
			// The socket is not connected: ECMA-419 has no such thing.
			if (packet.port !== this.#port || packet.address !== this.#address) continue;
			// ECMA-419 gives every datagram in a buffer of its own; reading into one is not in it.
			const length = packet.byteLength;
			into.set(new Uint8Array(packet, 0, Math.min(length, into.length)));
			return length;
		}
	}

	write(octets: Uint8Array, length: number): void {
		if (this.#view === undefined || this.#viewed !== octets || this.#view.length !== length) {
			this.#view = octets.subarray(0, length);
			this.#viewed = octets;
		}
		try {
			this.#socket?.write(this.#view, this.#address, this.#port);
		} catch {
			// No route, no network yet: this datagram is lost.
		}
	}

	close(): void {
		this.#socket?.close();
		this.#socket = undefined;
		this.#view = undefined;
		this.#viewed = undefined;
	}
}
