import { type ChildProcess, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { AGREEMENT, SERVICE } from "../../firmware/emsdp/profile.js";
import { type Device, startDevice } from "../../host-tools/device/device.js";
import { HseDatabase } from "../../host-tools/hse/database.js";
import { provision } from "../../host-tools/provision/provision.js";
import { best, ROOT } from "../support/best.js";
import { IMSI } from "../support/pair.js";

let folder: string;
let path: string;
let port: number;
let hse: ChildProcess | undefined;
let device: Device | undefined;
/** What each of the HSE's processes has told. */
let told: { readonly kind: string; readonly payload?: string; readonly count?: number }[];
/** What the device has told. */
let seen: { readonly event: string; readonly payload?: string }[];

async function freePort(): Promise<number> {
	const socket = createSocket("udp4");
	await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
	const free = socket.address().port;
	await new Promise<void>((resolve) => socket.close(() => resolve()));
	return free;
}

async function until(isSo: () => boolean): Promise<void> {
	for (let i = 0; !isSo(); i++) {
		if (i > 1000) throw new Error(`waited in vain; the HSE told ${JSON.stringify(told.slice(-3))}`);
		await new Promise((resolve) => setTimeout(resolve, 10));
	}
}

function startHse(): void {
	const words = ["build/tools/main.js", "hse", "--database", path, "--port", String(port), "--answer", "--json"];
	hse = spawn(process.execPath, words, { cwd: ROOT, stdio: ["ignore", "pipe", "inherit"] });
	if (hse.stdout) createInterface({ input: hse.stdout }).on("line", (line) => told.push(JSON.parse(line)));
}

async function end(signal: NodeJS.Signals): Promise<number | null> {
	const process_ = hse;
	hse = undefined;
	if (process_ === undefined) return null;
	if (process_.exitCode !== null) return process_.exitCode;
	const exited = new Promise<number | null>((resolve) => process_.on("close", resolve));
	process_.kill(signal);
	return exited;
}

const uplinks = () => told.filter(({ kind }) => kind === "uplink");
const answers = () => seen.filter(({ event }) => event === "downlink");

beforeEach(async () => {
	folder = mkdtempSync(join(tmpdir(), "best-test-"));
	path = join(folder, "hse.db");
	port = await freePort();
	told = [];
	seen = [];
	const database = new HseDatabase(path);
	await provision({
		database,
		storeDirectory: join(folder, "store"),
		imsi: IMSI,
		hseAddress: "127.0.0.1",
		hsePort: port,
		easId: "meter.test",
		service: SERVICE.confidential,
		agreement: AGREEMENT.epsAka,
	});
	database.close();
	startHse();
	await until(() => statSync(`${path}-lock`, { throwIfNoEntry: false }) !== undefined);
});
afterEach(async () => {
	device?.cutPower();
	await device?.exited;
	await end("SIGKILL");
	rmSync(folder, { recursive: true });
});

function boot(): Device {
	const booted = startDevice({ storeDirectory: join(folder, "store") });
	booted.onLine((line) => seen.push(JSON.parse(line)));
	device = booted;
	return booted;
}

test("an HSE that is killed in the middle of traffic, again and again: sessions go on, nothing is taken twice", async () => {
	const meter = boot();
	await until(() => seen.some(({ event }) => event === "session started"));
	let sent = 0;
	for (let round = 0; round < 3; round++) {
		const before = answers().length;
		meter.sendReading(Buffer.from(`reading ${sent++}`));
		await until(() => answers().length > before);
		// No answer to these is waited for: the process ends somewhere in between.
		for (let i = 0; i < 10; i++) meter.sendReading(Buffer.from(`reading ${sent++}`));
		await new Promise((resolve) => setTimeout(resolve, 5 * round));
		await end("SIGKILL");
		startHse();
		// The first uplink after the restart is sent until the new process listens, as a device reports again and again.
		const heard = uplinks().length;
		for (let i = 0; i < 200 && uplinks().length === heard; i++) {
			meter.sendReading(Buffer.from(`reading ${sent++}`));
			await new Promise((resolve) => setTimeout(resolve, 100));
		}
		expect(uplinks().length).toBeGreaterThan(heard);
	}
	meter.end();
	expect(await meter.exited).toBe(0);
	await end("SIGTERM");
	expect(told.filter(({ kind }) => kind === "session started")).toHaveLength(1);
	expect(seen.filter(({ event }) => event === "session started" || event === "session resumed")).toHaveLength(1);
	const counts = uplinks().map(({ count }) => count);
	expect(new Set(counts).size).toBe(counts.length);
	expect(told.at(-1)?.kind).toBe("session over");
}, 60_000);

test("an HSE that is told to end stores its sessions; two do not run on one database", async () => {
	const meter = boot();
	await until(() => seen.some(({ event }) => event === "session started"));
	meter.sendReading(Buffer.from("before"));
	await until(() => answers().length === 1);
	const second = best(["hse", "--database", path, "--port", String(await freePort())]);
	expect(second.status).toBe(1);
	expect(second.stderr).toMatch(/in use by another HSE/);
	expect(await end("SIGTERM")).toBe(0);
	startHse();
	for (let i = 0; i < 200 && uplinks().length === 1; i++) {
		meter.sendReading(Buffer.from("after"));
		await new Promise((resolve) => setTimeout(resolve, 100));
	}
	expect(uplinks().length).toBeGreaterThan(1);
	expect(told.filter(({ kind }) => kind === "session started")).toHaveLength(1);
	for (const name of [path, `${path}-wal`, `${path}-shm`, `${path}-lock`])
		expect(statSync(name).mode & 0o777).toBe(0o600);
}, 60_000);
