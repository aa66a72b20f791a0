import { closeSync, fdatasyncSync, openSync } from "node:fs";
import { Failure } from "../cli/errors.js";
import { appendLine } from "./append-line.js";

/** What is put on record. Never a key in clear. */
export type AuditEvent =
	| "EAS key given out"
	| "EAS key refused"
	| "authentication failed"
	| "not authorised"
	| "token issued";

/** What is on the medium before anything else happens: not what anybody can bring about at will. */
const DURABLE: readonly AuditEvent[] = ["EAS key given out", "EAS key refused"];

export interface AuditLog {
	/** Written when it returns; on the medium too, where it is about a key. */
	record(event: AuditEvent, fields: Readonly<Record<string, unknown>>): void;
	close(): void;
}

/** A file of JSON lines that is only ever appended to, readable by its owner. */
export class AuditFile implements AuditLog {
	private readonly file: number;
	private readonly now: () => number;

	/** @throws Failure */
	constructor(path: string, now: () => number) {
		this.now = now;
		try {
			this.file = openSync(path, "a", 0o600);
		} catch (error) {
			throw new Failure(
				`The audit log ${path} cannot be opened (${(error as NodeJS.ErrnoException).code}): name another file with --audit-log, or mend its rights.`,
			);
		}
	}

	record(event: AuditEvent, fields: Readonly<Record<string, unknown>>): void {
		appendLine(this.file, JSON.stringify({ time: new Date(this.now()).toISOString(), event, ...fields }));
		if (DURABLE.includes(event)) fdatasyncSync(this.file);
	}

	close(): void {
		closeSync(this.file);
	}
}
