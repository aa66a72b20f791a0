import { HseDatabase } from "./database.js";
import type { HomeNetworkKeys } from "./home-network-key.js";
import { asDatabaseError } from "./postgres/connection.js";
import { PostgresSessionStore } from "./postgres/session-store.js";
import { PostgresSubscribers } from "./postgres/subscribers.js";
import { checkPostgresUrl, isPostgresUrl } from "./postgres/url.js";
import { SqliteSessionStore } from "./session-store.js";
import type { SharedSessionStore } from "./shared-store.js";
import type { SessionStore } from "./store.js";
import type { SubscriberDatabase } from "./subscriber-database.js";
import type { VectorSource } from "./vector-source.js";

/** Where an HSE keeps what outlives its process. */
export interface Storage {
	readonly database: HseDatabase | PostgresSubscribers;
	readonly store: SessionStore | SharedSessionStore;
	/** An authentication centre that is not in the server's thread; undefined: the server makes one of the database. */
	readonly centre?: VectorSource;
	/** Whether the database was an older copy, so that its sessions have been forgotten. */
	readonly wasSetBack?: boolean;
	/** After the server has been closed. */
	close(): Promise<void>;
}

/** @param name a file, or the address of a PostgreSQL. @throws DatabaseError */
export function openStorage(name: string, homeNetworkKeys?: HomeNetworkKeys): Promise<Storage> {
	return isPostgresUrl(name) ? openPostgres(name) : openFile(name, homeNetworkKeys);
}

async function openFile(path: string, homeNetworkKeys?: HomeNetworkKeys): Promise<Storage> {
	const database = new HseDatabase(path);
	try {
		const store = new SqliteSessionStore(path, homeNetworkKeys);
		database.leaveLog();
		return {
			database,
			store,
			centre: store.centre,
			wasSetBack: store.wasSetBack,
			close: async () => {
				await store.close();
				database.close();
			},
		};
	} catch (error) {
		database.close();
		throw error;
	}
}

/** Subscribers alone, in a file or in a PostgreSQL. @throws DatabaseError */
export async function openSubscribers(name: string): Promise<SubscriberDatabase> {
	return isPostgresUrl(name) ? openPostgresSubscribers(name) : new HseDatabase(name);
}

/** The tables are brought up to date. @throws DatabaseError */
async function openPostgresSubscribers(url: string): Promise<PostgresSubscribers> {
	checkPostgresUrl(url);
	const subscribers = new PostgresSubscribers(url);
	try {
		await subscribers.migrate();
		return subscribers;
	} catch (error) {
		await subscribers.close();
		throw error;
	}
}

async function openPostgres(url: string): Promise<Storage> {
	const database = await openPostgresSubscribers(url);
	const store = new PostgresSessionStore(url);
	const close = async () => {
		await store.close();
		await database.close();
	};
	try {
		await store.begin();
	} catch (error) {
		await close();
		throw asDatabaseError(error);
	}
	return { database, store, close };
}
