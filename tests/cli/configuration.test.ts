import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { readConfiguration } from "../../host-tools/hse/configuration.js";
import { ROOT } from "../support/best.js";

let folder: string;

beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "best-configuration-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

function file(contents: unknown): string {
	const path = join(folder, "hse.json");
	writeFileSync(path, typeof contents === "string" ? contents : JSON.stringify(contents));
	return path;
}

describe("the configuration of the HSE", () => {
	test("has defaults", () => {
		expect(readConfiguration({}, {})).toMatchObject({
			address: "127.0.0.1",
			port: 33163,
			database: "best-hse.db",
			lifetime: 0,
			algorithms: [2],
			answer: false,
			northbound: { listensFor: 10, applicationServers: [] },
		});
	});

	test("comes from flags before the environment, from that before the file", () => {
		const config = file({ port: 1, lifetime: 2, address: "::1", answer: true, northbound: { listensFor: 60 } });
		const options = { config, port: "3" };
		const environment = { BEST_HSE_PORT: "4", BEST_HSE_LIFETIME: "5", BEST_HSE_NORTHBOUND_PORT: "8443", HOME: "/" };
		expect(readConfiguration(options, environment)).toMatchObject({
			port: 3,
			lifetime: 5,
			address: "::1",
			answer: true,
			northboundPort: 8443,
			northbound: { listensFor: 60 },
		});
		expect(readConfiguration({}, { BEST_HSE_CONFIG: config }).port).toBe(1);
	});

	for (const [what, options, environment, contents, message] of [
		["a flag", { port: "x" }, {}, {}, '--port is "x": a whole number from 1 to 65535 is allowed.'],
		[
			"a variable",
			{},
			{ BEST_HSE_OPERATIONS_PORT: "-1" },
			{},
			'BEST_HSE_OPERATIONS_PORT is "-1": a whole number from 0 to 65535 is allowed.',
		],
		[
			"a variable that is none",
			{},
			{ BEST_HSE_PROT: "1" },
			{},
			"BEST_HSE_PROT is no setting: allowed are BEST_HSE_CONFIG, BEST_HSE_ADDRESS",
		],
		["a value of the file", {}, {}, { lifetime: 1.5 }, 'lifetime in FILE is "1.5": a whole number from 0 to'],
		["a name of the file", {}, {}, { prot: 1 }, 'FILE: has no field "prot"; allowed are address, port'],
		[
			"algorithms",
			{ algorithms: "aes,rot13" },
			{},
			{},
			'--algorithms is "aes,rot13": allowed are aes, snow3g, zuc, each once',
		],
		[
			"a part of the file",
			{},
			{},
			{ northbound: { applicationServers: [{ id: "a b" }] } },
			"northbound in FILE, applicationServers, 0, id: must be letters",
		],
		[
			"a secret of the file",
			{},
			{},
			{ northbound: { applicationServers: [{ id: "a", clientSecretSha256: "hunter2" }] } },
			"clientSecretSha256: must be 64 hex digits",
		],
		["an address", { address: "hse.example" }, {}, {}, '--address is "hse.example": an IPv4 or IPv6 address is needed'],
		[
			"a level of the log",
			{ "log-level": "loud" },
			{},
			{},
			'--log-level is "loud": must be one of error, warn, info, debug, silent.',
		],
		["a field that is not there", {}, {}, { northbound: { tls: { certificate: "x" } } }, "tls, key: is missing."],
		["a field of another type", {}, {}, { northbound: { listensFor: "x" } }, "listensFor: must be a number."],
		[
			"a number that is too small",
			{},
			{},
			{ northbound: { applicationServers: [{ id: "a", rate: { perSecond: 0, burst: 1 } }] } },
			"rate, perSecond: must be more than 0.",
		],
		["a URI that is none", {}, {}, { northbound: { apiRoot: "x" } }, "apiRoot: must be a URI"],
		["a strange field", {}, {}, { northbound: { tsl: {} } }, 'northbound in FILE: has no field "tsl".'],
		["no JSON", {}, {}, "{", "FILE is not JSON"],
		["no object", {}, {}, [], "FILE must hold one JSON object"],
	] as const)
		test(`says what is wrong: ${what}`, () => {
			const config = file(contents);
			let text = "";
			try {
				readConfiguration({ config, ...options }, environment);
			} catch (error) {
				text = (error as Error).message.replaceAll(config, "FILE");
			}
			expect(text).toContain(message);
			expect(text).not.toContain("hunter2");
		});
});

test("best hse with the northbound side ends cleanly on SIGTERM", async () => {
	const words = [
		"hse",
		"--port",
		String(20_000 + (process.pid % 20_000)),
		"--northbound-port",
		"0",
		"--operations-port",
		"0",
	];
	const hse = spawn(process.execPath, [join(ROOT, "build/tools/main.js"), ...words], { cwd: folder });
	let output = "";
	const page = await new Promise<string>((resolve, reject) => {
		hse.stderr.on("data", (part) => reject(new Error(String(part))));
		hse.on("exit", () => reject(new Error(output)));
		hse.stdout.on("data", (part) => {
			output += part;
			const uri = /Page at (http:\S+)\.\n/.exec(output)?.[1];
			if (uri !== undefined) resolve(uri);
		});
	});
	expect(output).toMatch(/Northbound APIs at http:\/\/127\.0\.0\.1:\d+\/\./);
	expect((await fetch(`${page}healthz`)).status).toBe(200);
	const status = new Promise((resolve) => hse.on("exit", resolve));
	hse.kill("SIGTERM");
	expect(await status).toBe(0);
}, 60_000);
