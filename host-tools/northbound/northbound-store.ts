import { closeSync, openSync } from "node:fs";
import Database from "libsql";
import { DatabaseError } from "../hse/database.js";
import type { Resource, ResourceEvents, ResourceKind, Resources, StoredReply } from "./resources.js";
import { run, type Steps } from "./steps.js";

/** A notification that has not been delivered. */
export interface StoredNotification {
	readonly number: number;
	/** The resource that asked for it. */
	readonly channel: string;
	/** Where it goes, empty where it goes over a WebSocket only. */
	readonly destination: string;
	/** JSON. */
	readonly body: string;
	readonly created: number;
}

const APPLICATION_ID = 0x4e425444;
/** Milliseconds to wait while another process locks the file: at the start, and then, when all else stands still meanwhile. */
const OPENING_WAITS = 5000;
const STATEMENTS_WAIT = 100;

/** Each entry brings the file from the version of its index to the next. */
const MIGRATIONS: readonly string[] = [
	`CREATE TABLE resource (
		id TEXT PRIMARY KEY,
		kind TEXT NOT NULL,
		application_server TEXT NOT NULL,
		imsi TEXT NOT NULL,
		parent TEXT NOT NULL,
		until INTEGER,
		body TEXT NOT NULL
	) STRICT, WITHOUT ROWID;
	CREATE INDEX resource_by_server ON resource (application_server, kind);
	CREATE INDEX resource_by_ue ON resource (imsi, kind);
	CREATE INDEX resource_by_parent ON resource (parent) WHERE parent <> '';
	CREATE INDEX resource_by_time ON resource (until) WHERE until IS NOT NULL;
	CREATE TABLE notification (
		number INTEGER PRIMARY KEY AUTOINCREMENT,
		channel TEXT NOT NULL,
		destination TEXT NOT NULL,
		body TEXT NOT NULL,
		created INTEGER NOT NULL
	) STRICT;
	CREATE INDEX notification_by_channel ON notification (channel, number);
	CREATE TABLE reply (
		application_server TEXT NOT NULL,
		key TEXT NOT NULL,
		digest TEXT NOT NULL,
		status INTEGER NOT NULL,
		headers TEXT NOT NULL,
		body TEXT NOT NULL,
		until INTEGER NOT NULL,
		PRIMARY KEY (application_server, key)
	) STRICT, WITHOUT ROWID`,
	"CREATE INDEX reply_by_time ON reply (application_server, until)",
];

type Row = Record<string, unknown>;

/**
 * What the northbound side keeps: resources, notifications on their way, replies. A file outlives the process however it
 * ends; the last writes before a loss of power can be lost.
 */
export class NorthboundStore implements Resources {
	readonly isShared = false;
	readonly isBehind = false;
	private events: ResourceEvents | undefined;
	private readonly database: Database.Database;
	private readonly statements = new Map<string, Database.Statement>();
	/** To be done after the transaction. */
	private actions: (() => void)[] = [];
	/** IMSIs that some resource is about, or was in this run. */
	private readonly watched: Set<string>;

	/** @param path undefined: in memory, for this run only. @throws DatabaseError */
	constructor(path?: string) {
		try {
			// It holds what application servers and UEs say to each other: for its owner only.
			if (path !== undefined) closeSync(openSync(path, "a", 0o600));
			this.database = new Database(path ?? ":memory:");
			this.database.exec(`PRAGMA busy_timeout = ${OPENING_WAITS}`);
			this.database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
			this.migrate(path ?? "");
			this.database.exec(`PRAGMA busy_timeout = ${STATEMENTS_WAIT}`);
			this.watched = new Set(
				this.all("SELECT DISTINCT imsi FROM resource WHERE imsi <> ''", []).map((row) => String(row.imsi)),
			);
		} catch (error) {
			if (error instanceof DatabaseError) throw error;
			throw new DatabaseError(
				`The northbound database ${path} is not usable (${error instanceof Error ? error.message : error}): it was left as it is; name another file with --northbound-database, or mend its rights.`,
			);
		}
	}

	close(): void {
		this.database.close();
	}

	listen(events: ResourceEvents): void {
		this.events = events;
	}

	unit<T>(isReading: boolean, work: () => Steps<T>) {
		return run(isReading ? work() : this.inTransactions(work()));
	}

	inTurn(_imsi: string, _isRepeatable: boolean, work: () => Steps<void>): void {
		run(this.inTransactions(work()));
	}

	commit(): void {
		if (!this.database.inTransaction) return;
		this.database.exec("COMMIT");
		this.doAfterwards();
		this.database.exec("BEGIN");
	}

	/** Something to do when what was stored until now is committed; nothing of it where that is undone. */
	afterwards(action: () => void): void {
		if (this.database.inTransaction) this.actions.push(action);
		else action();
	}

	private doAfterwards(): void {
		const { actions } = this;
		this.actions = [];
		for (const action of actions) action();
	}

	/** Work is a transaction up to where it waits for something, so that nothing comes in between. */
	private *inTransactions<T>(steps: Steps<T>): Steps<T> {
		let step = this.transaction(() => steps.next());
		while (!step.done) {
			let goOn: () => IteratorResult<Promise<unknown>, T>;
			try {
				const value = yield step.value;
				goOn = () => steps.next(value);
			} catch (error) {
				goOn = () => steps.throw(error);
			}
			step = this.transaction(goOn);
		}
		return step.value;
	}

	private transaction<T>(action: () => T): T {
		// What the HSE tells while a unit asks something of it belongs to that unit.
		if (this.database.inTransaction) return action();
		this.database.exec("BEGIN");
		let result: T;
		try {
			result = action();
			this.database.exec("COMMIT");
		} catch (error) {
			this.actions = [];
			if (this.database.inTransaction) this.database.exec("ROLLBACK");
			throw error;
		}
		this.doAfterwards();
		return result;
	}

	lockUe(): void {}

	put<T>({ id, kind, applicationServer, imsi, parent, until, body }: Resource<T>): void {
		if (imsi !== "") this.watched.add(imsi);
		this.run("INSERT OR REPLACE INTO resource VALUES (?, ?, ?, ?, ?, ?, ?)", [
			id,
			kind,
			applicationServer,
			imsi,
			parent,
			until ?? null,
			JSON.stringify(body),
		]);
	}

	/** @returns undefined where there is none of this kind with this identifier that belongs to this application server */
	get<T>(kind: ResourceKind, applicationServer: string, id: string): Resource<T> | undefined {
		const [row] = this.all("SELECT * FROM resource WHERE id = ? AND kind = ? AND application_server = ?", [
			id,
			kind,
			applicationServer,
		]);
		return row && resourceOf<T>(row);
	}

	ofServer<T>(kind: ResourceKind, applicationServer: string): Resource<T>[] {
		return this.all("SELECT * FROM resource WHERE application_server = ? AND kind = ? ORDER BY id", [
			applicationServer,
			kind,
		]).map((row) => resourceOf<T>(row));
	}

	ofUe<T>(kind: ResourceKind, imsi: string): Resource<T>[] {
		return this.all("SELECT * FROM resource WHERE imsi = ? AND kind = ? ORDER BY id", [imsi, kind]).map((row) =>
			resourceOf<T>(row),
		);
	}

	partsOf<T>(parent: string): Resource<T>[] {
		return this.all("SELECT * FROM resource WHERE parent = ? AND parent <> '' ORDER BY id", [parent]).map((row) =>
			resourceOf<T>(row),
		);
	}

	/** Those whose time is over. */
	over(now: number): Resource[] {
		return this.all("SELECT * FROM resource WHERE until IS NOT NULL AND until <= ? ORDER BY until, id", [now]).map(
			(row) => resourceOf(row),
		);
	}

	/** How many resources of a kind an application server has. */
	count(kind: ResourceKind, applicationServer: string): number {
		const [row] = this.all("SELECT count(*) AS n FROM resource WHERE application_server = ? AND kind = ?", [
			applicationServer,
			kind,
		]);
		return Number(row?.n);
	}

	/** Whether some resource may be about a UE. */
	isWatched(imsi: string): boolean {
		return this.watched.has(imsi);
	}

	/** The events of sessions are few. */
	isSubscribed(): boolean {
		return true;
	}

	announce(): void {}

	announceOver(id: string): void {
		this.events?.onCommandOver(id);
	}

	/** The process that asks knows itself when it heard a UE. */
	heard(): void {}

	heardAt(): ReadonlyMap<string, number> {
		return new Map();
	}

	/** Removes a resource and its parts. */
	remove(id: string): void {
		this.run("DELETE FROM resource WHERE id = ?", [id]);
		this.run("DELETE FROM resource WHERE parent = ? AND parent <> ''", [id]);
	}

	addNotification(channel: string, destination: string, body: string, created: number): void {
		this.run("INSERT INTO notification (channel, destination, body, created) VALUES (?, ?, ?, ?)", [
			channel,
			destination,
			body,
			created,
		]);
	}

	/** The oldest notification of a channel. */
	nextNotification(channel: string): StoredNotification | undefined {
		const [row] = this.all("SELECT * FROM notification WHERE channel = ? ORDER BY number LIMIT 1", [channel]);
		return (
			row && {
				number: Number(row.number),
				channel,
				destination: String(row.destination),
				body: String(row.body),
				created: Number(row.created),
			}
		);
	}

	removeNotification(number: number): void {
		this.run("DELETE FROM notification WHERE number = ?", [number]);
	}

	/** Sends what is on its way to another place. */
	redirect(channel: string, destination: string): void {
		this.run("UPDATE notification SET destination = ? WHERE channel = ?", [destination, channel]);
	}

	/** Forgets what is on its way in a channel. */
	dropNotifications(channel: string): void {
		this.run("DELETE FROM notification WHERE channel = ?", [channel]);
	}

	/** Channels that something is waiting in. */
	channels(): { readonly channel: string; readonly waiting: number }[] {
		return this.all("SELECT channel, count(*) AS n FROM notification GROUP BY channel", []).map(({ channel, n }) => ({
			channel: String(channel),
			waiting: Number(n),
		}));
	}

	reply(applicationServer: string, key: string, now: number): StoredReply | undefined {
		const [row] = this.all("SELECT * FROM reply WHERE application_server = ? AND key = ? AND until > ?", [
			applicationServer,
			key,
			now,
		]);
		return (
			row && {
				digest: String(row.digest),
				status: Number(row.status),
				headers: String(row.headers),
				body: String(row.body),
			}
		);
	}

	claimReply(): boolean {
		return true;
	}

	dropReply(): void {}

	keepReply(applicationServer: string, key: string, reply: StoredReply, until: number): boolean {
		const { digest, status, headers, body } = reply;
		this.run("INSERT OR REPLACE INTO reply VALUES (?, ?, ?, ?, ?, ?, ?)", [
			applicationServer,
			key,
			digest,
			status,
			headers,
			body,
			until,
		]);
		return true;
	}

	forgetOld(now: number, most: number): void {
		for (const { server } of this.all("SELECT DISTINCT application_server AS server FROM reply", [])) {
			this.run("DELETE FROM reply WHERE application_server = ? AND until <= ?", [server, now]);
			this.run(
				`DELETE FROM reply WHERE application_server = ?1 AND key IN (
					SELECT key FROM reply WHERE application_server = ?1 ORDER BY until DESC LIMIT -1 OFFSET ?2
				)`,
				[server, most],
			);
		}
	}

	private run(sql: string, values: unknown[]): void {
		this.statement(sql).run(values);
	}

	private all(sql: string, values: unknown[]): Row[] {
		return this.statement(sql).all(values) as Row[];
	}

	private statement(sql: string): Database.Statement {
		let statement = this.statements.get(sql);
		if (statement === undefined) {
			statement = this.database.prepare(sql);
			this.statements.set(sql, statement);
		}
		return statement;
	}

	private migrate(path: string): void {
		const pragma = (name: string) =>
			Number((this.database.prepare(`PRAGMA ${name}`).get([]) as Row | undefined)?.[name] ?? 0);
		const version = pragma("user_version");
		const isNew = this.database.prepare("SELECT 1 FROM sqlite_master").get([]) === undefined;
		if (!isNew && pragma("application_id") !== APPLICATION_ID)
			throw new DatabaseError(
				`The file ${path} is a database of another program: it was left as it is; name another file with --northbound-database.`,
			);
		if (version > MIGRATIONS.length)
			throw new DatabaseError(
				`The northbound database ${path} was written by a newer version of this program: it was left as it is; use that version.`,
			);
		for (let next = version; next < MIGRATIONS.length; next++)
			this.database.exec(
				`BEGIN; ${MIGRATIONS[next]}; PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${next + 1}; COMMIT`,
			);
	}
}

function resourceOf<T>(row: Row): Resource<T> {
	return {
		id: String(row.id),
		kind: row.kind as ResourceKind,
		applicationServer: String(row.application_server),
		imsi: String(row.imsi),
		parent: String(row.parent),
		until: row.until === null ? undefined : Number(row.until),
		body: JSON.parse(String(row.body)),
	};
}
