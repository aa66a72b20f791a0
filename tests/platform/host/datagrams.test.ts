import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { expect, test } from "@jest/globals";
import { describeHosts, linesOf } from "./hosts.js";

const hasIPv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === "::1"));

/** Runs `action` beside a server that answers each datagram with what `answer` gives. */
async function withServer<T>(
	answer: (octets: Buffer) => readonly Uint8Array[],
	action: (port: number, server: Socket) => Promise<T>,
	address = "127.0.0.1",
): Promise<T> {
	const server = createSocket(address.includes(":") ? "udp6" : "udp4");
	server.on("message", (octets, from) => {
		for (const one of answer(octets)) server.send(one, from.port, from.address);
	});
	server.bind(0, address);
	await once(server, "listening");
	try {
		return await action((server.address() as AddressInfo).port, server);
	} finally {
		server.close();
	}
}

describeHosts((host) => {
	test("a datagram goes out and its answer comes back", async () => {
		const script = (port: number) => `
			const into = new Uint8Array(100);
			host.udpOpen("127.0.0.1", ${port});
			host.onReadable = (count) => {
				const length = host.udpRead(into);
				host.print(count + ": " + into.subarray(0, length) + " then " + host.udpRead(into));
				host.udpClose();
				host.onReadable = undefined;
			};
			host.udpWrite(new Uint8Array([1, 2, 3, 4]).subarray(1), 2);`;
		const lines = await withServer(
			(octets) => [octets],
			(port) => linesOf(host, script(port)),
		);
		expect(lines).toEqual(["1: 2,3 then -1"]);
	});

	(hasIPv6 ? test : test.skip)("the same over IPv6", async () => {
		const script = (port: number) => `
			const into = new Uint8Array(100);
			host.udpOpen("0:0:0:0:0:0:0:1", ${port});
			host.onReadable = () => {
				host.print("" + host.udpRead(into));
				host.exit(0);
			};
			host.udpWrite(into, 7);`;
		const lines = await withServer(
			(octets) => [octets],
			(port) => linesOf(host, script(port)),
			"::1",
		);
		expect(lines).toEqual(["7"]);
	});

	test("a datagram that is too long is cut off, and its length is told", async () => {
		const script = (port: number) => `
			const into = new Uint8Array(4).fill(9);
			host.udpOpen("127.0.0.1", ${port});
			let count = 0;
			host.onReadable = () => {
				host.print(host.udpRead(into.subarray(0, 3)) + ": " + into);
				if (++count === 4) host.exit(0);
			};
			host.udpWrite(into, 1);`;
		const answers = [new Uint8Array(1300).fill(1), Uint8Array.of(2), new Uint8Array(0), new Uint8Array(60000)];
		const lines = await withServer(
			() => answers,
			(port) => linesOf(host, script(port)),
		);
		expect(lines).toEqual(["1300: 1,1,1,9", "1: 2,1,1,9", "0: 2,1,1,9", "60000: 0,0,0,9"]);
	});

	test("datagrams that nobody takes are lost without an error", async () => {
		const script = `
			host.udpOpen("127.0.0.1", 9);
			const octets = new Uint8Array(10);
			let count = 0;
			host.onReadable = () => host.print("readable");
			host.onAlarm = () => {
				host.udpWrite(octets, 10);
				if (++count < 5) host.setAlarm(host.now() + 5);
				else host.exit(0);
			};
			host.setAlarm(0);`;
		expect(await linesOf(host, script)).toEqual([]);
	});

	test("datagrams of others are not seen", async () => {
		const script = (port: number) => `
			const into = new Uint8Array(10);
			host.udpOpen("127.0.0.1", ${port});
			host.onReadable = () => {
				const length = host.udpRead(into);
				host.print(length + ": " + into[0]);
				host.exit(0);
			};
			host.udpWrite(into, 1);`;
		const lines = await withServer(
			() => [],
			async (port, server) => {
				const stranger = createSocket("udp4");
				server.once("message", (_octets, from) => {
					stranger.send(Uint8Array.of(66), from.port, from.address, () => {
						server.send(Uint8Array.of(7), from.port, from.address);
					});
				});
				try {
					return await linesOf(host, script(port));
				} finally {
					stranger.close();
				}
			},
		);
		expect(lines).toEqual(["1: 7"]);
	});

	test("a socket is opened in place of an earlier one, and closed twice", async () => {
		const script = (port: number) => `
			const into = new Uint8Array(10);
			host.udpOpen("127.0.0.1", 9);
			host.udpOpen("127.0.0.1", ${port});
			host.onReadable = () => {
				host.print("" + host.udpRead(into));
				host.udpClose();
				host.udpClose();
				host.print("" + host.udpRead(into));
				try { host.udpWrite(into, 1); } catch (error) { host.print(String(error)); }
			};
			host.udpWrite(into, 5);`;
		const lines = await withServer(
			(octets) => [octets],
			(port) => linesOf(host, script(port)),
		);
		expect(lines).toEqual(["5", "-1", "Error: No UDP socket is open."]);
	});

	test("an address that is none is refused in one sentence", async () => {
		const script = `
			for (const address of ["hse.example", "", "1.2.3.256", "x".repeat(500)]) {
				try { host.udpOpen(address, 1); } catch (error) { host.print(error.message.slice(-46)); }
			}`;
		const sentence = "is neither an IPv4 nor an IPv6 address.";
		const lines = await linesOf(host, script);
		expect(lines).toHaveLength(4);
		for (const line of lines) expect(line).toContain(sentence);
	});
});
