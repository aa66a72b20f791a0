import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { afterEach, describe, expect, test } from "@jest/globals";
import { BatchedSocket, loadBatchedUdp } from "../../host-tools/udp/batched-socket";
import type { DatagramReceiver, DatagramSocket, OpenDatagramSocket } from "../../host-tools/udp/datagram-socket";
import { openNodeSocket } from "../../host-tools/udp/node-socket";

/** First octets of a UP message under Key ID 1 and of a Session Request. */
const UP = [0x01, 0x88];
const REQUEST = [0x01, 0x00];

const batchedUdp = loadBatchedUdp();
const sockets: [string, OpenDatagramSocket][] = [["node:dgram", openNodeSocket]];
if (batchedUdp !== undefined) sockets.push(["batched-udp", async (options) => new BatchedSocket(batchedUdp, options)]);

/** Keeps what it is given. */
class Recorder implements DatagramReceiver {
	readonly heard: { from: string; octets: number[] }[] = [];
	readonly expected: number[] = [];
	batches = 0;
	onBatch: () => void = () => {};

	receive(from: string, octets: Uint8Array, length: number): void {
		this.heard.push({ from, octets: [...octets.subarray(0, length)] });
	}

	expectRequests(requests: number): void {
		this.expected.push(requests);
	}

	endBatch(): void {
		this.batches++;
		this.onBatch();
	}

	async hears(datagrams: number): Promise<void> {
		while (this.heard.length < datagrams) await new Promise<void>((resolve) => (this.onBatch = resolve));
	}
}

const open: { close(): unknown }[] = [];
afterEach(async () => {
	for (const socket of open.splice(0)) await socket.close();
});

async function openPeer(address: string): Promise<{ peer: Socket; name: string }> {
	const peer = createSocket(address.includes(":") ? "udp6" : "udp4");
	open.push(peer);
	peer.bind(0, address);
	await once(peer, "listening");
	return { peer, name: `${address} ${peer.address().port}` };
}

test("the batched socket is tried wherever CI runs on Linux", () => {
	expect(process.env.CI === undefined || process.platform !== "linux" || batchedUdp !== undefined).toBe(true);
});

describe.each(sockets)("%s", (_name, openSocket) => {
	const start = async (address: string) => {
		const receiver = new Recorder();
		const socket: DatagramSocket = await openSocket({ address, port: 0, receiver });
		open.push(socket);
		return { receiver, socket, ...(await openPeer(address)) };
	};

	test.each(["127.0.0.1", "::1"])("datagrams both ways, from and to %s", async (address) => {
		const { receiver, socket, peer, name } = await start(address);
		peer.send(Uint8Array.from([...UP, 7]), socket.port, address);
		await receiver.hears(1);
		expect(receiver.heard).toEqual([{ from: name, octets: [...UP, 7] }]);
		const answer = once(peer, "message");
		socket.send(name, Uint8Array.of(1, 2, 3));
		socket.flush();
		const [datagram, remote] = await answer;
		expect([...datagram]).toEqual([1, 2, 3]);
		expect(remote).toMatchObject({ address, port: socket.port });
	});

	test("Session Requests are handed over too, and an empty datagram", async () => {
		const { receiver, socket, peer, name } = await start("127.0.0.1");
		peer.send(Uint8Array.from([...REQUEST, 9]), socket.port, "127.0.0.1");
		await receiver.hears(1);
		peer.send(new Uint8Array(0), socket.port, "127.0.0.1");
		await receiver.hears(2);
		expect(receiver.heard).toEqual([
			{ from: name, octets: [...REQUEST, 9] },
			{ from: name, octets: [] },
		]);
	});

	test("the longest datagrams of UDP are told from the longest message", async () => {
		const { receiver, socket, peer } = await start("127.0.0.1");
		for (const length of [1232, 1233, 65_507]) {
			peer.send(Uint8Array.from([...UP, ...new Uint8Array(length - 2).fill(length)]), socket.port, "127.0.0.1");
			await receiver.hears(receiver.heard.length + 1);
			const got = receiver.heard.at(-1)?.octets ?? [];
			expect(Math.min(got.length, 1233)).toBe(Math.min(length, 1233));
			expect(got[2]).toBe(length & 0xff);
		}
	});

	test("more datagrams than fit one batch arrive once each, in order, and their answers too", async () => {
		const { receiver, socket, peer, name } = await start("127.0.0.1");
		const answers: number[] = [];
		peer.on("message", (octets) => answers.push(octets.readUInt16BE(2)));
		const COUNT = 1000;
		const indices = Array.from({ length: COUNT }, (_, i) => i);
		for (const i of indices) {
			peer.send(Uint8Array.from([...UP, i >> 8, i]), socket.port, "127.0.0.1");
			if (i % 100 === 99) await receiver.hears(i - 99);
		}
		await receiver.hears(COUNT);
		expect(receiver.heard.map(({ octets }) => (octets[2] << 8) | octets[3])).toEqual(indices);
		// No more at once than the peer has room for.
		for (let first = 0; first < COUNT; first += 200) {
			for (const { from, octets } of receiver.heard.slice(first, first + 200))
				socket.send(from, Uint8Array.from(octets));
			socket.flush();
			while (answers.length < first + 200) await once(peer, "message");
		}
		expect(answers).toEqual(indices);
		expect(receiver.heard.every(({ from }) => from === name)).toBe(true);
	});

	test("what datagrams that are there together bring about is done a few times, not once for each", async () => {
		const { receiver, socket, peer } = await start("127.0.0.1");
		for (let i = 0; i < 100; i++) peer.send(Uint8Array.from([...UP, i]), socket.port, "127.0.0.1");
		await receiver.hears(100);
		expect(receiver.batches).toBeLessThan(20);
	});

	test("many peers: each is told from the others", async () => {
		const { receiver, socket } = await start("127.0.0.1");
		const peers = await Promise.all(Array.from({ length: 50 }, () => openPeer("127.0.0.1")));
		for (const round of [0, 1])
			for (const [i, { peer }] of peers.entries()) {
				peer.send(Uint8Array.from([...UP, i]), socket.port, "127.0.0.1");
				await receiver.hears(50 * round + i + 1);
			}
		for (const { from, octets } of receiver.heard) expect(from).toBe(peers[octets[2]].name);
	});

	test("an address that another socket has is refused with EADDRINUSE; after a close it can be had at once", async () => {
		const { socket } = await start("127.0.0.1");
		const again = () => openSocket({ address: "127.0.0.1", port: socket.port, receiver: new Recorder() });
		await expect(again()).rejects.toMatchObject({ code: "EADDRINUSE" });
		await socket.close();
		open.push(await again());
	});

	test("what cannot be sent is lost, and nothing else with it", async () => {
		const { socket, peer, name } = await start("127.0.0.1");
		const answer = once(peer, "message");
		for (const to of ["127.0.0.1 0", "255.255.255.255 9", "nowhere 5", "127.0.0.1"]) socket.send(to, Uint8Array.of(9));
		socket.send(name, Uint8Array.of(5));
		socket.flush();
		expect([...(await answer)[0]]).toEqual([5]);
	});

	test("what comes after a close is nobody's", async () => {
		const { receiver, socket, peer, name } = await start("127.0.0.1");
		await socket.close();
		socket.send(name, Uint8Array.of(1));
		socket.flush();
		peer.send(Uint8Array.from(UP), socket.port, "127.0.0.1");
		await new Promise((resolve) => setTimeout(resolve, 50));
		expect(receiver.heard).toEqual([]);
	});
});

const onLinux = batchedUdp === undefined ? describe.skip : describe;
onLinux("Session Requests have a queue of their own", () => {
	/** @param octet to tell them by, another one than that of the profile */
	const startBatched = (octet?: number) => {
		const udp = batchedUdp as NonNullable<typeof batchedUdp>;
		const receiver = new Recorder();
		const openWith: typeof udp.open = (address, port, receiveOctets, requestOctets, own, ...rest) =>
			udp.open(address, port, receiveOctets, requestOctets, octet ?? own, ...rest);
		const socket = new BatchedSocket({ ...udp, open: openWith }, { address: "127.0.0.1", port: 0, receiver });
		open.push(socket);
		return { receiver, socket };
	};

	test("they wait for some milliseconds, are announced, and come after what came later from sessions", async () => {
		const { receiver, socket } = startBatched();
		const { peer } = await openPeer("127.0.0.1");
		for (let i = 0; i < 30; i++) peer.send(Uint8Array.from([...REQUEST, i]), socket.port, "127.0.0.1");
		peer.send(Uint8Array.from(UP), socket.port, "127.0.0.1");
		await receiver.hears(31);
		expect(receiver.heard[0].octets).toEqual(UP);
		expect(receiver.expected).toEqual([30]);
	});

	test("all that have room are taken, 40 at once at the most, and no more in the long run than 12 in a millisecond", async () => {
		const { receiver, socket } = startBatched();
		const { peer } = await openPeer("127.0.0.1");
		const requests = 600;
		for (let i = 0; i < requests; i++) peer.send(Uint8Array.from([...REQUEST, i & 0xff]), socket.port, "127.0.0.1");
		const announced: number[] = [];
		receiver.expectRequests = (most) => {
			expect(most).toBeLessThanOrEqual(40);
			announced.push(performance.now());
		};
		await receiver.hears(requests);
		expect(receiver.heard.map(({ octets }) => octets[2])).toEqual(Array.from({ length: requests }, (_, i) => i & 0xff));
		// Those of 15 ms and the last turn come for nothing, and timers are early by a millisecond or two.
		expect((announced.at(-1) ?? 0) - announced[0]).toBeGreaterThan((requests - 40) / 12 - 20);
	});

	test("more of them than the queue has room for are lost, and no message of a session is", async () => {
		const { receiver, socket } = startBatched();
		const { peer } = await openPeer("127.0.0.1");
		const send = (octets: readonly number[]) =>
			new Promise<void>((resolve) => peer.send(Uint8Array.from(octets), socket.port, "127.0.0.1", () => resolve()));
		for (let i = 0; i < 20_000; i++) {
			await send([...REQUEST, 1]);
			if (i % 100 === 0) await send([...UP, i / 100]);
		}
		await receiver.hears(200);
		while (receiver.heard.filter(({ octets }) => octets[1] === UP[1]).length < 200)
			await receiver.hears(receiver.heard.length + 1);
		const ofSessions = receiver.heard.filter(({ octets }) => octets[1] === UP[1]);
		expect(ofSessions.map(({ octets }) => octets[2])).toEqual(Array.from({ length: 200 }, (_, i) => i));
		expect(receiver.heard.length).toBeLessThan(20_200);
	});

	test("a system that takes no program to tell them by has one queue for all", async () => {
		// Beyond what a program may look at.
		const { receiver, socket } = startBatched(0xffff_ffff);
		const { peer } = await openPeer("127.0.0.1");
		for (const octets of [REQUEST, UP]) peer.send(Uint8Array.from(octets), socket.port, "127.0.0.1");
		await receiver.hears(2);
		expect(receiver.heard.map(({ octets }) => octets)).toEqual([REQUEST, UP]);
		expect(receiver.expected).toEqual([]);
		const again = openNodeSocket({ address: "127.0.0.1", port: socket.port, receiver: new Recorder() });
		await expect(again).rejects.toMatchObject({ code: "EADDRINUSE" });
	});
});
