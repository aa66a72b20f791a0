import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { ROOT } from "../support/best.js";
import { readProject } from "./moddable/manifest.js";

/** The modules of firmware/keys in a bundle: esbuild names each above its code. */
function keyModules(bundle: string): string[] {
	const text = readFileSync(join(ROOT, "build/firmware", bundle), "utf8");
	return [...text.matchAll(/^ *\/\/ firmware\/keys\/([\w-]+)\.ts$/gm)].map(([, name]) => name).sort();
}

test("a device's default build has neither TUAK nor SUCIs; the Moddable manifest lists what it has", () => {
	const { modules } = readProject("manifest.json", "lin");
	const listed = [...modules.keys()].filter((name) => name.startsWith("best/keys/")).map((name) => name.slice(10));
	expect(keyModules("main.js")).toEqual(listed.sort());
	const optional = ["suci", "suci-curves", "tuak"];
	expect(listed.filter((name) => optional.includes(name))).toEqual([]);
	expect(keyModules("complete.js")).toEqual([...listed, ...optional].sort());
	expect([...modules.keys()].join()).not.toMatch(/noble\/curves|sha3/);
});

test("a device's default build has no provisioning console", () => {
	const mentions = (bundle: string) =>
		readFileSync(join(ROOT, "build/firmware", bundle), "utf8").includes("// firmware/provisioning/");
	expect(mentions("main.js")).toBe(false);
	expect(mentions("complete.js")).toBe(true);
});
