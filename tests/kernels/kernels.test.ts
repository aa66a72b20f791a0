import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { JsKernel } from "../../firmware/kernels/js.js";
import type { Kernel, KeySet } from "../../firmware/kernels/kernel.js";
import { NativeKernel } from "../../firmware/kernels/native.js";
import { WasmKernel } from "../../firmware/kernels/wasm.js";
import { hasSimd, type KernelForm, loadKernel } from "../../host-tools/kernel.js";
import { agree, kernelCases, wycheproofCases } from "./suite.js";

const root = new URL("../../", import.meta.url);
const read = (path: string) => JSON.parse(readFileSync(new URL(path, root), "utf8"));

const cases = kernelCases(
	read("tests/vectors/3gpp/aes_cmac_rfc4493.json"),
	read("tests/vectors/3gpp/eea2_eia2_ts33401_annexC.json"),
);
const wycheproof = "../shared/vectors/wycheproof/aes_cmac_test.json";
const hasWycheproof = existsSync(new URL(wycheproof, root));

// An engine without SIMD is tested with what it can run; no supported version of Node is one.
const FORMS: readonly KernelForm[] = hasSimd() ? ["simd", "fixsliced", "table"] : ["fixsliced", "table"];
const kernelOf = (form: KernelForm) => loadKernel(form, `${loadKernel(form).name}, ${form}`);

test("best-ct is the SIMD kernel where the engine has SIMD, and tables have a name of their own", () => {
	expect(loadKernel().name).toBe("best-ct");
	expect(loadKernel("table").name).toBe("best-table");
	expect(hasSimd()).toBe(true);
});

for (const kernel of [...FORMS.map(kernelOf), new JsKernel()]) {
	describe(kernel.name, () => {
		test.each(cases)("$name", ({ run }) => run(kernel));

		if (hasWycheproof) {
			test.each(wycheproofCases(read(wycheproof)))("$name", ({ run }) => run(kernel));
		} else {
			test.skip(`Wycheproof AES-CMAC: ${wycheproof} is not there`, () => {});
		}
	});
}

test.each(FORMS)("%s and best-js give the same octets for random messages", (form) => {
	agree(kernelOf(form), new JsKernel(), 33163, 2000);
});

describe.each(FORMS)("%s, in linear memory", (form) => {
	test("serves more key sets than its memory holds", () => {
		const kernel = loadKernel(form);
		const key = (number: number) => new Uint8Array(16).fill(number & 255).fill(number >> 8, 8);
		const keySets = Array.from({ length: 400 }, () => kernel.createKeySet());
		keySets.forEach((keySet, number) => {
			kernel.setKeys(keySet, key(number), key(number + 1));
		});
		kernel.eraseKeys(keySets[399]);
		for (let number = 398; number >= 0; number -= 7) {
			expect(protectedBy(kernel, keySets[number])).toEqual(freshlyProtected(form, key(number), key(number + 1)));
		}
	});

	test("erase leaves nothing outside the key sets", () => {
		const { memory, call } = instance(form);
		memory.fill(0x5a, 4096, 4128);
		call("setKeys", 4096);
		memory.fill(0x77, 424, 1024);
		call("protect", 4096, 1, 4, 6, 600, 8);
		expect(call("unprotect", 4096, 1, 4, 6, 600, 8, 78)).toBe(1);
		call("erase", 78);
		expect(memory.subarray(0, 4096).every((octet) => octet === 0)).toBe(true);
		memory.fill(0, 4096, 4096 + 384);
		// The second page holds the tables, which are no secret.
		expect(memory.subarray(0, 65536).every((octet) => octet === 0)).toBe(true);
	});

	test("lengths that do not fit do nothing, even without the guards of the binding", () => {
		const { memory, call } = instance(form);
		memory.fill(0xa5);
		for (const [cipherStart, length, macLength] of [
			[0, 1237, 4],
			[0, 0xffffffff, 8],
			[9, 8, 4],
			[0, 8, 0],
		]) {
			call("protect", 4096, 1, 4, cipherStart, length, macLength);
			expect(call("unprotect", 4096, 1, 4, cipherStart, length, macLength, 78)).toBe(0);
		}
		call("ctr", 4096, 9793);
		call("cmac", 4096, 9793);
		expect(memory.every((octet) => octet === 0xa5)).toBe(true);
	});

	test("few key-stream blocks give the same result as many", () => {
		const { memory, call } = instance(form);
		call("setKeys", 4096);
		for (const kept of [0, 1, 22, 23, 78]) {
			memory.fill(0x31, 424, 1424);
			call("protect", 4096, 1, 4, 6, 1000, 4);
			expect(call("unprotect", 4096, 1, 4, 6, 1000, 4, kept)).toBe(1);
			expect(memory.subarray(424, 1424).every((octet) => octet === 0x31)).toBe(true);
		}
	});
});

test("the native binding passes on key set, message and lengths, and guards them", () => {
	const calls: unknown[][] = [];
	const record =
		(name: string) =>
		(...values: unknown[]) => {
			calls.push([name, ...values]);
			return true;
		};
	const kernel = new NativeKernel({
		name: "best-ct (native)",
		keySetOctets: 384,
		setKeys: record("setKeys"),
		protect: record("protect"),
		unprotect: record("unprotect"),
		encryptBlocks: record("encryptBlocks"),
		ctr: record("ctr"),
		cmac: record("cmac"),
		erase: record("erase"),
	});
	const keySet = kernel.createKeySet();
	const key = new Uint8Array(16);
	kernel.setKeys(keySet, key, key);
	kernel.protect(keySet, 1, 4, 6, 26, 8);
	expect(kernel.unprotect(keySet, 2, 0, 7, 27, 4)).toBe(true);
	kernel.ctr(keySet, 9);
	kernel.cmac(keySet, 10);
	kernel.encryptBlocks(keySet);
	kernel.erase();
	expect(() => kernel.protect(keySet, 1, 4, 6, 26, 5)).toThrow("macLength");
	const { message } = kernel;
	expect(calls).toEqual([
		["setKeys", keySet, key, key],
		["protect", keySet, message, 1, 4, 6, 26, 8],
		["unprotect", keySet, message, 2, 0, 7, 27, 4],
		["ctr", keySet, message, 9],
		["cmac", keySet, message, 10],
		["encryptBlocks", keySet, message],
		["erase"],
	]);
});

const FILES = {
	simd: "build/kernels/best-ct-simd.wasm",
	fixsliced: "build/kernels/best-ct.wasm",
	table: "build/kernels/best-table.wasm",
};

/** The types of a page's WebAssembly are not those of Node's library, so the little that is needed stands here. */
interface Wasm {
	Module: new (octets: Uint8Array) => object;
	Instance: new (module: object) => { readonly exports: { readonly memory: { readonly buffer: ArrayBuffer } } };
}

/** The kernel without its binding: linear memory, and its exports by name. */
function instance(form: KernelForm) {
	const { Module, Instance } = (globalThis as unknown as { WebAssembly: Wasm }).WebAssembly;
	const { exports } = new Instance(new Module(readFileSync(new URL(FILES[form], root))));
	const functions = exports as unknown as Record<string, (...numbers: number[]) => number>;
	return {
		memory: new Uint8Array(exports.memory.buffer),
		call: (name: string, ...numbers: number[]) => functions[name](...numbers),
	};
}

function protectedBy(kernel: Kernel, keySet: KeySet): Uint8Array {
	kernel.message.fill(1, 0, 26);
	kernel.protect(keySet, 1, 4, 6, 26, 4);
	return kernel.message.slice(0, 30);
}

function freshlyProtected(form: KernelForm, encryptionKey: Uint8Array, integrityKey: Uint8Array): Uint8Array {
	const kernel = new WasmKernel(readFileSync(new URL(FILES[form], root)));
	const keySet = kernel.createKeySet();
	kernel.setKeys(keySet, encryptionKey, integrityKey);
	return protectedBy(kernel, keySet);
}
