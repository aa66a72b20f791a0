import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "@jest/globals";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const board = at("../../../firmware/platform/board");
const compiler = process.env.CC || "cc";
const hasCompiler = spawnSync(compiler, ["--version"]).error === undefined;

(hasCompiler ? describe : describe.skip)("the log in flash (skipped without a C compiler)", () => {
	test("a power cut at any word leaves the old or the new value", () => {
		const folder = mkdtempSync(join(tmpdir(), "best-log-"));
		const program = join(folder, "log");
		try {
			const files = [at("log-power-cut.c"), join(board, "log.c")];
			const built = spawnSync(compiler, ["-O1", "-Wall", "-Wextra", `-I${board}`, ...files, "-o", program], {
				encoding: "utf8",
			});
			expect(built.stderr).toBe("");
			const { stdout } = spawnSync(program, { encoding: "utf8" });
			expect(stdout).toMatch(/^0 losses after [1-9]\d{3,} power cuts\n$/);
		} finally {
			rmSync(folder, { recursive: true });
		}
	});
});
