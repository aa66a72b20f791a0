import { sessionIdText } from "../hex.js";
import type { AuditLog } from "../hse/audit.js";
import type { Escrow } from "../hse/escrow-file.js";
import { type EasKeyPolicy, stricterOf } from "../hse/policy.js";
import type { Awaitable } from "../hse/subscriber-database.js";
import { Problem } from "./problem.js";
import type { UeEntry } from "./ue-directory.js";

/** Which key is asked for, and by whom. */
export interface KeyQuestion {
	readonly applicationServer: string;
	readonly sessionId: number;
	readonly keyId: number;
	readonly easId: string;
}

export interface KeyReleaseOptions {
	readonly audit: AuditLog;
	/** undefined: there is no escrow, and where the policy asks for one no key goes out. */
	readonly escrow?: Escrow | undefined;
	/** What the HSE's database says of a subscriber, undefined where it says nothing. */
	subscriberPolicy?(imsi: string): Awaitable<EasKeyPolicy | undefined>;
}

/**
 * Decides whether K_EAS_PSK goes out, by the policy of the UE and that of the subscriber, the stricter one. The liaison
 * statement notes that lawful interception may govern its use: `escrow` is for where it does. A record is durable before
 * the key leaves.
 */
export class KeyRelease {
	private readonly options: KeyReleaseOptions;

	constructor(options: KeyReleaseOptions) {
		this.options = options;
	}

	/** Returns where the key may go out. @throws Problem 403 */
	async release({ imsi, externalId, keyPolicy }: UeEntry, question: KeyQuestion, key: Uint8Array): Promise<void> {
		const { audit, escrow } = this.options;
		const policy = stricterOf(keyPolicy, (await this.options.subscriberPolicy?.(imsi)) ?? "allow");
		const sessionId = sessionIdText(question.sessionId);
		const record = { ...question, sessionId, externalId, policy };
		const refuse = (cause: string, detail: string): never => {
			audit.record("EAS key refused", { ...record, cause });
			throw new Problem(403, cause, detail);
		};
		if (policy === "deny") refuse("KEY_POLICY_DENIES", "The policy of this UE gives its EAS key to nobody.");
		if (policy === "escrow") {
			if (escrow === undefined)
				refuse("ESCROW_NOT_AVAILABLE", "The policy of this UE asks for an escrow, and there is none.");
			else escrow.put({ ...question, imsi, key });
		}
		audit.record("EAS key given out", record);
	}
}
