import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { root } from "./manifest.js";

let sdk: string;

/** A folder like the SDK's, whose mcconfig prints how it was called. */
beforeAll(() => {
	sdk = mkdtempSync(join(tmpdir(), "best-sdk-"));
	mkdirSync(join(sdk, "examples"));
	writeFileSync(join(sdk, "examples/manifest_base.json"), "{}");
	const tools = join(sdk, "build/bin/lin/release");
	mkdirSync(tools, { recursive: true });
	writeFileSync(join(tools, "mcconfig"), '#!/bin/sh\npwd\nfor word in "$@"; do echo "$word"; done\nexit 3\n');
	chmodSync(join(tools, "mcconfig"), 0o755);
});
afterAll(() => rmSync(sdk, { recursive: true }));

function run(words: readonly string[], environment: Record<string, string> = { MODDABLE: sdk }) {
	const { MODDABLE: _, ...others } = process.env;
	const env = { ...others, ...environment };
	const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, "scripts/moddable.js"), ...words], {
		encoding: "utf8",
		env,
	});
	return { status, lines: stdout.trimEnd().split("\n"), stderr };
}

describe("npm run sim, deploy and debug", () => {
	test("call mcconfig where the manifest is, and end with its status", () => {
		const { status, lines } = run(["sim", "readingInterval=5"]);
		expect(status).toBe(3);
		const folder = root.replace(/\/$/, "");
		expect(lines).toEqual([folder, "-d", "-m", "-p", "sim", "readingInterval=5", `files=${join(root, "build")}`]);
		expect(run(["deploy", "esp32/nodemcu", "ssid=desk net"]).lines).toEqual([
			folder,
			"-m",
			"-p",
			"esp32/nodemcu",
			"ssid=desk net",
		]);
		expect(run(["debug", "nrf52/dk"]).lines.at(-1)).toBe("consolePort=off");
		expect(run(["debug", "nrf52/dk", "consolePort=default"]).lines.at(-1)).toBe("consolePort=default");
		expect(run(["debug", "--example", "uplink-sensor", "nrf52/dk"]).lines).toEqual([
			join(root, "firmware/examples/uplink-sensor"),
			"-d",
			"-m",
			"-p",
			"nrf52/dk",
		]);
	});

	test.each([
		[[]],
		[["deploy"]],
		[["debug", "-p"]],
		[["sim", "extra"]],
		[["sim", "--example", "none"]],
		[["fly", "esp32"]],
	])("say how they are used: %j", (words) => {
		const { status, stderr } = run(words);
		expect(status).toBe(2);
		expect(stderr).toContain("npm run deploy -- TARGET");
	});

	test("say what is missing without the SDK", () => {
		for (const environment of [{}, { MODDABLE: tmpdir() }]) {
			const { status, stderr } = run(["sim"], environment as Record<string, string>);
			expect(status).toBe(1);
			expect(stderr).toContain("The Moddable SDK is needed");
		}
	});
});
