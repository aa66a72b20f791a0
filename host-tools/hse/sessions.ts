import { hasAlgorithms } from "../../firmware/emsdp/algorithms.js";
import { decodeImsi } from "../../firmware/emsdp/imsi.js";
import { readUint32 } from "../../firmware/emsdp/octets.js";
import type { SecurityContext } from "../../firmware/emsdp/security-context.js";
import type { Kernel } from "../../firmware/kernels/kernel.js";
import { ContextCache } from "./context-cache.js";
import { Deadlines } from "./deadlines.js";
import { expand, reexpand } from "./hse-keys.js";
import type { Parts } from "./parts.js";
import { HseSession, type SessionSurroundings } from "./session.js";
import { SessionRecord, WORD } from "./session-record.js";
import { SessionTable } from "./session-table.js";
import { ShortLived } from "./short-lived.js";
import type { Restorer, SessionBatch } from "./store.js";
import { acceptBefore, decodeStored, encodeStored, imsiOfStored, isConfirmedStored } from "./stored-session.js";
import { COUNT_OCTETS, type WriteSource, Writes } from "./writes.js";

/**
 * Sessions whose expanded keys are kept: as many as a processor's cache of the second level has room for. Expanding costs less
 * than fetching what was expanded from memory: with 16,384 a million sessions heard at random are served 0.7 times as fast
 * (and 10,000 in turn 1.5 times).
 */
const HOT_SESSIONS = 256;
const NO_PARTS: Parts = new Map();
/** Octets of counts where others fold them when this process ends: 32,768 uplinks. */
const MOST_SHARED_COUNTS = 256 * 1024;

/**
 * All sessions of an HSE. One at rest is a record of the table; while something is going on it is an object, and the
 * record is gone: a session is in exactly one of the two forms.
 */
export class Sessions implements WriteSource {
	readonly table = new SessionTable();
	private readonly kernel: Kernel;
	private readonly surroundings: SessionSurroundings;
	private readonly contexts: ContextCache;
	private readonly awake = new ShortLived<HseSession>();
	/** Session IDs of those that are confirmed, by IMSI. */
	private readonly awakeByImsi = new Map<string, number>();
	private readonly deadlines = new Deadlines((sessionId) => this.dueAt(sessionId));
	/** Where a session is packed on its way into the table. */
	private readonly scratch = new SessionRecord();

	/** Undefined where nothing is stored. */
	private readonly writes: Writes | undefined;

	/** Whether other processes share the store: then unconfirmed sessions are stored as well, since any may get the 12. */
	private readonly isShared: boolean;

	constructor(surroundings: SessionSurroundings, durable: boolean, isShared: boolean, hotSessions = HOT_SESSIONS) {
		this.writes = durable ? new Writes(this, isShared ? MOST_SHARED_COUNTS : undefined) : undefined;
		this.isShared = isShared;
		this.kernel = surroundings.kernel;
		this.surroundings = surroundings;
		this.contexts = new ContextCache(hotSessions);
	}

	get size(): number {
		return this.table.size + this.awake.size;
	}

	/** When the first session is due, Infinity where none is. */
	get earliest(): number {
		return this.deadlines.earliest();
	}

	/** The session that is due at {@link earliest}. */
	takeDue(): HseSession | undefined {
		return this.get(this.deadlines.take());
	}

	has(sessionId: number): boolean {
		return this.awake.has(sessionId) || this.table.find(sessionId) >= 0;
	}

	/** A session as an object. Whoever asks calls {@link settle} afterwards, so that it can go back to rest. */
	get(sessionId: number): HseSession | undefined {
		const session = this.awake.get(sessionId);
		if (session !== undefined) return session;
		const slot = this.table.find(sessionId);
		return slot < 0 ? undefined : this.wake(slot);
	}

	/** The Session ID of the confirmed session of a UE. @param imsi digits */
	ofImsi(imsi: string): number | undefined {
		const sessionId = this.awakeByImsi.get(imsi);
		if (sessionId !== undefined) return sessionId;
		const slot = this.table.findImsi(imsi);
		return slot < 0 ? undefined : this.table.at(slot).sessionId;
	}

	/** IMSIs of UEs that have a confirmed session: as many as are asked for, or all. */
	imsis(most: number): string[] {
		const imsis = [...this.awakeByImsi.keys()].slice(0, most);
		for (const slot of this.table.slots()) {
			if (imsis.length >= most) break;
			imsis.push(decodeImsi(this.table.at(slot).imsi) ?? "");
		}
		return imsis;
	}

	/** Whether the newest valid message of a session came from a source. */
	hasAddress(sessionId: number, source: string): boolean {
		const slot = this.table.find(sessionId);
		return slot < 0 ? this.awake.get(sessionId)?.address === source : this.table.hasAddress(slot, source);
	}

	add(session: HseSession): void {
		this.awake.set(session.sessionId, session);
		if (session.state === "unconfirmed") return;
		this.awakeByImsi.set(session.identity.imsi, session.sessionId);
		this.writes?.mark(session.sessionId);
	}

	/** A session at rest has accepted a UP message, and nothing else in it has changed. */
	received(slot: number, sessionId: number, count: number): void {
		this.writes?.received(slot, sessionId, count);
	}

	/** A session has been confirmed: the one of its UE from now on. */
	confirm(session: HseSession): void {
		this.awakeByImsi.set(session.identity.imsi, session.sessionId);
		this.writes?.confirm(session.sessionId);
	}

	/** The Session ID of the session of a UE that gives way to one that the store holds as confirmed. */
	earlierThan(octets: Uint8Array): number | undefined {
		return isConfirmedStored(octets) ? this.ofImsi(decodeImsi(imsiOfStored(octets)) ?? "") : undefined;
	}

	/** Takes up a session that this process owns from now on. */
	takeUp(now: number, octets: Uint8Array): void {
		this.restore(now, octets);
	}

	/** Hands a session on: the next batch gives it up. @param octets of {@link packed}, which was asked before the session was erased */
	release(sessionId: number, octets: Uint8Array): void {
		this.writes?.release(sessionId, octets);
	}

	/** Whether something about a session is not durable yet. */
	isPending(sessionId: number): boolean {
		return this.writes?.isPending(sessionId) === true;
	}

	batchWritten(): void {
		this.writes?.written();
	}

	get lastBatch(): number {
		return this.writes?.lastNumber ?? 0;
	}

	/** The expanded keys of a session at rest. Its COUNTs are in its record. */
	contextAt(slot: number): SecurityContext {
		const { table, contexts } = this;
		const place = table.at(slot).get(WORD.context);
		if (place !== 0) return contexts.use(place - 1);
		if (!contexts.hasRoom) {
			// The one that has to go gives its memory: a fleet whose sessions are all cold makes no garbage either.
			const oldest = contexts.oldest();
			const evicted = contexts.slotOf(oldest);
			table.setContext(evicted, 0);
			if (table.isAlike(evicted, slot)) {
				const context = contexts.reassign(oldest, slot);
				reexpand(context, table.at(slot));
				table.setContext(slot, oldest + 1);
				return context;
			}
			contexts.remove(oldest).erase();
		}
		const { parameters, trafficKeys } = this.table.at(slot);
		const context = expand(this.kernel, parameters, trafficKeys);
		this.keepContext(slot, context);
		return context;
	}

	/**
	 * Files a session by its state: gone, at rest, or awake and due at some time.
	 * @param hasChanged false where the input came to nothing, so that there is nothing to store
	 */
	settle(session: HseSession, hasChanged = true): void {
		const { sessionId, state } = session;
		if (this.awake.get(sessionId) !== session) return;
		const { dueAt } = session;
		// An unconfirmed session is not stored: its keys have protected nothing but an 11 that can be had again.
		if (hasChanged && (state !== "unconfirmed" || this.isShared)) this.writes?.mark(sessionId);
		if (state === "over") this.remove(sessionId);
		else if (session.isAtRest) this.rest(session);
		if (state === "over" || dueAt === session.watchedAt) return;
		session.watchedAt = dueAt;
		if (dueAt < Number.POSITIVE_INFINITY) this.deadlines.add(dueAt, sessionId);
	}

	/** Takes a session out and erases its keys. */
	remove(sessionId: number): void {
		const session = this.awake.get(sessionId);
		if (session === undefined) {
			const slot = this.table.find(sessionId);
			if (slot < 0) return;
			this.takeContext(slot)?.erase();
			this.table.remove(slot);
			this.writes?.leave(slot, sessionId);
			this.writes?.mark(sessionId);
			return;
		}
		if (session.state !== "over") session.erase();
		this.leave(session);
	}

	/** Erases all keys. */
	erase(): void {
		for (const { sessionId } of [...this.awake.values()]) this.remove(sessionId);
		for (const slot of this.table.slots()) this.remove(this.table.at(slot).sessionId);
	}

	takeBatch(isLast: boolean): SessionBatch | undefined {
		return this.writes?.take(isLast);
	}

	get slotCount(): number {
		return this.table.slotCount;
	}

	sessionIdAt(slot: number): number {
		return this.table.at(slot).sessionId;
	}

	/** A session as it is stored; undefined where it is over or not confirmed yet. */
	packed(sessionId: number): Uint8Array | undefined {
		const { answers } = this.surroundings;
		const session = this.awake.get(sessionId);
		if (session === undefined) {
			const slot = this.table.find(sessionId);
			if (slot < 0) return undefined;
			const network = this.table.network(slot);
			const address = this.table.at(slot).hasOwnAddress ? "" : this.table.address(slot);
			return encodeStored(this.table.at(slot), network, address, NO_PARTS, answers.get(sessionId));
		}
		if (session.state === "unconfirmed" && !this.isShared) return undefined;
		session.pack(this.scratch);
		this.scratch.setAddress(session.address);
		const { network } = session.identity;
		const octets = encodeStored(this.scratch, network, session.address, session.progress, answers.get(sessionId));
		this.scratch.erase();
		return octets;
	}

	/** Takes up what a store holds. */
	restorer(now: number): Restorer {
		const { writes, table } = this;
		/** By slot: number of the batch that put the session. */
		let batches = new Float64Array(4096);
		return {
			session: (batch, octets) => {
				writes?.restored(batch, 0);
				const slot = this.restore(now, octets);
				if (slot < 0) return;
				if (slot >= batches.length) {
					const longer = new Float64Array(2 * slot);
					longer.set(batches);
					batches = longer;
				}
				batches[slot] = batch;
			},
			counts: (batch, counts) => {
				writes?.restored(batch, counts.length);
				for (let at = 0; at < counts.length; at += COUNT_OCTETS) {
					const slot = table.find(readUint32(counts, at));
					// A session that is awake was put after its last count.
					if (slot < 0 || batches[slot] >= batch) continue;
					acceptBefore(table.at(slot), readUint32(counts, at + 4));
					writes?.note(slot);
				}
			},
		};
	}

	/** @returns the slot of a session at rest, −1 where something is going on in it */
	private restore(now: number, octets: Uint8Array): number {
		const { network, address, parts, kept } = decodeStored(octets, this.scratch);
		const { sessionId, expiresAt } = this.scratch;
		if (!hasAlgorithms(this.kernel, this.scratch.parameters)) {
			// Agreed by an HSE that had others: it is forgotten, and its UE is told so when it is heard (0A).
			this.scratch.erase();
			this.writes?.mark(sessionId);
			return -1;
		}
		if (kept !== undefined && kept.until > now)
			this.surroundings.answers.restore(now, sessionId, kept.request, kept.answer, kept.until);
		if (parts.size === 0) {
			const slot = this.table.add(this.scratch.octets, network, address);
			this.scratch.erase();
			if (expiresAt < Number.POSITIVE_INFINITY) this.deadlines.add(expiresAt, sessionId);
			return slot;
		}
		const context = expand(this.kernel, this.scratch.parameters, this.scratch.trafficKeys);
		const session = HseSession.unpack(this.surroundings, this.scratch, context, network, address);
		this.scratch.erase();
		this.awake.set(sessionId, session);
		// None of its deadlines is known here yet.
		session.watchedAt = Number.POSITIVE_INFINITY;
		session.goOn(now, parts);
		if (session.state !== "unconfirmed") this.awakeByImsi.set(session.identity.imsi, sessionId);
		this.settle(session);
		return -1;
	}

	private wake(slot: number): HseSession {
		const { table } = this;
		const record = table.at(slot);
		const context = this.takeContext(slot) ?? expand(this.kernel, record.parameters, record.trafficKeys);
		const session = HseSession.unpack(this.surroundings, record, context, table.network(slot), table.address(slot));
		table.remove(slot);
		this.writes?.leave(slot, session.sessionId);
		this.awake.set(session.sessionId, session);
		this.awakeByImsi.set(session.identity.imsi, session.sessionId);
		return session;
	}

	private rest(session: HseSession): void {
		const { scratch, table } = this;
		session.pack(scratch);
		const slot = table.add(scratch.octets, session.identity.network, session.address);
		scratch.erase();
		this.leave(session);
		const context = session.release();
		// Nobody knows whether it will be heard soon; and a context that dies young costs the engine the least.
		if (this.contexts.hasRoom) this.keepContext(slot, context);
		else context.erase();
	}

	private keepContext(slot: number, context: SecurityContext): void {
		this.table.setContext(slot, this.contexts.add(slot, context) + 1);
	}

	private leave(session: HseSession): void {
		const { imsi } = session.identity;
		this.awake.delete(session.sessionId);
		if (this.awakeByImsi.get(imsi) === session.sessionId) this.awakeByImsi.delete(imsi);
	}

	/** Takes the expanded keys of a session out of the cache, where they are there. */
	private takeContext(slot: number): SecurityContext | undefined {
		const place = this.table.at(slot).get(WORD.context);
		if (place === 0) return undefined;
		this.table.setContext(slot, 0);
		return this.contexts.remove(place - 1);
	}

	private dueAt(sessionId: number): number {
		const session = this.awake.get(sessionId);
		if (session !== undefined) return session.dueAt;
		const slot = this.table.find(sessionId);
		return slot < 0 ? Number.POSITIVE_INFINITY : this.table.at(slot).expiresAt;
	}
}
