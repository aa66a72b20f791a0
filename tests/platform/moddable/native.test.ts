import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "@jest/globals";
import { root } from "./manifest.js";

const moddable = join(root, "firmware/platform/moddable");
const board = join(root, "firmware/platform/board");
const kernels = join(root, "firmware/kernels/native");
const sdk = fileURLToPath(new URL("./sdk", import.meta.url));

const ARM = "arm-none-eabi-gcc";
const HOST = process.env.CC || "cc";
const cortex = ["-mcpu=cortex-m4", "-mthumb"];

/** A file, the target, its compiler, and what the SDK defines there. */
const COMPILATIONS: [string, string, string, string[]][] = [
	["random.c", "Linux", HOST, []],
	["random.c", "nRF52", ARM, [...cortex, "-Dnrf52"]],
	["random.c", "ESP32", ARM, [...cortex, "-DESP32=1"]],
	["random.c", "ESP32-H2", ARM, [...cortex, "-DESP32=6", "-DkCPUESP32H2=1"]],
	["random.c", "Zephyr", ARM, [...cortex, "-D__ZEPHYR__=1", "-DCONFIG_CSPRNG_ENABLED=1"]],
	["random.c", "Zephyr without entropy", ARM, [...cortex, "-D__ZEPHYR__=1"]],
	["random.c", "anything else", ARM, cortex],
	["deep-sleep-esp32.c", "ESP32", ARM, [...cortex, "-DESP32=1"]],
	["deep-sleep-esp32.c", "ESP32-H2", ARM, [...cortex, "-DESP32=6", "-DkCPUESP32H2=1"]],
	["kernel.c", "Linux", HOST, []],
	["kernel.c", "nRF52", ARM, cortex],
	["flash-store.c", "nRF52", ARM, cortex],
	["flash-nrf52.c", "nRF52", ARM, cortex],
];

const hasCompiler = (name: string) => spawnSync(name, ["--version"]).error === undefined;

describe("the C files of the Moddable targets, with headers that stand for the SDK's", () => {
	for (const [file, target, compiler, flags] of COMPILATIONS)
		(hasCompiler(compiler) ? test : test.skip)(`${file} for ${target} compiles without a warning (${compiler})`, () => {
			const includes = [sdk, board, kernels].map((folder) => `-I${folder}`);
			const warnings = ["-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-std=gnu11"];
			const { status, stderr } = spawnSync(compiler, [...flags, ...warnings, ...includes, join(moddable, file)], {
				encoding: "utf8",
			});
			expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
		});

	test.each([...new Set(COMPILATIONS.map(([file]) => file))])("%s takes nothing from the heap", (file) => {
		expect(readFileSync(join(moddable, file), "utf8")).not.toMatch(/\b(?:c_)?(?:malloc|calloc|realloc|free|alloca)\b/);
	});
});
