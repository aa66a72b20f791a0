import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { best, ROOT } from "../support/best.js";

let folder: string;
let hse: ChildProcess | undefined;
const at = (name: string) => join(folder, name);

beforeAll(() => {
	folder = mkdtempSync(join(tmpdir(), "best-northbound-"));
});

afterAll(async () => {
	const process = hse;
	if (process !== undefined) {
		const ended = new Promise((resolve) => process.on("exit", resolve));
		process.kill("SIGTERM");
		await ended;
	}
	rmSync(folder, { recursive: true });
});

/** Asks with the certificate of somebody, or without one. */
function ask(uri: string, who: string | undefined): Promise<[number | undefined, unknown]> {
	const identity = who && { cert: readFileSync(at(`ca/${who}.pem`)), key: readFileSync(at(`ca/${who}.key`)) };
	return new Promise((resolve, reject) => {
		request(uri, { ca: readFileSync(at("ca/ca.pem")), agent: false, ...identity }, (response) => {
			let text = "";
			response.on("data", (part) => {
				text += part;
			});
			response.on("end", () => resolve([response.statusCode, JSON.parse(text)]));
		})
			.on("error", reject)
			.end();
	});
}

test("certificates of best ca: an application server has its own paths, an EAS and whoever has none do not", async () => {
	const made = best(["ca", "--directory", at("ca"), "--application-servers", "as.meters.example"]);
	expect(made.stdout).toContain("hse and meter.demo, as.meters.example");
	const configuration = {
		port: 20_000 + (process.pid % 20_000),
		database: at("hse.db"),
		northboundPort: 0,
		northboundDatabase: at("northbound.db"),
		auditLog: at("audit.jsonl"),
		northbound: {
			tls: { certificate: at("ca/hse.pem"), key: at("ca/hse.key"), clientCa: at("ca/ca.pem") },
			applicationServers: [{ id: "meters", certificateNames: ["as.meters.example"] }],
			otherUes: { applicationServer: "meters", domain: "lab" },
		},
	};
	writeFileSync(at("hse.json"), JSON.stringify(configuration));
	hse = spawn(process.execPath, ["build/tools/main.js", "hse", "--config", at("hse.json")], { cwd: ROOT });
	const root = await new Promise<string>((resolve, reject) => {
		let errors = "";
		hse?.stderr?.on("data", (part) => {
			errors += part;
		});
		hse?.on("exit", () => reject(new Error(errors)));
		createInterface({ input: hse?.stdout as NodeJS.ReadableStream }).on("line", (line) => {
			const found = /^Northbound APIs at (https:.*)\/\.$/.exec(line)?.[1];
			if (found !== undefined) resolve(found);
		});
	});
	const uri = `${root}/3gpp-best/v1/meters/sessions`;
	expect(await ask(uri, "as.meters.example")).toEqual([200, { sessions: [] }]);
	for (const who of [undefined, "meter.demo"])
		expect(await ask(uri, who)).toMatchObject([401, { status: 401, cause: "UNAUTHENTICATED" }]);
	expect(await ask(uri.replace("meters", "pumps"), "as.meters.example")).toMatchObject([403, { status: 403 }]);
	const events = readFileSync(at("audit.jsonl"), "utf8")
		.trim()
		.split("\n")
		.map((line) => JSON.parse(line).event);
	expect(events).toEqual(["authentication failed", "authentication failed", "not authorised"]);
}, 60_000);

test("wrong names are told in one line", () => {
	for (const names of ["hse", "meter.demo", "a,"]) {
		const { status, stderr } = best(["ca", "--directory", at("x"), "--application-servers", names]);
		expect([names, status, stderr.trim().split("\n").length]).toEqual([names, 2, 1]);
	}
});
