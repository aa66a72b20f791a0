/** How many in a second, and how many at once. */
export interface Rate {
	readonly perSecond: number;
	readonly burst: number;
}

interface Bucket {
	tokens: number;
	at: number;
	rate: Rate;
}

/** Token buckets by name. Those that are full again are forgotten. */
export class RateLimit {
	private readonly buckets = new Map<string, Bucket>();

	/**
	 * Takes one of the name's tokens.
	 * @param now milliseconds
	 * @returns 0, or after how many seconds there is one again
	 */
	take(name: string, rate: Rate, now: number): number {
		const bucket = this.buckets.get(name) ?? { tokens: rate.burst, at: now, rate };
		this.buckets.set(name, bucket);
		bucket.tokens = tokensOf(bucket, now);
		bucket.at = now;
		bucket.rate = rate;
		if (bucket.tokens < 1) return Math.ceil((1 - bucket.tokens) / rate.perSecond);
		bucket.tokens--;
		return 0;
	}

	/** Forgets the buckets that are full again. */
	tidy(now: number): void {
		for (const [name, bucket] of this.buckets)
			if (tokensOf(bucket, now) >= bucket.rate.burst) this.buckets.delete(name);
	}

	/** How many buckets are not full, or were not when it was tidied. */
	get size(): number {
		return this.buckets.size;
	}
}

function tokensOf({ tokens, at, rate: { perSecond, burst } }: Bucket, now: number): number {
	return Math.min(burst, tokens + ((now - at) / 1000) * perSecond);
}
