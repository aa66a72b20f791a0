import type { HseEvent } from "../hse/events.js";
import { Best } from "./best/best.js";
import type { CommandResource } from "./best/commands.js";
import { bestApi } from "./best/operations.js";
import type { NorthboundContext } from "./context.js";
import type { KeyRelease } from "./key-release.js";
import { Nidd } from "./nidd/nidd.js";
import { niddApi } from "./nidd/operations.js";
import type { Api } from "./operation.js";

/** Events that show that a UE listens now. */
const HEARD: readonly HseEvent["kind"][] = ["uplink", "forward", "session confirmed", "session resumed", "new keys"];

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
	}

	handleEvent(event: HseEvent): void {
		const { reachability, store, now } = this.context;
		const isHeard = HEARD.includes(event.kind) && "imsi" in event;
		if (isHeard) reachability.heard(event.imsi, now());
		this.best.handleEvent(event);
		// Most UEs have nothing here: their uplinks cost no question to the store.
		if (!isHeard || !store.isWatched(event.imsi)) return;
		this.nidd.handleEvent(event);
		this.nidd.flush(event.imsi);
		this.best.commands.flush(event.imsi);
	}

	handleTimeout(): void {
		const { store, notifier, reachability, now } = this.context;
		for (const resource of store.over(now())) {
			if (resource.kind === "command") this.best.commands.handleOver(resource as CommandResource);
			else this.nidd.handleOver(resource);
		}
		notifier.handleTimeout();
		reachability.tidy(now());
	}
}
