import { SlotIndex } from "./slot-index.js";

/**
 * Objects by a number, for those that come and go. A Map of V8 makes itself a new table every so often, and the old one
 * keeps all that was in it and refers to the new one. As soon as one of them is in the old generation, everything that
 * passes through the Map outlives it too, until all of the heap is collected: with the sessions that are being agreed,
 * each collection of the young generation took ten times as long. An array forgets what is taken out of it.
 */
export class ShortLived<T extends object> {
	private readonly items: (T | undefined)[] = [];
	private readonly numbers: number[] = [];
	private readonly free: number[] = [];
	private readonly index = new SlotIndex(
		() => 0,
		(slot) => this.numbers[slot],
	);

	get size(): number {
		return this.index.size;
	}

	has(number: number): boolean {
		return this.index.find(0, number) >= 0;
	}

	get(number: number): T | undefined {
		const slot = this.index.find(0, number);
		return slot < 0 ? undefined : this.items[slot];
	}

	set(number: number, item: T): void {
		let slot = this.index.find(0, number);
		if (slot < 0) {
			slot = this.free.pop() ?? this.items.length;
			this.numbers[slot] = number;
			this.index.add(slot);
		}
		this.items[slot] = item;
	}

	delete(number: number): void {
		const slot = this.index.find(0, number);
		if (slot < 0) return;
		this.index.remove(slot);
		this.items[slot] = undefined;
		this.free.push(slot);
	}

	/** All of them, in no order. */
	*values(): Generator<T> {
		for (const item of this.items) if (item !== undefined) yield item;
	}
}
