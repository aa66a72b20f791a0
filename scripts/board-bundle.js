import { readFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

const common = {
	absWorkingDir: root,
	bundle: true,
	format: "iife",
	target: "es2022",
	platform: "neutral",
	mainFields: ["module", "main"],
	alias: { "best/platform": at("firmware/platform/host/platform.ts") },
	// Shorter names, no comments: what is not named is not kept.
	minify: true,
	legalComments: "none",
	logLevel: "warning",
};

/**
 * A bundle for the ROM image: the modules of `preloaded` are evaluated while the image is made, `main` and what only it
 * needs when the device starts, by the global function `start`.
 */
export async function bundleForRom(main, preloaded, define, outfile) {
	const lines = preloaded.map((path) => `import ${JSON.stringify(`./${path}`)};`);
	await build({
		...common,
		stdin: {
			contents: `${lines.join("\n")}\nglobalThis.start = () => { require(${JSON.stringify(`./${main}`)}); };`,
			resolveDir: root,
			loader: "ts",
		},
		define,
		outfile,
	});
}

/**
 * The script that takes away what a bundle never names. A name is kept wherever it occurs in the bundle, be it in a
 * comment, and where the board's C files look it up: too much is kept rather than too little.
 */
export async function bundlePruning(bundle, natives, outfile) {
	const names = new Set(readFileSync(bundle, "utf8").match(/[A-Za-z_$][\w$]*/g));
	for (const file of natives)
		for (const [, name] of readFileSync(file, "utf8").matchAll(/ID\([^"()]*"(\w+)"\)/g)) names.add(name);
	await build({
		...common,
		entryPoints: ["firmware/platform/board/prune.ts"],
		define: { NAMES: JSON.stringify([...names].join(" ")) },
		outfile,
	});
}

/** The HSE's side of what the measuring program does. */
export async function recordTranscript(outfile) {
	await build({
		...common,
		entryPoints: ["host-tools/board/transcript.ts"],
		format: "esm",
		target: "node20",
		platform: "node",
		outfile,
	});
	const { transcript } = await import(pathToFileURL(outfile).href);
	return transcript();
}
