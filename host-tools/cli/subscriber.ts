import { closeSync, existsSync, openSync, writeSync } from "node:fs";
import { SQN_STEP } from "../../firmware/keys/aka.js";
import { toHex } from "../hex.js";
import { DatabaseError, type SubscriberSummary } from "../hse/database.js";
import { EAS_KEY_POLICIES } from "../hse/policy.js";
import { isPostgresUrl } from "../hse/postgres/url.js";
import { openSubscribers } from "../hse/storage.js";
import type { SubscriberDatabase } from "../hse/subscriber-database.js";
import { loadKernel } from "../kernel.js";
import { DEVICE_FIELDS, type Fields, shown, subscriptionOf } from "../provision/fields.js";
import { eraseKeys, freshKeys, isSharedKey } from "../provision/order.js";
import { refuseTestOrder } from "../provision/test-range.js";
import type { ExportedSubscriber, SubscriberFormat } from "../subscribers/format.js";
import { FORMATS } from "../subscribers/formats.js";
import { Failure, UsageError } from "./errors.js";
import { type Command, choiceOption, imsiOption, type Options, textOption } from "./options.js";
import { readKeys } from "./secrets.js";

const SUBSCRIPTION_FIELDS = [
	"aka-algorithm",
	"key-bits",
	"res-bits",
	"keccak-iterations",
	"amf",
	"sqn",
	"psk-id",
] as const;

function neededImsi(options: Options): string {
	const imsi = imsiOption(options);
	if (imsi === undefined) throw new UsageError("--imsi is missing.");
	return imsi;
}

/** Adds one. @throws UsageError, DatabaseError */
async function addOne(database: SubscriberDatabase, fields: Fields, isTest: boolean): Promise<string> {
	const order = subscriptionOf(fields, loadKernel());
	if (!isTest) refuseTestOrder(order);
	const { imsi, tuak, amf } = order;
	const keys = order.keys ?? freshKeys(order);
	try {
		if (isSharedKey(keys)) await database.addSharedKey({ imsi, ...keys, enabled: true });
		else await database.addSubscriber({ imsi, ...keys, tuak, amf, sqn: order.sqn + SQN_STEP, enabled: true });
	} finally {
		eraseKeys(keys);
	}
	return imsi;
}

async function add(database: SubscriberDatabase, options: Options): Promise<number> {
	const fields: Record<string, string> = { imsi: neededImsi(options) };
	for (const name of SUBSCRIPTION_FIELDS) {
		const value = options[name];
		if (typeof value === "string") fields[name] = value;
	}
	const given = await readKeys(textOption(options, "keys", "new"));
	const imsi = await addOne(database, { ...fields, ...given }, options.test === true);
	console.log(options.json === true ? JSON.stringify({ imsi }) : `Subscriber ${imsi} is in the database.`);
	return 0;
}

function lineOf({ imsi, algorithm, enabled, easKey, amf, sqn }: SubscriberSummary): string {
	const counters = sqn === undefined ? "" : `  AMF ${amf}  next SQN ${sqn.toString(16).padStart(12, "0")}`;
	return `${imsi.padEnd(16)}${algorithm.padEnd(15)}${enabled ? "enabled " : "disabled"}  EAS key: ${easKey.padEnd(6)}${counters}`;
}

async function list(database: SubscriberDatabase, options: Options): Promise<number> {
	for await (const summary of database.summaries())
		console.log(options.json === true ? JSON.stringify(summary) : lineOf(summary));
	return 0;
}

/** @throws Failure */
async function summaryOf(database: SubscriberDatabase, imsi: string): Promise<SubscriberSummary> {
	for await (const summary of database.summaries(imsi)) return summary;
	throw new Failure(`There is no subscriber ${imsi} in the database: best subscriber list shows all.`);
}

async function show(database: SubscriberDatabase, options: Options): Promise<number> {
	const summary = await summaryOf(database, neededImsi(options));
	console.log(options.json === true ? JSON.stringify(summary) : lineOf(summary));
	return 0;
}

const setEnabled = (enabled: boolean) => async (database: SubscriberDatabase, options: Options) => {
	const imsi = neededImsi(options);
	await summaryOf(database, imsi);
	await database.setEnabled(imsi, enabled);
	return show(database, options);
};

async function policy(database: SubscriberDatabase, options: Options): Promise<number> {
	const imsi = neededImsi(options);
	await summaryOf(database, imsi);
	if (options["eas-key"] !== undefined)
		await database.setEasKeyPolicy(imsi, choiceOption(options, "eas-key", EAS_KEY_POLICIES, "deny"));
	return show(database, options);
}

function formatOf(options: Options, direction: "read" | "write"): SubscriberFormat {
	const words = Object.keys(FORMATS).filter((word) => FORMATS[word][direction] !== undefined);
	const word = textOption(options, "format", "");
	if (!words.includes(word)) throw new UsageError(`--format is "${word}": allowed are ${words.join(", ")}.`);
	return FORMATS[word];
}

async function importAll(database: SubscriberDatabase, options: Options): Promise<number> {
	const file = textOption(options, "file", "");
	const format = formatOf(options, "read");
	if (file === "") throw new UsageError("--file is missing.");
	let added = 0;
	let refused = 0;
	let number = 0;
	for await (const fields of format.read?.(file) ?? []) {
		number++;
		try {
			await addOne(database, fields, options.test === true);
			added++;
		} catch (error) {
			if (!(error instanceof UsageError || error instanceof DatabaseError)) throw error;
			refused++;
			console.error(`Subscriber ${number} (IMSI ${shown(fields.imsi ?? "")}): ${error.message}`);
		}
	}
	if (options.json === true) console.log(JSON.stringify({ added, refused }));
	else console.log(`${added} added, ${refused} refused`);
	return refused > 0 || number === 0 ? 1 : 0;
}

type Algorithm = SubscriberSummary["algorithm"];

/** What the other programs' forms have no place for. */
const NOT_EXPORTED: Readonly<Record<Exclude<Algorithm, "milenage">, string>> = {
	tuak: "with TUAK",
	"pre-shared key": "with a pre-shared key",
};

async function* milenageSubscribers(
	database: SubscriberDatabase,
	imsi: string | undefined,
): AsyncGenerator<ExportedSubscriber> {
	for await (const { k, opc, amf, tuak, ...rest } of database.subscribers()) {
		if (tuak === undefined && (imsi === undefined || rest.imsi === imsi))
			yield { imsi: rest.imsi, sqn: rest.sqn, k: toHex(k), opc: toHex(opc), amf: toHex(amf) };
		k.fill(0);
		opc.fill(0);
	}
}

/** Says how many went out, and how many did not and why. */
async function exportOutcome(database: SubscriberDatabase, imsi: string | undefined): Promise<string> {
	const counts: Record<Algorithm, number> = { milenage: 0, tuak: 0, "pre-shared key": 0 };
	for await (const { algorithm } of database.summaries(imsi)) counts[algorithm]++;
	const left = counts.tuak + counts["pre-shared key"];
	const why = Object.entries(NOT_EXPORTED).map(([algorithm, text]) => `${counts[algorithm as Algorithm]} ${text}`);
	return `${counts.milenage} exported, ${left} left out${left === 0 ? "" : `: ${why.join(", ")}`}`;
}

/** @throws Failure where there is nothing to export of a subscriber */
async function checkExport(database: SubscriberDatabase, imsi: string): Promise<void> {
	const { algorithm } = await summaryOf(database, imsi);
	if (algorithm !== "milenage")
		throw new Failure(`Subscriber ${imsi} is one ${NOT_EXPORTED[algorithm]}: only those with MILENAGE are exported.`);
}

async function exportAll(database: SubscriberDatabase, options: Options): Promise<number> {
	const { write } = formatOf(options, "write");
	const imsi = imsiOption(options);
	if (imsi !== undefined) await checkExport(database, imsi);
	const { file } = options;
	let output = 1;
	if (typeof file === "string")
		try {
			output = openSync(file, "wx", 0o600);
		} catch (error) {
			const why = (error as NodeJS.ErrnoException).code;
			throw new Failure(`The file ${file} cannot be made (${why}): name one that does not exist yet.`);
		}
	for await (const line of write?.(milenageSubscribers(database, imsi)) ?? []) writeSync(output, `${line}\n`);
	if (output !== 1) closeSync(output);
	console.error(await exportOutcome(database, imsi));
	return 0;
}

type Verb = (database: SubscriberDatabase, options: Options) => Promise<number>;

/** Verbs that make the database where there is none yet. */
const MAKING: readonly string[] = ["add", "import"];

/** A wrong name must not make a database. @throws Failure */
function refuseUnknown(verb: string, name: string): void {
	if (MAKING.includes(verb) || isPostgresUrl(name) || existsSync(name)) return;
	throw new Failure(
		`There is no database ${name}: name the HSE's with --database, or make it with best subscriber add.`,
	);
}

const VERBS: Readonly<Record<string, Verb>> = {
	add,
	list,
	show,
	enable: setEnabled(true),
	disable: setEnabled(false),
	policy,
	import: importAll,
	export: exportAll,
};

export const subscriber: Command = {
	name: "subscriber",
	summary: `the HSE's subscribers: ${Object.keys(VERBS).join(", ")}`,
	operands: ["VERB"],
	options: {
		imsi: { value: "DIGITS", help: "the subscriber: of add, show, enable, disable, policy and export" },
		database: { value: "FILE|URL", help: "the HSE's database: a file, or postgres://… (best-hse.db)" },
		keys: { value: "new|prompt|FILE|-", help: "add: K and OPc, OP, TOPc or TOP, or a pre-shared key, as JSON (new)" },
		...Object.fromEntries(SUBSCRIPTION_FIELDS.map((name) => [name, DEVICE_FIELDS[name]])),
		"eas-key": { value: EAS_KEY_POLICIES.join("|"), help: "policy: whether K_EAS_PSK goes out (deny)" },
		format: { value: Object.keys(FORMATS).join("|"), help: "import and export: the other program" },
		file: { value: "FILE", help: "import: what it holds; export: a new file, for its owner only (standard output)" },
		test: { help: "allow test networks, and keys that everybody knows" },
		json: { help: "print JSON" },
	},
	example: "best subscriber list --database best-hse.db",
	async run(options, [word]) {
		const verb = Object.hasOwn(VERBS, word) ? VERBS[word] : undefined;
		if (verb === undefined)
			throw new UsageError(`best subscriber: there is no "${word}"; allowed: ${Object.keys(VERBS).join(", ")}.`);
		const name = textOption(options, "database", "best-hse.db");
		refuseUnknown(word, name);
		const database = await openSubscribers(name);
		try {
			return await verb(database, options);
		} finally {
			await database.close();
		}
	},
};
