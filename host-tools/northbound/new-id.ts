import { randomBytes } from "node:crypto";

let last = 0;
let sequence = 0;

/** An identifier of lower-case letters and digits that nobody can guess; later ones sort behind earlier ones. */
export function newId(now: number): string {
	const time = Math.max(last, Math.floor(now));
	sequence = time === last ? sequence + 1 : 0;
	last = time;
	return time.toString(36).padStart(9, "0") + sequence.toString(36).padStart(4, "0") + randomBytes(8).toString("hex");
}
