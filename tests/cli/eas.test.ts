import { type ChildProcess, spawn } from "node:child_process";
import { createPrivateKey, generateKeyPairSync, privateDecrypt } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { whyOf } from "../../host-tools/cli/eas.js";
import { best, ROOT } from "../support/best.js";

/** Long enough for a machine that is busy; nothing is measured. */
const PATIENCE = 60_000;

let folder: string;
const at = (name: string) => join(folder, name);
beforeAll(() => {
	folder = mkdtempSync(join(tmpdir(), "best-eas-"));
	const made = best(["ca", "--directory", at("ca"), "--eas-ids", "meter.demo,other.demo"]);
	expect(made.status).toBe(0);
	expect(made.stdout).toContain("never for production");
	expect(best(["ca", "--directory", at("other-ca")]).status).toBe(0);
});
afterAll(() => {
	rmSync(folder, { recursive: true });
});

/** A `best` command that goes on until the test ends it. */
class Running {
	readonly lines: string[] = [];
	errors = "";
	private readonly process: ChildProcess;
	private readonly exited: Promise<number | null>;
	private wake: () => void = () => {};

	constructor(words: readonly string[]) {
		this.process = spawn(process.execPath, ["build/tools/main.js", ...words], { cwd: ROOT });
		let rest = "";
		this.process.stdout?.setEncoding("utf8").on("data", (text: string) => {
			const lines = (rest + text).split("\n");
			rest = lines.pop() ?? "";
			this.lines.push(...lines);
			this.wake();
		});
		this.process.stderr?.setEncoding("utf8").on("data", (text: string) => {
			this.errors += text;
			this.wake();
		});
		this.exited = new Promise((resolve) => {
			this.process.on("exit", (status) => {
				resolve(status);
				this.wake();
			});
		});
	}

	get events(): Record<string, string>[] {
		return this.lines.map((line) => JSON.parse(line));
	}

	async until(isSo: () => boolean): Promise<void> {
		while (!isSo()) {
			if (this.process.exitCode !== null) throw new Error(`It has ended: ${this.errors}`);
			await new Promise<void>((resolve) => {
				this.wake = resolve;
			});
		}
	}

	async end(): Promise<number | null> {
		this.process.kill("SIGTERM");
		const forced = setTimeout(() => this.process.kill("SIGKILL"), 3000);
		const status = await this.exited;
		clearTimeout(forced);
		return status;
	}
}

const running: Running[] = [];
function start(words: readonly string[]): Running {
	const command = new Running(words);
	running.push(command);
	return command;
}
afterEach(async () => {
	for (const command of running.splice(0)) await command.end();
});

/** Ports that are free now: UDP and TCP of this process. */
let port = 20_000 + (process.pid % 20_000);
const tlsOf = (who: string, directory = "ca", prefix = "") => [
	...[`--${prefix}certificate`, at(`${directory}/${who}.pem`), `--${prefix}private-key`, at(`${directory}/${who}.key`)],
	...[`--${prefix}authority`, at("ca/ca.pem")],
];

async function startHse(
	database: string,
	more: readonly string[] = [],
): Promise<{ hse: Running; udp: number; url: string }> {
	port += 2;
	const udp = port;
	const url = `https://127.0.0.1:${udp + 1}`;
	const ports = ["--port", `${udp}`, "--eas-port", `${udp + 1}`];
	const hse = start([
		"hse",
		"--json",
		"--database",
		at(database),
		"--audit-log",
		at("audit.jsonl"),
		"--eas",
		...ports,
		...tlsOf("hse", "ca", "eas-"),
		...more,
	]);
	return { hse, udp, url };
}

function provision(name: string, udp: number, more: readonly string[] = []): string[] {
	const words = ["--store", at(name), "--database", at(`${name}.db`), "--hse-port", `${udp}`];
	const made = best(["provision", ...words, "--mode", "eas", ...more]);
	expect(made).toMatchObject({ status: 0, stderr: "" });
	return ["--store", at(name), "--interval", "0"];
}

describe("best hse, eas, provision and device in UE-to-EAS mode", () => {
	test(
		"readings reach the EAS and are posted on, its script answers them, and the key is where it belongs only",
		async () => {
			const posted: string[] = [];
			let hear = () => {};
			const sink = createServer((message, response) => {
				message.setEncoding("utf8").on("data", (text) => posted.push(text));
				message.on("end", () => {
					response.end();
					hear();
				});
			}).unref();
			await new Promise<void>((resolve) => {
				sink.listen(0, "127.0.0.1", resolve);
			});
			writeFileSync(at("answers.txt"), "first\n\nthird\n");
			const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
			writeFileSync(at("escrow.pem"), publicKey.export({ type: "spki", format: "pem" }));
			const escrow = ["--eas-key", "escrow", "--escrow-file", at("escrow"), "--escrow-key", at("escrow.pem")];
			const { hse, udp, url } = await startHse("device.db", escrow);
			const eas = start([
				...["eas", "--hse", url, "--script", at("answers.txt"), "--psk-file", at("psk"), ...tlsOf("meter.demo")],
				...["--post", `http://127.0.0.1:${(sink.address() as AddressInfo).port}/readings`],
			]);
			await eas.until(() => eas.events.some(({ event }) => event === "registered"));
			const words = provision("device", udp);
			writeFileSync(at("input"), "alpha\nbeta\ngamma\n");
			const device = best(["device", ...words, "--interval", "300", "--input", at("input")]);
			expect(device.status).toBe(0);
			await eas.until(() => eas.events.some(({ event }) => event === "session over"));
			const readings = eas.events.filter(({ event }) => event === "uplink");
			expect(readings.map(({ text }) => text)).toEqual(["alpha", "beta", "gamma"]);
			expect(readings[0].ueId).toBe("imsi-001010000000001");
			const downlinks = device.stdout.split("\n").filter((line) => line.includes('"downlink"'));
			expect(downlinks.map((line) => Buffer.from(JSON.parse(line).payload, "hex").toString())).toEqual([
				"first",
				"third",
			]);
			while (posted.length < 3)
				await new Promise<void>((resolve) => {
					hear = resolve;
				});
			expect(posted.map((text) => JSON.parse(text).text).sort()).toEqual(["alpha", "beta", "gamma"]);
			// The key was in the file of keys while the session was there, and is in escrow, enciphered.
			expect(readFileSync(at("psk"), "utf8")).toBe("");
			expect(statSync(at("psk")).mode & 0o777).toBe(0o600);
			const copies = readFileSync(at("escrow"), "utf8").trim().split("\n");
			expect(copies).toHaveLength(1);
			const copy = JSON.parse(copies[0]);
			expect(copy).toMatchObject({ easId: "meter.demo", imsi: "001010000000001", keyId: 1 });
			const key = privateDecrypt(
				{ key: createPrivateKey(privateKey.export({ type: "pkcs8", format: "pem" })), oaepHash: "sha256" },
				Buffer.from(copy.key, "hex"),
			);
			expect(key).toHaveLength(32);
			const told = [...hse.lines, ...eas.lines, hse.errors, eas.errors, copies[0]].join("\n");
			expect(told).not.toContain(key.toString("hex"));
			expect(hse.events.filter(({ kind }) => kind === "key disclosure")).toEqual([
				expect.objectContaining({ way: "push", easId: "meter.demo", escrowed: true, cause: 0 }),
			]);
			// One name for a session, and one for an EAS, in all that is printed.
			const { sessionId } = readings[0];
			expect(sessionId).toMatch(/^[0-9a-f]{8}$/);
			for (const kind of ["eas key", "forward", "key disclosure", "eas over"])
				expect(hse.events).toContainEqual(expect.objectContaining({ kind, sessionId, easId: "meter.demo" }));
			expect(hse.events).toContainEqual(expect.objectContaining({ kind: "session started", sessionId }));
			// No payload passes the HSE in clear.
			expect(hse.lines.join("\n")).not.toContain(Buffer.from("alpha").toString("hex"));
			expect(await eas.end()).toBe(0);
			expect(await hse.end()).toBe(0);
			sink.close();
			sink.closeAllConnections();
		},
		PATIENCE,
	);

	test(
		"a wrong certificate is refused, and a session that would need the EAS with it",
		async () => {
			const { hse, udp, url } = await startHse("lonely.db");
			const eas = start(["eas", "--hse", url, ...tlsOf("meter.demo", "other-ca")]);
			await eas.until(() => eas.errors.includes("This EAS is not registered"));
			const named = start(["eas", "--hse", url, ...tlsOf("other.demo")]);
			await named.until(() => named.errors.includes("status 403"));
			const device = best(["device", ...provision("lonely", udp), "--count", "1"]);
			expect(device.stdout).toContain("EAS refused or out of reach");
			expect(hse.events.some(({ kind }) => kind === "EAS registered")).toBe(false);
			await hse.until(() => hse.errors.includes("TLS was refused"));
		},
		PATIENCE,
	);

	test(
		"where the policy denies the key the mode is refused, and other sessions go on",
		async () => {
			const { udp, url } = await startHse("denied.db", ["--eas-key", "allow"]);
			const eas = start(["eas", "--hse", url, ...tlsOf("meter.demo")]);
			await eas.until(() => eas.events.some(({ event }) => event === "registered"));
			const words = provision("denied", udp);
			const policy = ["--imsi", "001010000000001", "--eas-key", "deny"];
			expect(best(["subscriber", "policy", "--database", at("denied.db"), ...policy]).status).toBe(0);
			const device = best(["device", ...words, "--count", "1"]);
			expect(device.stdout).toContain("restricted by regulation");
			const plain = ["--store", at("plain"), "--database", at("denied.db"), "--hse-port", `${udp}`];
			expect(best(["provision", ...plain, "--imsi", "001010000000002"]).status).toBe(0);
			expect(best(["device", "--store", at("plain"), "--count", "1"]).stdout).toContain("session started");
		},
		PATIENCE,
	);

	test(
		"best hse --answer says nothing of a session that its UE has ended before the answer",
		async () => {
			port += 2;
			const words = ["--store", at("ended"), "--database", at("ended.db"), "--hse-port", `${port}`];
			expect(best(["provision", ...words]).status).toBe(0);
			const hse = start(["hse", "--answer", "--json", "--database", at("ended.db"), "--port", `${port}`]);
			expect(best(["device", "--store", at("ended"), "--interval", "0", "--count", "20"]).status).toBe(0);
			await hse.until(() => hse.events.some(({ kind }) => kind === "session over"));
			expect(await hse.end()).toBe(0);
			expect(hse.errors).toBe("");
		},
		PATIENCE,
	);

	test("best demo --mode eas delivers every reading through an EAS", () => {
		const { status, stdout } = best(["demo", "--mode", "eas", "--count", "3"]);
		expect(status).toBe(0);
		expect(stdout).toContain("EAS: MAC and COUNT verified, application has");
		expect(stdout).toContain("EAS: session over, keys erased");
		expect(stdout).not.toContain("HSE: application has");
		expect(stdout).toContain("3 / 3");
	});

	test("why a reading was not posted is told", async () => {
		const server = createServer();
		await new Promise<void>((resolve) => {
			server.listen(0, "127.0.0.1", resolve);
		});
		const { port: free } = server.address() as AddressInfo;
		await new Promise((resolve) => server.close(resolve));
		const why = await fetch(`http://127.0.0.1:${free}/`).then(() => "", whyOf);
		expect(why).toBe("fetch failed (ECONNREFUSED)");
		expect(whyOf(new Error("status 503"))).toBe("status 503");
	});

	test("wrong use is told in one line", () => {
		const noPem = (prefix: string) =>
			["certificate", "private-key", "authority"].flatMap((name) => [`--${prefix}${name}`, "package.json"]);
		for (const [words, text, wanted] of [
			[["ca", "--directory", at("ca")], "There is", 1],
			[["ca", "--directory", at("x"), "--eas-ids", "hse"], "are taken", 2],
			[["hse", "--eas-port", "1"], "it goes with --eas only.", 2],
			[["hse", "--escrow-file", "x"], "it goes with --escrow-key only.", 2],
			[["hse", "--eas", ...tlsOf("nobody", "ca", "eas-")], "cannot be read (ENOENT)", 1],
			[["hse", "--eas", "--eas-key", "escrow"], "it needs --escrow-file", 2],
			[["hse", "--eas", ...noPem("eas-")], "TLS cannot use", 1],
			[["eas", ...noPem("")], "TLS cannot use", 1],
			[
				["eas", ...tlsOf("meter.demo"), "--authority", "package.json"],
				"package.json: it begins with no certificate",
				1,
			],
			[["hse", "--eas", ...tlsOf("hse", "ca", "eas-"), "--eas-authority", "package.json"], "no certificate", 1],
			[["eas", ...tlsOf("meter.demo"), "--address", "192.0.2.1"], "choose another with --address", 1],
			[["eas", ...tlsOf("meter.demo"), "--address", "eas.invalid"], "choose another with --address", 1],
			[["eas", "--hse", "http://127.0.0.1"], "https://", 2],
			[["eas", "--post", "nowhere"], "an URL is allowed", 2],
			[["eas", ...tlsOf("meter.demo"), "--script", at("missing")], "cannot be used (ENOENT)", 1],
			[["provision", "--store", at("none"), "--mode", "sideways"], "hse, eas", 2],
		] as const) {
			const { status, stderr } = best(words);
			expect([words[0], status]).toEqual([words[0], wanted]);
			expect(stderr).toContain(text);
			expect(stderr.trim().split("\n")).toHaveLength(1);
		}
	});
});
