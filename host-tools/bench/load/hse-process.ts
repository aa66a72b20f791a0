import { writeUint32 } from "../../../firmware/emsdp/octets.js";
import { HseServer } from "../../hse/server.js";
import { openStorage } from "../../hse/storage.js";
import { loadKernel } from "../../kernel.js";
import { Latencies } from "./latencies.js";
import { LoadSocket } from "./load-socket.js";
import { CREDIT_COUNT, CREDIT_OCTETS, type HseCounts, UPLINKS_PER_CREDIT } from "./messages.js";

/** Of the uplinks between two times that the counts are asked for: those beyond have none. */
const MOST_LATENCIES = 8 * 1024 * 1024;

/**
 * The HSE of a load test in a process of its own: the server of `best hse` with its SQLite store. It tells its port when
 * it listens, its counts whenever it is asked, and the load generator how many uplinks it has told of.
 */
export async function runHse(path: string, address: string, creditPort: number): Promise<void> {
	const { database, store, centre } = await openStorage(path);
	const credits = await LoadSocket.open(address);
	const creditTo = `${address} ${creditPort}`;
	// Not taken for a Session Request, which waits some milliseconds to be looked at.
	const credit = new Uint8Array(CREDIT_OCTETS).fill(0xff);
	const latencies = new Latencies(MOST_LATENCIES);
	let uplinks = 0;
	let sessionsConfirmed = 0;
	let vectors = 0;
	let all = 0;
	let cpuBefore = process.cpuUsage();
	const server = new HseServer({
		kernel: loadKernel(),
		database,
		store,
		centre,
		address,
		port: 0,
		onUplink: ({ octets, start }) => {
			latencies.add(octets, start);
			uplinks++;
			if (++all % UPLINKS_PER_CREDIT !== 0) return;
			writeUint32(credit, CREDIT_COUNT, all);
			credits.send(creditTo, credit);
			credits.flush();
		},
		onEvent: (event) => {
			if (event.kind === "session confirmed") sessionsConfirmed++;
			else if (event.kind === "session started") vectors++;
		},
		onError: (error) => console.error(error.message),
	});
	const port = await server.listen();
	process.on("message", () => {
		const p99Ms = latencies.take99thOf100();
		const { user, system } = process.cpuUsage(cpuBefore);
		const cpuSeconds = (user + system) / 1e6;
		const counts = { uplinks, p99Ms, sessionsConfirmed, vectors, rssBytes: process.memoryUsage.rss(), cpuSeconds };
		uplinks = 0;
		sessionsConfirmed = 0;
		vectors = 0;
		cpuBefore = process.cpuUsage();
		process.send?.(counts satisfies HseCounts);
	});
	process.on("disconnect", () => process.exit());
	process.send?.(port);
}
