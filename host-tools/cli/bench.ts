import { boardRows } from "../bench/board-rows.js";
import { hseCoreFigures } from "../bench/hse-core.js";
import { type BenchRow, kernelRows } from "../bench/kernel-rows.js";
import { socketFigures } from "../bench/load/socket-figures.js";
import { ratiosOf } from "../bench/ratios.js";
import { uplinkRows } from "../bench/uplink-rows.js";
import { xsRows } from "../bench/xs-rows.js";
import { UsageError } from "./errors.js";
import { type Command, numberOption, type Options } from "./options.js";

function figure({ ns, instructions }: BenchRow): string {
	return ns !== undefined ? `${Math.round(ns)} ns` : `${instructions} instructions`;
}

/** Rows of text as lines: each column as wide as its longest text, and numbers, which come last, at its end. */
export function columns(rows: readonly (readonly string[])[]): string[] {
	const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i].length)));
	const cell = (text: string, i: number) => (/^\d/.test(text) ? text.padStart(widths[i]) : text.padEnd(widths[i]));
	return rows.map((row) => row.map(cell).join("  "));
}

/** Options that are of the HSE's benchmark alone. */
const HSE_ONLY = ["sessions", "seconds", "soak", "ipv6"] as const;

async function benchHse(options: Options): Promise<number> {
	const sessions = numberOption(options, "sessions", 1_000_000, 1, 9_000_000);
	const milliseconds = 1000 * numberOption(options, "seconds", 3, 1, 600);
	const address = options.ipv6 === true ? "::1" : "127.0.0.1";
	const soakSeconds = numberOption(options, "soak", 0, 0, 86_400);
	// First, since memory that was given back before would be taken for sessions that need none.
	const core = hseCoreFigures({ idleSessions: sessions });
	const sockets = await socketFigures({ idleSessions: sessions, address, milliseconds, soakSeconds });
	const figures = { ...sockets, ...core };
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
	if (bytesPerIdleSession !== undefined)
		console.log(`${idleSessions} idle sessions: ${bytesPerIdleSession} octets each.`);
	console.log(`Over UDP at ${address}, this process being the UEs and another one the HSE with its SQLite store:`);
	console.log(
		`${figures.uplinksPerSecond} uplinks in a second, 99 of 100 told of within ${figures.p99Ms.toFixed(1)} ms; a bare UDP echo does ${figures.echoPerSecond}: ${figures.ratioToEcho.toFixed(2)} of it.`,
	);
	console.log(
		`At 40000 in a second 99 of 100 were told of within ${figures.p99MsAt40000.toFixed(1)} ms; 99 of 100 echoes came back within ${figures.echoP99MsAt40000.toFixed(1)} ms.`,
	);
	console.log(`${figures.newSessionsPerSecond} new sessions in a second.`);
	console.log(
		`Restart with ${idleSessions} sessions: ${figures.restartSeconds.toFixed(1)} s, ${Math.round(figures.rssBytes / 1e6)} MB.`,
	);
	if (!figures.hasBatchedSocket) console.log("Datagrams were taken one by one: the build says why.");
	const { soakRssBytes: soak } = figures;
	if (soak !== undefined)
		console.log(`Memory under load, every 10 s: ${soak.map((octets) => Math.round(octets / 1e6)).join(", ")} MB.`);
	console.log(
		`${figures.floodPerSecond} forged Session Requests in a second cost ${Math.round(100 * figures.floodLoss)} % of the uplinks and ${figures.floodVectors} vectors.`,
	);
	if (figures.stolen !== undefined && figures.stolen > 0)
		console.log(
			`The host of this machine gave ${(100 * figures.stolen).toFixed(1)} % of its time to others meanwhile.`,
		);
	return 0;
}

export const bench: Command = {
	name: "bench",
	summary: "time the kernels and the client beside their peers, in one run, or the HSE with many sessions",
	options: {
		hse: { help: "the HSE instead: its core, and a server under load over UDP" },
		sessions: { value: "N", help: "with --hse: sessions in the process (1000000)" },
		seconds: { value: "S", help: "with --hse: length of each measurement over UDP (3)" },
		soak: { value: "S", help: "with --hse: uplinks for so long, and the memory every ten seconds (0)" },
		ipv6: { help: "with --hse: over IPv6" },
		json: { help: "print {rows, ratios} as JSON, with --hse its figures" },
	},
	example: "best bench --json",
	async run(options) {
		if (options.hse === true) return benchHse(options);
		const stray = HSE_ONLY.find((name) => options[name] !== undefined);
		if (stray !== undefined) throw new UsageError(`--${stray} goes with --hse only: add it, or leave --${stray} out.`);
		const rows = [...(await kernelRows()), ...(await xsRows()), ...(await uplinkRows()), ...(await boardRows())];
		const ratios = ratiosOf(rows);
		if (options.json === true) {
			console.log(JSON.stringify({ rows, ratios }));
			return 0;
		}
		for (const line of columns(rows.map((row) => [row.where, row.what, row.name, `${row.size} B`, figure(row)])))
			console.log(line);
		console.log("");
		for (const line of columns(Object.entries(ratios).map(([name, ratio]) => [name, ratio.toFixed(2)])))
			console.log(line);
		return 0;
	},
};
