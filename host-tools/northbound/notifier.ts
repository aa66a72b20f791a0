import type { Awaitable } from "../hse/subscriber-database.js";
import type { NorthboundStore } from "./northbound-store.js";

/** How often a notification is tried again. Times in milliseconds. */
export interface RetryPolicy {
	/** Doubles with each failure, and is multiplied by a random 0.5 to 1. */
	readonly first: number;
	readonly longest: number;
	/** After this age a notification is given up. */
	readonly giveUpAfter: number;
	/** Notifications that wait in one channel; the newest are refused beyond. */
	readonly mostWaiting: number;
}

export const RETRY: RetryPolicy = { first: 1000, longest: 300_000, giveUpAfter: 86_400_000, mostWaiting: 10_000 };

export interface NotifierOptions {
	readonly store: NorthboundStore;
	readonly retry: RetryPolicy;
	now(): number;
	/** Random, 0 to 1. */
	fraction(): number;
	/** POSTs JSON. @returns whether it was taken: 200 or 204. Never rejects */
	post(destination: string, body: string): Promise<boolean>;
	/** Told of each one's fate. */
	onFate?(fate: NotificationFate): void;
	/** Told what the store has failed with; what waits is tried again. */
	onError(error: unknown): void;
}

export type NotificationFate = "delivered" | "failed" | "given up" | "refused";

/** Why nothing more goes over a WebSocket: its resource is no more, it is read too slowly, or there is a newer one. */
export type WhyClosed = "over" | "behind" | "replaced";

/** A WebSocket that takes the notifications of a channel. */
export interface Attached {
	/** @returns whether the octets were handed over. Never rejects */
	send(text: string): Promise<boolean>;
	close(why: WhyClosed): void;
}

/** Notifications on their way to application servers: those of one channel keep their order. */
export interface Notifications {
	/** Takes up what is waiting. */
	start(): void;
	/** Begins nothing more; resolves when what is under way is over. */
	stop(): Promise<void>;
	/** How many notifications wait. */
	readonly waiting: number;
	/** @param destination empty: a WebSocket only */
	notify(channelId: string, destination: string, notification: object): Awaitable<void>;
	/** From now on a channel's notifications go over a WebSocket; another one takes the place of the one before. */
	attach(channelId: string, socket: Attached): void;
	detach(channelId: string, socket: Attached): void;
	/** The channel's destination is another from now on. */
	redirect(channelId: string, destination: string): Awaitable<void>;
	/** Its application server has removed the resource of the channel: what was to be told of it goes too. */
	close(channelId: string): Awaitable<void>;
	/** The resource of the channel is no more: what waits is still delivered. */
	finish(channelId: string): Awaitable<void>;
	/** Called now and then. */
	handleTimeout(): void;
}

/** How long to wait after some failures, in milliseconds. @param fraction random, 0 to 1 */
export function delayAfter({ first, longest }: RetryPolicy, failures: number, fraction: number): number {
	return Math.min(longest, first * 2 ** Math.min(failures, 30)) * (0.5 + fraction / 2);
}

interface Channel {
	waiting: number;
	isBusy: boolean;
	failures: number;
	/** Not before. */
	dueAt: number;
	socket: Attached | undefined;
	/** Nothing is added any more. */
	isEnding: boolean;
}

/**
 * Delivers notifications, those of one channel in their order, each at least once or given up: over the WebSocket of the
 * channel while there is one, else by a POST to its destination. They are stored until then.
 */
export class Notifier implements Notifications {
	private readonly options: NotifierOptions;
	private readonly channels = new Map<string, Channel>();
	private isStopped = false;
	private readonly running = new Set<Promise<void>>();

	constructor(options: NotifierOptions) {
		this.options = options;
	}

	/** Takes up what was waiting when the last process ended. */
	start(): void {
		for (const { channel, waiting } of this.options.store.channels()) {
			this.channel(channel).waiting = waiting;
			this.pump(channel);
		}
	}

	/** Begins nothing more; resolves when what is under way is over. */
	async stop(): Promise<void> {
		this.isStopped = true;
		await Promise.all(this.running);
	}

	/** How many notifications wait. */
	get waiting(): number {
		let sum = 0;
		for (const { waiting } of this.channels.values()) sum += waiting;
		return sum;
	}

	/** @param destination empty: a WebSocket only */
	notify(channelId: string, destination: string, notification: object): void {
		const { store, retry } = this.options;
		const channel = this.channel(channelId);
		if (channel.waiting >= retry.mostWaiting) {
			this.options.onFate?.("refused");
			return;
		}
		store.addNotification(channelId, destination, JSON.stringify(notification), this.options.now());
		channel.waiting++;
		store.afterwards(() => this.pump(channelId));
	}

	/** From now on a channel's notifications go over a WebSocket; another one takes the place of the one before. */
	attach(channelId: string, socket: Attached): void {
		const channel = this.channel(channelId);
		channel.socket?.close("replaced");
		channel.socket = socket;
		channel.dueAt = 0;
		this.pump(channelId);
	}

	detach(channelId: string, socket: Attached): void {
		const channel = this.channels.get(channelId);
		if (channel?.socket === socket) channel.socket = undefined;
		this.tidy(channelId);
	}

	/** The channel's destination is another from now on. */
	redirect(channelId: string, destination: string): void {
		this.options.store.redirect(channelId, destination);
		this.channel(channelId).dueAt = 0;
		this.pump(channelId);
	}

	/** Its application server has removed the resource of the channel: what was to be told of it goes too. */
	close(channelId: string): void {
		const channel = this.channels.get(channelId);
		if (channel === undefined) return;
		this.options.store.dropNotifications(channelId);
		channel.waiting = 0;
		channel.isEnding = true;
		this.tidy(channelId);
	}

	/** The resource of the channel is no more: what waits is still delivered. */
	finish(channelId: string): void {
		const channel = this.channels.get(channelId);
		if (channel === undefined) return;
		channel.isEnding = true;
		this.tidy(channelId);
	}

	handleTimeout(): void {
		for (const channelId of [...this.channels.keys()]) this.pump(channelId);
	}

	private channel(channelId: string): Channel {
		let channel = this.channels.get(channelId);
		if (channel === undefined) {
			channel = { waiting: 0, isBusy: false, failures: 0, dueAt: 0, socket: undefined, isEnding: false };
			this.channels.set(channelId, channel);
		}
		return channel;
	}

	private tidy(channelId: string): void {
		const channel = this.channels.get(channelId);
		if (channel === undefined || channel.waiting > 0) return;
		if (channel.isEnding) {
			channel.socket?.close("over");
			channel.socket = undefined;
		}
		if (!channel.isBusy && channel.socket === undefined) this.channels.delete(channelId);
	}

	private pump(channelId: string): void {
		const channel = this.channels.get(channelId);
		if (this.isStopped || channel === undefined || channel.isBusy || channel.waiting === 0) return;
		if (this.options.now() < channel.dueAt) return;
		channel.isBusy = true;
		const run = this.deliver(channelId, channel)
			.catch((error) => {
				this.pause(channel);
				this.options.onError(error);
			})
			.finally(() => {
				this.running.delete(run);
				channel.isBusy = false;
				this.tidy(channelId);
			});
		this.running.add(run);
	}

	/** Delivers until nothing waits, something fails, or there is nowhere to deliver to. */
	private async deliver(channelId: string, channel: Channel): Promise<void> {
		const { store, retry, now, post, onFate } = this.options;
		while (!this.isStopped && channel.waiting > 0) {
			const next = store.nextNotification(channelId);
			if (next === undefined) {
				channel.waiting = 0;
				return;
			}
			if (now() - next.created > retry.giveUpAfter) {
				store.removeNotification(next.number);
				channel.waiting--;
				onFate?.("given up");
				continue;
			}
			const { socket } = channel;
			if (socket === undefined && next.destination === "") return;
			const isTaken = await (socket === undefined ? post(next.destination, next.body) : socket.send(next.body));
			onFate?.(isTaken ? "delivered" : "failed");
			if (isTaken) {
				store.removeNotification(next.number);
				channel.waiting = Math.max(0, channel.waiting - 1);
				channel.failures = 0;
				continue;
			}
			if (socket !== undefined && channel.socket === socket) {
				channel.socket = undefined;
				socket.close("behind");
			}
			this.pause(channel);
			return;
		}
	}

	private pause(channel: Channel): void {
		const { retry, now, fraction } = this.options;
		channel.dueAt = now() + delayAfter(retry, channel.failures++, fraction());
	}
}
