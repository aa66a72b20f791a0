import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { withAllAlgorithms } from "../../firmware/algorithms/all.js";
import { SUBSTITUTES } from "../../firmware/algorithms/zuc-tables.js";
import { JsKernel } from "../../firmware/kernels/js.js";
import { loadKernel } from "../../host-tools/kernel.js";
import { kernelCases } from "../kernels/suite.js";
import { pairCases, vectorCases, vectorsOfKernel } from "./suite.js";

const root = new URL("../../", import.meta.url);
const read = (path: string) => JSON.parse(readFileSync(new URL(`tests/vectors/3gpp/${path}`, root), "utf8"));

const vectors = read("eea1_eia1_eea3_eia3.json");

describe("published vectors", () => {
	const cases = vectorCases(vectors);
	test.each(cases)("$name", ({ run }) => run());

	test("are all run", () => {
		const lists = Object.values(vectors).filter((value) => Array.isArray(value)) as unknown[][];
		expect(cases).toHaveLength(lists.reduce((sum, list) => sum + list.length, 0));
	});

	test("four of them have whole octets: a kernel takes no others", () => {
		expect(vectorsOfKernel(loadKernel(), vectors).map(({ name }) => name)).toEqual([
			"128-EEA1 set 3, 120 bits",
			"128-EIA1 set 1, 88 bits",
			"128-EIA1 set 4, 768 bits",
			"128-EEA3 set 2, 800 bits",
		]);
	});
});

test("S0 and S1 of ZUC are permutations", () => {
	const all = Array.from({ length: 256 }, (_, octet) => octet);
	for (const start of [0, 256])
		expect([...SUBSTITUTES.subarray(start, start + 256)].sort((a, b) => a - b)).toEqual(all);
});

for (const aes of [loadKernel(), loadKernel("fixsliced", "best-ct, fixsliced"), new JsKernel()]) {
	const kernel = withAllAlgorithms(aes);
	describe(kernel.name, () => {
		test("tells what it has", () => {
			expect(kernel.name).toBe(`${aes.name}, SNOW 3G, ZUC`);
			expect(kernel.algorithms).toBe(0b1110);
			expect(aes.algorithms).toBe(0b0100);
		});

		test.each(vectorsOfKernel(kernel, vectors))("$name", ({ run }) => run());

		test.each(pairCases(kernel))("$name", ({ run }) => run());
	});

	describe(`${kernel.name}: AES is passed on`, () => {
		const cases = kernelCases(read("aes_cmac_rfc4493.json"), read("eea2_eia2_ts33401_annexC.json"));
		test.each(cases)("$name", ({ run }) => run(kernel));
	});
}
