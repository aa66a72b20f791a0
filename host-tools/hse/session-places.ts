import { SlotIndex } from "./slot-index.js";

/**
 * Where each session is in the HSE's SQLite file. Session IDs are random: as keys of a table they would put each new
 * session on a page of its own. Places are numbered in the order of writing, so that new sessions share pages.
 */
export class SessionPlaces {
	private sessionIds = new Uint32Array(64);
	private places = new Float64Array(64);
	private readonly index = new SlotIndex(
		() => 0,
		(slot) => this.sessionIds[slot],
	);
	private slots = 0;
	private readonly free: number[] = [];
	private next = 1;

	/** @returns undefined where the session has none */
	find(sessionId: number): number | undefined {
		const slot = this.index.find(0, sessionId);
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
		const slot = this.free.pop() ?? this.slots++;
		if (slot === this.places.length) this.grow();
		this.sessionIds[slot] = sessionId;
		this.places[slot] = place;
		this.index.add(slot);
		this.next = Math.max(this.next, place + 1);
	}

	/** A session is in the file no longer. */
	remove(sessionId: number): void {
		const slot = this.index.find(0, sessionId);
		if (slot < 0) return;
		this.index.remove(slot);
		this.free.push(slot);
	}

	private grow(): void {
		const { sessionIds, places } = this;
		this.sessionIds = new Uint32Array(2 * sessionIds.length);
		this.sessionIds.set(sessionIds);
		this.places = new Float64Array(2 * places.length);
		this.places.set(places);
	}
}
