/** What tells the report of one batch from that of another, without a device. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { RowSet, rowsDone } from "../../host-tools/provision/row-set.js";
import { best } from "../support/best.js";
import { newFolder } from "./devices.js";

const FIRST = 901700000000001n;
const imsis = (first: bigint, count: number) => Array.from({ length: count }, (_, i) => String(first + BigInt(i)));

function setOf(list: readonly string[]): RowSet {
	const set = new RowSet();
	for (const [i, imsi] of list.entries()) set.add(i + 1, imsi);
	return set;
}

describe("a set of rows is the same as", () => {
	test("one of the same rows in another order", () => {
		const list = imsis(FIRST, 3);
		const other = new RowSet();
		for (const row of [3, 1, 2, 2]) other.add(row, list[row - 1]);
		expect(setOf(list).isSame(other)).toBe(true);
	});

	const others: readonly [string, (list: readonly string[]) => readonly string[]][] = [
		["the next range of the same size", (list) => imsis(FIRST + BigInt(list.length), list.length)],
		["two rows exchanged", ([one, two, ...rest]) => [two, one, ...rest]],
		["one row changed", ([, ...rest]) => [String(FIRST + 5000n), ...rest]],
		["one row less", (list) => list.slice(1)],
	];
	for (const [what, change] of others)
		test.each([2, 10, 100, 1000])(`not as that of ${what}: %i rows`, (count) => {
			const list = imsis(FIRST, count);
			expect(setOf(list).isSame(setOf(change(list)))).toBe(false);
		});
});

test("a batch of the next range is not passed over by the report of the one before", async () => {
	const folder = newFolder();
	const report = join(folder, "report.jsonl");
	const list = imsis(FIRST, 4);
	writeFileSync(report, list.map((imsi, i) => `${JSON.stringify({ row: i + 1, imsi, status: "ok" })}\n`).join(""));
	expect((await rowsDone(report)).isSame(setOf(list))).toBe(true);
	const file = join(folder, "rows.jsonl");
	const words = ["provision", "--batch", file, "--report", report, "--dry-run", "--unchecked", "--port", "p"];
	const more = ["--database", join(folder, "hse.db"), "--hse-address", "192.0.2.1", "--eas-id", "meter.test"];
	const run = (rows: readonly string[]) => {
		writeFileSync(file, rows.map((imsi) => `${JSON.stringify({ imsi })}\n`).join(""));
		return best([...words, ...more]);
	};
	expect(run(list)).toMatchObject({ status: 0, stdout: "" });
	const refused = { status: 1, stdout: "", stderr: expect.stringMatching(/is of another batch: name another/) };
	expect(run(imsis(FIRST + 4n, 4))).toMatchObject(refused);
	expect(run([list[1], list[0], list[2], list[3]])).toMatchObject(refused);
});
