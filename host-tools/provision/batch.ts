/** Many devices: rows in, one line of JSON for each out. What is held does not grow with the batch but for one bit a row. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Kernel } from "../../firmware/kernels/kernel.js";
import { Failure, UsageError } from "../cli/errors.js";
import { openSubscribers } from "../hse/storage.js";
import { loadKernel } from "../kernel.js";
import type { DeviceFailureCode } from "./device-failure.js";
import { provisionOver, type Report } from "./device-job.js";
import { type Fields, orderOf } from "./fields.js";
import { type DeviceOrder, eraseKeys } from "./order.js";
import { Progress } from "./progress.js";
import { appendTo, RowSet, rowsDone } from "./row-set.js";
import { type Row, rowsOf } from "./rows.js";
import { refuseTestOrder } from "./test-range.js";

export interface BatchOptions {
	/** CSV or JSON lines; "-" for standard input. */
	readonly file: string;
	/** Fields that hold for all rows that do not say otherwise. */
	readonly defaults: Fields;
	/** Of rows that name none. */
	readonly port: string | undefined;
	/** The HSE's database; needed where a row has no keys. */
	readonly database: string | undefined;
	/** Where the lines go, standard output by default; what it says is done is passed over. */
	readonly report: string | undefined;
	/** Devices at a time. */
	readonly parallel: number;
	/** Seconds to wait for the next device on a port. */
	readonly wait: number;
	readonly isDryRun: boolean;
	readonly isTest: boolean;
	readonly isUnchecked: boolean;
}

interface RowOrder {
	readonly order: DeviceOrder;
	readonly port: string;
	readonly fingerprint: string | undefined;
}

/** @throws UsageError that names the row */
function read({ number, fields }: Row, options: BatchOptions, kernel: Kernel): RowOrder {
	const { port = options.port, fingerprint, ...own } = fields;
	try {
		const order = orderOf({ ...options.defaults, ...own }, kernel);
		if (!options.isTest) refuseTestOrder(order);
		if (order.keys === undefined && options.database === undefined)
			throw new UsageError("Fresh keys need a database: name one with --database, or give k and opc.");
		if (!port) throw new UsageError("port is missing: in the row, or as --port.");
		if (!fingerprint && !options.isUnchecked)
			throw new UsageError("fingerprint is missing: in the row, or --unchecked if nobody can be between.");
		return { order, port, fingerprint: fingerprint?.toLowerCase() };
	} catch (error) {
		if (!(error instanceof UsageError)) throw error;
		throw new UsageError(`Row ${number}: ${error.message}`);
	}
}

/** Looks through the whole batch before any device is touched. @returns the number of rows @throws UsageError, Failure */
async function check(options: BatchOptions, done: RowSet, kernel: Kernel): Promise<number> {
	const found = new RowSet();
	let count = 0;
	for await (const row of rowsOf(options.file)) {
		const { order } = read(row, options, kernel);
		if (order.keys !== undefined) eraseKeys(order.keys);
		if (done.has(row.number)) found.add(row.number, order.imsi);
		count++;
	}
	if (count === 0) throw noRows(options.file);
	if (!found.isSame(done))
		throw new Failure(`The report ${options.report} is of another batch: name another file with --report.`);
	return count;
}

function noRows(file: string): Failure {
	const where = file === "-" ? "on standard input" : `in ${file}`;
	return new Failure(`There are no rows ${where}: a device for each is needed, below a header or as a JSON object.`);
}

/** Until another device is on the port. */
const WORTH_WAITING: readonly string[] = [
	"no port",
	"no answer",
	"line gone",
	"provisioned already",
] satisfies DeviceFailureCode[];
const WAIT_STEP = 250;

/**
 * Gives each device of a batch its identity. Rows of one port go one after the other.
 * @returns the exit status: 0 where every row is done
 * @throws UsageError, Failure before any device is touched
 */
export async function runBatch(options: BatchOptions): Promise<number> {
	const { file, report, parallel, isDryRun } = options;
	const kernel = loadKernel();
	const canLookTwice = file !== "-";
	if (!canLookTwice && report !== undefined)
		throw new UsageError("--report goes with a file: what comes by standard input cannot be gone on with.");
	const done = report === undefined ? new RowSet() : await rowsDone(report);
	const count = canLookTwice ? await check(options, done, kernel) : undefined;
	const lines = report === undefined || isDryRun ? undefined : appendTo(report);
	const database = options.database === undefined || isDryRun ? undefined : await openSubscribers(options.database);
	const progress = new Progress(count);
	let isStopped = false;
	let isEmpty = true;
	const stop = () => {
		isStopped = true;
	};
	process.once("SIGINT", stop);

	async function provision(row: Row): Promise<Report> {
		const deadline = Date.now() + 1000 * options.wait;
		for (;;) {
			const { order, port, fingerprint } = read(row, options, kernel);
			const isRight = (shown: string) => fingerprint === undefined || shown === fingerprint;
			const outcome = await provisionOver({ port, order, kernel, database, isRight });
			const isWaiting = outcome.status === "failed" && WORTH_WAITING.includes(outcome.code ?? "");
			if (!isWaiting || Date.now() >= deadline || isStopped) return outcome;
			await sleep(WAIT_STEP);
		}
	}

	function tell(outcome: Report, row: number): void {
		const line = JSON.stringify({ row, ...outcome });
		if (lines === undefined) console.log(line);
		else lines.write(line);
		progress.count(outcome.status === "ok" || outcome.status === "would be");
	}

	const running = new Set<Promise<void>>();
	const lastOfPort = new Map<string, Promise<void>>();
	try {
		for await (const row of rowsOf(file)) {
			if (isStopped) break;
			isEmpty = false;
			if (done.has(row.number)) {
				progress.skip();
				continue;
			}
			const { order, port } = read(row, options, kernel);
			if (order.keys !== undefined) eraseKeys(order.keys);
			if (isDryRun) {
				tell({ imsi: order.imsi, status: "would be", port }, row.number);
				continue;
			}
			const job = (lastOfPort.get(port) ?? Promise.resolve())
				.then(() => provision(row))
				.then((outcome) => tell(outcome, row.number))
				.finally(() => {
					running.delete(job);
					if (lastOfPort.get(port) === job) lastOfPort.delete(port);
				});
			lastOfPort.set(port, job);
			running.add(job);
			if (running.size >= parallel) await Promise.race(running);
		}
		await Promise.all(running);
	} finally {
		process.off("SIGINT", stop);
		await Promise.allSettled(running);
		progress.end();
		lines?.close();
		await database?.close();
	}
	if (isEmpty && !isStopped) throw noRows(file);
	return isStopped || progress.failed > 0 ? 1 : 0;
}
