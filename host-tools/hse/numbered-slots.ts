import { SlotIndex } from "./slot-index.js";

/** Slots by a number, such as a Session ID: one that was given back is the next to be given. */
export class NumberedSlots {
	private readonly numbers: number[] = [];
	private readonly free: number[] = [];
	private readonly index = new SlotIndex(
		() => 0,
		(slot) => this.numbers[slot],
	);

	get size(): number {
		return this.index.size;
	}

	/** @returns −1 where there is none */
	find(number: number): number {
		return this.index.find(0, number);
	}

	/** @param number that has no slot @returns its slot from now on */
	add(number: number): number {
		const slot = this.free.pop() ?? this.numbers.length;
		this.numbers[slot] = number;
		this.index.add(slot);
		return slot;
	}

	/** @returns the slot that a number had, −1 where it had none */
	remove(number: number): number {
		const slot = this.find(number);
		if (slot < 0) return slot;
		this.index.remove(slot);
		this.free.push(slot);
		return slot;
	}
}
