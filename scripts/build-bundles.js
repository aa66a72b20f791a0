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

/** The digest kernel in place of those of the firmware. */
const kernelDigests = {
	name: "kernel-digests",
	setup({ onResolve }) {
		onResolve({ filter: /\/sha256\.js$/ }, () => ({ path: at("host-tools/wasm-sha256.ts") }));
	},
};

/** The `best` command, and the thread of its HSE that has the database. Packages stay outside: they are installed beside it. */
export async function buildTools() {
	await build({
		absWorkingDir: root,
		entryPoints: { main: "host-tools/main.ts", "database-thread": "host-tools/hse/database-thread-main.ts" },
		outdir: "build/tools",
		bundle: true,
		format: "esm",
		target: "node20",
		platform: "node",
		packages: "external",
		plugins: [kernelDigests],
		logLevel: "warning",
	});
}
