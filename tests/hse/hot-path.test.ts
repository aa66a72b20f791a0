import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "@jest/globals";
import { DIRECTION } from "../../firmware/emsdp/profile";
import type { SecurityContext } from "../../firmware/emsdp/security-context";
import { contextOf, storeFleet } from "../../host-tools/bench/hse-core";
import { HseDatabase } from "../../host-tools/hse/database";
import { HseServer } from "../../host-tools/hse/server";
import { SqliteSessionStore } from "../../host-tools/hse/session-store";
import type { Uplink } from "../../host-tools/hse/uplink";
import { loadKernel } from "../../host-tools/kernel";
import type { DatagramReceiver } from "../../host-tools/udp/datagram-socket";

const SESSIONS = 64;
const BATCH = 64;
const PEER = "127.0.0.1 40000";
const PAYLOAD = 20;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** A server over a socket that is not there, and UEs of stored sessions. */
async function withServer(
	listeners: Partial<ConstructorParameters<typeof HseServer>[0]>,
	work: (
		receiver: DatagramReceiver,
		/** Octets of the next uplinks, one of each session. */
		uplinks: () => readonly Uint8Array[],
		sent: readonly Uint8Array[],
		server: HseServer,
	) => Promise<void>,
): Promise<void> {
	const folder = mkdtempSync(join(tmpdir(), "best-hot-path-"));
	const path = join(folder, "hse.db");
	const database = new HseDatabase(path);
	database.leaveLog();
	await storeFleet(path, SESSIONS);
	const store = new SqliteSessionStore(path);
	const sent: Uint8Array[] = [];
	let receiver: DatagramReceiver | undefined;
	const server = new HseServer({
		kernel: loadKernel(),
		database,
		store,
		address: "127.0.0.1",
		port: 0,
		...listeners,
		openSocket: async (options) => {
			receiver = options.receiver;
			return { port: 1, send: (_to, datagram) => void sent.push(datagram), flush() {}, async close() {} };
		},
	});
	try {
		await server.listen();
		const ues = loadKernel();
		const contexts: SecurityContext[] = Array.from(
			{ length: SESSIONS },
			(_, number) => contextOf(ues, number, 1, DIRECTION.fromUe).context,
		);
		const uplinks = () =>
			contexts.map(({ user }, number) => {
				ues.message.fill(number, user.headerOctets, user.headerOctets + PAYLOAD);
				return ues.message.slice(0, user.seal(PAYLOAD));
			});
		if (receiver === undefined) throw new Error("The server has opened no socket.");
		await work(receiver, uplinks, sent, server);
	} finally {
		await server.close();
		await store.close();
		database.close();
		rmSync(folder, { recursive: true });
	}
}

/** Hands datagrams over as a batch of the system. */
function receive(receiver: DatagramReceiver, datagrams: readonly Uint8Array[]): void {
	for (const datagram of datagrams) receiver.receive(PEER, datagram, datagram.length);
	receiver.endBatch();
}

describe("an uplink of a session in which nothing else is going on", () => {
	/** Octets of the heap that an uplink costs: the least of some runs, since what is made for each is made in every run. */
	async function octetsEach(listener: (uplink: Uplink) => unknown): Promise<number> {
		let heard = 0;
		let least = Number.POSITIVE_INFINITY;
		await withServer(
			{
				onUplink: (uplink) => {
					heard++;
					listener(uplink);
				},
			},
			async (receiver, uplinks) => {
				for (let run = 0; run < 12; run++) {
					const batches = Array.from({ length: 50 }, uplinks);
					const wanted = heard + batches.length * BATCH;
					collectGarbage();
					const before = process.memoryUsage().heapUsed;
					for (const batch of batches) receive(receiver, batch);
					while (heard < wanted) await new Promise((resolve) => setTimeout(resolve, 1));
					least = Math.min(least, (process.memoryUsage().heapUsed - before) / (batches.length * BATCH));
				}
			},
		);
		return least;
	}

	test("has nothing made for it on its way from the socket to whoever takes uplinks", async () => {
		// Where the engine has not compiled a function yet, it boxes numbers beyond 31 bits: some tens to 190 octets.
		const most = 250;
		let payloadOctets = 0;
		const count = ({ start, end }: Uplink) => {
			payloadOctets += end - start;
		};
		expect(await octetsEach(count)).toBeLessThan(most);
		expect(payloadOctets).toBe(PAYLOAD * 12 * 50 * BATCH);
		// That the measure would show an event.
		expect(await octetsEach((uplink) => uplink.toEvent())).toBeGreaterThan(most);
	});

	test("is told of once, in order with the events around it, and after it is durable", async () => {
		const told: string[] = [];
		await withServer(
			{
				onUplink: ({ sessionId, count }) => told.push(`uplink ${sessionId} ${count}`),
				onEvent: (event) => told.push(event.kind),
			},
			async (receiver, uplinks, sent, server) => {
				const [first, second] = [uplinks(), uplinks()];
				const [sessionId] = server.hse.imsis(1).map((imsi) => server.hse.sessionOf(imsi)?.sessionId ?? 0);
				receive(receiver, first);
				expect(told).toEqual([]);
				server.refresh(sessionId, 2);
				receive(receiver, second);
				while (told.length < 2 * SESSIONS) await new Promise(setImmediate);
				// The 30.
				expect(sent).toHaveLength(1);
				const counts = told.filter((text) => text.startsWith(`uplink ${sessionId} `) || text === "uplink");
				expect(told).toHaveLength(2 * SESSIONS);
				// That of the session whose keys are being changed is an event.
				expect(counts).toEqual([`uplink ${sessionId} 0`, "uplink"]);
				expect(told.indexOf("uplink")).toBeGreaterThanOrEqual(SESSIONS);
			},
		);
	});
});
