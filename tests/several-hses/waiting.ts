import { createSocket, type Socket } from "node:dgram";
import { type AddressInfo, createServer } from "node:net";
import { expect } from "@jest/globals";

/** Where the HSEs of a test listen. */
export const ADDRESS = "127.0.0.1";

export function pause(milliseconds: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

export async function until(isThere: () => unknown, milliseconds = 10_000): Promise<void> {
	for (const end = Date.now() + milliseconds; Date.now() < end && !(await isThere()); ) await pause(20);
	expect(await isThere()).toBeTruthy();
}

export async function freeUdpPort(): Promise<number> {
	const socket: Socket = createSocket("udp4");
	await new Promise<void>((resolve) => socket.bind(0, ADDRESS, resolve));
	const { port } = socket.address();
	await new Promise<void>((resolve) => socket.close(() => resolve()));
	return port;
}

export async function freeTcpPort(): Promise<number> {
	const server = createServer();
	await new Promise<void>((resolve) => server.listen(0, ADDRESS, resolve));
	const { port } = server.address() as AddressInfo;
	await new Promise((resolve) => server.close(resolve));
	return port;
}
