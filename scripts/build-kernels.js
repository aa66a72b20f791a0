import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The AES kernels: AssemblyScript to WebAssembly for Node, and on to C for the XS host and the devices. */
export async function buildKernels() {
	const folder = join(root, "build/kernels");
	mkdirSync(folder, { recursive: true });
	await assemble("index.ts", join(folder, "best-ct.wasm"));
	await assemble("simd/index.ts", join(folder, "best-ct-simd.wasm"), { features: ["--enable", "simd"] });
	await assemble("table/index.ts", join(folder, "best-table.wasm"), { pages: 2 });
	await assemble("digest/index.ts", join(folder, "sha256.wasm"));
	await translate("cipher.ts", "best-ct");
	await translate("table/cipher.ts", "best-table");
}

/** AssemblyScript to C: build/kernels/NAME.c and .h. */
async function translate(source, name) {
	const folder = join(root, "build/kernels");
	const small = join(folder, `${name}-small.wasm`);
	await assemble(source, small, { shrinkLevel: 1 });
	execFileSync(process.execPath, [
		join(root, "node_modules/wabt/bin/wasm2c"),
		small,
		...["--module-name", name.replace("-", "_"), "--no-debug-names", "--output", join(folder, `${name}.c`)],
	]);
	sandbox(join(folder, `${name}.c`));
}

/** Compiles assembly/ for speed (shrink level 0) or, for devices, for size and speed (1). */
async function assemble(source, file, { shrinkLevel = 0, features = [], pages = 1 } = {}) {
	const { main } = await import("assemblyscript/asc");
	const { error, stderr } = await main([
		join(root, "assembly", source),
		...["--outFile", file],
		// Neither a heap nor static data: see assembly/memory.ts.
		...[
			"--runtime",
			"stub",
			"--noAssert",
			"--use",
			"abort=",
			"--initialMemory",
			`${pages}`,
			"--maximumMemory",
			`${pages}`,
		],
		...["--disable", "bulk-memory", "--disable", "sign-extension", "--disable", "nontrapping-f2i", ...features],
		...["--optimizeLevel", "3", "--shrinkLevel", `${shrinkLevel}`, "--converge"],
	]);
	if (error) throw new Error(`asc could not compile assembly/.\n${stderr}`, { cause: error });
}

/**
 * Puts the address mask of firmware/kernels/native/wasm-rt.h where the generated code forms an address, and lets the
 * compiler join a load with its use: masked loads cannot trap, so none needs to be kept for that.
 *
 * An address is a computed part, which is masked, and a constant offset in the instruction, which must be below the
 * octets that the memory has beyond its mask: so the accesses from one address on share one mask.
 */
function sandbox(file) {
	let text = readFileSync(file, "utf8");
	const replace = (from, to) => {
		const changed = text.replace(from, to);
		if (changed === text) throw new Error(`${file} does not contain ${from}: has wabt been changed?`);
		text = changed;
	};
	let most = 0;
	const access = /(\bi32_(?:load|store)\w*\(&instance->w2c_memory, )\(u64\)\((var_\w+)\)(?: \+ (\d+)u?)?/g;
	replace(access, (_, start, computed, offset = "0") => {
		most = Math.max(most, Number(offset));
		return `${start}BEST_KERNEL_ADDRESS(${computed}) + ${offset}u`;
	});
	replace(/(#define FORCE_READ_INT\(var\)) __asm__.*\n/, "$1\n");
	const unmasked = /\w+_(?:load|store)\w*\(&instance->w2c_memory, (?!BEST_KERNEL_ADDRESS\().*/.exec(text);
	if (unmasked) throw new Error(`${file} has an access whose address is not masked: ${unmasked[0]}`);
	replace(/^/, `#define BEST_KERNEL_MOST_OFFSET ${most}u\n`);
	writeFileSync(file, text);
}
