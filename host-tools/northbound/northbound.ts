import type { HseEvent } from "../hse/events.js";
import type { Awaitable } from "../hse/subscriber-database.js";
import { Best } from "./best/best.js";
import type { CommandResource } from "./best/commands.js";
import { bestApi } from "./best/operations.js";
import type { NorthboundContext } from "./context.js";
import type { KeyRelease } from "./key-release.js";
import { Nidd } from "./nidd/nidd.js";
import { niddApi } from "./nidd/operations.js";
import type { Api, ApiRequest, ApiResponse, Operation } from "./operation.js";
import { type Steps, wait } from "./steps.js";

/** Events that show that a UE listens now. */
const HEARD: readonly HseEvent["kind"][] = ["uplink", "forward", "session confirmed", "session resumed", "new keys"];
/** Events that can matter to somebody who has nothing about the UE itself. */
const OF_SESSIONS: readonly HseEvent["kind"][] = [
	"session asked for",
	"session confirmed",
	"session resumed",
	"new keys",
	"session over",
	"rejected",
];

/**
 * The northbound side of an HSE without any input or output of its own: NIDD and the BEST API over an HSE's commands and
 * events. Give it each event of the HSE, and call {@link handleTimeout} now and then: what expires is that late at most.
 */
export class Northbound {
	readonly nidd: Nidd;
	readonly best: Best;
	readonly apis: readonly Api[];
	private readonly context: NorthboundContext;

	/** @param answerWithin how long a request waits for a UE's answer, in milliseconds */
	constructor(context: NorthboundContext, keys: KeyRelease, answerWithin: number) {
		this.context = context;
		this.nidd = new Nidd(context);
		this.best = new Best(context, keys, answerWithin);
		this.apis = [niddApi(this.nidd), bestApi(this.best)];
		context.store.listen({
			onAnnounced: (imsi) => this.handleAnnounced(imsi),
			onCommandOver: (id) => this.best.commands.handleEnd(id),
		});
	}

	/** @param last done in the unit of the operation, after it: both are stored, or neither */
	perform(
		operation: Operation,
		request: ApiRequest,
		last?: (response: ApiResponse) => Steps<void>,
	): Awaitable<ApiResponse> {
		return this.context.store.unit(operation.method === "get", function* () {
			const response = yield* operation.handle(request);
			if (last !== undefined) yield* last(response);
			return response;
		});
	}

	/** What changes nothing. */
	read<T>(work: () => Steps<T>): Awaitable<T> {
		return this.context.store.unit(true, work);
	}

	handleEvent(event: HseEvent): void {
		const { reachability, store, now } = this.context;
		const imsi = "imsi" in event ? event.imsi : "";
		const isHeard = HEARD.includes(event.kind) && "imsi" in event;
		const at = now();
		if (isHeard) reachability.heard(imsi, at);
		// Most UEs have nothing here: their uplinks cost no question to the store.
		const isWatched = imsi !== "" && store.isWatched(imsi);
		if (!isWatched && !(OF_SESSIONS.includes(event.kind) && this.isSubscribed(event.kind, imsi))) return;
		const { best, nidd } = this;
		store.inTurn(imsi, true, function* () {
			if (isHeard) yield* wait(store.heard(imsi, at));
			yield* best.handleEvent(event);
			yield* nidd.handleEvent(event);
		});
		if (isHeard) this.flush(imsi);
	}

	/** Called now and then: what expires is handled. */
	handleTimeout(): Awaitable<void> {
		const { store, notifier, reachability, now } = this.context;
		const { best, nidd } = this;
		const done = store.unit(false, function* () {
			for (let isMore = true; isMore; ) {
				const resources = yield* wait(store.over(now()));
				for (const resource of resources) {
					if (resource.kind === "command") yield* best.commands.handleOver(resource as CommandResource);
					else yield* nidd.handleOver(resource);
				}
				isMore = store.isShared && resources.length > 0;
				yield* wait(store.commit());
			}
		});
		notifier.handleTimeout();
		reachability.tidy(now());
		return done;
	}

	/** Some process has stored something about a UE: it is sent here if the UE was heard here and listens still. */
	private handleAnnounced(imsi: string): void {
		const { reachability, store, now } = this.context;
		const at = reachability.lastHeard(imsi);
		if (at === undefined || !reachability.isRecent(at, now())) return;
		store.inTurn(imsi, true, () => wait(store.heard(imsi, at)));
		this.flush(imsi);
	}

	/** The UE listens: what waited for it is sent. */
	private flush(imsi: string): void {
		const { store } = this.context;
		if (!store.isWatched(imsi)) return;
		const { best, nidd } = this;
		store.inTurn(imsi, false, function* () {
			// Mostly there is nothing to send, and no lock to take.
			const isWaiting = store.unit(true, function* () {
				return (yield* nidd.isWaiting(imsi)) || (yield* best.commands.isWaiting(imsi));
			});
			if (!(yield* wait(isWaiting))) return;
			yield* nidd.flush(imsi);
			yield* wait(store.commit());
			yield* best.commands.flush(imsi);
		});
	}

	/** Of an 80 it is not told which UE it came from. */
	private isSubscribed(kind: HseEvent["kind"], imsi: string): boolean {
		if (kind === "rejected") return true;
		const ue = this.context.directory.ofImsi(imsi);
		return ue !== undefined && this.context.store.isSubscribed(ue.applicationServer);
	}
}
