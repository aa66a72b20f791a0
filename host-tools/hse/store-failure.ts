import { DatabaseError } from "./database.js";

/** Result codes of SQLite, or their beginnings, that tell of the medium or of another process: not of the program. */
const FROM_OUTSIDE = ["SQLITE_BUSY", "SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY"];

/** Whether something failed only because a store cannot be used now: the same may be done later. */
export function isStoreFailure(error: unknown): boolean {
	if (error instanceof DatabaseError) return true;
	const { code } = error as { readonly code?: unknown };
	return typeof code === "string" && FROM_OUTSIDE.some((beginning) => code.startsWith(beginning));
}
