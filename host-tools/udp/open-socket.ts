import { BatchedSocket, loadBatchedUdp } from "./batched-socket.js";
import type { DatagramSocket, DatagramSocketOptions } from "./datagram-socket.js";
import { openNodeSocket } from "./node-socket.js";

/** Opens the best UDP socket that this system has. @throws Error with the code of an errno, such as EADDRINUSE */
export async function openDatagramSocket(options: DatagramSocketOptions): Promise<DatagramSocket> {
	const udp = loadBatchedUdp();
	return udp === undefined ? openNodeSocket(options) : new BatchedSocket(udp, options);
}
