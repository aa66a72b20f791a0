import { HseError } from "../../hse/errors.js";
import type { HseEvent } from "../../hse/events.js";
import { checkQuota, type NorthboundContext } from "../context.js";
import type { Resource } from "../northbound-store.js";
import { notFound, Problem } from "../problem.js";
import type { UeEntry } from "../ue-directory.js";
import type { CommandView, StoredCommand } from "./schemas.js";
import { causeName, causeWord, sessionIdText } from "./words.js";

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
	private readonly onOver: (resource: CommandResource) => void;
	/** HTTP requests that wait for the end of a command, by its identifier. */
	private readonly waiting = new Map<string, (resource: CommandResource) => void>();

	/** @param root URI of the BEST API */
	constructor(context: NorthboundContext, root: string, onOver: (resource: CommandResource) => void) {
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
	create(
		ue: UeEntry,
		command: StoredCommand["command"],
		sessionId: number | undefined,
		argument: number,
		maximumLatency: number | undefined,
		isUrgent: boolean,
	): CommandResource {
		const { store, now, newId, reachability, limits } = this.context;
		checkQuota(store.count("command", ue.applicationServer), limits.commands, "commands");
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
		if (sessionId !== undefined && (isUrgent || reachability.isReachable(imsi, now()))) return this.send(resource);
		store.put(resource);
		return resource;
	}

	/** Resolves with the command when it is over, or as it is after a time. @param milliseconds to wait */
	async settled(resource: CommandResource, milliseconds: number): Promise<CommandResource> {
		const { store } = this.context;
		const present = store.get<StoredCommand>("command", resource.applicationServer, resource.id) ?? resource;
		if (present.body.status !== "SENT" || milliseconds <= 0) return present;
		let timer: NodeJS.Timeout | undefined;
		const over = new Promise<CommandResource>((resolve) => this.waiting.set(resource.id, resolve));
		const late = new Promise<CommandResource>((resolve) => {
			timer = setTimeout(() => resolve(present), milliseconds);
		});
		try {
			return await Promise.race([over, late]);
		} finally {
			clearTimeout(timer);
			this.waiting.delete(resource.id);
		}
	}

	all(applicationServer: string): CommandResource[] {
		return this.context.store.ofServer<StoredCommand>("command", applicationServer);
	}

	/** @throws Problem 404 */
	known(applicationServer: string, id: string): CommandResource {
		const resource = this.context.store.get<StoredCommand>("command", applicationServer, id);
		if (resource === undefined) throw notFound("command");
		return resource;
	}

	/** @throws Problem 409 where it has been sent and is not over */
	remove(applicationServer: string, id: string): void {
		if (this.known(applicationServer, id).body.status === "SENT")
			throw new Problem(409, "COMMAND_SENT", "The UE has been asked already: wait for its answer.");
		this.context.store.remove(id);
	}

	/** The UE listens now: what waited for it is sent. */
	flush(imsi: string): void {
		for (const resource of this.of(imsi, "WAITING_FOR_UE")) {
			if (resource.body.sessionId === undefined) continue;
			try {
				this.send(resource);
			} catch (error) {
				if (!(error instanceof Problem)) throw error;
				this.end(resource, { status: "FAILED", reason: error.message });
			}
		}
	}

	handleEvent(event: HseEvent): void {
		if (event.kind === "session confirmed") {
			for (const resource of this.of(event.imsi, "WAITING_FOR_UE", "SESSION_REQUEST"))
				this.end(resource, { status: "DONE", sessionId: event.sessionId });
		} else if (event.kind === "new keys") {
			for (const resource of this.sent(event.sessionId, event.imsi, "KEY_REFRESH"))
				this.end(resource, { status: "DONE", keyId: event.keyId });
		} else if (event.kind === "session over") {
			const { cause, by, imsi, sessionId } = event;
			for (const resource of [...this.of(imsi, "SENT"), ...this.of(imsi, "WAITING_FOR_UE")]) {
				if (resource.body.sessionId !== sessionId) continue;
				if (resource.body.command === "TERMINATION")
					this.end(resource, { status: "DONE", cause: causeWord(cause), by });
				else this.end(resource, { status: "FAILED", reason: `The session is over: ${causeName(cause)}.` });
			}
		} else if (event.kind === "rejected") {
			const imsi = this.context.hse.session(event.sessionId)?.imsi;
			const reason = `The UE has rejected it: ${causeName(event.cause)}.`;
			for (const resource of this.sent(event.sessionId, imsi ?? "", "KEY_REFRESH"))
				this.end(resource, { status: "FAILED", cause: causeWord(event.cause), reason });
		}
	}

	/** The time of a command is over. */
	handleOver(resource: CommandResource): void {
		const { status } = resource.body;
		if (status === "DONE" || status === "FAILED") this.context.store.remove(resource.id);
		else {
			const reason = status === "SENT" ? "The UE has not answered." : "The UE was not heard from in time.";
			this.end(resource, { status: "FAILED", reason });
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

	private send(resource: CommandResource): CommandResource {
		const { hse, store, now } = this.context;
		const { command, sessionId = 0, argument } = resource.body;
		const sent = { ...resource, until: now() + LONGEST_ANSWER, body: { ...resource.body, status: "SENT" as const } };
		// Stored first: the answer can be there before the HSE's call returns.
		store.put(sent);
		try {
			this.give(command as Sent, sessionId, argument);
		} catch (error) {
			store.remove(resource.id);
			if (error instanceof HseError) throw new Problem(409, "SESSION_STATE", error.message);
			throw error;
		}
		// A session that was never confirmed ends without a 20.
		if (command === "TERMINATION" && hse.session(sessionId) === undefined)
			return this.end(sent, { status: "DONE", cause: causeWord(argument), by: "HSE" });
		return sent;
	}

	private give(command: Sent, sessionId: number, argument: number): void {
		const { hse } = this.context;
		if (command === "KEY_REFRESH") hse.refresh(sessionId, argument);
		// A session that is being ended already needs no second 20.
		else if (hse.session(sessionId)?.state !== "terminating") hse.terminate(sessionId, argument);
	}

	private of(imsi: string, status: StoredCommand["status"], command?: StoredCommand["command"]): CommandResource[] {
		return this.context.store
			.ofUe<StoredCommand>("command", imsi)
			.filter(({ body }) => body.status === status && (command === undefined || body.command === command));
	}

	private sent(sessionId: number, imsi: string, command: Sent): CommandResource[] {
		return this.of(imsi, "SENT", command).filter(({ body }) => body.sessionId === sessionId);
	}

	private end(resource: CommandResource, outcome: Partial<StoredCommand>): CommandResource {
		const { store, now } = this.context;
		const over = { ...resource, until: now() + KEPT, body: { ...resource.body, ...outcome } };
		store.put(over);
		this.waiting.get(resource.id)?.(over);
		this.onOver(over);
		return over;
	}
}
