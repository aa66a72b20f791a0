import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "@jest/globals";
import { build } from "esbuild";
import { withAllAlgorithms } from "../../../firmware/algorithms/all.js";
import { JsKernel } from "../../../firmware/kernels/js.js";
import { startDevice } from "../../../host-tools/device/device.js";
import { pairCases, vectorCases, vectorsOfKernel } from "../../algorithms/suite.js";
import { kernelCases } from "../../kernels/suite.js";
import { hasXsHost, newFolder } from "./hosts.js";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const vectors = (name: string) => JSON.parse(readFileSync(join(root, "tests/vectors/3gpp", name), "utf8"));

interface CaseReport {
	readonly kernel: string;
	readonly name: string;
	readonly error?: string;
}

async function reportsOfXs(): Promise<CaseReport[]> {
	const folder = newFolder();
	const bundle = join(folder, "bundle.js");
	await build({
		entryPoints: [join(root, "tests/platform/host/kernels-on-xs.entry.ts")],
		outfile: bundle,
		bundle: true,
		format: "iife",
		target: "es2022",
		platform: "neutral",
	});
	const device = startDevice({ bundle, storeDirectory: join(folder, "store") });
	const lines: string[] = [];
	device.onLine((line) => lines.push(line));
	device.onErrorLine((line) => lines.push(JSON.stringify({ kernel: "none", name: "the script", error: line })));
	device.end();
	await device.exited;
	return lines.map((line) => JSON.parse(line));
}

if (hasXsHost) {
	const cases = kernelCases(vectors("aes_cmac_rfc4493.json"), vectors("eea2_eia2_ts33401_annexC.json"));
	const reports = await reportsOfXs();
	const reportOf = (kernel: string, name: string) =>
		reports.find((report) => report.kernel === kernel && report.name === name);

	describe.each(["best-ct (native)", "best-js"])("%s on XS", (kernel) => {
		test.each(cases)("$name", ({ name }) => {
			expect(reportOf(kernel, name)).toEqual({ kernel, name });
		});
	});

	describe("best-ct (native), SNOW 3G, ZUC on XS", () => {
		const published = vectors("eea1_eia1_eea3_eia3.json");
		const kernel = withAllAlgorithms(new JsKernel());
		const names = [...vectorCases(published), ...vectorsOfKernel(kernel, published), ...pairCases(kernel)];
		test.each(names)("$name", ({ name }) => {
			expect(reportOf("best-ct (native), SNOW 3G, ZUC", name)).toEqual({
				kernel: "best-ct (native), SNOW 3G, ZUC",
				name,
			});
		});
	});

	test("the two give the same on XS for random messages", () => {
		expect(reports.at(-1)).toEqual({ kernel: "both", name: "agree" });
	});
} else {
	test.skip("the kernels on XS (the XS host is not built: no C compiler)", () => {});
}
