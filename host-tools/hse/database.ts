import { accessSync, chmodSync, closeSync, constants, openSync, statSync } from "node:fs";
import Database from "libsql";
import type { TuakParameters } from "../../firmware/keys/tuak.js";
import { movedOut } from "../octets.js";
import type { EasKeyPolicy } from "./policy.js";
import { SESSION_PLACES, SESSION_TABLES } from "./session-tables.js";
import type { SubscriberDatabase } from "./subscriber-database.js";

/** A subscriber as the HSE's authentication centre knows it. */
export interface Subscriber {
	/** 6 to 15 digits. */
	readonly imsi: string;
	/** K, 16 octets; with TUAK 16 or 32. Secret. */
	readonly k: Uint8Array;
	/** OP_C, 16 octets; with TUAK TOP_C, 32 octets. Secret. */
	readonly opc: Uint8Array;
	/** The parameters of a subscriber with TUAK; without them the algorithm is MILENAGE. */
	readonly tuak?: TuakParameters | undefined;
	/** 2 octets. */
	readonly amf: Uint8Array;
	/** SQN of the next challenge, below 2^48. */
	readonly sqn: number;
	/** Whether the subscriber may use BEST. */
	readonly enabled: boolean;
}

/** A subscriber whose keys come from a pre-shared key (agreement 7). */
export interface SharedKeySubscriber {
	/** 6 to 15 digits. */
	readonly imsi: string;
	/** Value of tag 14, 1–127 octets. */
	readonly reference: Uint8Array;
	/** 32 octets. Secret. */
	readonly key: Uint8Array;
	readonly enabled: boolean;
}

/** What can be told of a subscriber without its keys. */
export interface SubscriberSummary {
	readonly imsi: string;
	readonly algorithm: "milenage" | "tuak" | "pre-shared key";
	readonly enabled: boolean;
	readonly easKey: EasKeyPolicy;
	/** Absent with a pre-shared key. */
	readonly amf?: string;
	readonly sqn?: number;
}

/** Why the file could not be used, in one sentence with the way out. */
export class DatabaseError extends Error {
	override readonly name = "DatabaseError";
}

/** Marks a file as ours: "BEST" as a number. */
const APPLICATION_ID = 0x42455354;

/** Each entry brings the file from the version of its index to the next. */
const MIGRATIONS: readonly string[] = [
	`CREATE TABLE subscriber (
		imsi TEXT PRIMARY KEY,
		k BLOB NOT NULL,
		opc BLOB NOT NULL,
		amf BLOB NOT NULL,
		sqn INTEGER NOT NULL,
		enabled INTEGER NOT NULL
	) STRICT, WITHOUT ROWID`,
	// NULL for MILENAGE.
	`ALTER TABLE subscriber ADD COLUMN tuak_res_octets INTEGER;
	ALTER TABLE subscriber ADD COLUMN tuak_iterations INTEGER`,
	SESSION_TABLES,
	`CREATE TABLE shared_key (
		reference BLOB PRIMARY KEY,
		imsi TEXT NOT NULL UNIQUE,
		key BLOB NOT NULL,
		enabled INTEGER NOT NULL
	) STRICT, WITHOUT ROWID;
	CREATE TABLE policy (
		imsi TEXT PRIMARY KEY,
		eas_key TEXT NOT NULL CHECK (eas_key IN ('deny', 'allow', 'escrow'))
	) STRICT, WITHOUT ROWID`,
	SESSION_PLACES,
	// See run-marks.ts.
	"CREATE TABLE run (mark INTEGER NOT NULL) STRICT",
];

type Row = Record<string, unknown>;

/** The HSE's file: subscribers and their SQNs. Everything is on the medium when a method returns. */
export class HseDatabase implements SubscriberDatabase {
	private readonly database: Database.Database;
	private readonly selectSubscriber: Database.Statement;
	private readonly updateSqn: Database.Statement;

	/**
	 * Opens the file, or makes it, readable by its owner only, since it holds keys.
	 * @throws DatabaseError if it is not such a file, or is newer than this program; it is left as it is
	 */
	constructor(path: string) {
		try {
			makeFile(path);
		} catch (error) {
			throw new DatabaseError(
				`The database ${path} cannot be opened (${codeOf(error)}): name another file with --database, or mend its rights.`,
			);
		}
		try {
			this.database = new Database(path);
			this.database.exec("PRAGMA busy_timeout = 5000");
			this.migrate(path);
			chmodSync(path, 0o600);
			this.database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
			this.selectSubscriber = this.database.prepare("SELECT * FROM subscriber WHERE imsi = ?");
			this.updateSqn = this.database.prepare("UPDATE subscriber SET sqn = ? WHERE imsi = ?");
		} catch (error) {
			if (error instanceof DatabaseError) throw error;
			throw new DatabaseError(
				`The database ${path} is not usable (${error instanceof Error ? error.message : error}): it was left as it is; name another file with --database, or restore it from a copy.`,
			);
		}
	}

	close(): void {
		this.database.close();
	}

	/** What the work writes is in one transaction: all of it is written, or nothing where it fails. */
	together<T>(work: () => T): T {
		this.database.exec("BEGIN IMMEDIATE");
		try {
			const result = work();
			this.database.exec("COMMIT");
			return result;
		} catch (error) {
			// Some errors have ended the transaction already.
			if (this.isInTransaction) this.database.exec("ROLLBACK");
			throw error;
		}
	}

	get isInTransaction(): boolean {
		return this.database.inTransaction;
	}

	/** @throws DatabaseError if the IMSI is there already */
	addSubscriber(subscriber: Subscriber): void {
		if (this.sharedKeyOf(subscriber.imsi) !== undefined) throw takenAlready(subscriber.imsi);
		this.insertSubscriber(subscriber);
	}

	private insertSubscriber({ imsi, k, opc, amf, sqn, enabled, tuak }: Subscriber): void {
		const secrets = [Buffer.from(k), Buffer.from(opc)];
		const { changes } = this.database
			.prepare(
				`INSERT INTO subscriber (imsi, k, opc, amf, sqn, enabled, tuak_res_octets, tuak_iterations)
				VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			)
			.run([
				imsi,
				...secrets,
				Buffer.from(amf),
				sqn,
				enabled ? 1 : 0,
				tuak?.resOctets ?? null,
				tuak?.iterations ?? null,
			]);
		for (const secret of secrets) secret.fill(0);
		if (changes === 0) throw takenAlready(imsi);
	}

	/** @throws DatabaseError if the IMSI or the reference is there already */
	addSharedKey({ imsi, reference, key, enabled }: SharedKeySubscriber): void {
		if (this.subscriber(imsi) !== undefined) throw takenAlready(imsi);
		const secret = Buffer.from(key);
		const { changes } = this.database
			.prepare("INSERT INTO shared_key (reference, imsi, key, enabled) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING")
			.run([Buffer.from(reference), imsi, secret, enabled ? 1 : 0]);
		secret.fill(0);
		if (changes === 0) throw takenAlready(imsi);
	}

	/** @returns undefined where there is none of this reference */
	sharedKey(reference: Uint8Array): SharedKeySubscriber | undefined {
		return sharedKeyOf(
			this.database.prepare("SELECT * FROM shared_key WHERE reference = ?").get([Buffer.from(reference)]) as Row,
		);
	}

	/** @returns undefined where the subscriber has none */
	sharedKeyOf(imsi: string): SharedKeySubscriber | undefined {
		return sharedKeyOf(this.database.prepare("SELECT * FROM shared_key WHERE imsi = ?").get([imsi]) as Row);
	}

	/** Whether the subscriber may use BEST. @returns false where there is none of this IMSI */
	setEnabled(imsi: string, enabled: boolean): boolean {
		const value = enabled ? 1 : 0;
		return ["subscriber", "shared_key"].some(
			(table) => this.database.prepare(`UPDATE ${table} SET enabled = ? WHERE imsi = ?`).run([value, imsi]).changes > 0,
		);
	}

	setEasKeyPolicy(imsi: string, policy: EasKeyPolicy): void {
		this.database
			.prepare("INSERT INTO policy (imsi, eas_key) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET eas_key = ?2")
			.run([imsi, policy]);
	}

	/** Whether K_EAS_PSK of a subscriber may leave the HSE; undefined where nobody has said so. */
	easKeyPolicy(imsi: string): EasKeyPolicy | undefined {
		const row = this.database.prepare("SELECT eas_key FROM policy WHERE imsi = ?").get([imsi]) as Row | undefined;
		return row?.eas_key as EasKeyPolicy | undefined;
	}

	/** All subscribers, or the one of an IMSI, without their keys, one by one in the order of their IMSIs. */
	*summaries(imsi?: string): Generator<SubscriberSummary> {
		const rows = this.database
			.prepare(
				`SELECT s.imsi, enabled, hex(amf) AS amf, sqn, tuak_iterations, coalesce(eas_key, 'deny') AS eas_key
				FROM (
					SELECT imsi, enabled, amf, sqn, tuak_iterations FROM subscriber
					UNION ALL SELECT imsi, enabled, NULL, NULL, NULL FROM shared_key
				) AS s LEFT JOIN policy USING (imsi)
				WHERE ?1 IS NULL OR s.imsi = ?1 ORDER BY s.imsi`,
			)
			.iterate([imsi ?? null]) as Iterable<Row>;
		for (const row of rows) {
			const common = { imsi: row.imsi as string, enabled: row.enabled === 1, easKey: row.eas_key as EasKeyPolicy };
			if (row.sqn === null) yield { ...common, algorithm: "pre-shared key" };
			else
				yield {
					...common,
					algorithm: row.tuak_iterations === null ? "milenage" : "tuak",
					amf: (row.amf as string).toLowerCase(),
					sqn: row.sqn as number,
				};
		}
	}

	/** @returns undefined where there is none of this IMSI */
	subscriber(imsi: string): Subscriber | undefined {
		const row = this.selectSubscriber.get([imsi]) as Row | undefined;
		if (row === undefined) return undefined;
		return {
			imsi,
			k: movedOut(row.k as Buffer),
			opc: movedOut(row.opc as Buffer),
			amf: Uint8Array.from(row.amf as Buffer),
			sqn: row.sqn as number,
			enabled: row.enabled === 1,
			tuak: tuakOf(row),
		};
	}

	/** For whoever writes sessions: what is deleted is overwritten, since it has keys. */
	expectSessions(): void {
		// Sessions that change are all over the file: 64 MB of its pages.
		this.database.exec("PRAGMA secure_delete = ON; PRAGMA cache_size = -65536");
	}

	/** Another connection of this process {@link expectSessions}: it moves the log into the file, and this one does not. */
	leaveLog(): void {
		this.database.exec("PRAGMA wal_autocheckpoint = 0");
	}

	/** While another process writes, this one's writing fails at once. */
	leaveWaiting(): void {
		this.database.exec("PRAGMA busy_timeout = 0");
	}

	/** What the last run of an HSE has marked this file with, 0 where there was none. */
	get runMark(): number {
		const row = this.database.prepare("SELECT mark FROM run").get([]) as Row | undefined;
		return Number(row?.mark ?? 0);
	}

	set runMark(mark: number) {
		this.database.exec(`DELETE FROM run; INSERT INTO run VALUES (${mark})`);
	}

	/** A statement on the tables of this file. */
	prepare(sql: string): Database.Statement {
		return this.database.prepare(sql);
	}

	/** All subscribers of AKA, one by one. The caller erases their keys. */
	*subscribers(): Generator<Subscriber> {
		const imsis = this.database.prepare("SELECT imsi FROM subscriber ORDER BY imsi").iterate([]) as Iterable<Row>;
		for (const { imsi } of imsis) {
			const subscriber = this.subscriber(imsi as string);
			if (subscriber !== undefined) yield subscriber;
		}
	}

	/** Stores the SQN of the next challenge. */
	setSqn(imsi: string, sqn: number): void {
		this.updateSqn.run([sqn, imsi]);
	}

	private migrate(path: string): void {
		const pragma = (name: string) =>
			Number((this.database.prepare(`PRAGMA ${name}`).get([]) as Row | undefined)?.[name] ?? 0);
		const version = pragma("user_version");
		const isNew = this.database.prepare("SELECT 1 FROM sqlite_master").get([]) === undefined;
		if (!isNew && pragma("application_id") !== APPLICATION_ID)
			throw new DatabaseError(
				`The file ${path} is a database of another program: it was left as it is; name another file with --database.`,
			);
		if (version > MIGRATIONS.length)
			throw new DatabaseError(
				`The database ${path} was written by a newer version of this program: it was left as it is; use that version.`,
			);
		if (version === MIGRATIONS.length) return;
		this.together(() => {
			// Another process may have done some of it meanwhile.
			for (let next = pragma("user_version"); next < MIGRATIONS.length; next++) this.database.exec(MIGRATIONS[next]);
			this.database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${MIGRATIONS.length}`);
		});
	}
}

/**
 * Makes a file that its owner alone can read, where there is none. One that is there is not opened: to close it again would
 * take away the locks of all connections that this process has to it (POSIX), and other processes would then delete the
 * log as if nobody used it.
 */
function makeFile(path: string): void {
	try {
		closeSync(openSync(path, "ax", 0o600));
	} catch (error) {
		if (codeOf(error) !== "EEXIST") throw error;
		accessSync(path, constants.R_OK | constants.W_OK);
		if (statSync(path).isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
	}
}

function tuakOf({ tuak_res_octets, tuak_iterations }: Row): TuakParameters | undefined {
	if (tuak_res_octets === null) return undefined;
	return { resOctets: tuak_res_octets as TuakParameters["resOctets"], iterations: tuak_iterations as number };
}

/** The IMSI of a new subscriber, or its reference, is another one's. */
export function takenAlready(imsi: string): DatabaseError {
	return new DatabaseError(`The subscriber ${imsi} is in the database already: choose another IMSI with --imsi.`);
}

function sharedKeyOf(row: Row | undefined): SharedKeySubscriber | undefined {
	if (row === undefined) return undefined;
	return {
		imsi: row.imsi as string,
		reference: Uint8Array.from(row.reference as Buffer),
		key: movedOut(row.key as Buffer),
		enabled: row.enabled === 1,
	};
}

function codeOf(error: unknown): string {
	return typeof error === "object" && error !== null && "code" in error ? String(error.code) : String(error);
}
