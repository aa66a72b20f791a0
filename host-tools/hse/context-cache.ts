import type { SecurityContext } from "../../firmware/emsdp/security-context.js";

/**
 * The expanded keys of sessions that are heard often: a bounded number of security contexts by slot. When it is full the
 * hand of a clock goes round and evicts the first one that was not used since it last came by.
 */
export class ContextCache {
	private readonly contexts: (SecurityContext | undefined)[] = [];
	private readonly slots: Uint32Array;
	private readonly isUsed: Uint8Array;
	private readonly capacity: number;
	/** Places that were given back. */
	private readonly free: number[] = [];
	private hand = 0;

	constructor(capacity: number) {
		this.capacity = capacity;
		this.slots = new Uint32Array(capacity);
		this.isUsed = new Uint8Array(capacity);
	}

	/** Whether there is a place for one more. */
	get hasRoom(): boolean {
		return this.free.length > 0 || this.contexts.length < this.capacity;
	}

	/** The context at a place. */
	use(place: number): SecurityContext {
		this.isUsed[place] = 1;
		return this.contexts[place] as SecurityContext;
	}

	/** Takes over a context; there must be room. @returns its place */
	add(slot: number, context: SecurityContext): number {
		const place = this.free.pop() ?? this.contexts.push(undefined) - 1;
		this.contexts[place] = context;
		this.slots[place] = slot;
		return place;
	}

	/** Hands back a context, which the caller erases or goes on with. */
	remove(place: number): SecurityContext {
		const context = this.contexts[place] as SecurityContext;
		this.contexts[place] = undefined;
		this.isUsed[place] = 0;
		this.free.push(place);
		return context;
	}

	/** The place to be given up next. */
	oldest(): number {
		for (;;) {
			const place = this.hand;
			this.hand = (place + 1) % this.contexts.length;
			if (this.contexts[place] !== undefined && this.isUsed[place] === 0) return place;
			this.isUsed[place] = 0;
		}
	}

	/** The slot whose context is at a place. */
	slotOf(place: number): number {
		return this.slots[place];
	}

	/** Gives the context at a place, as it is, to another slot. */
	reassign(place: number, slot: number): SecurityContext {
		this.slots[place] = slot;
		return this.contexts[place] as SecurityContext;
	}
}
