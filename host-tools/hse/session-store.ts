import { closeSync, openSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import Database from "libsql";
import { DatabaseError } from "./database.js";
import type { Restorer, SessionBatch, SessionStore } from "./store.js";

interface Row {
	readonly batch: number;
	readonly packed: Uint8Array | ArrayBuffer;
	readonly counts: Uint8Array | ArrayBuffer;
}

/** A blob of a row: SQLite's driver gives an ArrayBuffer where it goes through many rows. */
const octetsOf = (value: Uint8Array | ArrayBuffer) => (value instanceof Uint8Array ? value : new Uint8Array(value));

/** A handle for octets: a view, since SQLite's driver takes Buffers only. */
const blob = (octets: Uint8Array) => Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);

/**
 * Sessions in the HSE's SQLite file. A batch is one transaction, written to the write-ahead log at once; the log is
 * brought to the medium outside of the main thread, so that the HSE goes on meanwhile.
 */
export class SqliteSessionStore implements SessionStore {
	private readonly database: Database.Database;
	private readonly lock: Database.Database;
	private readonly put: Database.Statement;
	private readonly remove: Database.Statement;
	private readonly journal: Database.Statement;
	private readonly forget: Database.Statement;
	private readonly path: string;
	private log: FileHandle | undefined;

	/**
	 * @param path of a file that HseDatabase has opened, so that its tables are there
	 * @throws DatabaseError where another HSE uses it: two would use a COUNT twice
	 */
	constructor(path: string) {
		this.path = path;
		// The system ends this lock with the process, however that ends.
		closeSync(openSync(`${path}-lock`, "a", 0o600));
		this.lock = new Database(`${path}-lock`);
		try {
			this.lock.exec("BEGIN EXCLUSIVE");
		} catch {
			this.lock.close();
			throw new DatabaseError(
				`The database ${path} is in use by another HSE: end that one, or name another file with --database.`,
			);
		}
		this.database = new Database(path);
		// NORMAL, since commit() brings the log to the medium itself. What is deleted is overwritten: it has keys.
		this.database.exec(
			"PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON",
		);
		// Session IDs are random, so a batch touches pages all over the file: 64 MB each of pages and of log.
		this.database.exec("PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 16384");
		this.put = this.database.prepare("INSERT OR REPLACE INTO session (session_id, batch, packed) VALUES (?, ?, ?)");
		this.remove = this.database.prepare("DELETE FROM session WHERE session_id = ?");
		this.journal = this.database.prepare("INSERT OR REPLACE INTO uplink_counts (batch, counts) VALUES (?, ?)");
		this.forget = this.database.prepare("DELETE FROM uplink_counts WHERE batch < ?");
	}

	async commit({ number, puts, removals, counts, forgetBelow }: SessionBatch): Promise<void> {
		this.database.exec("BEGIN IMMEDIATE");
		try {
			for (const { sessionId, octets } of puts) this.put.run([sessionId, number, blob(octets)]);
			for (const sessionId of removals) this.remove.run([sessionId]);
			if (counts.length > 0) this.journal.run([number, blob(counts)]);
			if (forgetBelow > 0) this.forget.run([forgetBelow]);
			this.database.exec("COMMIT");
		} catch (error) {
			this.database.exec("ROLLBACK");
			throw error;
		}
		await this.flush();
	}

	async flush(): Promise<void> {
		// The log exists from the first write on and is the same file until the database is closed.
		this.log ??= await open(`${this.path}-wal`, "r+");
		await this.log.datasync();
	}

	/** @throws DatabaseError where the file has something that this program cannot have written here */
	async load(into: Restorer): Promise<void> {
		const rows = (sql: string) => this.database.prepare(sql).iterate([]) as Iterable<Row>;
		try {
			for (const { batch, packed } of rows("SELECT batch, packed FROM session")) into.session(batch, octetsOf(packed));
			for (const { batch, counts } of rows("SELECT batch, counts FROM uplink_counts ORDER BY batch"))
				into.counts(batch, octetsOf(counts));
		} catch (error) {
			throw new DatabaseError(
				`The sessions in the database ${this.path} cannot be read (${error instanceof Error ? error.message : error}): it was left as it is; restore it from a copy, or delete its sessions.`,
			);
		}
	}

	close(): void {
		this.log?.close().catch(() => {});
		this.database.close();
		this.lock.close();
	}
}
