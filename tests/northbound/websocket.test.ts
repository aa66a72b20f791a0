import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { type ClientOptions, WebSocket, WebSocketServer } from "ws";
import { attachedTo, keepAlive } from "../../host-tools/northbound/websocket.js";
import { DESTINATION, UE, World } from "./world.js";

const PING_EVERY = 20;

let server: Server;
let sockets: WebSocketServer;

beforeEach(async () => {
	server = createServer();
	sockets = new WebSocketServer({ server });
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});

afterEach(async () => {
	for (const socket of sockets.clients) socket.terminate();
	await new Promise((resolve) => server.close(resolve));
});

/** Both ends of a connection. */
async function connected(options: ClientOptions = {}): Promise<{ client: WebSocket; here: WebSocket }> {
	const there = new Promise<WebSocket>((resolve) => sockets.once("connection", resolve));
	const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/`, options);
	await new Promise((resolve) => client.once("open", resolve));
	return { client, here: await there };
}

/** The code and the reason that an end is closed with. */
function closed(socket: WebSocket): Promise<[number, string]> {
	return new Promise((resolve) => socket.once("close", (code, reason) => resolve([code, String(reason)])));
}

test("an end that answers no ping is cut off; one that does stays", async () => {
	const [silent, alive] = [await connected({ autoPong: false }), await connected()];
	for (const { here } of [silent, alive]) keepAlive(here, PING_EVERY);
	expect(await closed(silent.here)).toEqual([1006, ""]);
	await new Promise((resolve) => setTimeout(resolve, 5 * PING_EVERY));
	expect(alive.client.readyState).toBe(WebSocket.OPEN);
});

test("what is attached says why it closes", async () => {
	const { client, here } = await connected();
	const attached = attachedTo(here);
	const frame = new Promise((resolve) => client.once("message", (data) => resolve(String(data))));
	expect(await attached.send("{}")).toBe(true);
	expect(await frame).toBe("{}");
	attached.close("replaced");
	expect(await closed(client)).toEqual([4000, "Another connection has taken its place."]);
	expect(await attached.send("{}")).toBe(false);
});

/** A WebSocket as the notifier sees it. */
class FakeSocket {
	readonly frames: Record<string, unknown>[] = [];
	why: string | undefined;
	isTaking = true;

	async send(text: string): Promise<boolean> {
		if (this.isTaking) this.frames.push(JSON.parse(text));
		return this.isTaking;
	}

	close(why: string): void {
		this.why = why;
	}
}

async function configured(more: (world: World) => object = () => ({})) {
	const world = await World.make();
	world.connect();
	const { body } = await world.nidd("POST", "/configurations", {
		externalId: UE,
		notificationDestination: DESTINATION,
		websockNotifConfig: { requestWebsocketUri: true },
		...more(world),
	});
	const id = body.self.split("/").at(-1) as string;
	const [first, second] = [new FakeSocket(), new FakeSocket()];
	const send = async (text: string) => {
		world.send(text);
		world.settle();
		await world.quiet();
	};
	return { world, id, first, second, send };
}

test("a second connection takes the place of the first, which is told", async () => {
	const { world, id, first, second, send } = await configured();
	world.context.notifier.attach(id, first);
	world.context.notifier.attach(id, second);
	expect([first.why, second.why]).toEqual(["replaced", undefined]);
	world.context.notifier.detach(id, first);
	await send("reading");
	expect([first.frames.length, second.frames.length]).toEqual([0, 1]);
});

test("one that lags behind is closed, so that its client can come again", async () => {
	const { world, id, first, send } = await configured();
	first.isTaking = false;
	world.context.notifier.attach(id, first);
	await send("reading");
	expect(first.why).toBe("behind");
});

test("with its configuration it is closed", async () => {
	const { world, id, first } = await configured();
	world.context.notifier.attach(id, first);
	await world.nidd("DELETE", `/configurations/${id}`);
	expect(first.why).toBe("over");
});

test("when its configuration ends it is closed after the last notification", async () => {
	const { world, id, first } = await configured((at) => ({ duration: new Date(at.time() + 60_000).toISOString() }));
	world.context.notifier.attach(id, first);
	await world.pass(60_000);
	expect([first.frames.map(({ status }) => status), first.why]).toEqual([["TERMINATED"], "over"]);
});
