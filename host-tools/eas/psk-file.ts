import { renameSync, writeFileSync } from "node:fs";
import { sessionIdText, toHex } from "../hex.js";

/**
 * K_EAS_PSKs in the form that servers of TLS and DTLS with pre-shared keys read (GnuTLS: identity, colon, key in hex).
 * The identity is the Session ID in hex, a hyphen and the Key ID. The file is readable by its owner only.
 */
export class PskFile {
	private readonly path: string;
	private readonly lines = new Map<number, string>();

	/** @throws Error of node:fs where it cannot be written */
	constructor(path: string) {
		this.path = path;
		this.write();
	}

	/** Takes the key in use of a session, and erases it. */
	put(sessionId: number, keyId: number, key: Uint8Array): void {
		this.lines.set(sessionId, `${sessionIdText(sessionId)}-${keyId}:${toHex(key)}`);
		key.fill(0);
		this.write();
	}

	remove(sessionId: number): void {
		if (this.lines.delete(sessionId)) this.write();
	}

	private write(): void {
		const text = [...this.lines.values()].map((line) => `${line}\n`).join("");
		// Whoever reads it sees the old file or the new one.
		writeFileSync(`${this.path}.new`, text, { mode: 0o600 });
		renameSync(`${this.path}.new`, this.path);
	}
}
