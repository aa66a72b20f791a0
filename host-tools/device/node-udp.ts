import { createSocket, type Socket } from "node:dgram";
import { isIP, SocketAddress } from "node:net";
import { octetsArgument, stringArgument, unsignedArgument } from "./node-arguments.js";

/** Datagrams that wait beyond this many are lost, as they are in a full socket buffer. */
const WAITING_LIMIT = 256;

/** Node's sockets deliver datagrams on their own; here they wait until the bundle reads them. */
export class NodeUdp {
	readonly #onArrival: () => void;
	#socket: Socket | undefined;
	#waiting: Uint8Array[] = [];
	#address = "";
	#port = 0;

	constructor(onArrival: () => void) {
		this.#onArrival = onArrival;
	}

	get waits(): boolean {
		return this.#waiting.length > 0;
	}

	/** Whether an open socket keeps the program running. */
	hold(needed: boolean): void {
		if (needed) this.#socket?.ref();
		else this.#socket?.unref();
	}

	open(address: unknown, port: unknown): void {
		const toPort = unsignedArgument(port, "port", 65535);
		const text = stringArgument(address, "address");
		if (toPort === 0) throw new RangeError("port must not be 0.");
		this.close();
		const version = isIP(text);
		if (version === 0) throw new Error(`"${text}" is neither an IPv4 nor an IPv6 address.`);
		const peer = new SocketAddress({ address: text, family: version === 6 ? "ipv6" : "ipv4" }).address;
		const socket = createSocket(version === 6 ? "udp6" : "udp4");
		socket.on("message", (octets, sender) => {
			if (socket !== this.#socket || sender.port !== toPort || sender.address !== peer) return;
			if (this.#waiting.length < WAITING_LIMIT) this.#waiting.push(octets);
			this.#onArrival();
		});
		// What the network refuses is a lost datagram.
		socket.on("error", () => {});
		socket.bind();
		this.#socket = socket;
		this.#address = text;
		this.#port = toPort;
	}

	write(octets: unknown, length: unknown): void {
		const all = octetsArgument(octets, "octets");
		const count = unsignedArgument(length, "length", all.length);
		if (this.#socket === undefined) throw new Error("No UDP socket is open.");
		// A copy: the bundle uses its buffer again before Node has sent it.
		this.#socket.send(all.slice(0, count), this.#port, this.#address, () => {});
	}

	read(into: unknown): number {
		const target = octetsArgument(into, "into");
		const datagram = this.#waiting.shift();
		if (datagram === undefined) return -1;
		target.set(datagram.subarray(0, target.length));
		return datagram.length;
	}

	close(): void {
		this.#socket?.close();
		this.#socket = undefined;
		this.#waiting = [];
	}
}
