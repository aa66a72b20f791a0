import { DatabaseError, HseDatabase } from "./database.js";
import { checkPostgresUrl, isPostgresUrl } from "./postgres/connection.js";
import { PostgresSessionStore } from "./postgres/session-store.js";
import { PostgresSubscribers } from "./postgres/subscribers.js";
import { SqliteSessionStore } from "./session-store.js";
import type { SharedSessionStore } from "./shared-store.js";
import type { SessionStore } from "./store.js";

/** Where an HSE keeps what outlives its process. */
export interface Storage {
	readonly database: HseDatabase | PostgresSubscribers;
	readonly store: SessionStore | SharedSessionStore;
	/** After the server has been closed. */
	end(): Promise<void>;
}

/** @param name a file, or the address of a PostgreSQL. @throws DatabaseError */
export function openStorage(name: string): Promise<Storage> {
	return isPostgresUrl(name) ? openPostgres(name) : openFile(name);
}

async function openFile(path: string): Promise<Storage> {
	const database = new HseDatabase(path);
	try {
		const store = new SqliteSessionStore(path);
		database.leaveSyncToStore();
		return {
			database,
			store,
			end: async () => {
				store.close();
				database.close();
			},
		};
	} catch (error) {
		database.close();
		throw error;
	}
}

/** Subscribers in a PostgreSQL whose tables are up to date. @throws DatabaseError */
export async function openSubscribers(url: string): Promise<PostgresSubscribers> {
	checkPostgresUrl(url);
	const subscribers = new PostgresSubscribers(url);
	try {
		await subscribers.migrate();
		return subscribers;
	} catch (error) {
		await subscribers.end();
		if (error instanceof DatabaseError) throw error;
		throw new DatabaseError(
			`The PostgreSQL of --database cannot be used (${error instanceof Error ? error.message : error}): see that it runs and that PGUSER and PGPASSWORD are right.`,
		);
	}
}

async function openPostgres(url: string): Promise<Storage> {
	const database = await openSubscribers(url);
	const store = new PostgresSessionStore(url);
	await store.begin();
	return {
		database,
		store,
		end: async () => {
			await store.end();
			await database.end();
		},
	};
}
