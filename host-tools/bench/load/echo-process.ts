import { createSocket } from "node:dgram";

/** The bare UDP echo of this runtime: what an HSE on it is measured against. */
export function runEcho(address: string): void {
	const socket = createSocket({ type: address.includes(":") ? "udp6" : "udp4", recvBufferSize: 4 * 1024 * 1024 });
	socket.on("message", (datagram, { address: to, port }) => socket.send(datagram, port, to));
	socket.bind(0, address, () => process.send?.(socket.address().port));
	process.on("disconnect", () => process.exit());
}
