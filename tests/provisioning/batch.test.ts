/** Many devices: the firmware on XS, each in a process of its own, and `best provision --batch`. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { decodeIdentity } from "../../firmware/client/identity.js";
import { HseDatabase } from "../../host-tools/hse/database.js";
import { hasXsHost } from "../platform/host/hosts.js";
import { best, ROOT } from "../support/best.js";
import { bootWithConsole, type ConsoleDevice, newFolder } from "./devices.js";

const K = "2b7e151628aed2a6abf7158809cf4f3c";
const common = ["--hse-address", "192.0.2.1", "--eas-id", "meter.test"];
const imsi = (index: number) => `9017000000000${String(index).padStart(2, "0")}`;

const reportsIn = (text: string) =>
	text
		.trim()
		.split("\n")
		.map((line) => JSON.parse(line));

function credentialsOf({ storeDirectory }: ConsoleDevice): string {
	const file = join(storeDirectory, "identity");
	if (!existsSync(file)) return "";
	return Buffer.from(decodeIdentity(Uint8Array.from(readFileSync(file))).credentials).toString("hex");
}

/** Rows of CSV for devices, each with a K of its own. */
function csvOf(devices: readonly ConsoleDevice[], fingerprint = (device: ConsoleDevice) => device.fingerprint): string {
	const rows = devices.map((device, i) =>
		[imsi(i), K, `${K.slice(2)}${10 + i}`, device.path, fingerprint(device)].join(),
	);
	return ["IMSI,K,OPc,port,fingerprint", ...rows, ""].join("\n");
}

(hasXsHost ? describe : describe.skip)("a batch", () => {
	test("each device gets its own; what failed is done by the next run, and nothing else", async () => {
		const devices = await Promise.all(Array.from({ length: 5 }, () => bootWithConsole()));
		const folder = newFolder();
		const file = join(folder, "devices.csv");
		const report = join(folder, "report.jsonl");
		const words = ["provision", "--batch", file, "--report", report, ...common];
		writeFileSync(
			file,
			csvOf(devices, (device) => (device === devices[2] ? "0000-0000-0000-0000-0000" : device.fingerprint)),
		);
		const dry = best([...words, "--dry-run"]);
		expect(dry.status).toBe(0);
		expect(reportsIn(dry.stdout).map(({ status }) => status)).toEqual(new Array(5).fill("would be"));
		expect(existsSync(report)).toBe(false);
		const first = best(words);
		expect(first).toMatchObject({ status: 1, stdout: "" });
		const lines = reportsIn(readFileSync(report, "utf8"));
		expect(lines).toHaveLength(5);
		for (const { row, status, code } of lines) {
			expect(status).toBe(row === 3 ? "failed" : "ok");
			if (row === 3) expect(code).toBe("not authentic");
		}
		expect(readFileSync(report, "utf8")).not.toContain(K);
		expect(devices.map(credentialsOf)).toEqual(devices.map((_, i) => (i === 2 ? "" : `${K}${K.slice(2)}${10 + i}`)));
		writeFileSync(file, csvOf(devices));
		expect(best(words).status).toBe(0);
		const all = reportsIn(readFileSync(report, "utf8"));
		expect(all).toHaveLength(6);
		expect(all[5]).toMatchObject({ row: 3, status: "ok", imsi: imsi(2) });
		expect(credentialsOf(devices[2])).not.toBe("");
		// A third run has nothing to do; another batch is told from this one.
		expect(best(words).status).toBe(0);
		expect(reportsIn(readFileSync(report, "utf8"))).toHaveLength(6);
		writeFileSync(file, csvOf(devices).replace(imsi(0), imsi(77)));
		expect(best(words)).toMatchObject({ status: 1, stderr: expect.stringMatching(/is of another batch/) });
	}, 30_000);

	test("fresh keys go into the HSE's database, and stay the same over a failed attempt", async () => {
		const device = await bootWithConsole();
		const folder = newFolder();
		const path = join(folder, "hse.db");
		const row = { imsi: imsi(1), port: device.path, fingerprint: "0000-0000-0000-0000-0000" };
		const words = ["provision", "--batch", "-", "--database", path, ...common];
		expect(best(words, `${JSON.stringify(row)}\n`).status).toBe(1);
		const before = new HseDatabase(path);
		const waiting = before.subscriber(imsi(1));
		before.close();
		expect(waiting?.enabled).toBe(false);
		const right = { ...row, fingerprint: device.fingerprint };
		expect(best(words, `${JSON.stringify(right)}\n`).status).toBe(0);
		const after = new HseDatabase(path);
		const served = after.subscriber(imsi(1));
		after.close();
		expect(served).toEqual({ ...waiting, enabled: true });
		expect(credentialsOf(device)).toBe(Buffer.from([...(served?.k ?? []), ...(served?.opc ?? [])]).toString("hex"));
	});

	test("a fault in a row is told before any device is touched, without the key", async () => {
		const device = await bootWithConsole();
		const file = join(newFolder(), "devices.csv");
		writeFileSync(file, `${csvOf([device])}${imsi(9)},${K}zz,${K},${device.path},x\n`);
		const { status, stderr, stdout } = best(["provision", "--batch", file, ...common]);
		expect({ status, stderr, stdout }).toEqual({
			status: 2,
			stdout: "",
			stderr: "Row 2: k must have 32 hex digits.\n",
		});
		writeFileSync(file, `${csvOf([device])}${imsi(9)},${K}\n`);
		expect(best(["provision", "--batch", file, ...common])).toMatchObject({
			status: 2,
			stderr: expect.stringMatching(/^Line 3 is not CSV/),
		});
		expect(credentialsOf(device)).toBe("");
	});

	test("one port for all: the next device is waited for", async () => {
		const device = await bootWithConsole();
		const rows = [1, 2].map((i) => JSON.stringify({ imsi: imsi(i), k: K, opc: K.replaceAll("2", "3") }));
		const words = ["provision", "--batch", "-", "--port", device.path, "--unchecked", "--wait", "1", ...common];
		const { stdout, status } = best(words, rows.join("\n"));
		expect(status).toBe(1);
		expect(reportsIn(stdout)).toMatchObject([
			{ row: 1, status: "ok" },
			{ row: 2, status: "failed", code: "provisioned already" },
		]);
	});
});

test("a batch does not grow in memory: 40,000 rows in a heap of 32 MB", () => {
	const file = join(newFolder(), "many.csv");
	const rows = Array.from(
		{ length: 40_000 },
		(_, i) => `90170${String(i).padStart(10, "0")},${K},${K.replaceAll("2", "3")},p`,
	);
	writeFileSync(file, ["imsi,k,opc,port", ...rows, ""].join("\n"));
	const words = ["provision", "--batch", file, "--dry-run", "--unchecked", ...common];
	const flags = ["--max-old-space-size=32", "--max-semi-space-size=2"];
	const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, "build/tools/main.js", ...words], {
		cwd: ROOT,
		encoding: "utf8",
		maxBuffer: 1 << 26,
	});
	expect(stderr).toBe("");
	expect(status).toBe(0);
	expect(stdout.trim().split("\n")).toHaveLength(40_000);
}, 60_000);
