/** `best provision` against the firmware on XS, over a pseudo-terminal. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "@jest/globals";
import { SerialPort } from "serialport";
import { decodeIdentity } from "../../firmware/client/identity.js";
import { HseDatabase } from "../../host-tools/hse/database.js";
import { HseServer } from "../../host-tools/hse/server.js";
import { loadKernel } from "../../host-tools/kernel.js";
import { hasXsHost } from "../platform/host/hosts.js";
import { best, ROOT } from "../support/best.js";
import { bootWithConsole, cutPower, newFolder } from "./devices.js";

const K = "2b7e151628aed2a6abf7158809cf4f3c";
const OPC = "9f1c2d3e4b5a69788796a5b4c3d2e1f0";

const IMSI = "901700000000001";
/** At port 9 no HSE answers, whatever else runs on this machine. */
const common = ["--imsi", IMSI, "--hse-address", "127.0.0.1", "--hse-port", "9", "--eas-id", "meter.test"];
const keys = JSON.stringify({ k: K, opc: OPC });

/** What is stored for a device, undefined where it has no identity. */
function identityIn(storeDirectory: string) {
	const file = join(storeDirectory, "identity");
	return existsSync(file) ? decodeIdentity(Uint8Array.from(readFileSync(file))) : undefined;
}

const hexOf = (octets: Uint8Array | undefined) => Buffer.from(octets ?? []).toString("hex");

/** A console by TCP that hangs up once it has passed so many octets on to the device. */
async function bridge(path: string, limit: number, onLimit: () => void) {
	const port = new SerialPort({ path, baudRate: 115200, autoOpen: false });
	port.on("error", () => {});
	await new Promise<void>((resolve) => port.open(() => resolve()));
	let left = limit;
	const server = createServer((socket) => {
		socket.on("error", () => {});
		port.on("data", (octets) => socket.write(octets));
		socket.on("data", (octets) => {
			if (left <= 0) return;
			port.write(octets.subarray(0, left), () => {
				left -= octets.length;
				if (left > 0) return;
				port.drain(() => onLimit());
				socket.destroy();
			});
		});
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	return {
		place: `127.0.0.1:${(server.address() as AddressInfo).port}`,
		async close() {
			server.close();
			await new Promise<void>((resolve) => port.close(() => resolve()));
		},
	};
}

/** `best provision` in a process of its own, while this one goes on. */
async function attempt(place: string, words: readonly string[]) {
	const all = ["build/tools/main.js", "provision", "--port", place, "--unchecked", ...common, ...words];
	const child = spawn(process.execPath, all, { cwd: ROOT });
	let output = "";
	child.stdout.on("data", (text) => {
		output += text;
	});
	child.stdin.end(keys);
	const status = await new Promise((resolve) => child.on("close", resolve));
	return { status, output };
}

(hasXsHost ? describe : describe.skip)("best provision and the firmware on XS", () => {
	let server: HseServer | undefined;
	afterEach(async () => {
		await server?.close();
		server = undefined;
	});

	test("from nothing to a message: provisioned over a pty, the device agrees keys at once", async () => {
		const database = new HseDatabase(join(newFolder(), "hse.db"));
		const uplinks: string[] = [];
		let heard = () => {};
		const first = new Promise<void>((resolve) => {
			heard = resolve;
		});
		server = new HseServer({
			kernel: loadKernel(),
			database,
			address: "127.0.0.1",
			port: 0,
			onEvent: (event) => {
				if (event.kind !== "uplink") return;
				uplinks.push(Buffer.from(event.payload).toString());
				heard();
			},
		});
		const hsePort = await server.listen();
		const device = await bootWithConsole();
		const words = ["provision", "--port", device.path, "--fingerprint", device.fingerprint ?? "", ...common];
		const folder = newFolder();
		const path = join(folder, "hse.db");
		const { status, stdout, stderr } = best([...words, "--hse-port", String(hsePort), "--database", path, "--json"]);
		expect(stderr).toBe("");
		expect(status).toBe(0);
		const report = JSON.parse(stdout);
		expect(report).toMatchObject({ imsi: IMSI, status: "ok", port: device.path, fingerprint: device.fingerprint });
		expect(report.check).toMatch(/^[0-9a-f]{6}-[0-9a-f]{6}$/);
		// The HSE's own database has the subscriber, enabled, with the keys that the device has.
		const made = new HseDatabase(path);
		const subscriber = made.subscriber(IMSI);
		made.close();
		expect(subscriber?.enabled).toBe(true);
		const { credentials } = identityIn(device.storeDirectory) ?? { credentials: undefined };
		expect(hexOf(credentials)).toBe(hexOf(subscriber?.k) + hexOf(subscriber?.opc));
		if (subscriber !== undefined) database.addSubscriber(subscriber);
		await device.until("provisioned");
		await device.until("session started");
		device.device.sendReading(Buffer.from("hello"));
		await first;
		expect(uplinks).toEqual(["hello"]);
		device.device.end();
		expect(await device.device.exited).toBe(0);
		database.close();
	});

	test("keys by standard input: they are in the device, and in no output", async () => {
		const device = await bootWithConsole();
		const words = ["provision", "--port", device.path, "--unchecked", ...common, "--keys", "-", "--json"];
		const { status, stdout, stderr } = best(words, keys);
		expect(stderr).toBe("");
		expect(status).toBe(0);
		expect(hexOf(identityIn(device.storeDirectory)?.credentials)).toBe(K + OPC);
		const told = stdout + stderr + JSON.stringify(device.lines);
		for (const secret of [K, OPC]) expect(told).not.toContain(secret.slice(0, 8));
		expect(existsSync(join(device.storeDirectory, "console"))).toBe(false);
	});

	test("a pre-shared key: the device and the HSE agree session keys from it", async () => {
		const path = join(newFolder(), "hse.db");
		const database = new HseDatabase(path);
		server = new HseServer({ kernel: loadKernel(), database, address: "127.0.0.1", port: 0, onEvent: () => {} });
		const port = String(await server.listen());
		const device = await bootWithConsole();
		const psk = `${"5f".repeat(31)}60`;
		const words = [
			"provision",
			"--port",
			device.path,
			"--unchecked",
			...common,
			"--hse-port",
			port,
			"--database",
			path,
		];
		const keyed = [...words, "--keys", "-", "--psk-id", "meter-7"];
		expect(best(keyed, JSON.stringify({ psk }))).toMatchObject({ status: 0, stderr: "" });
		expect(hexOf(identityIn(device.storeDirectory)?.credentials)).toBe(psk + Buffer.from("meter-7").toString("hex"));
		await device.until("session started");
		device.device.end();
		expect(await device.device.exited).toBe(0);
		database.close();
	});

	test("a wrong fingerprint: the device gets nothing", async () => {
		const device = await bootWithConsole();
		const words = ["provision", "--port", device.path, "--fingerprint", "0000-0000-0000-0000-0000", ...common];
		const { status, stderr } = best([...words, "--keys", "-"], keys);
		expect(status).toBe(1);
		expect(stderr).toMatch(new RegExp(`${device.fingerprint}.*nothing was sent`));
		expect(identityIn(device.storeDirectory)).toBeUndefined();
		// It is as open as before.
		expect(best(["provision", "--port", device.path, "--unchecked", ...common, "--keys", "-"], keys).status).toBe(0);
	});

	test("a second attempt is refused, after a power cut too; with the button it is not", async () => {
		const first = await bootWithConsole();
		const words = (path: string) => ["provision", "--port", path, "--unchecked", ...common, "--keys", "-"];
		expect(best(words(first.path), keys).status).toBe(0);
		const other = JSON.stringify({ k: OPC, opc: K });
		const again = best(words(first.path), other);
		expect(again.status).toBe(1);
		expect(again.stderr).toMatch(/provisioned already/);
		await cutPower(first);
		const second = await bootWithConsole({ storeDirectory: first.storeDirectory });
		expect(best(words(second.path), other)).toMatchObject({
			status: 1,
			stderr: expect.stringMatching(/provisioned already/),
		});
		expect(hexOf(identityIn(first.storeDirectory)?.credentials)).toBe(K + OPC);
		await cutPower(second);
		const third = await bootWithConsole({ storeDirectory: first.storeDirectory, isButtonPressed: true });
		expect(best(words(third.path), other).status).toBe(0);
		expect(hexOf(identityIn(first.storeDirectory)?.credentials)).toBe(OPC + K);
	});

	test("the power is cut at any octet: the device has the old identity or the new one, whole", async () => {
		const outcomes = new Set<string>();
		for (const octets of [5, 20, 60, 130, 158, 10_000]) {
			const device = await bootWithConsole();
			const { storeDirectory } = device;
			const tcp = await bridge(device.path, octets, () => device.device.cutPower());
			const { status } = await attempt(tcp.place, ["--keys", "-"]);
			await tcp.close();
			await cutPower(device);
			const has = hexOf(identityIn(storeDirectory)?.credentials);
			expect(["", K + OPC]).toContain(has);
			if (status === 0) expect(has).toBe(K + OPC);
			outcomes.add(has);
			const next = await bootWithConsole({ storeDirectory, isButtonPressed: true });
			expect(best(["provision", "--port", next.path, "--unchecked", ...common, "--keys", "-"], keys).status).toBe(0);
			await cutPower(next);
		}
		expect([...outcomes].sort()).toEqual(["", K + OPC]);
	}, 60_000);

	test("garbage on the line before and while it is provisioned", async () => {
		const device = await bootWithConsole();
		const line = openSync(device.path, "r+");
		writeSync(line, randomBytes(3000));
		const noise = setInterval(() => writeSync(line, randomBytes(7)), 3);
		const { status } = await attempt(device.path, ["--keys", "-"]);
		clearInterval(noise);
		expect(status).toBe(0);
		expect(hexOf(identityIn(device.storeDirectory)?.credentials)).toBe(K + OPC);
	}, 30_000);

	test("over TCP, and unplugged in the middle", async () => {
		const device = await bootWithConsole();
		const short = await bridge(device.path, 60, () => {});
		const failed = await attempt(short.place, ["--keys", "-", "--json"]);
		await short.close();
		expect(failed.status).toBe(1);
		expect(JSON.parse(failed.output)).toMatchObject({ status: "uncertain", code: "line gone" });
		expect(identityIn(device.storeDirectory)).toBeUndefined();
		const whole = await bridge(device.path, 10_000, () => {});
		expect((await attempt(whole.place, ["--keys", "-"])).status).toBe(0);
		await whole.close();
		expect(hexOf(identityIn(device.storeDirectory)?.credentials)).toBe(K + OPC);
	}, 30_000);

	test("what cannot be: one line, status 1 or 2, and no key in it", async () => {
		const file = join(newFolder(), "keys.json");
		writeFileSync(file, JSON.stringify({ k: `${K}00`, opc: OPC }));
		const wrong = best(["provision", "--port", "/dev/none", "--unchecked", ...common, "--keys", file]);
		expect(wrong).toMatchObject({ status: 2, stderr: "k must have 32 hex digits.\n" });
		const none = best(["provision", "--port", join(newFolder(), "tty"), "--unchecked", ...common, "--keys", "-"], keys);
		expect(none.status).toBe(1);
		expect(none.stderr).toMatch(/cannot be opened/);
		const known = best(
			["provision", "--port", "/dev/none", "--unchecked", ...common, "--keys", "-"],
			JSON.stringify({ k: "465b5ce8b199b49faa5f0a2ee238a6bc", opc: OPC }),
		);
		expect(known).toMatchObject({ status: 2, stderr: expect.stringMatching(/everybody knows.*--test/) });
		expect(best(["provision"])).toMatchObject({
			status: 2,
			stderr: expect.stringMatching(/--port, --batch and --store/),
		});
		const unasked = best(["provision", "--port", "/dev/none", ...common]);
		expect(unasked).toMatchObject({ status: 2, stderr: expect.stringMatching(/--fingerprint is missing/) });
	});
});
