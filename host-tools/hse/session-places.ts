import { NumberedSlots } from "./numbered-slots.js";

/**
 * Where each session is in the HSE's SQLite file. Session IDs are random: as keys of a table they would put each new
 * session on a page of its own. Places are numbered in the order of writing, so that new sessions share pages.
 */
export class SessionPlaces {
	private readonly places: number[] = [];
	private readonly slots = new NumberedSlots();
	private next = 1;

	/** @returns undefined where the session has none */
	find(sessionId: number): number | undefined {
		const slot = this.slots.find(sessionId);
		return slot < 0 ? undefined : this.places[slot];
	}

	/** The place of a session, from now on where it had none. */
	take(sessionId: number): number {
		const known = this.find(sessionId);
		if (known !== undefined) return known;
		const place = this.next;
		this.add(sessionId, place);
		return place;
	}

	/** Adds a session that has none, with its place in the file. */
	add(sessionId: number, place: number): void {
		this.places[this.slots.add(sessionId)] = place;
		this.next = Math.max(this.next, place + 1);
	}

	/** A session is in the file no longer. */
	remove(sessionId: number): void {
		this.slots.remove(sessionId);
	}
}
