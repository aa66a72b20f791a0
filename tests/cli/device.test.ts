import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { AGREEMENT, SERVICE } from "../../firmware/emsdp/profile.js";
import { type Device, startDevice } from "../../host-tools/device/device.js";
import { HseDatabase } from "../../host-tools/hse/database.js";
import { HseServer } from "../../host-tools/hse/server.js";
import { loadKernel } from "../../host-tools/kernel.js";
import { provision } from "../../host-tools/provision/provision.js";
import { best } from "../support/best.js";
import { IMSI } from "../support/pair.js";

let folder: string;
let database: HseDatabase;
let server: HseServer;
let uplinks: string[];
const devices: Device[] = [];

async function listen(port = 0): Promise<number> {
	server = new HseServer({
		kernel: loadKernel(),
		database,
		address: "127.0.0.1",
		port,
		onEvent: (event) => {
			if (event.kind === "uplink") uplinks.push(Buffer.from(event.payload).toString());
		},
	});
	return server.listen();
}

/** A device whose lines can be waited for. */
function boot() {
	const device = startDevice({ storeDirectory: join(folder, "store") });
	devices.push(device);
	const seen: string[] = [];
	let wake = () => {};
	device.onLine((line) => {
		seen.push(JSON.parse(line).event);
		wake();
	});
	const until = async (isSo: () => boolean) => {
		while (!isSo())
			await new Promise<void>((resolve) => {
				wake = resolve;
				setTimeout(resolve, 20);
			});
	};
	return { device, seen, until };
}

beforeEach(async () => {
	folder = mkdtempSync(join(tmpdir(), "best-test-"));
	database = new HseDatabase(join(folder, "hse.db"));
	uplinks = [];
	const hsePort = await listen();
	await provision({
		database,
		storeDirectory: join(folder, "store"),
		imsi: IMSI,
		hseAddress: "127.0.0.1",
		hsePort,
		easId: "meter.test",
		service: SERVICE.confidential,
		agreement: AGREEMENT.epsAka,
	});
});
afterEach(async () => {
	for (const device of devices.splice(0)) {
		device.cutPower();
		await device.exited;
	}
	await server.close();
	database.close();
	rmSync(folder, { recursive: true });
});

test("a device whose power is cut resumes its session when it comes back", async () => {
	const first = boot();
	await first.until(() => first.seen.includes("session started"));
	first.device.sendReading(Buffer.from("before"));
	await first.until(() => uplinks.length === 1);
	first.device.cutPower();
	expect(await first.device.exited).toBe(-1);
	const second = boot();
	await second.until(() => second.seen.length > 0);
	expect(second.seen[0]).toBe("session resumed");
	second.device.sendReading(Buffer.from("after"));
	await second.until(() => uplinks.length === 2);
	expect(uplinks).toEqual(["before", "after"]);
	second.device.end();
	expect(await second.device.exited).toBe(0);
	expect(second.seen).toContain("session over");
});

test("an HSE that has forgotten its sessions: the device finds out and agrees a new one", async () => {
	const { device, seen, until } = boot();
	await until(() => seen.includes("session started"));
	device.sendReading(Buffer.from("before"));
	await until(() => uplinks.length === 1);
	const { port } = server;
	await server.close();
	await listen(port);
	for (let i = 0; uplinks.length < 2 && i < 200; i++) {
		device.sendReading(Buffer.from("after"));
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
	expect(uplinks[1]).toBe("after");
	expect(seen.filter((event) => event === "session started")).toHaveLength(2);
});

test("best device without an identity says what to do", () => {
	const { status, stderr } = best(["device", "--store", join(folder, "none")]);
	expect(status).toBe(1);
	expect(stderr).toMatch(/There is no identity in .*best provision --store DIR/);
});

test("a device whose identity offers only what its firmware does not have says so", async () => {
	const store = join(folder, "zuc-only");
	const words = ["--store", store, "--database", join(folder, "other.db"), "--algorithms", "zuc"];
	expect(best(["provision", ...words]).status).toBe(0);
	const device = startDevice({ storeDirectory: store });
	devices.push(device);
	const lines: string[] = [];
	device.onLine((line) => lines.push(JSON.parse(line)));
	expect(await device.exited).toBe(1);
	expect(lines[0]).toEqual({ event: "failed", why: "The UE has none of the algorithms that it is to offer." });
});
