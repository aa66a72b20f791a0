import { createSocket, type Socket } from "node:dgram";
import { get } from "node:http";
import { expect, test } from "@jest/globals";
import { toHex } from "../../host-tools/hex.js";
import { loadKernel } from "../../host-tools/kernel.js";
import { mutant, vectorCorpus } from "../hunt/corpus.js";
import { SeededRandom } from "../support/pair.js";
import { LiveUe } from "./live-ue.js";
import { MILLISECONDS, MINUTES, PATIENCE, SEED } from "./minutes.js";
import { RunningHse } from "./running-hse.js";

const UES = 20;
/** Changed datagrams in a burst, and milliseconds between two of them. */
const BURST = 40;
const BETWEEN = 10;
/** Datagrams of the live sessions that are kept to be changed. */
const CORPUS = 2000;
/** The newest datagrams: what ended the HSE is among them. */
const KEPT = 5000;
/** Sources of changed datagrams at a time. */
const SOURCES = 4;

const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A socket with an address of loopback that nobody had before. */
async function anySource(random: SeededRandom): Promise<Socket> {
	const [a, b, c] = random.octets(3);
	const socket = createSocket("udp4");
	socket.on("error", () => {});
	await new Promise<void>((resolve) => socket.bind(0, `127.${a}.${b}.${1 + (c % 250)}`, resolve));
	return socket;
}

/** The one datagram among those sent that ends a fresh HSE; undefined where none does alone. */
async function smallest(sent: readonly Uint8Array[]): Promise<string | undefined> {
	const hse = await new RunningHse(new SeededRandom(SEED), UES).start();
	const socket = createSocket("udp4");
	try {
		for (const datagram of [...sent].reverse()) {
			await new Promise((resolve) => socket.send(datagram, hse.port, "127.0.0.1", resolve));
			await wait(2);
			try {
				hse.check();
			} catch {
				return toHex(datagram);
			}
		}
		return undefined;
	} finally {
		socket.close();
		await hse.stop();
	}
}

test(
	"changed messages at a running HSE, beside sessions that are in use: it goes on, they go on, and its memory does not grow",
	async () => {
		console.log(`BEST_FUZZ_SEED=${SEED}, ${MILLISECONDS / 1000} s`);
		const random = new SeededRandom(SEED);
		const hse = await new RunningHse(random, UES).start();
		const vectors = vectorCorpus();
		const live: Uint8Array[] = [];
		let captured = 0;
		const kernel = loadKernel();
		const ues = hse.subscribers.map(
			(subscriber, i) =>
				new LiveUe(subscriber, kernel, SEED + i, hse.port, (datagram) => {
					live[captured++ % CORPUS] = datagram.slice();
				}),
		);
		// Somebody looks at the page all the time.
		const page = get(`${hse.page}/live`, (response) => response.resume()).on("error", () => {});
		let sources = await Promise.all(Array.from({ length: SOURCES }, () => anySource(random)));
		const sent: Uint8Array[] = [];
		let count = 0;
		/** Downlinks that each UE had had when it was last asked. */
		let before = ues.map(() => 0);
		try {
			const begun = performance.now();
			let nextSecond = begun;
			let nextCheck = begun + Math.max(3000, Math.min(60_000, MILLISECONDS));
			while (performance.now() < begun + MILLISECONDS) {
				if (performance.now() >= nextSecond) {
					nextSecond += 1000;
					await hse.measure();
					for (const ue of ues) ue.tick(`reading ${count}`);
					if (random.next() % 4 === 0) ues[random.next() % UES].leave();
					sources[0].close();
					sources = [...sources.slice(1), await anySource(random)];
				}
				if (performance.now() >= nextCheck) {
					nextCheck += 60_000;
					const after = ues.map(({ downlinks }) => downlinks);
					expect(after.filter((downlinks, i) => downlinks <= before[i])).toEqual([]);
					before = after;
				}
				for (let i = 0; i < BURST; i++) {
					const parameters = ues[random.next() % UES].ue.session?.context.parameters;
					const corpus = live.length > 0 && (random.next() & 0x300) !== 0 ? live : vectors;
					const datagram = mutant(random, corpus, parameters);
					sent[count++ % KEPT] = datagram;
					sources[i % SOURCES].send(datagram, hse.port, "127.0.0.1");
				}
				await wait(BETWEEN);
			}
			await hse.measure();
			// All of them still have their sessions served.
			before = ues.map(({ downlinks }) => downlinks);
			for (let i = 0; i < 200 && ues.some(({ downlinks }, j) => downlinks <= before[j]); i++) {
				if (i % 10 === 0) for (const ue of ues) ue.tick("last");
				await wait(100);
			}
			expect(ues.filter(({ downlinks }, i) => downlinks <= before[i])).toEqual([]);
			const metrics = await (await fetch(`${hse.page}/metrics`)).text();
			const verdicts = Object.fromEntries(
				[...metrics.matchAll(/^best_hse_datagrams_total\{verdict="([^"]*)"\} (\d+)$/gm)].map(([, name, of]) => [
					name,
					of,
				]),
			);
			const memory = hse.memoryFigures();
			const downlinks = ues.reduce((sum, ue) => sum + ue.downlinks, 0);
			const sessions = ues.reduce((sum, ue) => sum + ue.sessions, 0);
			console.log(JSON.stringify({ seed: SEED, changed: count, downlinks, sessions, verdicts, memory }));
			expect(Number(verdicts["wrong MAC or COUNT"])).toBeGreaterThan(0);
			expect(hse.errors()).not.toMatch(/^ {4}at |"level":50/m);
			expect(memory).toMatchObject({ isBounded: true });
			if (MINUTES > 0) expect(sessions).toBeGreaterThan(UES);
		} catch (error) {
			const ordered = [...sent.slice(count % KEPT), ...sent.slice(0, count % KEPT)];
			let hasEnded = false;
			try {
				hse.check();
			} catch {
				hasEnded = true;
			}
			const found = hasEnded ? await smallest(ordered) : undefined;
			const why = found === undefined ? "no datagram does it alone" : `this datagram does it alone: ${found}`;
			throw new Error(`BEST_FUZZ_SEED=${SEED}, after ${count} datagrams${hasEnded ? `, ${why}` : ""}`, {
				cause: error,
			});
		} finally {
			page.destroy();
			for (const ue of ues) ue.close();
			for (const source of sources) source.close();
			expect(await hse.stop()).toBe("code 0, signal null");
		}
	},
	PATIENCE,
);
