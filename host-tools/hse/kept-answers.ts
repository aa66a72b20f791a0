import { CachedAnswer } from "../../firmware/emsdp/cached-answer.js";
import { LIMITS } from "../../firmware/emsdp/profile.js";

interface Kept {
	readonly answer: CachedAnswer;
	readonly until: number;
}

/**
 * The answers to the last CP request of each session, and the 21 of sessions that are over, for octet-identical
 * repetitions (profile section 2.1). All are kept for the time the profile gives a 21: a request is repeated for less.
 */
export class KeptAnswers {
	/** By Session ID, oldest first. */
	private readonly kept = new Map<number, Kept>();

	has(sessionId: number): boolean {
		return this.kept.has(sessionId);
	}

	get(sessionId: number): Kept | undefined {
		return this.kept.get(sessionId);
	}

	/** Keeps an answer that was kept in a store. */
	restore(now: number, sessionId: number, request: Uint8Array, answer: Uint8Array, until: number): void {
		// The clock may have been another one: nothing is kept for longer, or everything behind it would be.
		this.kept.delete(sessionId);
		this.kept.set(sessionId, {
			answer: new CachedAnswer(request, answer),
			until: Math.min(until, now + LIMITS.keepAnswer),
		});
	}

	/** Keeps copies, instead of the answer before. */
	keep(now: number, sessionId: number, request: Uint8Array, answer: Uint8Array): void {
		// A map keeps the place of a key that it has: the oldest must come first.
		this.kept.delete(sessionId);
		this.kept.set(sessionId, { answer: new CachedAnswer(request, answer), until: now + LIMITS.keepAnswer });
	}

	forget(sessionId: number): void {
		this.kept.delete(sessionId);
	}

	/** When the oldest is forgotten, Infinity where there is none. */
	get earliest(): number {
		for (const { until } of this.kept.values()) return until;
		return Number.POSITIVE_INFINITY;
	}

	handleTimeout(now: number): void {
		for (const [sessionId, { until }] of this.kept) {
			if (until > now) return;
			this.kept.delete(sessionId);
		}
	}
}
