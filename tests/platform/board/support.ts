/** Programs on the emulated board, for tests. Skipped, with what to install, where its tools are missing. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe } from "@jest/globals";
import { startBoard } from "../../../host-tools/board/board.js";
import { writeFlash } from "../../../host-tools/board/flash-image.js";
import { missingTools } from "../../../host-tools/board/tools.js";

export function describeBoard(name: string, tests: () => void): void {
	const missing = missingTools();
	if (missing === undefined) describe(name, tests);
	else describe.skip(`${name} (skipped: ${missing})`, tests);
}

const folders: string[] = [];

afterAll(() => {
	for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

export function newFlash(values: readonly (readonly [string, Uint8Array])[] = []): string {
	const folder = mkdtempSync(join(tmpdir(), "best-board-test-"));
	folders.push(folder);
	const flash = join(folder, "flash.bin");
	writeFlash(flash, values);
	return flash;
}

export interface Outcome {
	readonly status: number;
	readonly lines: string[];
	readonly errors: string[];
}

/** Runs a program without network to its end. */
export async function runProgram(program: string, flash = newFlash(), random?: Uint8Array): Promise<Outcome> {
	const board = startBoard({ flash, program, random });
	const lines: string[] = [];
	const errors: string[] = [];
	board.onLine((line) => lines.push(line));
	board.onErrorLine((line) => errors.push(line));
	return { status: await board.exited, lines, errors };
}
