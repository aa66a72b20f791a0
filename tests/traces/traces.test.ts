/** The UE's side of random scenarios, recorded in Node, octet by octet the same on XS. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "@jest/globals";
import { build } from "esbuild";
import { JsKernel } from "../../firmware/kernels/js.js";
import { startDevice } from "../../host-tools/device/device.js";
import { loadKernel } from "../../host-tools/kernel.js";
import { hasXsHost, newFolder } from "../platform/host/hosts.js";
import { record } from "./record.js";
import { linesOf } from "./replay.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
/** Seeds whose scenarios have sessions over many procedures. */
const SEEDS = Array.from({ length: 60 }, (_, i) => 1000 + i);
const recorded = SEEDS.map(record);
const kernel = loadKernel();
const expected = recorded.map(({ trace }) => linesOf(kernel, trace));
const isDatagram = (line: string) => line.startsWith("datagram ");

describe("traces of a UE", () => {
	test("hold every procedure", () => {
		const lines = expected.flat().join("\n");
		for (const what of ["session started", "session resumed", "new keys", "session over", "downlink", "back-off"])
			expect(lines).toContain(what);
		expect(recorded.flatMap(({ trace }) => trace.inputs).length).toBeGreaterThan(1500);
	});

	test("replayed without the world around it, the UE sends what it sent there", () => {
		for (const [i, { datagrams }] of recorded.entries()) {
			const sent = expected[i].flatMap((line) => line.split("; ").filter(isDatagram));
			expect(sent).toEqual(datagrams.map((digits) => `datagram ${digits}`));
		}
	});

	test("the kernel in plain JavaScript gives the same", () => {
		for (const [i, { trace }] of recorded.slice(0, 30).entries())
			expect(linesOf(new JsKernel(), trace)).toEqual(expected[i]);
	});
});

async function replayOnXs(): Promise<string[]> {
	const folder = newFolder();
	const bundle = join(folder, "bundle.js");
	await build({
		entryPoints: [join(root, "tests/traces/traces.entry.ts")],
		outfile: bundle,
		bundle: true,
		format: "iife",
		target: "es2022",
		platform: "neutral",
		mainFields: ["module", "main"],
		define: { TRACES: JSON.stringify(recorded.map(({ trace }) => trace)) },
	});
	const device = startDevice({ bundle, storeDirectory: join(folder, "store") });
	const lines: string[] = [];
	const errors: string[] = [];
	device.onLine((line) => lines.push(line));
	device.onErrorLine((line) => errors.push(line));
	const status = await device.exited;
	if (status !== 0) throw new Error(`The replay on XS ended with status ${status}: ${errors.join(" ")}`);
	return lines;
}

(hasXsHost ? test : test.skip)(
	"XS gives the same, octet by octet (skipped where its host is not built)",
	async () => {
		expect(await replayOnXs()).toEqual(expected.flat());
	},
	60_000,
);
