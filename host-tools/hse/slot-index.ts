/**
 * Finds a slot by a key of two words: a hash table with open addressing and linear probing. It keeps no keys: they are
 * read where the slots are.
 */
export class SlotIndex {
	/** Slot plus one, 0 where the place is free. A power of two. */
	private places = new Uint32Array(64);
	private count = 0;
	private readonly high: (slot: number) => number;
	private readonly low: (slot: number) => number;

	/** @param high the first word of a slot's key. @param low the second */
	constructor(high: (slot: number) => number, low: (slot: number) => number) {
		this.high = high;
		this.low = low;
	}

	get size(): number {
		return this.count;
	}

	/** @returns −1 where there is none */
	find(high: number, low: number): number {
		const { places } = this;
		const mask = places.length - 1;
		for (let at = hash(high, low) & mask; places[at] !== 0; at = (at + 1) & mask) {
			const slot = places[at] - 1;
			if (this.low(slot) === low && this.high(slot) === high) return slot;
		}
		return -1;
	}

	/** Adds a slot whose key is there already, and no other slot has. */
	add(slot: number): void {
		if (4 * (this.count + 1) > 3 * this.places.length) this.grow();
		this.place(slot);
		this.count++;
	}

	/** Takes out a slot whose key is still there. */
	remove(slot: number): void {
		const { places } = this;
		const mask = places.length - 1;
		let free = hash(this.high(slot), this.low(slot)) & mask;
		while (places[free] !== slot + 1) {
			if (places[free] === 0) return;
			free = (free + 1) & mask;
		}
		this.count--;
		// What was pushed behind the place moves up, so that no search ends early (Knuth, The Art of Computer Programming 6.4, R).
		for (let at = (free + 1) & mask; places[at] !== 0; at = (at + 1) & mask) {
			const other = places[at] - 1;
			const home = hash(this.high(other), this.low(other)) & mask;
			if (((at - home) & mask) < ((at - free) & mask)) continue;
			places[free] = places[at];
			free = at;
		}
		places[free] = 0;
	}

	private place(slot: number): void {
		const { places } = this;
		const mask = places.length - 1;
		let at = hash(this.high(slot), this.low(slot)) & mask;
		while (places[at] !== 0) at = (at + 1) & mask;
		places[at] = slot + 1;
	}

	private grow(): void {
		const earlier = this.places;
		this.places = new Uint32Array(2 * earlier.length);
		for (const place of earlier) if (place !== 0) this.place(place - 1);
	}
}

/** The finaliser of MurmurHash3 over both words. Keys are drawn by the HSE or known to the authentication centre. */
function hash(high: number, low: number): number {
	let h = Math.imul(high, 0x9e3779b1) ^ low;
	h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
	h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
	return (h ^ (h >>> 16)) >>> 0;
}
