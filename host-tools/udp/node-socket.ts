import { createSocket, type SocketOptions } from "node:dgram";
import { isIP, isIPv6 } from "node:net";
import { type DatagramSocket, type DatagramSocketOptions, RECEIVE_OCTETS } from "./datagram-socket.js";

/** While datagrams go on coming, what they bring about waits for so many turns of the event loop, of 32 datagrams at the most. */
const MOST_TURNS = 8;

/** A source is an address already: it goes out in this turn, and not after a question to the resolver. */
const takeAsIs: SocketOptions["lookup"] = (address, _options, done) => done(null, address, isIPv6(address) ? 6 : 4);

/** A socket of node:dgram, for systems that have no {@link BatchedSocket}: one datagram at a time. */
export async function openNodeSocket({ address, port, receiver }: DatagramSocketOptions): Promise<DatagramSocket> {
	const socket = createSocket({ type: isIPv6(address) ? "udp6" : "udp4", lookup: takeAsIs });
	await new Promise<void>((resolve, reject) => {
		socket.once("error", reject);
		socket.bind(port, address, () => {
			socket.off("error", reject);
			// A datagram that could not be sent is lost, as datagrams are.
			socket.on("error", () => {});
			resolve();
		});
	});
	socket.setRecvBufferSize(RECEIVE_OCTETS);
	let isClosed = false;
	/** Turns of the event loop since the first datagram that was not followed by endBatch. */
	let turns = 0;
	let hasCome = false;
	const endTurn = () => {
		if (hasCome && turns < MOST_TURNS) {
			hasCome = false;
			turns++;
			setImmediate(endTurn);
			return;
		}
		turns = 0;
		if (!isClosed) receiver.endBatch();
	};
	socket.on("message", (datagram, remote) => {
		// A source port of 0 asks for no answer (RFC 768), and none can be sent there.
		if (remote.port === 0) return;
		receiver.receive(`${remote.address} ${remote.port}`, datagram, datagram.length);
		hasCome = true;
		if (turns > 0) return;
		turns = 1;
		setImmediate(endTurn);
	});
	const { port: boundPort } = socket.address();
	return {
		port: boundPort,
		send(to, datagram) {
			const [name, number] = to.split(" ");
			// One that cannot be sent is lost: an exception would come from its form alone.
			if (!isClosed && isIP(name) !== 0 && Number(number) > 0) socket.send(datagram, Number(number), name);
		},
		flush() {},
		async close() {
			if (isClosed) return;
			isClosed = true;
			await new Promise<void>((resolve) => socket.close(resolve));
		},
	};
}
