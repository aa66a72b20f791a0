import { boardRows } from "../bench/board-rows.js";
import { hseCoreFigures, restartSeconds } from "../bench/hse-core.js";
import { type BenchRow, kernelRows } from "../bench/kernel-rows.js";
import { ratiosOf } from "../bench/ratios.js";
import { uplinkRows } from "../bench/uplink-rows.js";
import { xsRows } from "../bench/xs-rows.js";
import { type Command, numberOption, type Options } from "./options.js";

function figure({ ns, instructions }: BenchRow): string {
	return ns !== undefined ? `${Math.round(ns)} ns` : `${instructions} instructions`;
}

async function benchHse(options: Options): Promise<number> {
	const sessions = numberOption(options, "sessions", 1_000_000, 1, 9_000_000);
	const figures = { ...hseCoreFigures({ idleSessions: sessions }), restartSeconds: await restartSeconds(sessions) };
	if (options.json === true) {
		console.log(JSON.stringify(figures));
		return 0;
	}
	const { coreUplinksPerSecond, rows, idleSessions, bytesPerIdleSession } = figures;
	console.log(
		`Protected uplinks of 64 octets in a second of one core, without input and output, kernel ${figures.kernel}:`,
	);
	for (const row of [{ sessions: 1, order: "", uplinksPerSecond: coreUplinksPerSecond }, ...rows])
		console.log(
			`${String(row.sessions).padStart(10)} sessions ${row.order.padEnd(12)}${String(row.uplinksPerSecond).padStart(10)}`,
		);
	console.log(`${idleSessions} idle sessions: ${bytesPerIdleSession} octets each.`);
	console.log(`Restart with them: ${figures.restartSeconds.toFixed(1)} s.`);
	return 0;
}

export const bench: Command = {
	name: "bench",
	summary: "time the kernels and the client beside their peers, in one run, or the HSE with many sessions",
	options: {
		hse: { help: "the HSE's core instead: uplinks in a second of one core, and memory of an idle session" },
		sessions: { value: "N", help: "with --hse: sessions in the process (1000000)" },
		json: { help: "print {rows, ratios} as JSON, with --hse its figures" },
	},
	example: "best bench --json",
	async run(options) {
		if (options.hse === true) return benchHse(options);
		const rows = [...(await kernelRows()), ...(await xsRows()), ...(await uplinkRows()), ...(await boardRows())];
		const ratios = ratiosOf(rows);
		if (options.json === true) {
			console.log(JSON.stringify({ rows, ratios }));
			return 0;
		}
		for (const row of rows)
			console.log(
				`${row.where.padEnd(6)}${row.what.padEnd(10)}${row.name.padEnd(26)}${`${row.size} B`.padStart(7)}  ${figure(row).padStart(12)}`,
			);
		console.log("");
		for (const [name, ratio] of Object.entries(ratios)) console.log(`${name.padEnd(50)}${ratio.toFixed(2)}`);
		return 0;
	},
};
