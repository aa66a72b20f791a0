import { execFile } from "node:child_process";
import { existsSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

const output = at("build/udp/batched-udp.node");

/** Where Node's headers stand beside it, or where Debian's package libnode-dev puts them. */
const headers = [join(dirname(process.execPath), "../include/node"), "/usr/include/node", "/usr/include/nodejs/src"];

/**
 * The HSE's socket build/udp/batched-udp.node, for Linux. Where there is no C compiler, no headers of Node, or it fails, one
 * line says so and nothing is made: the HSE then uses node:dgram.
 */
export async function buildUdp() {
	// Not one of an earlier state of the sources.
	rmSync(output, { force: true });
	if (process.platform !== "linux") return;
	try {
		const folder = headers.find((path) => existsSync(join(path, "node_api.h")));
		if (folder === undefined) throw new Error("the headers of Node are not there");
		const flags = ["-O2", "-Wall", "-Wextra", "-fPIC", "-shared", "-fvisibility=hidden", "-isystem", folder];
		const { stderr } = await run(process.env.CC || "cc", [
			...flags,
			at("host-tools/udp/batched-udp.c"),
			"-o",
			`${output}.new`,
		]);
		if (stderr !== "") process.stderr.write(stderr);
		renameSync(`${output}.new`, output);
	} catch (error) {
		const lines = (error.stderr || error.message).split("\n");
		const line = lines.find((text) => text.includes("error")) ?? lines[0];
		console.error(`build: batched-udp was not made, so the HSE uses node:dgram: ${line.trim()}`);
	}
}
