import { closeSync, openSync, realpathSync } from "node:fs";
import Database from "libsql";
import { DatabaseError, HseDatabase } from "./database.js";
import { DatabaseThread } from "./database-thread.js";
import type { HomeNetworkKeys } from "./home-network-key.js";
import { MediumSpeed } from "./medium-speed.js";
import { LOCK_TABLE, renewMark } from "./run-marks.js";
import { SessionPlaces } from "./session-places.js";
import { type PackedBatch, packBatch, SessionWriter } from "./session-writer.js";
import type { Restorer, SessionBatch, SessionStore } from "./store.js";
import type { VectorSource } from "./vector-source.js";

interface Row {
	readonly place: number;
	readonly session_id: number;
	readonly batch: number;
	readonly packed: Uint8Array | ArrayBuffer;
	readonly counts: Uint8Array | ArrayBuffer;
}

/** A blob of a row: SQLite's driver gives an ArrayBuffer where it goes through many rows. */
const octetsOf = (value: Uint8Array | ArrayBuffer) => (value instanceof Uint8Array ? value : new Uint8Array(value));

/**
 * Of so many batches that could be written here, one goes to the thread, which moves the log into the file where that is
 * long; and where the medium is slow, one is written here, to see whether it still is.
 */
const BATCHES_BETWEEN = 256;

/**
 * Sessions in the HSE's SQLite file. A batch is one transaction. What changes pages all over the file is written by a
 * thread of its own, so that the HSE goes on meanwhile. COUNTs are one row. On a quick medium it is sooner there than
 * another thread is awake, so while the thread has nothing to do it is written here.
 */
export class SqliteSessionStore implements SessionStore {
	/** Whether the file was an older copy, so that its sessions have been forgotten. */
	readonly wasSetBack: boolean;
	private readonly lock: Database.Database;
	private readonly path: string;
	private readonly thread: DatabaseThread;
	private readonly database: HseDatabase;
	private readonly writer: SessionWriter;
	/** Undefined until they have been read. */
	private places: SessionPlaces | undefined;
	private readonly speed = new MediumSpeed();
	private shortBatches = 0;

	/**
	 * @param file that HseDatabase has opened, so that its tables are there
	 * @param homeNetworkKeys of its authentication centre
	 * @throws DatabaseError where another HSE uses it: two would use a COUNT twice
	 */
	constructor(file: string, homeNetworkKeys: HomeNetworkKeys = new Map()) {
		// Two links to one file have one lock.
		const path = realpathSync(file);
		this.path = path;
		this.thread = new DatabaseThread({ path, homeNetworkKeys });
		// The system ends this lock with the process, however that ends.
		closeSync(openSync(`${path}-lock`, "a", 0o600));
		this.lock = new Database(`${path}-lock`);
		try {
			// It is held from the first transaction on until it is closed.
			this.lock.exec(`PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; ${LOCK_TABLE}; COMMIT`);
		} catch (error) {
			this.lock.close();
			const { code, message } = error as Error & { readonly code?: string };
			throw new DatabaseError(
				code === "SQLITE_BUSY"
					? `The database ${path} is in use by another HSE: end that one, or name another file with --database.`
					: `The lock ${path}-lock cannot be used (${message}): make room, or delete it, and the HSE forgets its sessions.`,
			);
		}
		this.database = new HseDatabase(path);
		try {
			this.wasSetBack = !this.renewMark();
		} catch (error) {
			this.closeFiles();
			throw new DatabaseError(
				`The database ${path} cannot be written (${error instanceof Error ? error.message : error}): make room, or end what writes it.`,
			);
		}
		this.database.leaveLog();
		this.database.leaveWaiting();
		this.writer = new SessionWriter(this.database);
	}

	private renewMark(): boolean {
		return renewMark(this.lock, this.database, () => {
			this.database.prepare("DELETE FROM session").run([]);
			this.database.prepare("DELETE FROM uplink_counts").run([]);
		});
	}

	/** The authentication centre of the same file. */
	get centre(): VectorSource {
		return this.thread;
	}

	async commit(batch: SessionBatch): Promise<void> {
		const { puts, removals, forgetBelow } = batch;
		const isShort = puts.length === 0 && removals.length === 0 && forgetBelow === 0;
		this.places ??= this.readSessions();
		const { places } = this;
		const packed = packBatch(batch, places);
		if (isShort && this.isForHere() && this.writeHere(packed)) return;
		await this.thread.commit(packed);
		for (const sessionId of removals) places.remove(sessionId);
	}

	/** @returns false where that is not to be had at once, such as while another process writes: the thread can wait for it */
	private writeHere(packed: PackedBatch): boolean {
		const begun = performance.now();
		try {
			this.database.together(() => this.writer.write(packed));
		} catch {
			return false;
		}
		this.speed.took(performance.now() - begun);
		return true;
	}

	/** Whether a short batch is written by this thread. */
	private isForHere(): boolean {
		// Two that write at the same time would wait for one another.
		if (this.thread.isBusy) return false;
		const isException = ++this.shortBatches % BATCHES_BETWEEN === 0;
		return isException !== this.speed.isQuick;
	}

	/** @throws DatabaseError where the file has something that this program cannot have written here */
	async load(into: Restorer): Promise<void> {
		try {
			this.places = this.readSessions(into);
			const rows = this.rows("SELECT batch, counts FROM uplink_counts ORDER BY batch");
			for (const { batch, counts } of rows) into.counts(batch, octetsOf(counts));
		} catch (error) {
			throw new DatabaseError(
				`The sessions in the database ${this.path} cannot be read (${error instanceof Error ? error.message : error}): it was left as it is; restore it from a copy, or delete its sessions.`,
			);
		}
	}

	private readSessions(into?: Restorer): SessionPlaces {
		const places = new SessionPlaces();
		const columns = into === undefined ? "place, session_id" : "place, session_id, batch, packed";
		for (const { place, session_id, batch, packed } of this.rows(`SELECT ${columns} FROM session`)) {
			if (places.find(session_id) !== undefined) throw new Error(`one is there twice, in place ${place} again`);
			places.add(session_id, place);
			into?.session(batch, octetsOf(packed));
		}
		return places;
	}

	private rows(sql: string): Iterable<Row> {
		return this.database.prepare(sql).iterate([]) as Iterable<Row>;
	}

	async close(): Promise<void> {
		await this.thread.close();
		try {
			// A copy from before this is an older one.
			this.renewMark();
		} catch {
			// Then it cannot be told from one, and nothing else is lost.
		}
		this.closeFiles();
	}

	private closeFiles(): void {
		this.database.close();
		// Its driver keeps a connection that has statements; the lock ends with the next transaction.
		this.lock.exec("PRAGMA locking_mode = NORMAL; BEGIN IMMEDIATE; COMMIT");
		this.lock.close();
	}
}
