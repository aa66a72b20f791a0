import type { SharedSessionStore } from "./shared-store.js";

/** Sessions that are waited for at the most, and datagrams for each: beyond, they are lost as datagrams are. */
const MOST_SESSIONS = 4096;
const MOST_DATAGRAMS = 8;
/** Sessions in one question to the store. */
const SESSIONS_PER_CLAIM = 512;
/** Milliseconds after which a session is asked for again, and after which its datagrams are given up. */
const ASK_AGAIN_AFTER = 100;
const GIVE_UP_AFTER = 8000;

export interface ClaimsOptions {
	readonly store: SharedSessionStore;
	now(): number;
	/** Number of the batch that was taken last. */
	lastBatch(): number;
	/** Whether what this process did to a session is on its way to the store. */
	isPending(sessionId: number): boolean;
	/** @returns false where it cannot be had yet */
	takeUp(octets: Uint8Array): boolean;
	/** Handles a datagram whose session has been taken up, or does not exist. */
	handle(source: string, datagram: Uint8Array): void;
	onError(error: Error): void;
}

interface Waiting {
	readonly datagrams: { readonly source: string; readonly datagram: Uint8Array }[];
	readonly until: number;
	/** Told when the session is here or does not exist (true), or is not had (false). */
	readonly told: ((isClear: boolean) => void)[];
	/** Octets of a session that has been claimed and waits to be taken up. */
	octets?: Uint8Array;
}

/** Datagrams of sessions that another process has, or had: they wait until the session is here. */
export class Claims {
	private readonly options: ClaimsOptions;
	private readonly waiting = new Map<number, Waiting>();
	private isAsking = false;
	private timer: NodeJS.Timeout | undefined;
	private isClosed = false;

	constructor(options: ClaimsOptions) {
		this.options = options;
	}

	/** A datagram of a session that is not here. @param datagram kept */
	hold(sessionId: number, source: string, datagram: Uint8Array): void {
		const waiting = this.waiting.get(sessionId);
		if (waiting !== undefined) {
			if (waiting.datagrams.length < MOST_DATAGRAMS) waiting.datagrams.push({ source, datagram });
			return;
		}
		this.wait(sessionId, [{ source, datagram }]);
	}

	/**
	 * Brings a session here without a datagram.
	 * @returns whether it is here or does not exist: look for it at once; false where it could not be had
	 */
	bring(sessionId: number): Promise<boolean> {
		return new Promise((resolve) => {
			const waiting = this.waiting.get(sessionId) ?? this.wait(sessionId, []);
			if (waiting === undefined) resolve(false);
			else waiting.told.push(resolve);
		});
	}

	/** @returns undefined where so many are waited for that this one is not */
	private wait(sessionId: number, datagrams: Waiting["datagrams"]): Waiting | undefined {
		if (this.isClosed || this.waiting.size >= MOST_SESSIONS) return undefined;
		const waiting: Waiting = { datagrams, until: this.options.now() + GIVE_UP_AFTER, told: [] };
		this.waiting.set(sessionId, waiting);
		this.ask();
		return waiting;
	}

	/** Whether a session is on its way here. */
	has(sessionId: number): boolean {
		return this.waiting.has(sessionId);
	}

	/** A session can be had now. */
	free(sessionId: number): void {
		if (this.waiting.has(sessionId)) this.ask();
	}

	close(): void {
		this.isClosed = true;
		for (const sessionId of [...this.waiting.keys()]) this.giveUp(sessionId);
		clearTimeout(this.timer);
	}

	private ask(): void {
		if (this.isAsking || this.isClosed) return;
		this.isAsking = true;
		clearTimeout(this.timer);
		this.claim()
			.catch((error) => this.options.onError(error))
			.finally(() => {
				this.isAsking = false;
				if (this.waiting.size === 0 || this.isClosed) return;
				this.timer = setTimeout(() => this.ask(), ASK_AGAIN_AFTER);
			});
	}

	private async claim(): Promise<void> {
		const { store, now, lastBatch, isPending } = this.options;
		// Those that came while the question before was on its way are asked for at once.
		for (let asked = new Set<number>(); ; ) {
			const time = now();
			const sessionIds: number[] = [];
			for (const [sessionId, { until, octets }] of this.waiting) {
				if (octets !== undefined) this.arrive(sessionId, octets);
				else if (until <= time) this.giveUp(sessionId);
				else if (!asked.has(sessionId) && !isPending(sessionId)) sessionIds.push(sessionId);
				if (sessionIds.length === SESSIONS_PER_CLAIM) break;
			}
			if (sessionIds.length === 0 || this.isClosed) return;
			asked = new Set([...asked, ...sessionIds]);
			const { taken, absent } = await store.claim(sessionIds, lastBatch());
			if (this.isClosed) return;
			for (const { sessionId, octets } of taken) this.arrive(sessionId, octets);
			for (const sessionId of absent) this.handle(sessionId);
		}
	}

	private arrive(sessionId: number, octets: Uint8Array): void {
		if (this.options.takeUp(octets)) {
			this.handle(sessionId);
			return;
		}
		const waiting = this.waiting.get(sessionId);
		if (waiting !== undefined) waiting.octets = octets;
	}

	private handle(sessionId: number): void {
		const waiting = this.waiting.get(sessionId);
		this.waiting.delete(sessionId);
		for (const { source, datagram } of waiting?.datagrams ?? []) this.options.handle(source, datagram);
		for (const tell of waiting?.told ?? []) tell(true);
	}

	private giveUp(sessionId: number): void {
		const waiting = this.waiting.get(sessionId);
		this.waiting.delete(sessionId);
		for (const tell of waiting?.told ?? []) tell(false);
	}
}
