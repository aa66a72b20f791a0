#!/usr/bin/env node
// Makes what is generated, all of it below build/. A step runs again only when its inputs have changed.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildBoard } from "./build-board.js";
import { buildFirmware, buildTools } from "./build-bundles.js";
import { buildKernels } from "./build-kernels.js";
import { buildUdp } from "./build-udp.js";
import { buildXsHost } from "./build-xs-host.js";
import { kernelChoice } from "./kernel-choice.js";

export const root = fileURLToPath(new URL("..", import.meta.url));

/** @type {Record<string, { after: string[], inputs: string[], outputs: string[], isOptional?: boolean, run: () => void | Promise<void> }>} */
const steps = {
	kernels: {
		after: [],
		inputs: ["assembly", "scripts/build-kernels.js"],
		outputs: [
			"build/kernels/best-ct-simd.wasm",
			"build/kernels/best-ct.wasm",
			"build/kernels/best-ct.c",
			"build/kernels/best-ct.h",
			"build/kernels/best-table.wasm",
			"build/kernels/sha256.wasm",
			"build/kernels/best-table.c",
			"build/kernels/best-table.h",
		],
		run: buildKernels,
	},
	firmware: {
		after: [],
		inputs: ["firmware", "scripts/build-bundles.js"],
		outputs: ["build/firmware/main.js", "build/firmware/complete.js"],
		run: buildFirmware,
	},
	tools: {
		after: ["kernels"],
		inputs: ["firmware", "host-tools", "scripts/build-bundles.js"],
		outputs: ["build/tools/main.js", "build/tools/database-thread.js"],
		run: buildTools,
	},
	"xs-host": {
		after: ["kernels"],
		inputs: [
			"firmware/platform/host",
			"firmware/kernels/native",
			"build/kernels",
			"scripts/build-xs-host.js",
			"node_modules/@agoric/xsnap/package.json",
		],
		outputs: ["build/xs-host/xs-host"],
		run: buildXsHost,
	},
	udp: {
		after: [],
		inputs: ["host-tools/udp/batched-udp.c", "scripts/build-udp.js"],
		outputs: ["build/udp/batched-udp.node"],
		run: buildUdp,
	},
	// Needs a cross compiler and an emulator: made by those who ask for it.
	board: {
		after: ["kernels"],
		inputs: [
			"firmware",
			"build/kernels",
			"host-tools/board/transcript.ts",
			"host-tools/hse",
			"scripts/build-board.js",
			"scripts/board-bundle.js",
			"scripts/board-image.js",
			"node_modules/@agoric/xsnap/package.json",
		],
		outputs: ["build/board/firmware/firmware.elf", "build/board/measure/measure.elf"],
		isOptional: true,
		run: buildBoard,
	},
};

function filesBelow(path) {
	if (!existsSync(path)) return [];
	if (!statSync(path).isDirectory()) return [path];
	return readdirSync(path)
		.sort()
		.flatMap((name) => filesBelow(join(path, name)));
}

function digestOf(inputs) {
	const hash = createHash("sha256").update(kernelChoice);
	for (const file of [...inputs, "package-lock.json"].flatMap((input) => filesBelow(join(root, input)))) {
		hash
			.update(`${file.slice(root.length)}\0`)
			.update(readFileSync(file))
			.update("\0");
	}
	return hash.digest("hex");
}

const done = new Set();

/** Brings one step, and what it stands on, up to date. */
export async function build(name) {
	if (done.has(name)) return;
	const step = steps[name];
	for (const earlier of step.after) await build(earlier);
	const stamp = join(root, "build", `.${name}`);
	const digest = digestOf(step.inputs);
	const fresh = existsSync(stamp) && readFileSync(stamp, "utf8") === digest;
	if (!fresh || !step.outputs.every((output) => existsSync(join(root, output)))) {
		rmSync(stamp, { force: true });
		for (const output of step.outputs) mkdirSync(join(root, output, ".."), { recursive: true });
		await step.run();
		writeFileSync(stamp, digest);
	}
	done.add(name);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const names = process.argv.slice(2);
	const wrong = names.find((name) => !Object.hasOwn(steps, name));
	if (wrong !== undefined) {
		console.error(`build: there is no step "${wrong}"; the steps are ${Object.keys(steps).join(", ")}.`);
		process.exit(2);
	}
	for (const name of names.length > 0 ? names : Object.keys(steps).filter((step) => !steps[step].isOptional))
		await build(name);
}
