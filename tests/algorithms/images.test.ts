import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";

const root = new URL("../../", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), "utf8");

/** What of SNOW 3G and ZUC cannot be missing from an image that has them: their names, and the first octets of S0. */
const TRACES = ["SNOW 3G", "ZUC", "3e725b47"];

test("the default image has neither SNOW 3G nor ZUC, the other one has both", () => {
	for (const trace of TRACES) {
		expect(read("build/firmware/main.js")).not.toContain(trace);
		expect(read("build/firmware/complete.js")).toContain(trace);
	}
});

test("the manifest of devices lists none of their modules", () => {
	expect(read("manifest.json")).not.toContain("algorithms/");
});
