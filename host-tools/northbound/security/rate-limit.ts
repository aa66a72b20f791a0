/** How many in a second, and how many at once. */
export interface Rate {
	readonly perSecond: number;
	readonly burst: number;
}

interface Bucket {
	tokens: number;
	at: number;
}

/** Token buckets by name. Those that are full again are forgotten. */
export class RateLimit {
	private readonly buckets = new Map<string, Bucket>();

	/**
	 * Takes one of the name's tokens.
	 * @param now milliseconds
	 * @returns 0, or after how many seconds there is one again
	 */
	take(name: string, { perSecond, burst }: Rate, now: number): number {
		const bucket = this.buckets.get(name) ?? { tokens: burst, at: now };
		this.buckets.set(name, bucket);
		bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1000) * perSecond);
		bucket.at = now;
		if (bucket.tokens < 1) return Math.ceil((1 - bucket.tokens) / perSecond);
		bucket.tokens--;
		return 0;
	}

	/** Whether a name's bucket is empty, without taking any. */
	isEmpty(name: string, { perSecond }: Rate, now: number): boolean {
		const bucket = this.buckets.get(name);
		return bucket !== undefined && bucket.tokens + ((now - bucket.at) / 1000) * perSecond < 1;
	}

	/** @param age milliseconds after which a name that was not used is forgotten; its bucket must be full by then */
	tidy(now: number, age: number): void {
		for (const [name, { at }] of this.buckets) if (now - at > age) this.buckets.delete(name);
	}
}
