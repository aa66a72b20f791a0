import { commitFigures, committedFigures, type Figures, growth, takeFigures } from "../board/figures.js";
import { writeReport } from "../board/report.js";
import { type BoardRunSummary, runBoard } from "../board/run.js";
import { missingTools } from "../board/tools.js";
import { Failure } from "./errors.js";
import type { Command } from "./options.js";

const UPLINKS = 20;

function table(rows: readonly (readonly [string, string | number])[]): string[] {
	return rows.map(([name, value]) => `  ${name.padEnd(38)}${value}`);
}

function summaryTable(summary: BoardRunSummary): string[] {
	const { sent, delivered, answered, downlinks, sessions, resumed, powerCuts, terminated } = summary;
	return table([
		["sessions agreed, power cuts, resumed", `${sessions}, ${powerCuts}, ${resumed}`],
		["uplinks sent / delivered intact", `${sent} / ${delivered}`],
		["downlinks sent / received", `${answered} / ${downlinks}`],
		["terminated by the UE", terminated ? "yes" : "no"],
		["RAM of the engine, C stack at most", `${summary.heapPeakBytes}, ${summary.stackPeakBytes} bytes`],
		["engine, kernel", `${summary.engine}, ${summary.kernel}`],
	]);
}

function figuresTable({ instructions, ...figures }: Figures): string[] {
	return table([
		["flash, static RAM", `${figures.flashBytes}, ${figures.ramStaticBytes} bytes`],
		["RAM of the engine, C stack at most", `${figures.heapPeakBytes}, ${figures.stackPeakBytes} bytes`],
		...Object.entries(instructions).map(([name, count]) => [`instructions: ${name}`, count] as [string, number]),
	]);
}

async function play(): Promise<number> {
	const summary = await runBoard({ uplinks: UPLINKS, print: (line) => console.log(line) });
	for (const line of ["", ...summaryTable(summary)]) console.log(line);
	const isWhole = summary.delivered === summary.sent && summary.downlinks === summary.answered && summary.terminated;
	return isWhole ? 0 : 1;
}

function check(figures: Figures): number {
	const committed = committedFigures();
	if (committed === undefined) throw new Failure("There are no committed figures: run best board --report.");
	const grown = growth(figures, committed);
	for (const line of grown) console.error(`best board: ${line}`);
	if (grown.length > 0) console.error("If that is meant, run best board --report and commit docs/footprint.*.");
	return grown.length > 0 ? 1 : 0;
}

export const board: Command = {
	name: "board",
	summary: "run the firmware on an emulated Cortex-M4 against an HSE, or measure it there",
	options: {
		json: { help: "measure: print flash, RAM and executed instructions as JSON" },
		check: { help: "measure: fail if flash or RAM has grown by more than 3 % against docs/footprint.json" },
		report: { help: "measure: write docs/footprint.md, its picture and docs/footprint.json" },
	},
	example: "best board --json",
	async run({ json, check: isCheck, report }) {
		const missing = missingTools();
		if (missing !== undefined) throw new Failure(missing);
		if (!json && !isCheck && !report) return play();
		const figures = await takeFigures();
		if (report) {
			commitFigures(figures);
			writeReport(figures);
		}
		if (json) console.log(JSON.stringify(figures));
		else for (const line of figuresTable(figures)) console.log(line);
		return isCheck ? check(figures) : 0;
	},
};
