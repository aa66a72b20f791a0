/** A seeded source of octets: xorshift32. Never for anything but tests. */
export class SeededRandom {
	private state: number;

	constructor(seed = 1) {
		this.state = seed | 0 || 1;
	}

	next(): number {
		this.state ^= this.state << 13;
		this.state ^= this.state >>> 17;
		this.state ^= this.state << 5;
		return this.state >>> 0;
	}

	fill(into: Uint8Array): void {
		for (let i = 0; i < into.length; i++) into[i] = this.next() >>> 11;
	}

	octets(length: number): Uint8Array {
		const octets = new Uint8Array(length);
		this.fill(octets);
		return octets;
	}
}
