import { randomInt } from "node:crypto";
import type Database from "libsql";
import type { HseDatabase } from "./database.js";

/** Marks are drawn below it: whole numbers that are exact in JavaScript. A database without one counts as marked 0. */
const MARKS = 2 ** 48 - 1;

/** The table of the lock's file. `earlier`: the mark that the database may still have, since it gets the other one now. */
export const LOCK_TABLE = "CREATE TABLE IF NOT EXISTS run (mark INTEGER NOT NULL, earlier INTEGER) STRICT";

interface Known {
	readonly mark: number;
	readonly earlier: number | null;
}

/**
 * Marks a database anew, and its lock, which is another file, with it: an HSE does so when it begins and when it ends.
 * Where the two are not of one mark the database was set back to an older copy, and COUNTs beyond it have been used: its
 * sessions are forgotten (profile section 7).
 * @param forget deletes them: part of the transaction that marks the database
 * @returns whether they were of one mark. A database that no HSE has run on yet, and a lock that has seen none, are
 */
export function renewMark(lock: Database.Database, database: HseDatabase, forget: () => void): boolean {
	const known = lock.prepare("SELECT mark, earlier FROM run").get([]) as Known | undefined;
	const mark = database.runMark;
	const isOne = known === undefined ? mark === 0 : mark === known.mark || mark === known.earlier;
	const next = randomInt(1, MARKS);
	const know = (earlier: number | null) => {
		lock.exec(`BEGIN; DELETE FROM run; INSERT INTO run VALUES (${next}, ${earlier}); COMMIT`);
	};
	// The process may end in between.
	know(isOne ? mark : null);
	database.together(() => {
		if (!isOne) forget();
		database.runMark = next;
	});
	know(null);
	return isOne;
}
