import { DatabaseError } from "../database.js";

/** Whether --database names a PostgreSQL and not a file. */
export const isPostgresUrl = (text: string): boolean => /^postgres(ql)?:\/\//.test(text);

/**
 * @throws DatabaseError where the address has a password, which the process list would show
 */
export function checkPostgresUrl(url: string): void {
	// By hand: an address of a local socket has no host, which a URL must have.
	const authority = url.replace(/^[a-z]+:\/\//, "").split("/")[0];
	const at = authority.lastIndexOf("@");
	if (/[?&]password=/.test(url) || (at >= 0 && authority.slice(0, at).includes(":")))
		throw new DatabaseError(
			"The address of the database has a password, which everybody on this machine could read: give it in PGPASSWORD, or in a file named by PGPASSFILE.",
		);
}
