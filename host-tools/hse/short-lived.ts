import { NumberedSlots } from "./numbered-slots.js";

/**
 * Objects by a number, for those that come and go. A Map of V8 makes itself a new table every so often, and the old one
 * keeps all that was in it and refers to the new one. As soon as one of them is in the old generation, everything that
 * passes through the Map outlives it too, until all of the heap is collected: with the sessions that are being agreed,
 * each collection of the young generation took ten times as long. An array forgets what is taken out of it.
 */
export class ShortLived<T extends object> {
	private readonly items: (T | undefined)[] = [];
	private readonly slots = new NumberedSlots();

	get size(): number {
		return this.slots.size;
	}

	has(number: number): boolean {
		return this.slots.find(number) >= 0;
	}

	get(number: number): T | undefined {
		const slot = this.slots.find(number);
		return slot < 0 ? undefined : this.items[slot];
	}

	set(number: number, item: T): void {
		const slot = this.slots.find(number);
		this.items[slot < 0 ? this.slots.add(number) : slot] = item;
	}

	delete(number: number): void {
		const slot = this.slots.remove(number);
		if (slot >= 0) this.items[slot] = undefined;
	}

	/** All of them, in no order. */
	*values(): Generator<T> {
		for (const item of this.items) if (item !== undefined) yield item;
	}
}
