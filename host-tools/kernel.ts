import { existsSync, readFileSync } from "node:fs";
import type { Kernel } from "../firmware/kernels/kernel.js";
import { WasmKernel } from "../firmware/kernels/wasm.js";

const PATH = "build/kernels/best-ct.wasm";

/**
 * The constant-time kernel for Node. Found from the sources as well as from the bundle below build/.
 * @throws Error if the kernel has not been built
 */
export function loadKernel(): Kernel {
	let folder = new URL(".", import.meta.url);
	for (;;) {
		const file = new URL(PATH, folder);
		if (existsSync(file)) return new WasmKernel(readFileSync(file));
		const parent = new URL("..", folder);
		if (parent.href === folder.href) throw new Error(`${PATH} is missing; "npm run build" makes it.`);
		folder = parent;
	}
}
