import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SQN_STEP } from "../../../firmware/keys/aka.js";
import { projectRoot } from "../../device/project-root.js";
import { HseDatabase } from "../../hse/database.js";
import { loadBatchedUdp } from "../../udp/batched-socket.js";
import { imsiOf, storeFleet } from "../hse-core.js";
import { CREDENTIALS } from "./attaching-ue.js";
import { agreeSessions, echoFigures, UplinkLoad } from "./generator.js";
import { LoadSocket } from "./load-socket.js";
import { type HseCounts, LOAD_COMMAND, type LoadRole } from "./messages.js";
import { machineTime, stolenSince } from "./stolen-time.js";

/** Subscribers without a session. */
const SUBSCRIBERS = 60_000;
/** Those of them that a flood is in the name of, and those whose sessions come before the measurement. */
const FLOOD_SUBSCRIBERS = 1000;
const WARM_UP_SUBSCRIBERS = 20_000;
/** Milliseconds of load before a measurement, in which the engine compiles what is called often. */
const UPLINKS_WARM_UP = 3000;
const SESSIONS_WARM_UP = 4000;
/** Uplinks in a second that the HSE has to take. */
const WANTED = 40_000;
/**
 * Uplinks in a second beside a flood: half as many again as the HSE has to take. At its full speed three processes want all
 * of two cores each for itself, and the loss would be the machine's.
 */
const MOST_FLOODED = 1.5 * WANTED;

/** What an HSE does over loopback, its load generator in another process, on one machine. */
export interface SocketFigures {
	/** Protected uplinks of 64 octets in a second, each told of after it was durable. */
	readonly uplinksPerSecond: number;
	/** The same for a second of processor time of the HSE, whatever else the machine does. */
	readonly uplinksPerCpuSecond: number;
	/** From the UE's call to the event that tells of the uplink, milliseconds: 99 of 100 take no longer. */
	readonly p99Ms: number;
	/** The same at 40,000 in a second, each sent when it is due, whatever has become of the others. */
	readonly p99MsAt40000: number;
	/** Round trips through a bare UDP echo of the same runtime, in the same run. */
	readonly echoPerSecond: number;
	readonly ratioToEcho: number;
	/** From a datagram's sending to its echo, at 40,000 in a second, milliseconds: what {@link p99MsAt40000} is of the machine's own. */
	readonly echoP99MsAt40000: number;
	readonly newSessionsPerSecond: number;
	readonly newSessionsPerCpuSecond: number;
	/** Sessions in the HSE's process, nearly all of them idle. */
	readonly idleSessions: number;
	/** Memory of that process after its start. */
	readonly rssBytes: number;
	/** From the start of that process until it listens. */
	readonly restartSeconds: number;
	/** Part of the uplinks, sent at the pace of {@link uplinksPerSecond} or 60,000 in a second, that is lost while forged Session Requests come as fast as a process can send them. */
	readonly floodLoss: number;
	/** Forged requests in a second, and how many authentication vectors they cost in all. */
	readonly floodPerSecond: number;
	readonly floodVectors: number;
	/** Whether datagrams were taken and sent many at a time, which needs Linux and a C compiler. */
	readonly hasBatchedSocket: boolean;
	/** Part of the machine's processor time that its host gave to others meanwhile, where it is a virtual one that tells. */
	readonly stolen?: number | undefined;
	/** Where a soak was asked for: memory of the HSE's process under the load of {@link uplinksPerSecond}, every ten seconds. */
	readonly soakRssBytes?: readonly number[];
}

export interface SocketOptions {
	readonly idleSessions: number;
	/** "127.0.0.1" or "::1". */
	readonly address: string;
	/** Of each measurement. */
	readonly milliseconds: number;
	/** How long uplinks go on while the memory is watched; 0: not at all. */
	readonly soakSeconds: number;
}

function start(role: LoadRole, ...words: readonly (string | number)[]): ChildProcess {
	return fork(join(projectRoot(), "build/tools/main.js"), [LOAD_COMMAND, role, ...words.map(String)], {
		execArgv: ["--no-warnings"],
	});
}

/** What a process says next. @throws Error where it ends instead */
function answer<T>(child: ChildProcess): Promise<T> {
	return new Promise((resolve, reject) => {
		const over = () => reject(new Error("A process of the benchmark has ended."));
		child.once("exit", over);
		child.once("message", (message) => {
			child.off("exit", over);
			resolve(message as T);
		});
	});
}

function ask<T>(child: ChildProcess): Promise<T> {
	child.send("counts");
	return answer<T>(child);
}

async function end(child: ChildProcess): Promise<void> {
	const over = once(child, "exit");
	child.disconnect();
	await over;
}

export async function socketFigures({
	idleSessions,
	address,
	milliseconds,
	soakSeconds,
}: SocketOptions): Promise<SocketFigures> {
	const folder = mkdtempSync(join(tmpdir(), "best-bench-"));
	const children: ChildProcess[] = [];
	try {
		const path = join(folder, "hse.db");
		const database = new HseDatabase(path);
		const subscriber = { ...CREDENTIALS, amf: Uint8Array.of(0x80, 0), sqn: SQN_STEP, enabled: true };
		database.together(() => {
			for (let i = 0; i < SUBSCRIBERS; i++) database.addSubscriber({ imsi: imsiOf(idleSessions + i), ...subscriber });
		});
		database.close();
		await storeFleet(path, idleSessions);

		const echo = start("echo", address);
		children.push(echo);
		const bare = await echoFigures(address, await answer<number>(echo), milliseconds, WANTED);
		await end(echo);

		const credits = await LoadSocket.open(address);
		const started = performance.now();
		const hse = start("hse", path, address, credits.port);
		children.push(hse);
		const port = await answer<number>(hse);
		const restartSeconds = (performance.now() - started) / 1000;
		const { rssBytes } = await ask<HseCounts>(hse);

		const load = new UplinkLoad(credits, address, port);
		/** Counts of the HSE in a measurement, for one second. */
		const during = async (run: () => Promise<unknown>) => {
			await ask<HseCounts>(hse);
			const begin = performance.now();
			await run();
			const seconds = (performance.now() - begin) / 1000;
			const counts = await ask<HseCounts>(hse);
			return { ...counts, seconds };
		};
		const before = machineTime();
		await load.run(UPLINKS_WARM_UP);
		const uplinks = await during(() => load.run(milliseconds));

		const uplinksPerSecond = uplinks.uplinks / uplinks.seconds;

		const wanted = await during(() => load.pace(WANTED, milliseconds));

		const soakRssBytes: number[] = [];
		while (10 * soakRssBytes.length < soakSeconds) soakRssBytes.push((await during(() => load.run(10_000))).rssBytes);

		const pace = Math.min(uplinksPerSecond, MOST_FLOODED);
		const paced = await during(() => load.pace(pace, milliseconds));
		const flood = start("flood", address, port, idleSessions + SUBSCRIBERS - FLOOD_SUBSCRIBERS);
		children.push(flood);
		await answer(flood);
		const flooded = await during(() => load.pace(pace, milliseconds));
		const floodPerSecond = (await ask<number>(flood)) / flooded.seconds;
		await end(flood);

		await agreeSessions(address, port, idleSessions, WARM_UP_SUBSCRIBERS, SESSIONS_WARM_UP);
		const first = idleSessions + WARM_UP_SUBSCRIBERS;
		const subscribers = SUBSCRIBERS - WARM_UP_SUBSCRIBERS - FLOOD_SUBSCRIBERS;
		const sessions = await during(() => agreeSessions(address, port, first, subscribers, milliseconds));
		const stolen = stolenSince(before);
		await end(hse);
		await credits.close();
		return {
			uplinksPerSecond: Math.round(uplinksPerSecond),
			p99Ms: uplinks.p99Ms,
			p99MsAt40000: wanted.p99Ms,
			uplinksPerCpuSecond: Math.round(uplinks.uplinks / uplinks.cpuSeconds),
			echoPerSecond: Math.round(bare.perSecond),
			ratioToEcho: uplinksPerSecond / bare.perSecond,
			echoP99MsAt40000: bare.p99Ms,
			newSessionsPerSecond: Math.round(sessions.sessionsConfirmed / sessions.seconds),
			newSessionsPerCpuSecond: Math.round(sessions.sessionsConfirmed / sessions.cpuSeconds),
			idleSessions,
			rssBytes,
			restartSeconds,
			floodLoss: 1 - flooded.uplinks / flooded.seconds / (paced.uplinks / paced.seconds),
			floodPerSecond: Math.round(floodPerSecond),
			floodVectors: flooded.vectors,
			hasBatchedSocket: loadBatchedUdp() !== undefined,
			stolen,
			...(soakSeconds > 0 && { soakRssBytes }),
		};
	} finally {
		for (const child of children) child.kill();
		rmSync(folder, { recursive: true });
	}
}
