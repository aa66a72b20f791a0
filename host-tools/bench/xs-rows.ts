/** The kernels on the XS engine of this machine. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hasXsHost, startDevice } from "../device/device.js";
import { projectRoot } from "../device/project-root.js";
import type { BenchRow } from "./kernel-rows.js";

/**
 * Bundles a script for the device, runs it there and gives the lines that it prints.
 * @throws Error if the script fails
 */
async function linesOnXs(entryPoint: string): Promise<string[]> {
	const { build } = await import("esbuild");
	const folder = mkdtempSync(join(tmpdir(), "best-bench-"));
	try {
		const bundle = join(folder, "bundle.js");
		await build({
			absWorkingDir: projectRoot(),
			entryPoints: [entryPoint],
			outfile: bundle,
			bundle: true,
			format: "iife",
			target: "es2022",
			platform: "neutral",
			mainFields: ["module", "main"],
			logLevel: "error",
		});
		const device = startDevice({ bundle, storeDirectory: join(folder, "store") });
		const lines: string[] = [];
		const errorLines: string[] = [];
		device.onLine((line) => lines.push(line));
		device.onErrorLine((line) => errorLines.push(line));
		device.end();
		if ((await device.exited) !== 0) throw new Error(`The benchmark on XS failed: ${errorLines.join(" ")}`);
		return lines;
	} finally {
		rmSync(folder, { recursive: true });
	}
}

/** Nanoseconds to protect a message, called from a bundle. Empty where the XS host has not been built. */
export async function xsRows(): Promise<BenchRow[]> {
	if (!hasXsHost()) return [];
	const lines = await linesOnXs("host-tools/device/kernel-bench.ts");
	return lines.map((line) => JSON.parse(line) as BenchRow);
}
