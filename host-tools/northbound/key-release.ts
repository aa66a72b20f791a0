import { CompactEncrypt, importSPKI } from "jose";
import { Problem } from "./problem.js";
import { base64Of } from "./schemas.js";
import type { AuditLog } from "./security/audit.js";
import type { UeEntry } from "./ue-directory.js";

/** Which key is asked for, and by whom. */
export interface KeyQuestion {
	readonly applicationServer: string;
	readonly sessionId: string;
	readonly keyId: number;
	readonly easId: string;
}

/** Encrypts a key for the escrow agent. @returns a compact JWE */
export type Escrow = (key: Uint8Array, question: KeyQuestion & { readonly externalId: string }) => Promise<string>;

/**
 * Decides by the policy of the UE whether K_EAS_PSK goes out. The liaison statement notes that lawful interception may
 * govern its use: `escrow` is for where it does. A record is durable before the key leaves.
 */
export class KeyRelease {
	private readonly audit: AuditLog;
	private readonly escrow: Escrow | undefined;

	/** @param escrow undefined: there is no escrow agent, and where the policy asks for one no key goes out */
	constructor(audit: AuditLog, escrow: Escrow | undefined) {
		this.audit = audit;
		this.escrow = escrow;
	}

	/** Returns where the key may go out. @throws Problem 403 */
	async release({ externalId, keyPolicy }: UeEntry, question: KeyQuestion, key: Uint8Array): Promise<void> {
		const record = { ...question, externalId, policy: keyPolicy };
		const refuse = (cause: string, detail: string): never => {
			this.audit.record("EAS key refused", { ...record, cause });
			throw new Problem(403, cause, detail);
		};
		if (keyPolicy === "deny") refuse("KEY_POLICY_DENIES", "The policy of this UE gives its EAS key to nobody.");
		if (keyPolicy === "escrow") {
			if (this.escrow === undefined)
				refuse("ESCROW_NOT_AVAILABLE", "The policy of this UE asks for an escrow agent, and there is none.");
			else
				this.audit.record("EAS key in escrow", { ...record, jwe: await this.escrow(key, { ...question, externalId }) });
		}
		this.audit.record("EAS key given out", record);
	}
}

/** An escrow agent that has a public key. @param spki PEM of a P-256 key */
export async function escrowFor(spki: string): Promise<Escrow> {
	const publicKey = await importSPKI(spki, "ECDH-ES+A256KW");
	return (key, question) => {
		const text = JSON.stringify({ ...question, key: base64Of(key) });
		return new CompactEncrypt(new TextEncoder().encode(text))
			.setProtectedHeader({ alg: "ECDH-ES+A256KW", enc: "A256GCM" })
			.encrypt(publicKey);
	};
}
