/** What takes the datagrams of a {@link DatagramSocket}. */
export interface DatagramReceiver {
	/**
	 * A datagram. The octets are valid until the call returns, and may be followed by others.
	 * @param from "ADDRESS PORT"
	 */
	receive(from: string, octets: Uint8Array, length: number): void;
	/** Session Requests follow, so many of them, which have waited for some milliseconds. */
	expectRequests?(requests: number): void;
	/** No more datagrams are taken in this turn: what they brought about can be done for all of them at once. */
	endBatch(): void;
}

/** A UDP socket of a server. */
export interface DatagramSocket {
	readonly port: number;
	/**
	 * Sends a datagram with the next {@link flush}. It is lost where the system does not take it.
	 * @param to "ADDRESS PORT"
	 */
	send(to: string, datagram: Uint8Array): void;
	/** Hands what was sent to the system. */
	flush(): void;
	close(): Promise<void>;
}

export interface DatagramSocketOptions {
	/** "127.0.0.1" or "::", for instance. */
	readonly address: string;
	/** 0: any free port. */
	readonly port: number;
	readonly receiver: DatagramReceiver;
	/** Whether Session Requests wait with all the rest: where there are none, as at a UE. */
	readonly hasOneQueue?: boolean;
}

/** @throws Error with the code of an errno, such as EADDRINUSE */
export type OpenDatagramSocket = (options: DatagramSocketOptions) => Promise<DatagramSocket>;

/** Octets of datagrams that wait in the system while the process is at something else. Systems give less where they must. */
export const RECEIVE_OCTETS = 4 * 1024 * 1024;
