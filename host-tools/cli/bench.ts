import { boardRows } from "../bench/board-rows.js";
import { type BenchRow, kernelRows } from "../bench/kernel-rows.js";
import { ratiosOf } from "../bench/ratios.js";
import { uplinkRows } from "../bench/uplink-rows.js";
import { xsRows } from "../bench/xs-rows.js";
import type { Command } from "./options.js";

function figure({ ns, instructions }: BenchRow): string {
	return ns !== undefined ? `${Math.round(ns)} ns` : `${instructions} instructions`;
}

export const bench: Command = {
	name: "bench",
	summary: "time the kernels and the client beside their peers, in one run",
	options: { json: { help: "print {rows, ratios} as JSON" } },
	example: "best bench --json",
	async run(options) {
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
