import { AsyncLocalStorage } from "node:async_hooks";
import type pg from "pg";
import { DatabaseError } from "../../hse/database.js";
import { asDatabaseError, openPool } from "../../hse/postgres/connection.js";
import type { Resource, ResourceEvents, ResourceKind, Resources, StoredReply } from "../resources.js";
import { run, type Steps } from "../steps.js";
import { CHANNEL, Watched } from "./watched.js";

/** Milliseconds that a statement may take: somebody waits for an answer over HTTP. */
export const STATEMENT_TIMEOUT = 5000;
/** Units that are under way at once; more wait. */
const MOST_CONNECTIONS = 8;
/** Deadlocks and the like, after which a unit that has stored nothing is done again at once. */
const CONFLICTS: readonly unknown[] = ["40001", "40P01"];
const MOST_TRIES = 4;
/** Classes of SQLSTATE that tell of what was given: a value that cannot be, or that contradicts another. */
const OF_VALUES = ["22", "23"];
/** Milliseconds after which work is repeated that the store has failed in, and how often that is done. */
const REPEAT_AFTER = 500;
/** Milliseconds after which it is of no use any more when a UE was heard: no UE listens for a day. */
const HEARD_KEPT = 86_400_000;
const MOST_REPEATS = 600;
/** Units that wait for their turn: beyond, no more should come. */
const MOST_WAITING = 1000;
/** First halves of advisory locks: of a UE, and of the quotas of an application server. */
const LOCK_OF_UE = 0x42455355;
const LOCK_OF_SERVER = 0x42455351;
/** Kinds that are changed by what was read of them at any process. */
const LOCKED: readonly ResourceKind[] = ["delivery", "command"];

/** A process runs, as far as its lease says. */
export const isAlive = (column: string) =>
	`EXISTS (SELECT FROM best_hse h WHERE h.id = ${column} AND h.lease_until > clock_timestamp())`;

/** Another transaction was in the way: the unit can be done again. */
class Conflict extends DatabaseError {}

/** A failure without the values that pg has beside its message. What is given again and never taken is none of the store. */
function failureOf(error: unknown): Error {
	const { code } = error as { readonly code?: unknown };
	if (typeof code === "string" && OF_VALUES.includes(code.slice(0, 2)))
		return new Error(
			`PostgreSQL does not take a value (${(error as Error).message}): what it belongs to is not stored.`,
		);
	const { message } = asDatabaseError(error);
	return CONFLICTS.includes(code) ? new Conflict(message) : new DatabaseError(message);
}

/** One unit: a transaction, or several where it commits in between. */
interface Unit {
	readonly isReading: boolean;
	/** What holds the transaction, from its first statement on. */
	client: pg.PoolClient | undefined;
	hasCommitted: boolean;
	isOver: boolean;
	/** Done when what was stored until then is durable. */
	afterwards: (() => void)[];
}

interface ResourceRow {
	readonly id: string;
	readonly kind: ResourceKind;
	readonly application_server: string;
	readonly imsi: string;
	readonly parent: string;
	readonly until: string | null;
	readonly body: string;
}

/**
 * The northbound side's resources in the PostgreSQL of several HSEs. Calls within a unit find its transaction by themselves
 * (AsyncLocalStorage), so that they look as they do with a file.
 */
export class PostgresResources implements Resources {
	readonly isShared = true;
	/** The number of this process in best_hse. */
	readonly process: number;
	private readonly pool: pg.Pool;
	private readonly units = new AsyncLocalStorage<Unit | undefined>();
	private readonly watched: Watched;
	private readonly onError: (error: Error) => void;
	/** By UE, settled when the units about it until then are over. */
	private readonly turns = new Map<string, Promise<void>>();
	private readonly names = new Map<string, string>();
	private waiting = 0;
	private isClosing = false;

	/** @param onError told when the store has failed in something that nobody waits for */
	constructor(url: string, process: number, onError: (error: Error) => void) {
		this.process = process;
		this.onError = onError;
		this.pool = openPool(url, MOST_CONNECTIONS, STATEMENT_TIMEOUT);
		this.watched = new Watched(url, onError);
	}

	/** Reads what is watched. @throws DatabaseError */
	begin(): Promise<void> {
		return this.watched.begin();
	}

	listen(events: ResourceEvents): void {
		this.watched.listen(events);
	}

	async unit<T>(isReading: boolean, work: () => Steps<T>): Promise<T> {
		for (let tries = 1; ; tries++) {
			const unit: Unit = { isReading, client: undefined, hasCommitted: false, isOver: false, afterwards: [] };
			try {
				const result = await this.units.run(unit, () => run(work()));
				await this.finish(unit);
				return result;
			} catch (error) {
				await abandon(unit, error);
				const mayRepeat = tries < MOST_TRIES && !unit.hasCommitted;
				if (!mayRepeat || !(error instanceof Conflict)) throw error;
			} finally {
				unit.isOver = true;
			}
		}
	}

	get isBehind(): boolean {
		return this.waiting >= MOST_WAITING;
	}

	inTurn(imsi: string, isRepeatable: boolean, work: () => Steps<void>): void {
		const before = this.turns.get(imsi) ?? Promise.resolve();
		const turn = this.units.run(undefined, () => before.then(() => this.perform(isRepeatable, work)));
		this.turns.set(imsi, turn);
		this.waiting++;
		turn.then(() => {
			this.waiting--;
			if (this.turns.get(imsi) === turn) this.turns.delete(imsi);
		});
	}

	private async perform(isRepeatable: boolean, work: () => Steps<void>): Promise<void> {
		for (let repeats = 0; ; repeats++)
			try {
				await this.unit(false, work);
				return;
			} catch (error) {
				// Once: while PostgreSQL does not answer, all that waits fails each time.
				if (repeats === 0) this.onError(error instanceof Error ? error : new Error(String(error)));
				// What is no failure of the store would fail each time, and hold up all that is heard of the UE.
				if (!(error instanceof DatabaseError)) return;
				if (!isRepeatable || repeats === MOST_REPEATS || this.isClosing) return;
				await new Promise((resolve) => setTimeout(resolve, REPEAT_AFTER));
			}
	}

	async commit(): Promise<void> {
		const unit = this.units.getStore();
		if (unit?.client === undefined) return;
		unit.hasCommitted = true;
		await this.finish(unit);
	}

	/** Something to do when what the unit has stored is durable. */
	afterwards(action: () => void): void {
		const unit = this.units.getStore();
		if (unit === undefined || unit.isOver) action();
		else unit.afterwards.push(action);
	}

	private async finish(unit: Unit): Promise<void> {
		const { client, afterwards } = unit;
		if (client !== undefined) {
			await client.query("COMMIT").catch((error) => {
				throw failureOf(error);
			});
			unit.client = undefined;
			client.release();
		}
		unit.afterwards = [];
		// Not as a part of this unit.
		for (const action of afterwards) this.units.run(undefined, action);
	}

	/** A statement: of the transaction of the unit, or of its own. */
	async query<R extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<R[]> {
		try {
			return await this.ask<R>(text, values);
		} catch (error) {
			throw failureOf(error);
		}
	}

	private async ask<R extends pg.QueryResultRow>(text: string, values: readonly unknown[]): Promise<R[]> {
		const unit = this.units.getStore();
		const statement = { name: this.nameOf(text), text, values: [...values] };
		if (unit === undefined || unit.isReading || unit.isOver) return (await this.pool.query<R>(statement)).rows;
		if (unit.client === undefined) {
			unit.client = await this.pool.connect();
			await unit.client.query("BEGIN");
		}
		return (await unit.client.query<R>(statement)).rows;
	}

	/** Each connection prepares a statement once. There are as many as are written in these files. */
	private nameOf(text: string): string {
		let name = this.names.get(text);
		if (name === undefined) {
			name = `best_${this.names.size}`;
			this.names.set(text, name);
		}
		return name;
	}

	async lockUe(imsi: string): Promise<void> {
		await this.query("SELECT pg_advisory_xact_lock($1, hashtext($2))", [LOCK_OF_UE, imsi]);
	}

	async put<T>({ id, kind, applicationServer, imsi, parent, until, body }: Resource<T>): Promise<void> {
		this.watched.add(imsi);
		await this.query(
			`INSERT INTO best_resource VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (id) DO UPDATE SET until = excluded.until, body = excluded.body`,
			[id, kind, applicationServer, imsi, parent, until === undefined ? null : Math.ceil(until), JSON.stringify(body)],
		);
	}

	async get<T>(kind: ResourceKind, applicationServer: string, id: string): Promise<Resource<T> | undefined> {
		// As in a file: no resource has such an identifier, and PostgreSQL takes no NUL to look for.
		if (id.includes("\0")) return undefined;
		const [resource] = await this.select<T>(
			`WHERE id = $1 AND kind = $2 AND application_server = $3 ${this.lock(kind)}`,
			[id, kind, applicationServer],
		);
		return resource;
	}

	ofServer<T>(kind: ResourceKind, applicationServer: string): Promise<Resource<T>[]> {
		return this.select("WHERE application_server = $1 AND kind = $2 ORDER BY id", [applicationServer, kind]);
	}

	ofUe<T>(kind: ResourceKind, imsi: string): Promise<Resource<T>[]> {
		return this.select(`WHERE imsi = $1 AND kind = $2 ORDER BY id ${this.lock(kind)}`, [imsi, kind]);
	}

	partsOf<T>(parent: string): Promise<Resource<T>[]> {
		return this.select("WHERE parent = $1 AND parent <> '' ORDER BY id", [parent]);
	}

	over(now: number): Promise<Resource[]> {
		return this.select("WHERE until <= $1 ORDER BY until, id LIMIT 1 FOR UPDATE SKIP LOCKED", [Math.floor(now)]);
	}

	async count(kind: ResourceKind, applicationServer: string): Promise<number> {
		await this.query("SELECT pg_advisory_xact_lock($1, hashtext($2))", [LOCK_OF_SERVER, applicationServer]);
		const [{ n }] = await this.query<{ n: string }>(
			"SELECT count(*) AS n FROM best_resource WHERE application_server = $1 AND kind = $2",
			[applicationServer, kind],
		);
		return Number(n);
	}

	async remove(id: string): Promise<void> {
		await this.query("DELETE FROM best_resource WHERE id = $1 OR (parent = $1 AND parent <> '')", [id]);
	}

	isWatched(imsi: string): boolean {
		return this.watched.hasUe(imsi);
	}

	isSubscribed(applicationServer: string): boolean {
		return this.watched.hasServer(applicationServer);
	}

	async announce({ imsi, applicationServer }: Pick<Resource, "imsi" | "applicationServer">): Promise<void> {
		if (imsi !== "") return this.notify("ue", imsi);
		this.watched.addServer(applicationServer);
		await this.notify("server", applicationServer);
	}

	announceOver(id: string): Promise<void> {
		return this.notify("over", id);
	}

	/** Heard when the transaction is durable. */
	private async notify(word: string, what: string): Promise<void> {
		await this.query("SELECT pg_notify($1, $2)", [CHANNEL, `${word} ${what}`]);
	}

	async heard(imsi: string, at: number): Promise<void> {
		await this.query(
			`INSERT INTO best_heard VALUES ($1, $2)
			ON CONFLICT (imsi) DO UPDATE SET heard_at = greatest(best_heard.heard_at, excluded.heard_at)`,
			[imsi, Math.floor(at)],
		);
	}

	async heardAt(imsis: readonly string[]): Promise<ReadonlyMap<string, number>> {
		const rows = await this.query<{ imsi: string; heard_at: string }>(
			"SELECT imsi, heard_at FROM best_heard WHERE imsi = ANY($1)",
			[imsis],
		);
		return new Map(rows.map(({ imsi, heard_at }) => [imsi, Number(heard_at)]));
	}

	async reply(applicationServer: string, key: string, now: number): Promise<StoredReply | undefined> {
		const [reply] = await this.query<StoredReply & pg.QueryResultRow>(
			`SELECT digest, status, headers, body FROM best_reply
			WHERE application_server = $1 AND key = $2 AND status IS NOT NULL AND until > $3`,
			[applicationServer, key, Math.floor(now)],
		);
		return reply;
	}

	async claimReply(applicationServer: string, key: string, now: number, until: number): Promise<boolean> {
		const rows = await this.query(
			`INSERT INTO best_reply AS r (application_server, key, owner, until) VALUES ($1, $2, $3, $5)
			ON CONFLICT (application_server, key) DO UPDATE SET owner = excluded.owner, status = NULL, until = excluded.until
			WHERE r.until <= $4 OR (r.status IS NULL AND (r.owner = $3 OR NOT ${isAlive("r.owner")}))
			RETURNING 1`,
			[applicationServer, key, this.process, Math.floor(now), Math.floor(until)],
		);
		return rows.length > 0;
	}

	async keepReply(applicationServer: string, key: string, reply: StoredReply, until: number): Promise<boolean> {
		const { digest, status, headers, body } = reply;
		const rows = await this.query(
			`INSERT INTO best_reply AS r (application_server, key, owner, digest, status, headers, body, until)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
			ON CONFLICT (application_server, key) DO UPDATE SET digest = excluded.digest, status = excluded.status,
				headers = excluded.headers, body = excluded.body, until = excluded.until
			WHERE r.owner = $3 AND r.status IS NULL RETURNING 1`,
			[applicationServer, key, this.process, digest, status, headers, body, Math.floor(until)],
		);
		return rows.length > 0;
	}

	async dropReply(applicationServer: string, key: string): Promise<void> {
		await this.query(
			"DELETE FROM best_reply WHERE application_server = $1 AND key = $2 AND status IS NULL AND owner = $3",
			[applicationServer, key, this.process],
		);
	}

	async forgetOld(now: number, most: number): Promise<void> {
		await this.query(
			`DELETE FROM best_reply r WHERE r.until <= $1 OR (r.status IS NULL AND NOT ${isAlive("r.owner")})`,
			[Math.floor(now)],
		);
		const full = await this.query<{ application_server: string }>(
			"SELECT application_server FROM best_reply GROUP BY application_server HAVING count(*) > $1",
			[most],
		);
		for (const { application_server } of full)
			await this.query(
				`DELETE FROM best_reply WHERE application_server = $1 AND key IN (
					SELECT key FROM best_reply WHERE application_server = $1 AND status IS NOT NULL ORDER BY until DESC OFFSET $2
				)`,
				[application_server, most],
			);
		await this.query("DELETE FROM best_heard WHERE heard_at < $1", [Math.floor(now - HEARD_KEPT)]);
	}

	/** The key that access tokens are signed with, as JSON: the one that was stored first. */
	async tokenKey(fresh: string): Promise<string> {
		await this.query("INSERT INTO best_token_key VALUES (1, $1) ON CONFLICT DO NOTHING", [fresh]);
		const [{ jwk }] = await this.query<{ jwk: string }>("SELECT jwk FROM best_token_key");
		return jwk;
	}

	/** After what is under way. */
	async close(): Promise<void> {
		this.isClosing = true;
		while (this.turns.size > 0) await Promise.all(this.turns.values());
		await this.watched.close();
		await this.pool.end();
	}

	private lock(kind: ResourceKind): string {
		const unit = this.units.getStore();
		return unit !== undefined && !unit.isReading && LOCKED.includes(kind) ? "FOR UPDATE" : "";
	}

	private async select<T>(condition: string, values: readonly unknown[]): Promise<Resource<T>[]> {
		const rows = await this.query<ResourceRow & pg.QueryResultRow>(`SELECT * FROM best_resource ${condition}`, values);
		return rows.map((row) => ({
			id: row.id,
			kind: row.kind,
			applicationServer: row.application_server,
			imsi: row.imsi,
			parent: row.parent,
			until: row.until === null ? undefined : Number(row.until),
			body: JSON.parse(row.body),
		}));
	}
}

/** Undoes what a unit has not committed. */
async function abandon(unit: Unit, why: unknown): Promise<void> {
	const { client } = unit;
	unit.client = undefined;
	if (client === undefined) return;
	// Where a statement has no answer the next one would have none either: the connection ends, and the transaction with it.
	if (why instanceof DatabaseError && !(why instanceof Conflict)) return client.release(why);
	try {
		await client.query("ROLLBACK");
		client.release();
	} catch (error) {
		client.release(asDatabaseError(error));
	}
}

/** Opens them. @throws DatabaseError */
export async function openPostgresResources(
	url: string,
	process: number,
	onError: (error: Error) => void,
): Promise<PostgresResources> {
	const resources = new PostgresResources(url, process, onError);
	try {
		await resources.begin();
	} catch (error) {
		await resources.close();
		throw asDatabaseError(error);
	}
	return resources;
}
