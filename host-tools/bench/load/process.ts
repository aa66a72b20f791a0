import { runEcho } from "./echo-process.js";
import { runFlood } from "./flood-process.js";
import { runHse } from "./hse-process.js";
import type { LoadRole } from "./messages.js";

const ROLES: Readonly<Record<LoadRole, (words: readonly string[]) => unknown>> = {
	hse: ([path, address, creditPort]) => runHse(path, address, Number(creditPort)),
	echo: ([address]) => runEcho(address),
	flood: ([address, port, firstSubscriber]) => runFlood(address, Number(port), Number(firstSubscriber)),
};

/** Runs a process of a load test. */
export function runLoadProcess([role, ...words]: readonly string[]): void {
	ROLES[role as LoadRole](words);
}
