import { existsSync, readFileSync } from "node:fs";
import { withAllAlgorithms } from "../firmware/algorithms/all.js";
import { ALGORITHM } from "../firmware/emsdp/profile.js";
import type { Kernel } from "../firmware/kernels/kernel.js";
import { WasmKernel } from "../firmware/kernels/wasm.js";

/**
 * The forms of the kernel in Node. Constant time: vector permutations, for engines with SIMD, and bit slices, for all. Not
 * constant time, and never chosen unless it is asked for: tables.
 */
export type KernelForm = "simd" | "fixsliced" | "table";

const PATHS: Record<KernelForm, string> = {
	simd: "build/kernels/best-ct-simd.wasm",
	fixsliced: "build/kernels/best-ct.wasm",
	table: "build/kernels/best-table.wasm",
};

// Node has it, but its types leave it to those of a browser.
declare const WebAssembly: { validate(octets: Uint8Array): boolean };

/** A module whose only function makes a vector with i8x16.splat and drops it: valid where the engine has SIMD. */
const SIMD_MODULE = Uint8Array.of(
	...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
	...[1, 4, 1, 0x60, 0, 0],
	...[3, 2, 1, 0],
	...[10, 9, 1, 7, 0, 0x41, 0, 0xfd, 0x0f, 0x1a, 0x0b],
);

export function hasSimd(): boolean {
	return WebAssembly.validate(SIMD_MODULE);
}

/**
 * The kernel for Node: the faster constant-time form that the engine has, named best-ct, unless a form is asked for. Found from
 * the sources as well as from the bundle below build/.
 * @throws Error if the kernel has not been built
 */
export function loadKernel(
	form: KernelForm = hasSimd() ? "simd" : "fixsliced",
	name = form === "table" ? "best-table" : "best-ct",
): Kernel {
	const path = PATHS[form];
	let folder = new URL(".", import.meta.url);
	for (;;) {
		const file = new URL(path, folder);
		if (existsSync(file)) return new WasmKernel(readFileSync(file), name);
		const parent = new URL("..", folder);
		if (parent.href === folder.href) throw new Error(`${path} is missing; "npm run build" makes it.`);
		folder = parent;
	}
}

/** The kernel of {@link loadKernel}, with SNOW 3G and ZUC beside it where they are asked for: AES alone has no tables. */
export function loadKernelFor(algorithms: readonly number[]): Kernel {
	return needsMoreThanAes(algorithms) ? withAllAlgorithms(loadKernel()) : loadKernel();
}

export function needsMoreThanAes(algorithms: readonly number[]): boolean {
	return algorithms.some((identity) => identity !== ALGORITHM.aes);
}
