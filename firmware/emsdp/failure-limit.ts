import { LIMITS } from "./profile.js";

const HOUR = 3_600_000;
/** Sources that a session remembers; the oldest gives way to the next. */
const MOST_SOURCES = 64;

interface Source {
	/** MAC failures in a row. */
	failures: number;
	blockedUntil: number;
	/** Milliseconds of the next block. */
	block: number;
}

/**
 * How many forged messages a receiver looks at (profile section 6, 9): a source is dropped for a while after failures in
 * a row, and over all sources together a session spends so many failed verifications in an hour.
 */
export class FailureLimit {
	private readonly sources = new Map<string, Source>();
	private hourEnds = 0;
	private failuresOfHour = 0;

	/**
	 * Whether a datagram is dropped without a look.
	 * @param isNewest whether it comes from the source of the newest valid message
	 */
	isBlocked(now: number, source: string, isNewest: boolean): boolean {
		if (now < (this.sources.get(source)?.blockedUntil ?? 0)) return true;
		return !isNewest && now < this.hourEnds && this.failuresOfHour >= LIMITS.failedVerificationsPerHour;
	}

	/** A MAC was wrong. */
	failed(now: number, source: string): void {
		if (now >= this.hourEnds) {
			this.hourEnds = now + HOUR;
			this.failuresOfHour = 0;
		}
		this.failuresOfHour++;
		let entry = this.sources.get(source);
		if (entry === undefined) {
			if (this.sources.size >= MOST_SOURCES)
				for (const oldest of this.sources.keys()) {
					this.sources.delete(oldest);
					break;
				}
			entry = { failures: 0, blockedUntil: 0, block: LIMITS.firstBlock };
			this.sources.set(source, entry);
		}
		entry.failures++;
		// After a block one more failure starts the next, longer one.
		if (entry.failures < LIMITS.macFailures) return;
		entry.blockedUntil = now + entry.block;
		entry.block = Math.min(2 * entry.block, LIMITS.longestBlock);
	}

	/** A good message ends the count of its source. */
	succeeded(source: string): void {
		this.sources.delete(source);
	}
}
