/** The two hosts of a bundle, the XS engine and Node, for tests that hold for both. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe } from "@jest/globals";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../../../", import.meta.url));

export const xsHost = join(root, "build/xs-host/xs-host");
export const hasXsHost = existsSync(xsHost);

export interface HostProgram {
	readonly name: string;
	/** Program and first arguments; the bundle and the store follow. */
	command(): Promise<readonly [string, ...string[]]>;
}

let nodeHost: Promise<unknown> | undefined;

const xs: HostProgram = { name: "XS", command: async () => [xsHost] };
const node: HostProgram = {
	name: "Node",
	async command() {
		const outfile = join(root, `build/tests/node-host-${process.env.JEST_WORKER_ID}.js`);
		nodeHost ??= build({
			stdin: {
				contents: `import { runInNode } from "./node-host.ts"; runInNode(process.argv[2], process.argv[3]);`,
				resolveDir: join(root, "host-tools/device"),
				loader: "ts",
			},
			outfile,
			bundle: true,
			format: "esm",
			target: "node20",
			platform: "node",
			packages: "external",
		});
		await nodeHost;
		return [process.execPath, "--no-warnings", outfile];
	},
};

/** `describe` for XS; skipped where its host has not been built. */
export function describeXs(tests: (host: HostProgram) => void): void {
	if (hasXsHost) describe("on XS", () => tests(xs));
	else describe.skip("on XS (not built: no C compiler)", () => tests(xs));
}

/** `describe` for each host. */
export function describeHosts(tests: (host: HostProgram) => void): void {
	describeXs(tests);
	describe("on Node", () => tests(node));
}

export interface Outcome {
	readonly status: number | null;
	readonly lines: string[];
	readonly errors: string[];
	readonly store: string;
}

export interface Run {
	/** A new folder by default. */
	readonly store?: string;
	/** Written to standard input, one after the other; then the input ends. */
	readonly input?: readonly Uint8Array[];
	/** Milliseconds between two of them. */
	readonly pause?: number;
	readonly args?: readonly string[];
}

const folders: string[] = [];

afterAll(() => {
	for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A folder that lasts as long as the test file. */
export function newFolder(): string {
	const folder = mkdtempSync(join(tmpdir(), "best-host-"));
	folders.push(folder);
	return folder;
}

const split = (text: string) => text.split("\n").slice(0, -1);

/** Runs a script to its end. */
export async function runScript(host: HostProgram, script: string, run: Run = {}): Promise<Outcome> {
	const folder = newFolder();
	const bundle = join(folder, "bundle.js");
	const store = run.store ?? join(folder, "store");
	writeFileSync(bundle, `"use strict";\n(() => {\n${script}\n})();\n`);
	const [program, ...rest] = await host.command();
	const child = spawn(program, [...rest, ...(run.args ?? [bundle, store])]);
	let output = "";
	let errors = "";
	child.stdout.setEncoding("utf8").on("data", (text) => {
		output += text;
	});
	child.stderr.setEncoding("utf8").on("data", (text) => {
		errors += text;
	});
	child.stdin.on("error", () => {});
	const status = new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
	for (const octets of run.input ?? []) {
		child.stdin.write(octets);
		if (run.pause !== undefined) await new Promise((resolve) => setTimeout(resolve, run.pause));
	}
	child.stdin.end();
	return { status: await status, lines: split(output), errors: split(errors), store };
}

/** What a script prints that must end well. */
export async function linesOf(host: HostProgram, script: string, run: Run = {}): Promise<string[]> {
	const { status, lines, errors } = await runScript(host, script, run);
	if (status !== 0) throw new Error(`The script ended with status ${status}: ${errors.join(" ")}`);
	return lines;
}
