/** The kernel on the emulated board, in executed instructions: where its tools are and the board has been built. */
import { existsSync } from "node:fs";
import { builtProgram } from "../board/board.js";
import { measure } from "../board/measure.js";
import { missingTools } from "../board/tools.js";
import type { BenchRow } from "./kernel-rows.js";

export async function boardRows(): Promise<BenchRow[]> {
	if (missingTools() !== undefined || !existsSync(builtProgram("measure"))) return [];
	const { setKey, protect20, protect200, protect1024, uplink20 } = (await measure()).instructions;
	const row = (what: string, size: number, instructions: number): BenchRow => ({
		where: "board",
		what,
		name: "best-ct",
		size,
		instructions,
	});
	return [
		row("setKey", 32, setKey),
		row("protect", 20, protect20),
		row("protect", 200, protect200),
		row("protect", 1024, protect1024),
		row("uplink", 20, uplink20),
	];
}
