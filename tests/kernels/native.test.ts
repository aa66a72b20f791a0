import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "@jest/globals";
import { JsKernel } from "../../firmware/kernels/js.js";
import { generator } from "./suite.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const compiler = process.env.CC || "cc";
const hasCompiler = spawnSync(compiler, ["--version"]).error === undefined;
const folder = mkdtempSync(join(tmpdir(), "best-native-kernel-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Case {
	readonly keys: Uint8Array;
	readonly count: number;
	readonly bearerAndDirection: number;
	readonly macLength: number;
	readonly cipherStart: number;
	readonly plain: Uint8Array;
}

/** Messages of 17 octets and more: every length up to 80, then random ones up to the longest. */
function casesOf(seed: number): Case[] {
	const random = generator(seed);
	const octets = (length: number) => Uint8Array.from({ length }, () => random() >>> 11);
	return Array.from({ length: 300 }, (_, index) => {
		const length = index < 64 ? 17 + index : 17 + (random() % 1208);
		return {
			keys: octets(32),
			count: random(),
			bearerAndDirection: (random() & 0x3f) << 2,
			macLength: index & 1 ? 4 : 8,
			cipherStart: random() % (index & 2 ? 12 : length + 1),
			plain: octets(length),
		};
	});
}

function recordOf({ keys, count, bearerAndDirection, macLength, cipherStart, plain }: Case): Uint8Array {
	const head = Buffer.alloc(10);
	head.writeUInt32BE(count, 0);
	head[4] = bearerAndDirection;
	head[5] = macLength;
	head.writeUInt16BE(cipherStart, 6);
	head.writeUInt16BE(plain.length, 8);
	return Buffer.concat([keys, head, plain]);
}

function answerOf({ keys, count, bearerAndDirection, macLength, cipherStart, plain }: Case): Uint8Array {
	const kernel = new JsKernel();
	const keySet = kernel.createKeySet();
	kernel.setKeys(keySet, keys.subarray(0, 16), keys.subarray(16));
	const { length } = plain;
	kernel.message.set(plain);
	kernel.protect(keySet, count, bearerAndDirection, cipherStart, length, macLength);
	const whole = kernel.message.slice(0, length + macLength);
	kernel.message.set(plain);
	kernel.cmac(keySet, 8 * length - 3);
	const tag = kernel.message.slice(length, length + 16);
	kernel.message.set(plain);
	kernel.ctr(keySet, 8 * (length - 16) - 3);
	return Buffer.concat([whole, Uint8Array.of(1), plain, Uint8Array.of(0), tag, kernel.message.slice(16, length)]);
}

const VARIANTS = {
	"bit slices": [],
	"tables, by choice": ["-DBEST_KERNEL_TABLES"],
	"bit slices with room for more key stream": ["-DBEST_KERNEL_MEMORY_OCTETS=1024"],
};

if (hasCompiler) {
	test.each(Object.entries(VARIANTS))("the native kernel with %s gives the octets of best-js", (name, defines) => {
		const program = join(folder, name.replaceAll(" ", "-"));
		const sources = ["tests/kernels/native-kernel.c", "firmware/kernels/native/best-kernel.c"];
		const flags = ["-O2", "-Wall", "-Wextra", "-Werror", "-Ifirmware/kernels/native", "-Ibuild/kernels", ...defines];
		execFileSync(compiler, [...flags, ...sources, "-o", program], { cwd: root });
		const seed = 33163;
		const cases = casesOf(seed);
		const output = execFileSync(program, { input: Buffer.concat(cases.map(recordOf)), maxBuffer: 2 ** 24 });
		let at = 0;
		for (const one of cases) {
			const answer = answerOf(one);
			const got = output.subarray(at, at + answer.length);
			if (!got.equals(answer)) throw new Error(`seed ${seed}, ${one.plain.length} octets from ${one.cipherStart} on`);
			at += answer.length;
		}
		expect(at).toBe(output.length);
	});
} else {
	test.skip("the native kernels (no C compiler)", () => {});
}
