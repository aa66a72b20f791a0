import type { HseEvent, Outgoing } from "./events.js";
import type { Hse } from "./hse.js";
import type { SessionStore } from "./store.js";

/** Outputs that wait at the most: beyond, no more input is taken until the store has caught up. */
const MOST_HELD = 100_000;
/** Milliseconds after which a batch that failed is tried again. */
const TRY_AGAIN_AFTER = 500;

export interface HeldOutputsOptions {
	readonly hse: Hse;
	/** Undefined: nothing is stored, and everything goes out at once. */
	readonly store: SessionStore | undefined;
	send(out: Outgoing): void;
	tell(event: HseEvent): void;
	/** Told when the store has failed; the batch is tried again. */
	onError(error: Error): void;
}

/**
 * What the HSE wants sent and told goes out here, after what it depends on has been stored: while one batch is on its
 * way to the store, the next one gathers, and so do its outputs.
 */
export class HeldOutputs {
	private readonly options: HeldOutputsOptions;
	private datagrams: Outgoing[] = [];
	private events: HseEvent[] = [];
	/** The commit on its way. */
	private commit: Promise<void> | undefined;
	private isClosed = false;
	private needsFlush = false;

	constructor(options: HeldOutputsOptions) {
		this.options = options;
	}

	/** Whether so much waits that no more input should be taken. */
	get isFull(): boolean {
		return this.datagrams.length + this.events.length >= MOST_HELD;
	}

	/** What the last input brought about depends on something that was written beside the batches. */
	flushFirst(): void {
		this.needsFlush = true;
	}

	/** Called after every input of the HSE. */
	drain(): void {
		const { outbox } = this.options.hse;
		for (let out = outbox.takeDatagram(); out !== undefined; out = outbox.takeDatagram()) this.datagrams.push(out);
		for (let event = outbox.takeEvent(); event !== undefined; event = outbox.takeEvent()) this.events.push(event);
		if (this.commit === undefined) this.next(false);
	}

	/** Writes everything and lets everything out. Nothing goes out afterwards. */
	async finish(): Promise<void> {
		this.drain();
		while (this.commit !== undefined) await this.commit;
		for (this.next(true); this.commit !== undefined; ) await this.commit;
		this.isClosed = true;
	}

	private next(isLast: boolean): void {
		const { hse, store } = this.options;
		const batch = hse.takeBatch(isLast);
		const { datagrams, events } = this;
		this.datagrams = [];
		this.events = [];
		const release = () => {
			if (this.isClosed) return;
			for (const datagram of datagrams) this.options.send(datagram);
			for (const event of events) this.options.tell(event);
		};
		const isOnlyFlush = batch === undefined && this.needsFlush && store?.flush !== undefined;
		this.needsFlush = false;
		if (store === undefined || (batch === undefined && !isOnlyFlush)) {
			release();
			return;
		}
		const run = async () => {
			for (;;)
				try {
					await (batch === undefined ? store.flush?.() : store.commit(batch));
					break;
				} catch (error) {
					this.options.onError(error instanceof Error ? error : new Error(String(error)));
					await new Promise((resolve) => setTimeout(resolve, TRY_AGAIN_AFTER));
				}
			this.commit = undefined;
			if (batch !== undefined) hse.batchWritten();
			release();
			if (this.commit === undefined) this.next(isLast);
		};
		this.commit = run();
	}
}
