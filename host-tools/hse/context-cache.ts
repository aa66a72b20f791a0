import type { SecurityContext } from "../../firmware/emsdp/security-context.js";

/**
 * The expanded keys of sessions that are heard often: a bounded number of security contexts by slot. When it is full the
 * hand of a clock goes round and erases the first one that was not used since it last came by.
 */
export class ContextCache {
	private readonly contexts: (SecurityContext | undefined)[] = [];
	private readonly slots: Uint32Array;
	private readonly isUsed: Uint8Array;
	private readonly capacity: number;
	/** Places that were given back. */
	private readonly free: number[] = [];
	private hand = 0;
	/** Told when the context of a slot has been erased to make room. */
	private readonly onEvicted: (slot: number) => void;

	constructor(capacity: number, onEvicted: (slot: number) => void) {
		this.capacity = capacity;
		this.slots = new Uint32Array(capacity);
		this.isUsed = new Uint8Array(capacity);
		this.onEvicted = onEvicted;
	}

	/** The context at a place. */
	use(place: number): SecurityContext {
		this.isUsed[place] = 1;
		return this.contexts[place] as SecurityContext;
	}

	/** Takes over a context. @returns its place */
	add(slot: number, context: SecurityContext): number {
		const place =
			this.free.pop() ?? (this.contexts.length < this.capacity ? this.contexts.push(undefined) - 1 : this.evict());
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

	private evict(): number {
		while (this.isUsed[this.hand] === 1) {
			this.isUsed[this.hand] = 0;
			this.hand = (this.hand + 1) % this.capacity;
		}
		const place = this.hand;
		this.hand = (place + 1) % this.capacity;
		// No place is free where this is called, so each has a context.
		this.contexts[place]?.erase();
		this.onEvicted(this.slots[place]);
		return place;
	}
}
