import { closeSync, openSync, readSync } from "node:fs";
import Database from "libsql";
import { Failure } from "../cli/errors.js";
import type { Fields } from "../provision/fields.js";
import { rowsOf } from "../provision/rows.js";
import { hexText, type SubscriberFormat, sqnText } from "./format.js";

/** OSMO_AUTH_ALG_MILENAGE of libosmocore, as osmo-hlr's table auc_3g has it. */
const MILENAGE = 5;
const SQLITE_HEADER = "SQLite format 3\0";

function isSqlite(file: string): boolean {
	const header = Buffer.alloc(SQLITE_HEADER.length);
	try {
		const opened = openSync(file, "r");
		readSync(opened, header, 0, header.length, 0);
		closeSync(opened);
	} catch (error) {
		throw new Failure(`The file ${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
	}
	return header.toString("latin1") === SQLITE_HEADER;
}

function fieldsOf({ imsi, k, op, opc, sqn }: Readonly<Record<string, unknown>>): Fields {
	const own = hexText(opc);
	return {
		imsi: String(imsi ?? ""),
		k: hexText(k),
		...(own === "" ? { op: hexText(op) } : { opc: own }),
		sqn: sqnText(sqn),
	};
}

function* databaseRows(file: string): Generator<Fields> {
	let database: Database.Database;
	let rows: Iterable<Record<string, unknown>>;
	try {
		database = new Database(file, { readonly: true } as Database.Options);
		rows = database
			.prepare(
				"SELECT imsi, k, op, opc, sqn FROM subscriber JOIN auc_3g ON subscriber.id = subscriber_id WHERE algo_id_3g = ?",
			)
			.iterate([MILENAGE]) as Iterable<Record<string, unknown>>;
	} catch {
		throw new Failure(`The file ${file} is not a database of osmo-hlr.`);
	}
	for (const row of rows) yield fieldsOf(row);
	database.close();
}

/** The database of osmo-hlr itself, or CSV with the columns imsi, k, op, opc and sqn; out goes SQL for the database. */
export const osmoHlr: SubscriberFormat = {
	help: "in: the database hlr.db of osmo-hlr, or CSV of imsi, k, op, opc, sqn; out: SQL for sqlite3 hlr.db",
	async *read(file) {
		if (isSqlite(file)) yield* databaseRows(file);
		else for await (const { fields } of rowsOf(file)) yield fieldsOf(fields);
	},
	async *write(subscribers) {
		yield "BEGIN;";
		for await (const { imsi, k, opc, sqn } of subscribers) {
			yield `INSERT INTO subscriber (imsi) VALUES ('${imsi}');`;
			yield `INSERT INTO auc_3g (subscriber_id, algo_id_3g, k, opc, sqn) SELECT id, ${MILENAGE}, '${k}', '${opc}', ${sqn} FROM subscriber WHERE imsi = '${imsi}';`;
		}
		yield "COMMIT;";
	},
};

/** Commands of the control interface for subscribers that osmo-hlr knows already. It has none for an SQN. */
export const osmoHlrControl: SubscriberFormat = {
	help: "SET commands of osmo-hlr's control interface, for subscribers that it knows (export only, without SQN)",
	async *write(subscribers) {
		let number = 0;
		for await (const { imsi, k, opc } of subscribers)
			yield `SET ${++number} subscriber.by-imsi-${imsi}.aud3g milenage,${k},OPC,${opc}`;
	},
};
