import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Runs the `best` command as a person would. The build is up to date: `npm test` sees to it. */
export function best(words: readonly string[], input = "") {
	const { status, stdout, stderr } = spawnSync(process.execPath, ["build/tools/main.js", ...words], {
		cwd: ROOT,
		input,
		encoding: "utf8",
		timeout: 60_000,
	});
	return { status, stdout, stderr };
}
