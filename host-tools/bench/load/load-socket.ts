import type { DatagramReceiver, DatagramSocket } from "../../udp/datagram-socket.js";
import { openDatagramSocket } from "../../udp/open-socket.js";

/** A socket of a load generator: the same as the HSE's, so that it takes as little of the machine as can be. */
export class LoadSocket implements DatagramReceiver {
	/** Called with each datagram; the octets are valid until it returns. */
	onDatagram: (octets: Uint8Array, length: number) => void = () => {};
	/** Called after some datagrams. */
	onBatch: () => void = () => {};
	private socket: DatagramSocket | undefined;

	/** @param address "127.0.0.1" or "::1" */
	static async open(address: string): Promise<LoadSocket> {
		const opened = new LoadSocket();
		opened.socket = await openDatagramSocket({ address, port: 0, receiver: opened, hasOneQueue: true });
		return opened;
	}

	get port(): number {
		return this.socket?.port ?? 0;
	}

	/** @param to "ADDRESS PORT" */
	send(to: string, datagram: Uint8Array): void {
		this.socket?.send(to, datagram);
	}

	flush(): void {
		this.socket?.flush();
	}

	async close(): Promise<void> {
		await this.socket?.close();
	}

	receive(_from: string, octets: Uint8Array, length: number): void {
		this.onDatagram(octets, length);
	}

	endBatch(): void {
		this.onBatch();
	}
}
