import { type Attached, delayAfter, type Notifications, type NotifierOptions, type WhyClosed } from "../notifier.js";
import { isAlive, type PostgresResources } from "./resources.js";

/** Channels that are delivered at once. */
const MOST_CHANNELS = 64;
/** Milliseconds after which a channel is looked at again that nothing can be delivered to: its WebSocket is gone. */
const NOWHERE = 60_000;

interface NotificationRow {
	readonly number: string;
	readonly destination: string;
	readonly body: string;
	readonly created: string;
}

export interface SharedNotifierOptions extends Omit<NotifierOptions, "store"> {
	readonly resources: PostgresResources;
}

/**
 * Delivers what any process has stored. A channel is delivered by one process at a time, its owner, in order; an owner whose
 * lease as an HSE has ended is none, and the next process that looks takes the channel. Where a WebSocket is attached its
 * process is the one that delivers.
 */
export class SharedNotifier implements Notifications {
	private readonly options: SharedNotifierOptions;
	/** Channels that this process delivers now. */
	private readonly running = new Map<string, Promise<void>>();
	/** Those of them that something was added to in between. */
	private readonly again = new Set<string>();
	private readonly sockets = new Map<string, Attached>();
	/** Channels whose resource is no more: what waits is still delivered. */
	private readonly ending = new Set<string>();
	private isStopped = false;
	private looking: Promise<void> | undefined;
	private waitingAnywhere = 0;

	constructor(options: SharedNotifierOptions) {
		this.options = options;
	}

	start(): void {
		this.handleTimeout();
	}

	async stop(): Promise<void> {
		this.isStopped = true;
		await this.looking;
		await Promise.all(this.running.values());
		for (const [channel, socket] of this.sockets) this.detach(channel, socket);
	}

	/** Of all processes, as of the last look. */
	get waiting(): number {
		return this.waitingAnywhere;
	}

	async notify(channel: string, destination: string, notification: object): Promise<void> {
		const { resources, retry, now, onFate } = this.options;
		// The row of the channel is locked before the number is drawn.
		const added = await resources.query(
			`WITH channel AS (
				INSERT INTO best_channel AS c (channel, waiting) VALUES ($1, 1)
				ON CONFLICT (channel) DO UPDATE SET waiting = c.waiting + 1 WHERE c.waiting < $5 RETURNING channel
			)
			INSERT INTO best_notification (channel, destination, body, created)
			SELECT channel, $2, $3, $4 FROM channel RETURNING number`,
			[channel, destination, JSON.stringify(notification), Math.floor(now()), retry.mostWaiting],
		);
		if (added.length === 0) onFate?.("refused");
		else resources.afterwards(() => this.pump(channel));
	}

	attach(channel: string, socket: Attached): void {
		const { resources } = this.options;
		this.sockets.get(channel)?.close("replaced");
		this.sockets.set(channel, socket);
		this.tell(
			resources
				.query(
					`INSERT INTO best_channel (channel, waiting, socket_owner) VALUES ($1, 0, $2)
					ON CONFLICT (channel) DO UPDATE SET socket_owner = excluded.socket_owner, due_at = 0`,
					[channel, resources.process],
				)
				.then(() => this.pump(channel)),
		);
	}

	detach(channel: string, socket: Attached): void {
		if (this.sockets.get(channel) !== socket) return;
		this.sockets.delete(channel);
		const { resources } = this.options;
		this.tell(
			resources
				.query("UPDATE best_channel SET socket_owner = NULL, due_at = 0 WHERE channel = $1 AND socket_owner = $2", [
					channel,
					resources.process,
				])
				.then(() => this.pump(channel)),
		);
	}

	async redirect(channel: string, destination: string): Promise<void> {
		const { resources } = this.options;
		await resources.query("UPDATE best_channel SET due_at = 0 WHERE channel = $1", [channel]);
		await resources.query("UPDATE best_notification SET destination = $2 WHERE channel = $1", [channel, destination]);
		resources.afterwards(() => this.pump(channel));
	}

	async close(channel: string): Promise<void> {
		const { resources } = this.options;
		await resources.query("DELETE FROM best_channel WHERE channel = $1", [channel]);
		await resources.query("DELETE FROM best_notification WHERE channel = $1", [channel]);
		resources.afterwards(() => this.endSocket(channel, "over"));
	}

	finish(channel: string): void {
		const { resources } = this.options;
		if (!this.sockets.has(channel)) return;
		this.ending.add(channel);
		resources.afterwards(() => this.pump(channel));
	}

	private endSocket(channel: string, why: WhyClosed): void {
		const socket = this.sockets.get(channel);
		this.ending.delete(channel);
		if (socket === undefined) return;
		this.detach(channel, socket);
		socket.close(why);
	}

	/** Looks for what other processes have stored, or have left behind. */
	handleTimeout(): void {
		if (this.isStopped || this.looking !== undefined) return;
		const look = this.look()
			.catch((error) => this.options.onError(error))
			.finally(() => {
				this.looking = undefined;
			});
		this.looking = look;
	}

	private async look(): Promise<void> {
		const { resources, now } = this.options;
		const [{ n }] = await resources.query<{ n: string }>(
			"SELECT coalesce(sum(waiting), 0) AS n FROM best_channel WHERE waiting > 0",
		);
		this.waitingAnywhere = Number(n);
		if (this.waitingAnywhere === 0) return;
		const rows = await resources.query<{ channel: string }>(
			`SELECT c.channel FROM best_channel c WHERE ${MAY_TAKE} ORDER BY c.due_at LIMIT ${MOST_CHANNELS}`,
			[resources.process, Math.floor(now())],
		);
		for (const { channel } of rows) this.pump(channel);
	}

	private pump(channel: string): void {
		if (this.running.has(channel)) this.again.add(channel);
		if (this.isStopped || this.running.has(channel) || this.running.size >= MOST_CHANNELS) return;
		const run = this.take(channel)
			.catch((error) => this.options.onError(error))
			.finally(() => {
				this.running.delete(channel);
				if (this.again.delete(channel)) this.pump(channel);
			});
		this.running.set(channel, run);
	}

	private async take(channel: string): Promise<void> {
		const { resources, now } = this.options;
		const [taken] = await resources.query<{ failures: number }>(
			`UPDATE best_channel c SET owner = $1 WHERE c.channel = $3 AND ${MAY_TAKE} RETURNING c.failures`,
			[resources.process, Math.floor(now()), channel],
		);
		if (taken === undefined) return;
		const dueAt = await this.deliver(channel, taken.failures);
		if (dueAt === 0 && this.ending.has(channel)) this.endSocket(channel, "over");
		// Something may have come since: the next look finds it.
		if (dueAt === undefined || (dueAt === 0 && (await this.remove(channel)))) return;
		await resources.query("UPDATE best_channel SET owner = NULL, due_at = $3 WHERE channel = $1 AND owner = $2", [
			channel,
			resources.process,
			Math.floor(dueAt),
		]);
	}

	/**
	 * Delivers until nothing waits, something fails, or the channel is another process's.
	 * @returns when to go on; 0: nothing waits; undefined: it is not this process's any more
	 */
	private async deliver(channel: string, before: number): Promise<number | undefined> {
		const { resources, retry, now, fraction, post, onFate } = this.options;
		for (let failures = before; !this.isStopped; failures = 0) {
			const [next] = await resources.query<NotificationRow & Record<string, unknown>>(
				"SELECT number, destination, body, created FROM best_notification WHERE channel = $1 ORDER BY number LIMIT 1",
				[channel],
			);
			if (next === undefined) return 0;
			if (now() - Number(next.created) > retry.giveUpAfter) {
				onFate?.("given up");
				if (!(await this.removeFirst(channel, next.number))) return undefined;
				continue;
			}
			const socket = this.sockets.get(channel);
			if (socket === undefined && next.destination === "") return now() + NOWHERE;
			const isTaken = await (socket === undefined ? post(next.destination, next.body) : socket.send(next.body));
			onFate?.(isTaken ? "delivered" : "failed");
			if (isTaken) {
				if (!(await this.removeFirst(channel, next.number))) return undefined;
				continue;
			}
			if (socket !== undefined) {
				this.detach(channel, socket);
				socket.close("behind");
			}
			await resources.query("UPDATE best_channel SET failures = failures + 1 WHERE channel = $1 AND owner = $2", [
				channel,
				resources.process,
			]);
			return now() + delayAfter(retry, failures, fraction());
		}
		return now();
	}

	/** @returns whether the channel is still this process's */
	private async removeFirst(channel: string, number: string): Promise<boolean> {
		const { resources } = this.options;
		const rows = await resources.query<{ owner: string | null }>(
			`WITH channel AS (
				UPDATE best_channel SET waiting = waiting - 1, failures = 0
				WHERE channel = $1 AND EXISTS (SELECT FROM best_notification WHERE number = $2) RETURNING owner
			), gone AS (DELETE FROM best_notification WHERE number = $2)
			SELECT owner FROM channel`,
			[channel, number],
		);
		return rows.some(({ owner }) => Number(owner) === resources.process);
	}

	/** Removes a channel of this process in which nothing waits. @returns false where something has come, or a WebSocket is there */
	private async remove(channel: string): Promise<boolean> {
		const { resources } = this.options;
		const gone = await resources.query(
			`DELETE FROM best_channel
			WHERE channel = $1 AND owner = $2 AND waiting = 0 AND socket_owner IS NULL RETURNING 1`,
			[channel, resources.process],
		);
		return gone.length > 0;
	}

	private tell(work: Promise<unknown>): void {
		work.catch((error) => this.options.onError(error));
	}
}

/** Something waits in channel c, it is due, and no process delivers it; $1 is this process, $2 the time. */
const MAY_TAKE = `c.waiting > 0 AND c.due_at <= $2
	AND (c.owner IS NULL OR c.owner = $1 OR NOT ${isAlive("c.owner")})
	AND (c.socket_owner IS NULL OR c.socket_owner = $1 OR NOT ${isAlive("c.socket_owner")})`;
