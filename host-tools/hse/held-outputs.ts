import type { HseEvent, Outgoing } from "./events.js";
import { HeldUplinks } from "./held-uplinks.js";
import type { Hse } from "./hse.js";
import type { SessionStore } from "./store.js";
import type { Uplink } from "./uplink.js";

/** Outputs that wait at the most: beyond, no more input is taken until the store has caught up. */
const MOST_HELD = 100_000;
/** Milliseconds after which a batch that failed is tried again. */
const TRY_AGAIN_AFTER = 500;

export interface HeldOutputsOptions {
	readonly hse: Hse;
	/** Undefined: nothing is stored, and everything goes out at once. */
	readonly store: SessionStore | undefined;
	send(out: Outgoing): void;
	/** Whatever was sent is to leave now. */
	flush(): void;
	tell(event: HseEvent): void;
	/** @param uplink valid until it returns */
	hear(uplink: Uplink): void;
	/** Told when the store has failed; the batch is tried again. */
	onError(error: Error): void;
}

/**
 * What the HSE wants sent and told goes out here, after what it depends on has been stored: while one batch is on its
 * way to the store, the next one gathers, and so do its outputs. What depends on nothing goes out at once.
 */
export class HeldOutputs {
	private readonly options: HeldOutputsOptions;
	private datagrams: Outgoing[] = [];
	private events: HseEvent[] = [];
	private uplinks = new HeldUplinks();
	/** Those that are empty again. */
	private readonly spare: HeldUplinks[] = [];
	/** The commit on its way. */
	private commit: Promise<void> | undefined;
	private isClosed = false;

	constructor(options: HeldOutputsOptions) {
		this.options = options;
	}

	/** Whether so much waits that no more input should be taken. */
	get isFull(): boolean {
		return this.datagrams.length + this.events.length + this.uplinks.length >= MOST_HELD;
	}

	/** Takes an uplink out of the outbox before the next input. */
	hear(): void {
		const uplink = this.options.hse.outbox.takeUplink();
		if (uplink === undefined) return;
		// What came before it is told of before it.
		this.collect();
		this.uplinks.add(uplink, this.events.length);
	}

	/** Called after every input of the HSE, or after some of them. */
	drain(): void {
		this.collect();
		if (this.commit === undefined) this.next(false);
	}

	/** Resolves when all that the HSE has wanted sent until now has been handed over. */
	async handedOver(): Promise<void> {
		// The batch on its way, and the one that gathers meanwhile.
		await this.commit;
		await this.commit;
	}

	private collect(): void {
		const { hse, send, flush } = this.options;
		const { outbox } = hse;
		let hasSent = false;
		for (let out = outbox.takeDatagram(); out !== undefined; out = outbox.takeDatagram()) {
			if (!out.atOnce) this.datagrams.push(out);
			else if (!this.isClosed) {
				send(out);
				hasSent = true;
			}
		}
		if (hasSent) flush();
		for (let event = outbox.takeEvent(); event !== undefined; event = outbox.takeEvent()) this.events.push(event);
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
		const { datagrams, events, uplinks } = this;
		this.datagrams = [];
		this.events = [];
		this.uplinks = this.spare.pop() ?? new HeldUplinks();
		const release = () => {
			if (!this.isClosed) this.release(datagrams, events, uplinks);
			uplinks.clear();
			this.spare.push(uplinks);
		};
		if (store === undefined || batch === undefined) {
			release();
			return;
		}
		const run = async () => {
			for (;;)
				try {
					await store.commit(batch);
					break;
				} catch (error) {
					this.options.onError(error instanceof Error ? error : new Error(String(error)));
					await new Promise((resolve) => setTimeout(resolve, TRY_AGAIN_AFTER));
				}
			this.commit = undefined;
			for (const { octets } of [...batch.puts, ...(batch.releases ?? [])]) octets.fill(0);
			hse.batchWritten();
			release();
			if (this.commit === undefined) this.next(isLast);
		};
		this.commit = run();
	}

	private release(datagrams: readonly Outgoing[], events: readonly HseEvent[], uplinks: HeldUplinks): void {
		const { send, flush, tell, hear } = this.options;
		for (const datagram of datagrams) send(datagram);
		if (datagrams.length > 0) flush();
		let told = 0;
		for (let i = 0; i < uplinks.length; i++) {
			while (told < uplinks.eventsBefore(i)) tell(events[told++]);
			hear(uplinks.at(i));
		}
		while (told < events.length) tell(events[told++]);
	}
}
