import { FailureLimit } from "../../firmware/emsdp/failure-limit.js";

/**
 * Sessions whose failures are counted; the oldest gives way to the next. Somebody who makes failures on more sessions
 * than these spends more datagrams on the others than the limit would have stopped on one.
 */
const MOST_SESSIONS = 65_536;

/** The failed verifications of the sessions that had any (profile section 6, 9). */
export class FailureLimits {
	private readonly limits = new Map<number, FailureLimit>();

	/** @returns undefined where nothing has failed */
	get(sessionId: number): FailureLimit | undefined {
		return this.limits.size === 0 ? undefined : this.limits.get(sessionId);
	}

	/** A MAC was wrong. */
	failed(now: number, sessionId: number, source: string): void {
		let limit = this.limits.get(sessionId);
		if (limit === undefined) {
			if (this.limits.size >= MOST_SESSIONS)
				for (const oldest of this.limits.keys()) {
					this.limits.delete(oldest);
					break;
				}
			limit = new FailureLimit();
			this.limits.set(sessionId, limit);
		}
		limit.failed(now, source);
	}

	/** Goes on with what was counted. */
	keep(sessionId: number, limit: FailureLimit): void {
		this.limits.set(sessionId, limit);
	}

	forget(sessionId: number): void {
		this.limits.delete(sessionId);
	}
}
