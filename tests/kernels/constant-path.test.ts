import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "@jest/globals";
import { equalInConstantTime } from "../../firmware/emsdp/octets.js";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const native = at("../../firmware/kernels/native");
const kernels = at("../../build/kernels");
const compiler = process.env.CC || "cc";
const canTrace =
	existsSync(join(kernels, "best-ct.c")) &&
	spawnSync(compiler, ["-fsanitize-coverage=trace-pc", "-E", "-"], { input: "" }).status === 0;

describe("what is compared in constant time", () => {
	(canTrace ? test : test.skip)(
		"the native kernel takes one path to refuse a MAC, wherever it is wrong (skipped without a compiler that traces)",
		() => {
			const folder = mkdtempSync(join(tmpdir(), "best-trace-"));
			try {
				const run = (...words: string[]) => {
					const { status, stderr, error } = spawnSync(compiler, words, { encoding: "utf8" });
					expect([status, stderr, error]).toEqual([0, "", undefined]);
				};
				const object = join(folder, "kernel.o");
				const program = join(folder, "trace");
				const folders = [`-I${native}`, `-I${kernels}`];
				run("-O2", "-w", "-fsanitize-coverage=trace-pc", ...folders, "-c", join(native, "best-kernel.c"), "-o", object);
				run("-O1", "-Wall", "-Wextra", ...folders, at("trace.c"), object, "-o", program);
				const { stdout } = spawnSync(program, { encoding: "utf8" });
				// One for each length of the MAC, which is public; every bit of both lengths for 50 pairs of keys.
				expect(stdout).toMatch(/^2 paths, 5000 verifications, [1-9]\d{2,} blocks\n$/);
			} finally {
				rmSync(folder, { recursive: true });
			}
		},
	);

	test("RES, digests and nonces: every octet of both is looked at, wherever they differ", () => {
		const touched: string[] = [];
		const watched = (name: string, octets: Uint8Array) =>
			new Proxy(octets, {
				get(target, property) {
					if (typeof property === "string" && /^\d+$/.test(property)) touched.push(`${name}${property}`);
					return Reflect.get(target, property, target);
				},
			});
		const traces = new Set<string>();
		const one = Uint8Array.from({ length: 16 }, (_, i) => 11 * i);
		for (let differing = -1; differing < one.length; differing++) {
			const other = one.slice();
			if (differing >= 0) other[differing] ^= 0x80;
			touched.length = 0;
			expect(equalInConstantTime(watched("a", one), watched("b", other))).toBe(differing < 0);
			expect(touched).toHaveLength(32);
			traces.add(touched.join());
		}
		expect(traces.size).toBe(1);
	});
});
