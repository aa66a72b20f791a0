import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, connect, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { ended, listen, makeListener } from "../../host-tools/northbound/listener.js";
import { TestCa } from "./certificates.js";

let folder: string;

beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "best-listener-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

test("more connections than there may be are closed as they come", async () => {
	const listener = makeListener(() => new Response("yes"), undefined);
	expect(listener.maxConnections).toBe(2000);
	listener.maxConnections = 1;
	await listen(listener, "127.0.0.1", 0);
	const { port } = listener.address() as AddressInfo;
	const first = connect(port, "127.0.0.1");
	await new Promise((resolve) => listener.once("connection", resolve));
	const second = connect(port, "127.0.0.1").resume();
	await new Promise((resolve) => second.once("close", resolve));
	expect(first.closed).toBe(false);
	first.destroy();
	await ended(listener);
});

test("a TLS handshake that takes too long ends its connection: no answer waits for it", async () => {
	const ca = await TestCa.create(folder, "ca");
	const listener = makeListener(() => new Response("yes"), await ca.issue("hse", "hse"));
	const socket = new Socket().on("error", () => {});
	listener.emit("tlsClientError", Object.assign(new Error(), { code: "ERR_TLS_HANDSHAKE_TIMEOUT" }), socket);
	expect(socket.destroyed).toBe(true);
});
