import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { appendLine } from "../../host-tools/hse/append-line.js";

test("a line is there as a whole, or not at all and told: also on a medium that takes a part of it", () => {
	const folder = mkdtempSync(join(tmpdir(), "best-test-"));
	const path = join(folder, "lines");
	const file = openSync(path, "a");
	let room = 10;
	const write = (to: number, octets: Uint8Array, from: number) => {
		if (room === 0) throw new Error("no space");
		const written = writeSync(to, octets, from, Math.min(4, room, octets.length - from));
		room -= written;
		return written;
	};
	try {
		appendLine(file, "first", write);
		expect(() => appendLine(file, "second", write)).toThrow(/no space/);
		appendLine(file, "third");
		expect(readFileSync(path, "utf8")).toBe("first\nthird\n");
		// Another process writes to the same file meanwhile: what it has written is not taken away.
		room = 4;
		const beside = (to: number, octets: Uint8Array, from: number) => {
			if (room === 0) writeSync(to, "another's\n");
			return write(to, octets, from);
		};
		expect(() => appendLine(file, "fourth", beside)).toThrow(/no space/);
		expect(readFileSync(path, "utf8")).toContain("another's\n");
	} finally {
		closeSync(file);
		rmSync(folder, { recursive: true });
	}
});
