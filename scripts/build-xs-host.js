import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { kernelDefines } from "./kernel-choice.js";

const run = promisify(execFile);
const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

const xs = at("node_modules/@agoric/xsnap/moddable/xs");
const platform = at("firmware/platform/host");
const kernels = at("build/kernels");
const nativeKernels = at("firmware/kernels/native");
const output = at("build/xs-host");
const program = join(output, "xs-host");

// mxDebug stays undefined: even -DmxDebug=0 would enable the debugger. mxBoundsCheck catches a stack overflow;
// mxMetering counts what is executed. The rest is as on a device.
const engineFlags = [
	"-O2",
	"-fno-common",
	"-w",
	"-DINCLUDE_XSPLATFORM",
	'-DXSPLATFORM="xs-platform.h"',
	"-DmxBoundsCheck=1",
	"-DmxMetering=1",
	"-DmxNoConsole=1",
	"-DmxParse=1",
	"-DmxRun=1",
	`-I${platform}`,
];
const engineIncludes = ["includes", "platforms", "sources"].map((folder) => join(xs, folder));

/** Engine headers as system headers, so that their warnings do not hide those of the project's own files. */
const hostFlags = [
	...engineFlags.filter((flag) => flag !== "-w"),
	...kernelDefines,
	"-Wall",
	"-Wextra",
	`-I${nativeKernels}`,
	...engineIncludes.flatMap((folder) => ["-isystem", folder]),
];
const kernelFlags = ["-O2", "-w", ...kernelDefines, `-I${nativeKernels}`, `-I${kernels}`];

function sources(folder) {
	return readdirSync(folder)
		.filter((name) => name.endsWith(".c"))
		.map((name) => join(folder, name));
}

/** Runs the tasks, as many at a time as there are processors. */
async function inParallel(tasks) {
	const waiting = [...tasks];
	const worker = async () => {
		for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) await task();
	};
	await Promise.all(Array.from({ length: availableParallelism() }, worker));
}

/** Compiles each file to an object; those of the engine only when the compiler or a flag has changed. */
async function compileAll(compiler, version) {
	const jobs = [];
	const add = (folder, files, flags) => {
		mkdirSync(folder, { recursive: true });
		for (const file of files) jobs.push({ file, flags, object: join(folder, `${basename(file, ".c")}.o`) });
	};
	const engineFolder = join(output, "engine");
	const header = readFileSync(join(platform, "xs-platform.h"));
	const xsnap = readFileSync(at("node_modules/@agoric/xsnap/package.json"));
	const digest = createHash("sha256").update([compiler, version, ...engineFlags].join("\0"));
	const stamp = digest.update(header).update(xsnap).digest("hex");
	const stampFile = join(engineFolder, "stamp");
	const fresh = existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp;
	if (!fresh) rmSync(engineFolder, { recursive: true, force: true });

	add(engineFolder, sources(join(xs, "sources")), [...engineFlags, ...engineIncludes.map((folder) => `-I${folder}`)]);
	// It takes the generated build/kernels/best-ct.c in by itself.
	add(join(output, "kernels"), sources(nativeKernels), kernelFlags);
	add(join(output, "host"), sources(platform), hostFlags);
	const stale = jobs.filter(({ object }) => !fresh || !object.startsWith(engineFolder) || !existsSync(object));
	await inParallel(
		stale.map(({ file, flags, object }) => async () => {
			const { stderr } = await run(compiler, [...flags, "-c", file, "-o", object]);
			if (stderr !== "") process.stderr.write(stderr);
		}),
	);
	writeFileSync(stampFile, stamp);
	return jobs.map(({ object }) => object);
}

/**
 * The program build/xs-host/xs-host: the XS engine with the host's native functions. Where there is no C compiler, or
 * it fails, one line says so and nothing is made: the bundle then runs in Node.
 */
export async function buildXsHost() {
	const compiler = process.env.CC || "cc";
	try {
		const { stdout } = await run(compiler, ["--version"]);
		mkdirSync(output, { recursive: true });
		const objects = await compileAll(compiler, stdout);
		const libraries = process.platform === "darwin" ? ["-framework", "CoreServices"] : ["-lm", "-lpthread", "-ldl"];
		await run(compiler, [...objects, ...libraries, "-o", `${program}.new`]);
		renameSync(`${program}.new`, program);
	} catch (error) {
		// Not one of an earlier state of the sources.
		rmSync(program, { force: true });
		const lines = (error.stderr || error.message).split("\n");
		const line = lines.find((text) => text.includes("error")) ?? lines[0];
		console.error(`build: xs-host was not made, so bundles run in Node: ${line.trim()}`);
	}
}
