import { writeUint32 } from "../../firmware/emsdp/octets.js";
import type { SessionBatch } from "./store.js";

/** Octets of an entry of {@link SessionBatch.counts}. */
export const COUNT_OCTETS = 8;
/** Octets of counts after which their sessions are put, so that the counts can be forgotten: 4 million uplinks. */
const MOST_COUNTS = 32 * 1024 * 1024;
/** Slots that a batch looks at, at the least, while the counts are folded into puts. */
const LEAST_SLOTS = 64;
const SLOTS_AT_THE_END = 16_384;

/** What the writes need of the sessions. */
export interface WriteSource {
	/** Slots of the table, those that are free as well. */
	readonly slotCount: number;
	/** The Session ID at a slot, 0 where it is free. */
	sessionIdAt(slot: number): number;
	/** A session packed for the store, undefined where it is over or need not be stored yet. */
	packed(sessionId: number): Uint8Array | undefined;
}

/**
 * What has changed since the last batch. The COUNT of an uplink is a short entry of a journal, since most messages
 * change nothing else; when the journal is long, the sessions it is about are put, some in each batch.
 */
export class Writes {
	private readonly source: WriteSource;
	private readonly mostCounts: number;
	private readonly changed = new Set<number>();
	private readonly releases = new Map<number, Uint8Array>();
	private confirmations: number[] = [];
	/** Session IDs that the batch taken last is about, until it is durable. */
	private writing: ReadonlySet<number> = new Set();
	private counts = new Uint8Array(1024 * COUNT_OCTETS);
	private countsLength = 0;
	/** By slot: the journal's half that has counts of its session, 1 or 2; 0 where neither has. */
	private halves = new Uint8Array(4096);
	private half = 1;
	/** Octets of the half that grows. */
	private journal = 0;
	/** The slot from which on the other half is to be folded, −1 where it is empty. */
	private foldFrom = -1;
	/** Number of the first batch of the half that grows. */
	private halfBegins = 0;
	private nextNumber = 1;

	/** @param mostCounts octets of counts after which their sessions are put */
	constructor(source: WriteSource, mostCounts = MOST_COUNTS) {
		this.source = source;
		this.mostCounts = mostCounts;
	}

	/** A session has changed, is new or over. */
	mark(sessionId: number): void {
		this.changed.add(sessionId);
	}

	/** A session is given up: the batch after this hands it on. */
	release(sessionId: number, octets: Uint8Array): void {
		this.changed.delete(sessionId);
		this.releases.set(sessionId, octets);
	}

	/** A session has been confirmed. */
	confirm(sessionId: number): void {
		this.confirmations.push(sessionId);
	}

	/** Whether something about a session is not durable yet, COUNTs left aside. */
	isPending(sessionId: number): boolean {
		return this.changed.has(sessionId) || this.releases.has(sessionId) || this.writing.has(sessionId);
	}

	/** The batch taken last is durable. */
	written(): void {
		this.writing = new Set();
	}

	/** Number of the batch that was taken last. */
	get lastNumber(): number {
		return this.nextNumber - 1;
	}

	/** A session at rest has accepted a UP message. */
	received(slot: number, sessionId: number, count: number): void {
		if (this.countsLength === this.counts.length) {
			const longer = new Uint8Array(2 * this.counts.length);
			longer.set(this.counts);
			this.counts = longer;
		}
		if (this.halves[slot] === 3 - this.half) {
			// The other half is being folded: a put holds this COUNT and those that are in it.
			this.halves[slot] = 0;
			this.mark(sessionId);
			return;
		}
		writeUint32(this.counts, this.countsLength, sessionId);
		writeUint32(this.counts, this.countsLength + 4, count);
		this.countsLength += COUNT_OCTETS;
		this.note(slot);
	}

	/** A batch was written before this process began. @param octets of its counts that are still there */
	restored(number: number, octets: number): void {
		this.nextNumber = Math.max(this.nextNumber, number + 1);
		this.journal += octets;
	}

	/** The journal has counts of the session at a slot. */
	note(slot: number): void {
		if (slot >= this.halves.length) {
			const longer = new Uint8Array(Math.max(2 * this.halves.length, slot + 1));
			longer.set(this.halves);
			this.halves = longer;
		}
		this.halves[slot] = this.half;
	}

	/** The session at a slot goes elsewhere. Where the journal has counts of it, it is put, since they can be forgotten soon. */
	leave(slot: number, sessionId: number): void {
		if (slot >= this.halves.length || this.halves[slot] === 0) return;
		this.halves[slot] = 0;
		this.mark(sessionId);
	}

	/**
	 * The next batch, undefined where there is nothing to write.
	 * @param isLast folds the whole journal: called again until nothing is left
	 */
	take(isLast: boolean): SessionBatch | undefined {
		const number = this.nextNumber;
		const entries = this.countsLength / COUNT_OCTETS;
		const hasNews = this.changed.size > 0 || this.releases.size > 0 || entries > 0;
		if (!hasNews && !isLast) return undefined;
		if (this.foldFrom < 0 && (isLast ? this.journal + this.countsLength > 0 : this.journal >= this.mostCounts))
			this.turnOver(number);
		if (!hasNews && this.foldFrom < 0) return undefined;
		const counts = this.counts.slice(0, this.countsLength);
		this.journal += this.countsLength;
		this.countsLength = 0;
		let forgetBelow = 0;
		if (this.foldFrom >= 0) forgetBelow = this.fold(isLast ? SLOTS_AT_THE_END : this.pace(entries));
		const puts: { sessionId: number; octets: Uint8Array }[] = [];
		const removals: number[] = [];
		for (const sessionId of this.changed) {
			const octets = this.source.packed(sessionId);
			if (octets === undefined) removals.push(sessionId);
			else puts.push({ sessionId, octets });
		}
		const releases = Array.from(this.releases, ([sessionId, octets]) => ({ sessionId, octets }));
		const { confirmations } = this;
		this.writing = new Set([...this.changed, ...this.releases.keys()]);
		this.changed.clear();
		this.releases.clear();
		this.confirmations = [];
		this.nextNumber++;
		return { number, puts, removals, counts, releases, confirmations, forgetBelow };
	}

	/** From now on counts go to the other half, and the sessions of this one are put. */
	private turnOver(number: number): void {
		this.half = 3 - this.half;
		this.journal = -this.countsLength;
		this.foldFrom = 0;
		// The counts of this batch were noted before; those of the next are the first of the new half.
		this.halfBegins = number + 1;
	}

	/** Slots to look at so that one half is folded before the other is full. */
	private pace(entries: number): number {
		return LEAST_SLOTS + Math.ceil((2 * entries * COUNT_OCTETS * this.source.slotCount) / this.mostCounts);
	}

	/** Marks the sessions of the finished half at some slots. @returns {@link SessionBatch.forgetBelow} */
	private fold(slots: number): number {
		const end = Math.min(this.foldFrom + slots, this.halves.length, this.source.slotCount);
		for (let slot = this.foldFrom; slot < end; slot++) {
			if (this.halves[slot] !== 3 - this.half) continue;
			this.halves[slot] = 0;
			const sessionId = this.source.sessionIdAt(slot);
			if (sessionId !== 0) this.changed.add(sessionId);
		}
		this.foldFrom = end;
		if (end < Math.min(this.halves.length, this.source.slotCount)) return 0;
		this.foldFrom = -1;
		return this.halfBegins;
	}
}
