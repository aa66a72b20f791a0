import { createSocket, type Socket } from "node:dgram";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { SQN_STEP } from "../../firmware/keys/aka.js";
import { PostgresSubscribers } from "../../host-tools/hse/postgres/subscribers.js";
import { NO_POSTGRES, Postgres } from "../support/postgres.js";
import { SeededRandom } from "../support/seeded-random.js";
import { HseProcess, type Told } from "./hse-process.js";
import { CREDENTIALS, Meter } from "./meter.js";
import { pause } from "./waiting.js";
import { checkWire } from "./wire-check.js";

const SEED = Number(process.env.BEST_SEED ?? 33163);
const METERS = 12;
const HSES = 3;
const ADDRESS = "127.0.0.1";

async function freePorts(many: number): Promise<number[]> {
	const sockets = Array.from({ length: many }, () => createSocket("udp4"));
	const bind = (socket: Socket) => new Promise<void>((resolve) => socket.bind(0, ADDRESS, resolve));
	await Promise.all(sockets.map(bind));
	const ports = sockets.map((socket) => socket.address().port);
	await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))));
	return ports;
}

if (NO_POSTGRES !== undefined) test.skip(`several HSEs on one PostgreSQL: ${NO_POSTGRES}`, () => {});
else {
	let postgres: Postgres;
	const told: Told[] = [];
	let hses: HseProcess[] = [];
	let meters: Meter[] = [];

	beforeAll(async () => {
		postgres = new Postgres();
		await postgres.start();
		const subscribers = new PostgresSubscribers(postgres.url);
		await subscribers.migrate();
		const random = new SeededRandom(SEED);
		const ports = await freePorts(HSES);
		for (let i = 0; i < METERS; i++) {
			const imsi = `9017000000001${String(i).padStart(2, "0")}`;
			const amf = Uint8Array.of(0x80, 0);
			await subscribers.addSubscriber({ imsi, ...CREDENTIALS, amf, sqn: SQN_STEP, enabled: true });
			meters.push(new Meter(imsi, new SeededRandom(random.next()), ports));
		}
		await subscribers.close();
		// An uplink that is not answered changes nothing but a COUNT, which goes another way into the database.
		hses = ports.map((port, i) => new HseProcess(postgres.url, port, i > 0, told));
		for (const hse of hses) hse.start();
	}, 60_000);
	afterAll(async () => {
		for (const meter of meters) meter.stop();
		for (const hse of hses) await hse.end("SIGKILL");
		for (const meter of meters) meter.close();
		meters = [];
		await postgres?.remove();
	}, 60_000);

	test(`three HSEs on one PostgreSQL, killed at random under load, seed ${SEED}`, async () => {
		const random = new SeededRandom(SEED ^ 0x5bd1e995);
		const first = (random.next() >>> 8) % HSES;
		const runs = meters.map((meter) => meter.run());
		const kill = async (number: number) => {
			const hse = hses[(first + number) % HSES];
			await hse.end("SIGKILL");
			hse.start();
		};
		await pause(3000);
		for (let kills = 0; kills < 5; kills++) {
			await kill(kills);
			await pause(500 + ((random.next() >>> 8) % 3000));
		}
		// One stands still for longer than its lease, as a machine that is paused: others take its sessions, and it must see that.
		const [still] = hses;
		for (const meter of meters) meter.aim = hses.indexOf(still);
		for (let i = 0; i < 400 && still.events < 10 * METERS; i++) await pause(50);
		still.signal("SIGSTOP");
		for (const meter of meters) meter.aim = undefined;
		await pause(8000);
		still.signal("SIGCONT");
		await still.ended();
		expect(still.ends.at(-1)).toBe(1);
		expect(still.errors.at(-1)).toMatch(/silent for longer than its lease/);
		still.start();
		await pause(2000);
		// The database itself ends in a crash and comes back.
		await postgres.stop("SIGQUIT");
		await pause(1000);
		await postgres.start();
		await kill(5);
		await pause(2000);
		for (const meter of meters) meter.stop();
		await Promise.all(runs);

		// Service goes on: each UE gets an answer, within the lease of whoever had its session, or after the 30 s of an 0F.
		const reached = await Promise.all(meters.map((meter) => meter.reachesHse(45_000)));
		expect(reached).toEqual(meters.map(() => true));
		for (const hse of hses) await hse.end("SIGTERM");
		expect(hses.map(({ ends }) => ends.at(-1))).toEqual([0, 0, 0]);

		const uplinks = told.flatMap(({ kind, payload = "" }) =>
			kind === "uplink" ? [Buffer.from(payload, "hex").toString()] : [],
		);
		const sent = meters.flatMap((meter) => [...meter.sent]);
		const twice = uplinks.filter((payload, i) => uplinks.indexOf(payload) !== i);
		expect(twice).toEqual([]);
		expect(uplinks.filter((payload) => !sent.includes(payload))).toEqual([]);
		let messages = 0;
		for (const meter of meters) {
			const findings = checkWire(meter);
			expect([meter.imsi, findings.violations, findings.unexplained]).toEqual([meter.imsi, [], 0]);
			messages += findings.messages;
			expect(new Set(meter.sqns.values()).size).toBe(meter.sqns.size);
		}
		// What was checked is worth checking.
		if (process.env.BEST_FIGURES) {
			const many = (number: (meter: Meter) => number) => meters.reduce((sum, meter) => sum + number(meter), 0);
			const counts = { messages, uplinks: uplinks.length, sent: sent.length, answers: many(({ answers }) => answers) };
			const sessions = { sessions: many((meter) => meter.sessions), resumes: many((meter) => meter.resumes) };
			console.log({
				...counts,
				...sessions,
				sqns: many((meter) => meter.sqns.size),
				ends: hses.map(({ ends }) => ends),
			});
		}
		expect(uplinks.length).toBeGreaterThan(sent.length / 2);
	}, 120_000);
}
