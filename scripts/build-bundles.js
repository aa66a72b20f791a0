import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** The firmware as one script for the XS host, or for Node where there is no C compiler: as on a board, and complete. */
export async function buildFirmware() {
	await bundleFirmware("platform", "main");
	await bundleFirmware("complete", "complete");
}

async function bundleFirmware(platform, name) {
	await build({
		absWorkingDir: root,
		entryPoints: ["firmware/main.ts"],
		outfile: `build/firmware/${name}.js`,
		bundle: true,
		format: "iife",
		// XS 13 runs ES2022; "neutral" keeps every Node and browser condition out.
		target: "es2022",
		platform: "neutral",
		mainFields: ["module", "main"],
		alias: { "best/platform": at(`firmware/platform/host/${platform}.ts`) },
		logLevel: "warning",
	});
}

/** The digests of Node in place of those of the firmware. */
const nodeDigests = {
	name: "node-digests",
	setup({ onResolve }) {
		onResolve({ filter: /\/sha256\.js$/ }, () => ({ path: at("host-tools/node-sha256.ts") }));
	},
};

/** The `best` command. Packages stay outside: they are installed beside it. */
export async function buildTools() {
	await build({
		absWorkingDir: root,
		entryPoints: ["host-tools/main.ts"],
		outfile: "build/tools/main.js",
		bundle: true,
		format: "esm",
		target: "node20",
		platform: "node",
		packages: "external",
		plugins: [nodeDigests],
		logLevel: "warning",
	});
}
