/** Wrong use: one line, exit status 2. */
export class UsageError extends Error {
	override readonly name = "UsageError";
}

/** The thing failed for a reason that a person can mend: one line with the cause and the way out, exit status 1. */
export class Failure extends Error {
	override readonly name = "Failure";
}
