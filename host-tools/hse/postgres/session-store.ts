import { randomBytes } from "node:crypto";
import { readUint32 } from "../../../firmware/emsdp/octets.js";
import { movedOut } from "../../octets.js";
import { DatabaseError } from "../database.js";
import { needsEasKey } from "../policy.js";
import type { Claimed, DeletedSession, SharedSessionStore, SharedStoreEvents } from "../shared-store.js";
import type { SessionBatch } from "../store.js";
import { imsiOfStored, viewOfStored, withCounts } from "../stored-session.js";
import { COUNT_OCTETS } from "../writes.js";
import { type Client, Connection } from "./connection.js";

/** Milliseconds that a process may be silent before others take its sessions, and after which it says that it lives. */
const LEASE = 4000;
const RENEW_AFTER = 1000;
/** Session IDs that are reserved at once, how few may be left before the next are, and with how few no session begins. */
const RESERVED = 4096;
const RESERVE_BELOW = 2048;
const LAST_RESERVED = 64;
/** How long a session that is not confirmed waits for its UE when it is nobody's, and how often those are looked for. */
const FORGET_AFTER = "5 min";
const SWEEP_AFTER = 60_000;

const SILENT = "This HSE was silent for longer than its lease, and others may have taken its sessions";

const channelOf = (process: number | string) => `best_hse_${process}`;

/** A session belongs to nobody where its owner has given it up, or does not run any more. */
const IS_FREE = "(s.owner IS NULL OR NOT EXISTS (SELECT FROM best_hse h WHERE h.id = s.owner))";

/** A lease has ended; after a start of PostgreSQL, which nobody could renew in, all get their time again. */
const HAS_ENDED = `h.lease_until < clock_timestamp()
	AND pg_postmaster_start_time() < clock_timestamp() - interval '${LEASE} ms'`;

/** A session is nobody's from now on. */
const DISOWNED = `owner = NULL, forget_at = CASE WHEN is_confirmed THEN forget_at ELSE now() + interval '${FORGET_AFTER}' END`;

/** A handle for octets: a view, since pg takes Buffers only. */
const blob = (octets: Uint8Array) => Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);

/** Octet strings end to end, where each starts, counted from 1 as in SQL, and how long it is. */
function joined(strings: readonly Uint8Array[]) {
	const starts: number[] = [];
	const lengths = strings.map((octets) => octets.length);
	let at = 0;
	for (const length of lengths) {
		starts.push(at + 1);
		at += length;
	}
	return { octets: Buffer.concat(strings), starts, lengths };
}

/** @param packed erased */
function deletedOf(packed: Buffer): DeletedSession {
	const { sessionId, imsi, easId, configuration } = viewOfStored(packed);
	packed.fill(0);
	return { sessionId, imsi, easId: new TextEncoder().encode(easId), hasEasKey: needsEasKey(configuration) };
}

/** A row of the journal. */
interface Journaled {
	readonly batch: string;
	readonly counts: Buffer;
}

/** A session whose UE has confirmed a later one. */
interface Superseded {
	readonly session_id: string;
	readonly owner: string | null;
	readonly packed: Buffer;
}

interface Stored {
	readonly session_id: string;
	readonly batch: string;
	readonly packed: Buffer;
}

/**
 * Sessions in a PostgreSQL that several HSEs share. Each process has a row with a lease; a session is of the process that
 * its row names. Whoever finds a lease at its end deletes that row and writes the journal of the process into its
 * sessions, in one transaction; and each batch locks the row of its own process. So either the batch comes first and its
 * COUNTs are seen, or it fails. This holds whatever the clocks say: they only decide when others try.
 */
export class PostgresSessionStore implements SharedSessionStore {
	private readonly writer: Connection;
	private readonly reader: Connection;
	/** Listens to what other processes say, and renews the lease. */
	private readonly listener: Connection;
	private id = 0;
	private events: SharedStoreEvents | undefined;
	private readonly reserved: number[] = [];
	private reserving: Promise<void> | undefined;
	/** Which process is told when a session is given up. */
	private readonly askers = new Map<number, number>();
	private timer: NodeJS.Timeout | undefined;
	private sweptAt = 0;
	private isOver = false;

	constructor(url: string) {
		this.writer = new Connection(url);
		this.reader = new Connection(url);
		this.listener = new Connection(url, async (client) => {
			client.on("notification", ({ payload }) => this.hear(payload ?? ""));
			await client.query(`LISTEN ${channelOf(this.id)}`);
		});
	}

	/** Makes the row of this process. */
	async begin(): Promise<void> {
		const { rows } = await this.writer.use((client) =>
			client.query<{ id: string }>(
				`INSERT INTO best_hse (lease_until) VALUES (clock_timestamp() + interval '${LEASE} ms') RETURNING id`,
			),
		);
		this.id = Number(rows[0].id);
		await this.renew();
		const { rows: ended } = await this.reader.use((client) =>
			client.query<{ id: string }>(`SELECT h.id FROM best_hse h WHERE ${HAS_ENDED}`),
		);
		for (const { id } of ended) await this.fold(id);
		await this.sweep();
		await this.reserve();
		this.renewLater();
	}

	/** The number of this process in best_hse. */
	get process(): number {
		return this.id;
	}

	listen(events: SharedStoreEvents): void {
		this.events = events;
	}

	/** Sessions are taken up when they are heard from. */
	async load(): Promise<void> {}

	async commit(batch: SessionBatch): Promise<void> {
		const { number, puts, removals, counts, releases = [], confirmations = [], forgetBelow } = batch;
		const deleted = await this.writer.transaction(async (client) => {
			await this.assertAlive(client);
			if (puts.length > 0 && (await this.write(client, number, puts)) !== puts.length)
				this.lose("A session that this HSE has is not its own in the database");
			// Where the answer to a commit was lost, this is the second time, and they may be another's by now.
			if (releases.length > 0) await this.write(client, number, releases);
			if (removals.length > 0)
				await client.query("DELETE FROM best_session WHERE owner = $1 AND session_id = ANY($2)", [this.id, removals]);
			if (counts.length > 0)
				await client.query(
					`INSERT INTO best_uplink_counts VALUES ($1, $2, $3)
					ON CONFLICT (owner, batch) DO UPDATE SET counts = excluded.counts`,
					[this.id, number, blob(counts)],
				);
			if (forgetBelow > 0)
				await client.query("DELETE FROM best_uplink_counts WHERE owner = $1 AND batch < $2", [this.id, forgetBelow]);
			const superseded = confirmations.length > 0 ? await this.confirm(client, confirmations) : [];
			if (releases.length > 0) await this.release(client, releases);
			return superseded;
		});
		this.tellDeleted(deleted);
		for (const { sessionId } of releases) this.askers.delete(sessionId);
	}

	/** Sessions that were nobody's are over since their UEs have later ones. */
	private tellDeleted(sessions: readonly { readonly packed: Buffer }[]): void {
		for (const { packed } of sessions) this.events?.onDeleted(deletedOf(packed));
	}

	async claim(sessionIds: readonly number[], lastBatch: number): Promise<Claimed> {
		const { taken, deleted, others } = await this.reader.transaction((client) =>
			this.take(client, sessionIds, lastBatch),
		);
		this.tellDeleted(deleted);
		const ended = new Set<string>();
		for (const { session_id, owner, has_ended } of others) {
			if (Number(owner) === this.id) await this.disown(Number(session_id));
			else if (has_ended) ended.add(owner ?? "");
			else if (owner !== null)
				await this.reader.use((client) => notify(client, owner, "give", Number(session_id), this.id));
		}
		for (const owner of ended) await this.fold(owner);
		const found = new Set([...taken, ...others].map(({ session_id }) => Number(session_id)));
		return {
			taken: taken.map(({ session_id, packed }) => ({ sessionId: Number(session_id), octets: movedOut(packed) })),
			absent: sessionIds.filter((sessionId) => !found.has(sessionId)),
		};
	}

	async disown(sessionId: number): Promise<void> {
		await this.listener.use((client) =>
			client.query(`UPDATE best_session SET ${DISOWNED} WHERE session_id = $1 AND owner = $2`, [sessionId, this.id]),
		);
	}

	get hasSessionIds(): boolean {
		return this.reserved.length > LAST_RESERVED;
	}

	drawSessionId(): number | undefined {
		if (this.reserved.length < RESERVE_BELOW && !this.isOver)
			this.reserving ??= this.reserve()
				.catch(() => {})
				.finally(() => {
					this.reserving = undefined;
				});
		return this.reserved.pop();
	}

	/** Gives up everything at once. */
	async close(): Promise<void> {
		this.isOver = true;
		clearTimeout(this.timer);
		await this.reserving;
		try {
			if (this.id > 0) await this.fold(String(this.id), true);
		} finally {
			await Promise.all([this.writer.end(), this.reader.end(), this.listener.end()]);
		}
	}

	/** @throws Error where others have found this process's lease at its end */
	private async assertAlive(client: Client): Promise<void> {
		const { rowCount } = await client.query("SELECT FROM best_hse WHERE id = $1 FOR KEY SHARE", [this.id]);
		if (rowCount === 0) this.lose(SILENT);
	}

	private lose(why: string): never {
		const error = new DatabaseError(`${why}: it must be started again.`);
		this.isOver = true;
		clearTimeout(this.timer);
		this.events?.onLost(error);
		throw error;
	}

	private async write(
		client: Client,
		number: number,
		sessions: readonly { readonly sessionId: number; readonly octets: Uint8Array }[],
	): Promise<number> {
		const { octets, starts, lengths } = joined(sessions.map((session) => session.octets));
		const imsis = joined(sessions.map((session) => imsiOfStored(session.octets)));
		const { rowCount } = await client.query({
			name: "write",
			text: `UPDATE best_session s SET batch = $2, packed = substring($3::bytea FROM u.start FOR u.length),
				imsi = substring($4::bytea FROM u.imsi FOR 8)
				FROM unnest($5::bigint[], $6::int[], $7::int[], $8::int[]) u (session_id, start, length, imsi)
				WHERE s.session_id = u.session_id AND s.owner = $1`,
			values: [
				this.id,
				number,
				octets,
				imsis.octets,
				sessions.map(({ sessionId }) => sessionId),
				starts,
				lengths,
				imsis.starts,
			],
		});
		return rowCount ?? 0;
	}

	/** @returns sessions before them that nobody had: they are deleted */
	private async confirm(client: Client, sessionIds: readonly number[]): Promise<readonly Superseded[]> {
		await client.query("UPDATE best_session SET is_confirmed = true WHERE session_id = ANY($1) AND owner = $2", [
			sessionIds,
			this.id,
		]);
		const deleted: Superseded[] = [];
		const { rows } = await client.query<Superseded>(
			`SELECT s.session_id, s.owner, s.packed FROM best_session s JOIN best_session later ON later.imsi = s.imsi
			WHERE later.session_id = ANY($1) AND s.is_confirmed AND s.session_id <> ALL($1)`,
			[sessionIds],
		);
		for (const row of rows) {
			const { session_id, owner } = row;
			const { rowCount } = await client.query(`DELETE FROM best_session s WHERE s.session_id = $1 AND ${IS_FREE}`, [
				session_id,
			]);
			// An owner that runs erases it itself: only the owner changes a session.
			if (rowCount !== 0) deleted.push(row);
			else if (owner !== null) {
				await notify(client, owner, "superseded", Number(session_id));
				// One that stands still, or is killed, does not hear of it: then nobody takes the session up after it.
				await client.query("UPDATE best_session SET forget_at = now() WHERE session_id = $1", [session_id]);
			}
		}
		return deleted;
	}

	private async release(client: Client, releases: readonly { readonly sessionId: number }[]): Promise<void> {
		await client.query(`UPDATE best_session SET ${DISOWNED} WHERE owner = $1 AND session_id = ANY($2)`, [
			this.id,
			releases.map(({ sessionId }) => sessionId),
		]);
		for (const { sessionId } of releases) {
			const asker = this.askers.get(sessionId);
			if (asker !== undefined) await notify(client, asker, "free", sessionId);
		}
	}

	/** @returns sessions that are of this process now, and those that are another one's */
	private async take(client: Client, sessionIds: readonly number[], lastBatch: number) {
		// Locked first, so that what the next statement sees of their owners is not older than they are. One that is being
		// written now is its owner's.
		const { rows: locked } = await client.query<{ session_id: string }>(
			"SELECT session_id FROM best_session WHERE session_id = ANY($1) AND packed IS NOT NULL FOR UPDATE SKIP LOCKED",
			[sessionIds],
		);
		const candidates = locked.map(({ session_id }) => session_id);
		const { rows: deleted } = await client.query<Stored>(
			`DELETE FROM best_session s WHERE s.session_id = ANY($1) AND s.is_confirmed AND s.forget_at <= now() AND ${IS_FREE}
			RETURNING s.session_id, s.packed`,
			[candidates],
		);
		const { rows: taken } = await client.query<Stored>(
			`UPDATE best_session s SET owner = $1, batch = $2, forget_at = NULL WHERE s.session_id = ANY($3) AND ${IS_FREE}
			RETURNING s.session_id, s.packed`,
			[this.id, lastBatch, candidates],
		);
		const mine = new Set(taken.map(({ session_id }) => session_id));
		const { rows } = await client.query<{ session_id: string; owner: string | null; has_ended: boolean }>(
			`SELECT s.session_id, s.owner, coalesce(${HAS_ENDED}, false) AS has_ended
			FROM best_session s LEFT JOIN best_hse h ON h.id = s.owner
			WHERE s.session_id = ANY($1) AND s.packed IS NOT NULL`,
			[sessionIds],
		);
		return { taken, deleted, others: rows.filter(({ session_id }) => !mine.has(session_id)) };
	}

	/**
	 * Ends a process whose lease has ended: what its journal has is written into its sessions, and they are nobody's.
	 * @param isMine whatever the lease
	 */
	private async fold(owner: string, isMine = false): Promise<void> {
		await (isMine ? this.writer : this.reader).transaction(async (client) => {
			const { rowCount } = await client.query(
				`DELETE FROM best_hse h WHERE h.id = $1 ${isMine ? "" : `AND ${HAS_ENDED}`}`,
				[owner],
			);
			if (rowCount === 0) return;
			const { rows: journal } = await client.query<Journaled>(
				"SELECT batch, counts FROM best_uplink_counts WHERE owner = $1 ORDER BY batch",
				[owner],
			);
			const entries = new Map<number, { readonly batch: number; readonly count: number }[]>();
			for (const { batch, counts } of journal)
				for (let at = 0; at < counts.length; at += COUNT_OCTETS) {
					const sessionId = readUint32(counts, at);
					const entry = { batch: Number(batch), count: readUint32(counts, at + 4) };
					const before = entries.get(sessionId);
					if (before === undefined) entries.set(sessionId, [entry]);
					else before.push(entry);
				}
			if (entries.size > 0) {
				const { rows: sessions } = await client.query<Stored>(
					`SELECT session_id, batch, packed FROM best_session
					WHERE owner = $1 AND session_id = ANY($2) AND packed IS NOT NULL`,
					[owner, [...entries.keys()]],
				);
				const folded = sessions.map(({ session_id, batch, packed }) => {
					const sessionId = Number(session_id);
					const later = (entries.get(sessionId) ?? []).filter((entry) => entry.batch > Number(batch));
					return {
						sessionId,
						octets: withCounts(
							movedOut(packed),
							later.map(({ count }) => count),
						),
					};
				});
				const { octets, starts, lengths } = joined(folded.map((session) => session.octets));
				await client.query(
					`UPDATE best_session s SET packed = substring($1::bytea FROM u.start FOR u.length)
					FROM unnest($2::bigint[], $3::int[], $4::int[]) u (session_id, start, length)
					WHERE s.session_id = u.session_id AND s.owner = $5`,
					[octets, folded.map(({ sessionId }) => sessionId), starts, lengths, owner],
				);
			}
			await client.query("DELETE FROM best_uplink_counts WHERE owner = $1", [owner]);
			await client.query("DELETE FROM best_session WHERE owner = $1 AND packed IS NULL", [owner]);
			await client.query(`UPDATE best_session SET ${DISOWNED} WHERE owner = $1 AND NOT is_confirmed`, [owner]);
		});
	}

	/** Reserves Session IDs: random ones that nobody has. */
	private async reserve(): Promise<void> {
		const drawn = new Set<number>();
		const octets = randomBytes(4 * RESERVED);
		for (let at = 0; at < octets.length; at += 4) drawn.add(octets.readUInt32BE(at));
		drawn.delete(0);
		// Not within what another call makes of a transaction.
		const { rows } = await this.listener.use((client) =>
			client.query<{ session_id: string }>(
				`INSERT INTO best_session (session_id, owner, batch) SELECT unnest($1::bigint[]), $2, 0
				ON CONFLICT DO NOTHING RETURNING session_id`,
				[[...drawn], this.id],
			),
		);
		for (const { session_id } of rows) this.reserved.push(Number(session_id));
	}

	private renewLater(): void {
		if (this.isOver) return;
		this.timer = setTimeout(() => {
			this.renew()
				.catch(() => {})
				.finally(() => this.renewLater());
		}, RENEW_AFTER);
		this.timer.unref();
	}

	/** Deletes sessions that no process has any more: those that no UE has confirmed or has left, and reserved Session IDs. */
	private async sweep(): Promise<void> {
		this.sweptAt = performance.now();
		await this.listener.use(async (client) => {
			const { rows } = await client.query<{ is_confirmed: boolean; packed: Buffer }>(
				`DELETE FROM best_session s WHERE s.forget_at < now() AND ${IS_FREE} RETURNING s.is_confirmed, s.packed`,
			);
			this.tellDeleted(rows.filter((row) => row.is_confirmed));
			await client.query(`DELETE FROM best_session s WHERE s.packed IS NULL AND ${IS_FREE}`);
		});
	}

	private async renew(): Promise<void> {
		const { rowCount } = await this.listener.use((client) =>
			client.query(`UPDATE best_hse SET lease_until = clock_timestamp() + interval '${LEASE} ms' WHERE id = $1`, [
				this.id,
			]),
		);
		if (rowCount === 0 && !this.isOver) this.lose(SILENT);
		if (performance.now() - this.sweptAt > SWEEP_AFTER) await this.sweep();
	}

	/** What another process says: a word, a Session ID, and who asks. */
	private hear(text: string): void {
		const [word, sessionId, asker] = text.split(" ");
		if (word === "give") {
			this.askers.set(Number(sessionId), Number(asker));
			this.events?.onAsked(Number(sessionId));
		} else if (word === "free") this.events?.onFree(Number(sessionId));
		else if (word === "superseded") this.events?.onSuperseded(Number(sessionId));
	}
}

/** Tells another process something; what is said in a transaction is heard when that is durable. */
async function notify(client: Client, process: number | string, ...words: readonly (string | number)[]): Promise<void> {
	await client.query("SELECT pg_notify($1, $2)", [channelOf(process), words.join(" ")]);
}
