import { sessionIdText } from "../../hex.js";
import { HseError } from "../../hse/errors.js";
import type { HseEvent } from "../../hse/events.js";
import { bring, checkQuota, isListening, type NorthboundContext, sessionById } from "../context.js";
import { notFound, Problem } from "../problem.js";
import type { Resource } from "../resources.js";
import { type Steps, wait } from "../steps.js";
import type { UeEntry } from "../ue-directory.js";
import type { CommandView, StoredCommand } from "./schemas.js";
import { causeName, causeWord } from "./words.js";

export type CommandResource = Resource<StoredCommand>;

/** How long a command that is over can still be read, in milliseconds. */
const KEPT = 3_600_000;
/** How long the HSE goes on repeating a 20 or a 30 that the UE does not answer, and some more, in milliseconds. */
const LONGEST_ANSWER = 180_000;

type Sent = "TERMINATION" | "KEY_REFRESH";

/**
 * What application servers ask of UEs and what takes its time: a session, its end, new keys. A command waits until the UE
 * is heard from, is sent, and is over when the UE has answered. It is stored, since a UE may sleep for longer than a
 * process lives.
 */
export class Commands {
	private readonly context: NorthboundContext;
	private readonly root: string;
	/** Told when a command is over. */
	private readonly onOver: (resource: CommandResource) => Steps<void>;
	/** HTTP requests that wait for the end of a command, by its identifier. */
	private readonly waiting = new Map<string, () => void>();

	/** @param root URI of the BEST API */
	constructor(context: NorthboundContext, root: string, onOver: (resource: CommandResource) => Steps<void>) {
		this.context = context;
		this.root = root;
		this.onOver = onOver;
	}

	/**
	 * Makes a command, and sends it where the UE listens.
	 * @param sessionId undefined for a request of a session
	 * @param isUrgent whether it is sent even where the UE may not hear it
	 * @throws Problem 409 where the session cannot take it
	 */
	*create(
		ue: UeEntry,
		command: StoredCommand["command"],
		sessionId: number | undefined,
		argument: number,
		maximumLatency: number | undefined,
		isUrgent: boolean,
	): Steps<CommandResource> {
		const { store, now, newId, limits } = this.context;
		const isHere =
			sessionId !== undefined &&
			(isUrgent || (yield* isListening(this.context, ue.imsi))) &&
			(yield* bring(this.context, sessionId));
		checkQuota(yield* wait(store.count("command", ue.applicationServer)), limits.commands, "commands");
		const { externalId, msisdn, applicationServer, imsi } = ue;
		const resource: CommandResource = {
			id: newId(),
			kind: "command",
			applicationServer,
			imsi,
			parent: "",
			until: maximumLatency === undefined ? undefined : now() + 1000 * maximumLatency,
			body: { command, status: "WAITING_FOR_UE", externalId, msisdn, sessionId, argument },
		};
		if (isHere) return yield* this.send(resource);
		yield* wait(store.put(resource));
		yield* wait(store.announce(resource));
		return resource;
	}

	/** The command when it is over, or as it is after a time. @param milliseconds to wait */
	*settled(resource: CommandResource, milliseconds: number): Steps<CommandResource> {
		const { store } = this.context;
		yield* wait(store.commit());
		// Before it is looked at: it can be over at any time.
		let timer: NodeJS.Timeout | undefined;
		const over = new Promise<void>((resolve) => {
			this.waiting.set(resource.id, resolve);
			timer = setTimeout(resolve, milliseconds);
		});
		try {
			const present = yield* this.present(resource);
			if (present.body.status !== "SENT" || milliseconds <= 0) return present;
			yield* wait(store.commit());
			yield* wait(over);
			return yield* this.present(resource);
		} finally {
			clearTimeout(timer);
			this.waiting.delete(resource.id);
		}
	}

	/** A command is over: whoever waits for that looks at it. */
	handleEnd(id: string): void {
		this.waiting.get(id)?.();
	}

	private *present(resource: CommandResource): Steps<CommandResource> {
		const { applicationServer, id } = resource;
		return (yield* wait(this.context.store.get<StoredCommand>("command", applicationServer, id))) ?? resource;
	}

	*all(applicationServer: string): Steps<CommandResource[]> {
		return yield* wait(this.context.store.ofServer<StoredCommand>("command", applicationServer));
	}

	/** @throws Problem 404 */
	*known(applicationServer: string, id: string): Steps<CommandResource> {
		const resource = yield* wait(this.context.store.get<StoredCommand>("command", applicationServer, id));
		if (resource === undefined) throw notFound("command");
		return resource;
	}

	/** @throws Problem 409 where it has been sent and is not over */
	*remove(applicationServer: string, id: string): Steps<void> {
		if ((yield* this.known(applicationServer, id)).body.status === "SENT")
			throw new Problem(409, "COMMAND_SENT", "The UE has been asked already: wait for its answer.");
		yield* wait(this.context.store.remove(id));
	}

	/** Whether a command waits for a UE. */
	*isWaiting(imsi: string): Steps<boolean> {
		return (yield* this.of(imsi, "WAITING_FOR_UE")).length > 0;
	}

	/** The UE listens now: what waited for it is sent. */
	*flush(imsi: string): Steps<void> {
		const tried = new Set<string>();
		for (;;) {
			// Looked at anew for each: another process may have sent it.
			yield* wait(this.context.store.lockUe(imsi));
			const waiting = yield* this.of(imsi, "WAITING_FOR_UE");
			const resource = waiting.find(({ id, body }) => !tried.has(id) && body.sessionId !== undefined);
			if (resource === undefined) return;
			tried.add(resource.id);
			if (yield* this.isElsewhere(resource)) continue;
			try {
				yield* this.send(resource);
			} catch (error) {
				if (!(error instanceof Problem)) throw error;
				yield* this.end(resource, { status: "FAILED", reason: error.message });
			}
		}
	}

	*handleEvent(event: HseEvent): Steps<void> {
		if (event.kind === "session confirmed") {
			for (const resource of yield* this.of(event.imsi, "WAITING_FOR_UE", "SESSION_REQUEST"))
				yield* this.end(resource, { status: "DONE", sessionId: event.sessionId });
		} else if (event.kind === "new keys") {
			for (const resource of yield* this.sent(event.sessionId, event.imsi, "KEY_REFRESH"))
				yield* this.end(resource, { status: "DONE", keyId: event.keyId });
		} else if (event.kind === "session over") {
			const { cause, by, imsi, sessionId } = event;
			for (const resource of [...(yield* this.of(imsi, "SENT")), ...(yield* this.of(imsi, "WAITING_FOR_UE"))]) {
				if (resource.body.sessionId !== sessionId) continue;
				if (resource.body.command === "TERMINATION")
					yield* this.end(resource, { status: "DONE", cause: causeWord(cause), by });
				else yield* this.end(resource, { status: "FAILED", reason: `The session is over: ${causeName(cause)}.` });
			}
		} else if (event.kind === "rejected") {
			const imsi = (yield* sessionById(this.context, event.sessionId))?.imsi;
			const reason = `The UE has rejected it: ${causeName(event.cause)}.`;
			for (const resource of yield* this.sent(event.sessionId, imsi ?? "", "KEY_REFRESH"))
				yield* this.end(resource, { status: "FAILED", cause: causeWord(event.cause), reason });
		}
	}

	/** The time of a command is over. */
	*handleOver(resource: CommandResource): Steps<void> {
		const { status } = resource.body;
		if (status === "DONE" || status === "FAILED") yield* wait(this.context.store.remove(resource.id));
		else {
			const reason = status === "SENT" ? "The UE has not answered." : "The UE was not heard from in time.";
			yield* this.end(resource, { status: "FAILED", reason });
		}
	}

	uriOf({ applicationServer, id }: CommandResource): string {
		return `${this.root}/${encodeURIComponent(applicationServer)}/commands/${id}`;
	}

	view(resource: CommandResource): CommandView {
		const { sessionId, argument: _, cause, ...rest } = resource.body;
		const server = encodeURIComponent(resource.applicationServer);
		return {
			self: this.uriOf(resource),
			...rest,
			...(cause !== undefined && { cause: cause as NonNullable<CommandView["cause"]> }),
			...(sessionId !== undefined && { session: `${this.root}/${server}/sessions/${sessionIdText(sessionId)}` }),
		};
	}

	private *send(resource: CommandResource): Steps<CommandResource> {
		const { hse, store, now } = this.context;
		const { command, sessionId = 0, argument } = resource.body;
		const sent = { ...resource, until: now() + LONGEST_ANSWER, body: { ...resource.body, status: "SENT" as const } };
		// Stored first: the answer can be there before the HSE's call returns, or come to another HSE.
		yield* wait(store.put(sent));
		yield* wait(store.commit());
		const isConfirmed = hse.session(sessionId)?.state !== "unconfirmed";
		try {
			this.give(command as Sent, sessionId, argument);
		} catch (error) {
			if (yield* this.isElsewhere(resource)) {
				yield* wait(store.put(resource));
				yield* wait(store.announce(resource));
				return resource;
			}
			yield* wait(store.remove(resource.id));
			yield* wait(store.commit());
			if (error instanceof HseError) throw new Problem(409, "SESSION_STATE", error.message);
			throw error;
		}
		// A session that was never confirmed ends without a 20.
		if (command === "TERMINATION" && !isConfirmed)
			return yield* this.end(sent, { status: "DONE", cause: causeWord(argument), by: "HSE" });
		return sent;
	}

	/** Whether another HSE has the session of a command: then it is sent there. */
	private *isElsewhere({ body: { sessionId = 0 } }: CommandResource): Steps<boolean> {
		const { hse, others } = this.context;
		if (others === undefined || hse.session(sessionId) !== undefined) return false;
		return (yield* wait(others.session(sessionId))) !== undefined;
	}

	private give(command: Sent, sessionId: number, argument: number): void {
		const { hse } = this.context;
		if (command === "KEY_REFRESH") hse.refresh(sessionId, argument);
		// A session that is being ended already needs no second 20.
		else if (hse.session(sessionId)?.state !== "terminating") hse.terminate(sessionId, argument);
	}

	private *of(
		imsi: string,
		status: StoredCommand["status"],
		command?: StoredCommand["command"],
	): Steps<CommandResource[]> {
		const commands = yield* wait(this.context.store.ofUe<StoredCommand>("command", imsi));
		return commands.filter(({ body }) => body.status === status && (command === undefined || body.command === command));
	}

	private *sent(sessionId: number, imsi: string, command: Sent): Steps<CommandResource[]> {
		return (yield* this.of(imsi, "SENT", command)).filter(({ body }) => body.sessionId === sessionId);
	}

	private *end(resource: CommandResource, outcome: Partial<StoredCommand>): Steps<CommandResource> {
		const { store, now } = this.context;
		const over = { ...resource, until: now() + KEPT, body: { ...resource.body, ...outcome } };
		yield* wait(store.put(over));
		yield* wait(store.announceOver(resource.id));
		yield* this.onOver(over);
		return over;
	}
}
