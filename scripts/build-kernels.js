import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The AES kernels: AssemblyScript to WebAssembly for Node, and on to C for the XS host and the devices. */
export async function buildKernels() {
	const folder = join(root, "build/kernels");
	mkdirSync(folder, { recursive: true });
	const small = join(folder, "best-ct-small.wasm");

	await assemble(join(folder, "best-ct.wasm"), "0");
	await assemble(small, "1");
	execFileSync(process.execPath, [
		join(root, "node_modules/wabt/bin/wasm2c"),
		small,
		...["--module-name", "best_ct", "--no-debug-names", "--output", join(folder, "best-ct.c")],
	]);
	sandbox(join(folder, "best-ct.c"));
}

/** Compiles assembly/ for speed (shrink level 0) or, for devices, for size and speed (1). */
async function assemble(file, shrinkLevel) {
	const { main } = await import("assemblyscript/asc");
	const { error, stderr } = await main([
		join(root, "assembly/index.ts"),
		...["--outFile", file],
		// Neither a heap nor static data nor more than one page: see assembly/memory.ts.
		...["--runtime", "stub", "--noAssert", "--use", "abort=", "--initialMemory", "1", "--maximumMemory", "1"],
		...["--disable", "bulk-memory", "--disable", "sign-extension", "--disable", "nontrapping-f2i"],
		...["--optimizeLevel", "3", "--shrinkLevel", shrinkLevel, "--converge"],
	]);
	if (error) throw new Error(`asc could not compile assembly/.\n${stderr}`, { cause: error });
}

/**
 * Puts the address mask of firmware/kernels/native/wasm-rt.h where the generated code forms an address, and lets the
 * compiler join a load with its use: masked loads cannot trap, so none needs to be kept for that.
 */
function sandbox(file) {
	let text = readFileSync(file, "utf8");
	for (const [from, to] of [
		["&((mem)->data[addr])\n", "&((mem)->data[BEST_KERNEL_ADDRESS(addr)])\n"],
		[/(#define FORCE_READ_INT\(var\)) __asm__.*\n/, "$1\n"],
	]) {
		const changed = text.replace(from, to);
		if (changed === text) throw new Error(`${file} does not contain ${from}: has wabt been changed?`);
		text = changed;
	}
	writeFileSync(file, text);
}
