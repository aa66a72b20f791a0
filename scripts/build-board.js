import { execFile, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { bundleForRom, bundlePruning, recordTranscript } from "./board-bundle.js";
import { makeImage } from "./board-image.js";
import { kernelDefines } from "./kernel-choice.js";

const run = promisify(execFile);
const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

const xs = at("node_modules/@agoric/xsnap/moddable/xs");
const board = at("firmware/platform/board");
const host = at("firmware/platform/host");
const nativeKernels = at("firmware/kernels/native");
const output = at("build/board");

const PREFIX = "arm-none-eabi-";
const COMPILER = `${PREFIX}gcc`;
const QEMU = "qemu-system-arm";

/** Whether the programs are there that buildBoard needs. */
export function hasBoardCompiler() {
	return [COMPILER, QEMU].every((program) => spawnSync(program, ["--version"]).error === undefined);
}

const machine = ["-mcpu=cortex-m4", "-mthumb"];
const common = [...machine, "-ffunction-sections", "-fdata-sections", "-fno-common", "-std=gnu11"];

// mxDebug and mxMetering stay undefined. mxBoundsCheck catches an overflow of the engine's stack.
const engineFlags = [
	...common,
	"-Os",
	"-w",
	"-DINCLUDE_XSPLATFORM",
	'-DXSPLATFORM="xs-platform.h"',
	"-DmxBoundsCheck=1",
	"-DmxNoConsole=1",
	"-DmxParse=1",
	"-DmxRun=1",
	"-DmxRegExp=0",
	`-I${board}`,
];
const engineIncludes = ["includes", "platforms", "sources"].map((folder) => join(xs, folder));
const ownFlags = [
	...engineFlags.filter((flag) => flag !== "-w"),
	...kernelDefines,
	"-Wall",
	"-Wextra",
	// The engine's header defines functions that not every file calls.
	"-Wno-unused-function",
	`-I${host}`,
	`-I${nativeKernels}`,
	...engineIncludes.flatMap((folder) => ["-isystem", folder]),
];
// -O2 for this one file, as best-kernel.h has it: -Os would not inline its loads and stores.
const kernelFlags = [...common, "-O2", "-w", ...kernelDefines, `-I${nativeKernels}`, `-I${at("build/kernels")}`];

/** Octets of RAM, as the board's link has them: an nRF52840 has 256 KB. */
const RUNNING = { CODE_ORIGIN: 0x40, RAM_ORIGIN: 0x20000000, RAM_OCTETS: 256 << 10, STACK_OCTETS: 8 << 10 };
const RUNNING_MEMORY = { ...RUNNING, C_HEAP_OCTETS: 12 << 10, POOL_OCTETS: 64 << 10 };
/** The machine that preloads: in the 16 MB of external memory, at two places, so that pointers can be told from numbers. */
const preloading = (shift) => ({
	CODE_ORIGIN: 0x40 + 0x10000 * shift,
	RAM_ORIGIN: 0x21000000 + 0x8000 * shift,
	RAM_OCTETS: (16 << 20) - 0x8000,
	STACK_OCTETS: 256 << 10,
	C_HEAP_OCTETS: 8 << 20,
	POOL_OCTETS: 4 << 20,
});

const sources = (folder) =>
	readdirSync(folder)
		.filter((name) => name.endsWith(".c"))
		.map((name) => join(folder, name));

async function inParallel(tasks) {
	const waiting = [...tasks];
	const worker = async () => {
		for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) await task();
	};
	await Promise.all(Array.from({ length: availableParallelism() }, worker));
}

/** Compiles a group of files, unless nothing that matters to it has changed. @returns the objects */
async function compile(group, files, flags, inputs = []) {
	const folder = join(output, group);
	const { stdout: version } = await run(COMPILER, ["--version"]);
	const hash = createHash("sha256").update([version, ...flags].join("\0"));
	for (const input of inputs) hash.update(readFileSync(input));
	const stamp = hash.digest("hex");
	const stampFile = join(folder, "stamp");
	const fresh = existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp;
	if (!fresh) rmSync(folder, { recursive: true, force: true });
	mkdirSync(folder, { recursive: true });
	const jobs = files.map((file) => ({ file, object: join(folder, `${basename(file).replace(/\.[cS]$/, "")}.o`) }));
	await inParallel(
		jobs
			.filter(({ object }) => !existsSync(object))
			.map(({ file, object }) => async () => {
				const { stderr } = await run(COMPILER, [...flags, "-c", file, "-o", object]);
				if (stderr !== "") process.stderr.write(stderr);
			}),
	);
	writeFileSync(stampFile, stamp);
	return jobs.map(({ object }) => object);
}

async function link(name, objects, memory) {
	const script = join(output, `${name}.ld`);
	const defines = Object.entries(memory).map(([key, value]) => `-D${key}=${value}`);
	await run(COMPILER, ["-E", "-P", "-x", "c", ...defines, join(board, "board.ld"), "-o", script]);
	const elf = join(output, `${name}.elf`);
	await run(COMPILER, [
		...machine,
		"-nostartfiles",
		"-Wl,--gc-sections,--no-warn-rwx-segments",
		`-Wl,-T,${script},-Map,${join(output, `${name}.map`)}`,
		"--specs=nano.specs",
		...objects,
		"-lm",
		"-o",
		elf,
	]);
	return elf;
}

/** Runs a program on the emulated board until it ends. @returns what it printed */
async function emulate(elf, folder) {
	const { stdout } = await run(
		QEMU,
		[
			...["-machine", "mps2-an386", "-nographic", "-monitor", "none", "-serial", "stdio", "-no-reboot"],
			...["-semihosting-config", "enable=on,target=native", "-kernel", elf],
		],
		{ cwd: folder, timeout: 120_000 },
	);
	return stdout;
}

/** One program for the board: bundle, image, ELF. */
async function buildProgram({ name, main, preloaded, define }, objects) {
	const folder = join(output, name);
	mkdirSync(folder, { recursive: true });
	const bundle = join(folder, "bundle.js");
	const prune = join(folder, "prune.js");
	await bundleForRom(main, preloaded, define, bundle);
	await bundlePruning(bundle, [...sources(board), ...sources(host)], prune);
	const assembler = join(folder, "bundle.S");
	const embed = (symbol, file) =>
		`.global ${symbol}, ${symbol}End\n${symbol}: .incbin "${file}"\n${symbol}End: .byte 0\n`;
	writeFileSync(assembler, `.section .rodata.bundle,"a"\n${embed("bundle", bundle)}${embed("prune", prune)}`);
	const bundleObject = join(folder, "bundle.o");
	await run(COMPILER, [...machine, "-c", assembler, "-o", bundleObject]);
	const dumps = [];
	for (const shift of [0, 1]) {
		const elf = await link(
			`${name}/preload-${shift}`,
			[...objects.shared, ...objects.preload, bundleObject],
			preloading(shift),
		);
		const place = join(folder, `dump-${shift}`);
		mkdirSync(place, { recursive: true });
		rmSync(join(place, "image.bin"), { force: true });
		const printed = await emulate(elf, place);
		if (!existsSync(join(place, "image.bin"))) throw new Error(`The firmware could not be preloaded: ${printed}`);
		dumps.push({ elf, file: join(place, "image.bin") });
	}
	const image = await makeImage(dumps, join(folder, "image.S"), PREFIX, objects.shared, folder);
	writeFileSync(join(folder, "image.json"), `${JSON.stringify(image.figures)}\n`);
	const imageObject = join(folder, "image.o");
	await run(COMPILER, [...machine, "-c", join(folder, "image.S"), "-o", imageObject]);
	return link(`${name}/${name}`, [...image.objects, ...objects.running, imageObject], RUNNING_MEMORY);
}

/** Compiles what all programs have in common. */
async function compileBoard() {
	mkdirSync(output, { recursive: true });
	const engineInputs = [join(board, "xs-platform.h"), at("node_modules/@agoric/xsnap/package.json")];
	const includes = engineIncludes.map((folder) => `-I${folder}`);
	const platforms = join(xs, "sources/xsPlatforms.c");
	const defaults = join(xs, "sources/xsDefaults.c");
	const engine = await compile(
		"engine",
		sources(join(xs, "sources")).filter((file) => file !== platforms && file !== defaults),
		[...engineFlags, ...includes],
		engineInputs,
	);
	const parsing = await compile(
		"engine-parsing",
		[platforms, defaults],
		[...engineFlags, "-DmxUseDefaultParseScript=1", ...includes],
		engineInputs,
	);
	const running = await compile("engine-running", [platforms], [...engineFlags, ...includes], engineInputs);
	const own = [...sources(board), join(host, "arguments.c"), join(host, "kernel.c")];
	const headers = [board, host].flatMap((folder) =>
		readdirSync(folder)
			.filter((name) => name.endsWith(".h"))
			.map((name) => join(folder, name)),
	);
	const ownObjects = await compile("own", own, ownFlags, [...own, ...headers, join(nativeKernels, "best-kernel.h")]);
	const kernelFiles = sources(nativeKernels);
	const kernel = await compile("kernel", kernelFiles, kernelFlags, [
		...kernelFiles,
		join(nativeKernels, "wasm-rt.h"),
		at("build/kernels/best-ct.c"),
		at("build/kernels/best-table.c"),
	]);
	const only = (name) => ownObjects.filter((object) => basename(object) === `${name}.o`);
	const alone = [...only("main"), ...only("no-parser"), ...only("defaults"), ...only("preload")];
	return {
		shared: [...engine, ...ownObjects.filter((object) => !alone.includes(object)), ...kernel],
		preload: [...parsing, ...only("preload")],
		running: [...running, ...only("main"), ...only("no-parser"), ...only("defaults")],
	};
}

/**
 * Builds other programs for the board, for tests: build/board/NAME/NAME.elf.
 * @param programs {name, main, preloaded}
 */
export async function buildBoardPrograms(programs) {
	const objects = await compileBoard();
	for (const program of programs) await buildProgram(program, objects);
}

export async function buildBoard() {
	const transcript = await recordTranscript(join(output, "transcript.mjs"));
	await buildBoardPrograms([
		{ name: "firmware", main: "firmware/main.ts", preloaded: PRELOADED },
		{
			name: "measure",
			main: "firmware/platform/board/measure.ts",
			preloaded: [...PRELOADED, "firmware/platform/board/scenario.ts"],
			define: { TRANSCRIPT: JSON.stringify(transcript) },
		},
	]);
}

/** What of the firmware is in the image: all that is evaluated without a platform. */
const PRELOADED = [
	"firmware/application.ts",
	"firmware/client/best-client.ts",
	"firmware/client/identity.ts",
	"firmware/keys/aka.ts",
	"firmware/keys/milenage.ts",
	"firmware/kernels/native.ts",
	"firmware/platform/common/soft-usim.ts",
	...["clock", "datagram", "random", "readings", "store"].map((name) => `firmware/platform/host/${name}.ts`),
];
