/** The figures of the board, and whether they have grown against those that are committed. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../cli/errors.js";
import { projectRoot } from "../device/project-root.js";
import { type Footprint, footprint } from "./footprint.js";
import { type Measured, measure } from "./measure.js";

export type Figures = Footprint & Measured;

/** Runs that must count the same. */
const RUNS = 3;
/** What may be added without the committed figures being updated. */
const TOLERANCE = 0.03;
const WATCHED = ["flashBytes", "ramStaticBytes", "heapPeakBytes", "stackPeakBytes"] as const;

const committedFile = () => join(projectRoot(), "docs/footprint.json");

/** @throws Failure if the runs do not count the same */
export async function takeFigures(): Promise<Figures> {
	const runs: Measured[] = [];
	for (let i = 0; i < RUNS; i++) runs.push(await measure());
	const texts = new Set(runs.map((run) => JSON.stringify(run)));
	if (texts.size !== 1) throw new Failure(`${RUNS} runs did not count the same: ${[...texts].join(" ")}`);
	return { ...footprint("firmware"), ...runs[0] };
}

export function committedFigures(): Figures | undefined {
	return existsSync(committedFile()) ? JSON.parse(readFileSync(committedFile(), "utf8")) : undefined;
}

export function commitFigures(figures: Figures): void {
	writeFileSync(committedFile(), `${JSON.stringify(figures, null, "\t")}\n`);
}

/** @returns a line for each figure that is more than 3 % above the committed one */
export function growth(figures: Figures, committed: Figures): string[] {
	return WATCHED.filter((name) => figures[name] > committed[name] * (1 + TOLERANCE)).map(
		(name) => `${name} has grown from ${committed[name]} to ${figures[name]}, by more than 3 %.`,
	);
}
