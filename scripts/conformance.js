#!/usr/bin/env node
// Writes docs/conformance.md from tests/conformance/requirements.ts.
import { writeFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const outfile = at("build/conformance.mjs");

await build({
	entryPoints: [at("tests/conformance/document.ts")],
	outfile,
	bundle: true,
	format: "esm",
	target: "node20",
	platform: "node",
	logLevel: "warning",
});
const { conformanceDocument } = await import(pathToFileURL(outfile).href);
writeFileSync(at("docs/conformance.md"), conformanceDocument());
