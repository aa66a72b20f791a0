import { openSubscribers } from "../hse/storage.js";
import type { SubscriberDatabase } from "../hse/subscriber-database.js";
import { loadKernel } from "../kernel.js";
import { runBatch } from "../provision/batch.js";
import { provisionOver, type Report } from "../provision/device-job.js";
import { enrol } from "../provision/enrol.js";
import { DEVICE_FIELDS, type Fields, orderOf } from "../provision/fields.js";
import { type DeviceOrder, eraseKeys, identityOf } from "../provision/order.js";
import { TEST_IMSI } from "../provision/provision.js";
import { refuseStore, storeIdentity } from "../provision/store-identity.js";
import { refuseTestOrder } from "../provision/test-range.js";
import { UsageError } from "./errors.js";
import { type Command, numberOption, type Options, textOption } from "./options.js";
import { confirm, readKeys, readOperatorKey } from "./secrets.js";

/** What a device in a folder on this machine is for: a test. */
const SIMULATOR_DEFAULTS: Fields = { imsi: TEST_IMSI, "hse-address": "127.0.0.1", "eas-id": "meter.demo" };

const KEY_SOURCE = "new|prompt|FILE|-";

/** The device's fields among the options. */
async function fieldsOf(options: Options): Promise<Fields> {
	const fields: Record<string, string> = {};
	for (const name of Object.keys(DEVICE_FIELDS)) {
		const value = options[name];
		if (typeof value === "string") fields[name] = value;
	}
	if (typeof options.top === "string") fields.top = await readOperatorKey("TOP", options.top);
	return fields;
}

/** The database, where the subscriber goes into one: always where its keys are made here. */
async function databaseOf(options: Options, hasKeys: boolean): Promise<SubscriberDatabase | undefined> {
	if (hasKeys && options.database === undefined) return undefined;
	return openSubscribers(textOption(options, "database", "best-hse.db"));
}

function show(report: Report, json: boolean): void {
	if (json) console.log(JSON.stringify(report));
	else if (report.status === "ok")
		console.log(`${report.imsi}: provisioned; fingerprint ${report.fingerprint}, check values ${report.check}.`);
	else if (report.status === "would be") console.log(`${report.imsi}: would be provisioned.`);
	else console.error(`${report.imsi}: ${report.why}`);
}

async function provisionStore(
	directory: string,
	order: DeviceOrder,
	database: SubscriberDatabase | undefined,
): Promise<Report> {
	const enrolment = database && (await enrol(database, order));
	const { keys } = order;
	storeIdentity(directory, enrolment?.identity ?? identityOf(order, keys));
	await enrolment?.finish();
	if (keys !== undefined) eraseKeys(keys);
	return { imsi: order.imsi, status: "ok", port: directory };
}

async function provisionOne(options: Options): Promise<number> {
	const store = typeof options.store === "string" ? options.store : undefined;
	const isSimulator = store !== undefined;
	const given = { ...(await fieldsOf(options)), ...(await readKeys(textOption(options, "keys", "new"))) };
	const fields = isSimulator ? { ...SIMULATOR_DEFAULTS, ...given } : given;
	const kernel = loadKernel();
	const order = orderOf(fields, kernel);
	if (!isSimulator && options.test !== true) refuseTestOrder(order);
	if (isSimulator) refuseStore(store);
	const port = textOption(options, "port", "");
	const json = options.json === true;
	if (options["dry-run"] === true) {
		show({ imsi: order.imsi, status: "would be", port }, json);
		return 0;
	}
	const { fingerprint } = options;
	if (!isSimulator && fingerprint === undefined && options.unchecked !== true && !process.stdin.isTTY)
		throw new UsageError(
			"--fingerprint is missing: give what the device shows, or --unchecked if nobody can be between.",
		);
	const database = await databaseOf(options, order.keys !== undefined || order.isCard === true);
	try {
		if (isSimulator) {
			const report = await provisionStore(store, order, database);
			if (json) console.log(JSON.stringify(report));
			else {
				const where = database === undefined ? "" : ` is in the database, and its identity`;
				console.log(`Subscriber ${order.imsi}${where} in ${report.port}.`);
			}
			return 0;
		}
		const report = await provisionOver({
			port,
			order,
			kernel,
			database,
			isRight: (shown) =>
				typeof fingerprint === "string"
					? shown === fingerprint.toLowerCase()
					: options.unchecked === true || confirm(`Does the device show the fingerprint ${shown}?`),
		});
		show(report, json);
		return report.status === "ok" ? 0 : 1;
	} finally {
		await database?.close();
	}
}

async function provisionBatch(options: Options, file: string): Promise<number> {
	return runBatch({
		file,
		defaults: await fieldsOf(options),
		port: typeof options.port === "string" ? options.port : undefined,
		database: typeof options.database === "string" ? options.database : undefined,
		report: typeof options.report === "string" ? options.report : undefined,
		parallel: numberOption(options, "parallel", 8, 1, 256),
		wait: numberOption(options, "wait", 0, 0, 86_400),
		isDryRun: options["dry-run"] === true,
		isTest: options.test === true,
		isUnchecked: options.unchecked === true,
	});
}

export const provision: Command = {
	name: "provision",
	summary: "give a device its identity: over a serial line, a pseudo-terminal or TCP; many of them; or in a folder",
	options: {
		port: { value: "PATH|HOST:PORT", help: "the device's console: a serial port, a pseudo-terminal, or TCP to one" },
		batch: { value: "FILE|-", help: "one device for each row: CSV with a header, or a JSON object on each line" },
		store: { value: "DIR", help: "the file-backed store of a device that is off: of the simulator or of the XS host" },
		keys: { value: KEY_SOURCE, help: "K and OPc, OP, TOPc or TOP, or a pre-shared key; a file holds JSON (new)" },
		fingerprint: { value: "TEXT", help: "what the device shows; without it you are asked" },
		unchecked: { help: "take any device: where nobody can stand between it and this machine" },
		database: {
			value: "FILE|URL",
			help: "the HSE's database, where the subscriber goes: a file, or postgres://… (best-hse.db for new keys)",
		},
		...DEVICE_FIELDS,
		top: { value: "FILE", help: "with TUAK: the operator's TOP, 64 hex digits; without it TOPc is random" },
		test: { help: "allow test networks, and keys that everybody knows" },
		report: { value: "FILE", help: "batch: the lines go there; what it says is done is not done again" },
		parallel: { value: "N", help: "batch: devices at a time (8)" },
		wait: { value: "S", help: "batch: seconds to wait for the next device on a port (0)" },
		"dry-run": { help: "check everything, and touch no device and no database" },
		json: { help: "print JSON" },
	},
	example: "best provision --port /dev/ttyUSB0 --imsi 901700000000001 --hse-address 192.0.2.1 --eas-id meter.example",
	async run(options) {
		const { batch, port, store } = options;
		if (typeof batch === "string") return provisionBatch(options, batch);
		if ((port === undefined) === (store === undefined))
			throw new UsageError("Where is the device? One of --port, --batch and --store is needed.");
		return provisionOne(options);
	},
};
