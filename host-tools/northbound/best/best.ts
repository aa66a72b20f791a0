import { REFRESH_METHOD } from "../../../firmware/emsdp/contents.js";
import { CAUSE } from "../../../firmware/emsdp/profile.js";
import { sessionIdText } from "../../hex.js";
import type { HseEvent } from "../../hse/events.js";
import type { ApplicationServer } from "../application-server.js";
import {
	bring,
	checkDestination,
	checkQuota,
	isListening,
	type NorthboundContext,
	nameOf,
	sessionById,
	sessionOf,
	sessionsOf,
	ueOf,
	websocketUriOf,
} from "../context.js";
import type { SessionView } from "../hse-port.js";
import type { KeyRelease } from "../key-release.js";
import type { ApiResponse } from "../operation.js";
import { invalid, notFound, PROBLEM_TYPE, Problem } from "../problem.js";
import type { Resource } from "../resources.js";
import { base64Of, dateTimeOf } from "../schemas.js";
import { type Steps, wait } from "../steps.js";
import type { UeEntry, UeName } from "../ue-directory.js";
import { type CommandResource, Commands } from "./commands.js";
import {
	EVENTS,
	type EventName,
	type KeyRefreshBody,
	type SessionRequestBody,
	type StoredSubscription,
	type SubscriptionBody,
	type TerminationBody,
} from "./schemas.js";
import { AGREEMENT_WORDS, ALGORITHM_WORDS, causeWord, MODE_WORDS, SERVICE_WORDS, STATE_WORDS } from "./words.js";

type SubscriptionResource = Resource<StoredSubscription>;

const METHODS = {
	ANY: REFRESH_METHOD.anyMethod,
	AKA: REFRESH_METHOD.aka,
	CHAINED: REFRESH_METHOD.chained,
} as const;
const CAUSES = { NORMAL_RELEASE: CAUSE.normalRelease, UNSPECIFIED: CAUSE.unspecified } as const;
const PAGE = 100;

/** Sessions, keys and events of BEST for application servers: the commands of the SA3 liaison statement. */
export class Best {
	readonly commands: Commands;
	private readonly context: NorthboundContext;
	private readonly keys: KeyRelease;
	private readonly answerWithin: number;
	private readonly root: string;

	/** @param answerWithin how long an HTTP request waits for the UE's answer, in milliseconds */
	constructor(context: NorthboundContext, keys: KeyRelease, answerWithin: number) {
		this.context = context;
		this.keys = keys;
		this.answerWithin = answerWithin;
		this.root = `${context.apiRoot}/3gpp-best/v1`;
		this.commands = new Commands(context, this.root, (command) => this.tellOfCommand(command));
	}

	*sessions(
		{ id }: ApplicationServer,
		query: UeName & { readonly after?: string | undefined; readonly limit?: number | undefined },
	): Steps<ApiResponse> {
		const { directory, hse, others } = this.context;
		const { after, limit = PAGE } = query;
		if (query.externalId !== undefined || query.msisdn !== undefined) {
			const ue = ueOf(this.context, id, query);
			const session = yield* sessionOf(this.context, ue.imsi);
			const sessions = session === undefined ? [] : [yield* this.view(ue, session)];
			return { status: 200, body: { sessions } };
		}
		const present = others === undefined || !directory.hasUnlisted(id) ? undefined : yield* wait(others.imsis());
		// Its session may be over by now: its place among the UEs stays.
		const last = after === undefined ? undefined : directory.find(id, { externalId: after });
		if (after !== undefined && last === undefined) throw invalid("query after", "must be `next` of the page before");
		const ues = directory.uesAfter(id, last?.imsi ?? "", () => present ?? hse.imsis());
		const sessions: object[] = [];
		let next: string | undefined;
		for (let isThereMore = true; isThereMore; ) {
			const some: UeEntry[] = [];
			for (let step = ues.next(); ; step = ues.next()) {
				isThereMore = !step.done;
				if (step.done) break;
				some.push(step.value);
				if (some.length > limit) break;
			}
			const found = yield* sessionsOf(
				this.context,
				some.map(({ imsi }) => imsi),
			);
			for (const session of found) {
				const ue = directory.ofImsi(session.imsi);
				if (ue === undefined) continue;
				if (sessions.length === limit) return { status: 200, body: { sessions, next } };
				sessions.push(yield* this.view(ue, session));
				next = ue.externalId;
			}
		}
		return { status: 200, body: { sessions } };
	}

	*session(applicationServer: ApplicationServer, sessionId: string): Steps<ApiResponse> {
		const { ue, session } = yield* this.known(applicationServer, sessionId);
		return { status: 200, body: yield* this.view(ue, session) };
	}

	/** Request of a BEST session: the UE alone can begin one, so the request waits until it does. */
	*requestSession(applicationServer: ApplicationServer, request: SessionRequestBody): Steps<ApiResponse> {
		const ue = ueOf(this.context, applicationServer.id, request);
		const session = yield* sessionOf(this.context, ue.imsi);
		if (session !== undefined) return { status: 200, body: yield* this.view(ue, session) };
		const { maximumLatency } = request;
		return this.accepted(yield* this.commands.create(ue, "SESSION_REQUEST", undefined, 0, maximumLatency, false));
	}

	*terminate(
		applicationServer: ApplicationServer,
		sessionId: string,
		{ cause = "NORMAL_RELEASE", delivery, maximumLatency }: TerminationBody,
	): Steps<ApiResponse> {
		const { ue, session } = yield* this.known(applicationServer, sessionId);
		const isUrgent = delivery === "NOW";
		return yield* this.answer(
			yield* this.commands.create(ue, "TERMINATION", session.sessionId, CAUSES[cause], maximumLatency, isUrgent),
		);
	}

	*refreshKeys(
		applicationServer: ApplicationServer,
		sessionId: string,
		{ method = "ANY", delivery, maximumLatency }: KeyRefreshBody,
	): Steps<ApiResponse> {
		const { ue, session } = yield* this.known(applicationServer, sessionId);
		const isUrgent = delivery === "NOW";
		return yield* this.answer(
			yield* this.commands.create(ue, "KEY_REFRESH", session.sessionId, METHODS[method], maximumLatency, isUrgent),
		);
	}

	/** K_EAS_PSK, where the policy of the UE allows it; there is an audit record before it goes out. */
	*easKey(applicationServer: ApplicationServer, sessionId: string): Steps<ApiResponse> {
		const { hse } = this.context;
		const known = yield* this.known(applicationServer, sessionId);
		yield* bring(this.context, known.session.sessionId);
		const { ue } = known;
		const session = hse.session(known.session.sessionId);
		if (session === undefined) throw yield* this.notHere(applicationServer, sessionId);
		if (session.state !== "live" && session.state !== "refreshing")
			throw new Problem(
				409,
				"SESSION_STATE",
				`The session is in state ${STATE_WORDS[session.state]}: it has no key now.`,
			);
		const { keyId, easId } = session;
		const key = hse.easKey(session.sessionId);
		if (key === undefined) throw notFound("session");
		try {
			const question = { applicationServer: applicationServer.id, sessionId: session.sessionId, keyId, easId };
			yield* wait(this.keys.release(ue, question, key));
			return { status: 200, body: { sessionId, keyId, easId, key: base64Of(key) } };
		} finally {
			key.fill(0);
		}
	}

	/** Why a session could not be brought here. @throws Problem 404 where it is over by now */
	private *notHere(applicationServer: ApplicationServer, sessionId: string): Steps<Problem> {
		yield* this.known(applicationServer, sessionId);
		return new Problem(409, "SESSION_ELSEWHERE", "Another HSE has the session and does not let go of it: try again.");
	}

	*command(applicationServer: ApplicationServer, id: string): Steps<ApiResponse> {
		return { status: 200, body: this.commands.view(yield* this.commands.known(applicationServer.id, id)) };
	}

	*allCommands({ id }: ApplicationServer): Steps<ApiResponse> {
		const all = yield* this.commands.all(id);
		return { status: 200, body: { commands: all.map((command) => this.commands.view(command)) } };
	}

	*removeCommand({ id: applicationServer }: ApplicationServer, id: string): Steps<ApiResponse> {
		yield* this.commands.remove(applicationServer, id);
		return { status: 204 };
	}

	*subscribe(applicationServer: ApplicationServer, request: SubscriptionBody): Steps<ApiResponse> {
		const { store, newId, limits } = this.context;
		const isAboutOne = request.externalId !== undefined || request.msisdn !== undefined;
		const ue = isAboutOne ? ueOf(this.context, applicationServer.id, request) : undefined;
		checkDestination(applicationServer, request.notificationDestination, "/notificationDestination");
		const present = yield* wait(store.count("subscription", applicationServer.id));
		checkQuota(present, limits.subscriptions, "subscriptions");
		const resource: SubscriptionResource = {
			id: newId(),
			kind: "subscription",
			applicationServer: applicationServer.id,
			imsi: ue?.imsi ?? "",
			parent: "",
			until: undefined,
			body: {
				notificationDestination: request.notificationDestination,
				events: request.events ?? EVENTS,
				...(isAboutOne && nameOf(request)),
				hasWebsocket: request.websockNotifConfig?.requestWebsocketUri === true,
			},
		};
		yield* wait(store.put(resource));
		yield* wait(store.announce(resource));
		return {
			status: 201,
			body: this.subscriptionView(resource),
			headers: { Location: this.subscriptionUriOf(resource) },
		};
	}

	*subscriptions({ id }: ApplicationServer): Steps<ApiResponse> {
		const all = yield* wait(this.context.store.ofServer<StoredSubscription>("subscription", id));
		return { status: 200, body: { subscriptions: all.map((resource) => this.subscriptionView(resource)) } };
	}

	*subscription(applicationServer: ApplicationServer, id: string): Steps<ApiResponse> {
		return { status: 200, body: this.subscriptionView(yield* this.knownSubscription(applicationServer, id)) };
	}

	*unsubscribe(applicationServer: ApplicationServer, id: string): Steps<ApiResponse> {
		yield* this.knownSubscription(applicationServer, id);
		yield* wait(this.context.store.remove(id));
		yield* wait(this.context.notifier.close(id));
		return { status: 204 };
	}

	/** The channel of a WebSocket. @throws Problem where the subscription has none */
	*websocket(applicationServer: ApplicationServer, id: string): Steps<string> {
		if (!(yield* this.knownSubscription(applicationServer, id)).body.hasWebsocket) throw notFound("WebSocket");
		return id;
	}

	*handleEvent(event: HseEvent): Steps<void> {
		const name = EVENT_NAMES[event.kind];
		if (name !== undefined && "imsi" in event) {
			const { directory } = this.context;
			const ue = directory.ofImsi(event.imsi);
			if (ue !== undefined)
				yield* this.tell(ue, name, {
					...("sessionId" in event && {
						session: this.sessionUriOf(ue, event.sessionId),
						sessionId: sessionIdText(event.sessionId),
					}),
					...("keyId" in event && { keyId: event.keyId }),
					...("cause" in event && { cause: causeWord(event.cause), by: event.by }),
				});
		}
		yield* this.commands.handleEvent(event);
	}

	private *tellOfCommand(command: CommandResource): Steps<void> {
		const ue = this.context.directory.ofImsi(command.imsi);
		if (ue !== undefined) yield* this.tell(ue, "COMMAND_OVER", { command: this.commands.view(command) });
	}

	/** Tells those subscriptions of the UE's application server that ask for it. */
	private *tell(ue: UeEntry, event: EventName, more: object): Steps<void> {
		const { store, notifier, now } = this.context;
		for (const resource of yield* wait(store.ofServer<StoredSubscription>("subscription", ue.applicationServer))) {
			const { events, notificationDestination } = resource.body;
			if (!events.includes(event) || (resource.imsi !== "" && resource.imsi !== ue.imsi)) continue;
			const { externalId } = ue;
			const subscription = this.subscriptionUriOf(resource);
			const notification = { subscription, event, time: dateTimeOf(now()), externalId, ...more };
			yield* wait(notifier.notify(resource.id, notificationDestination, notification));
		}
	}

	/** A session by its text; that of another application server's UE is as unknown as one that does not exist. */
	private *known({ id }: ApplicationServer, sessionId: string): Steps<{ ue: UeEntry; session: SessionView }> {
		const { directory } = this.context;
		const session = /^[0-9a-f]{8}$/.test(sessionId)
			? yield* sessionById(this.context, Number.parseInt(sessionId, 16))
			: undefined;
		const ue = session && directory.ofImsi(session.imsi);
		if (session === undefined || ue === undefined || session.state === "over") throw notFound("session");
		if (ue.applicationServer !== id)
			throw new Problem(403, "UE_OF_ANOTHER_SERVER", "The session is that of another application server's UE.");
		return { ue, session };
	}

	private *knownSubscription({ id: applicationServer }: ApplicationServer, id: string): Steps<SubscriptionResource> {
		const resource = yield* wait(this.context.store.get<StoredSubscription>("subscription", applicationServer, id));
		if (resource === undefined) throw notFound("subscription");
		return resource;
	}

	/** Waits a while for the UE: its answer, or where to look for it later. */
	private *answer(command: CommandResource): Steps<ApiResponse> {
		const settled = yield* this.commands.settled(command, this.answerWithin);
		const { status, reason } = settled.body;
		if (status === "FAILED") {
			const { details } = new Problem(409, "COMMAND_FAILED", reason ?? "The command has failed.");
			// It has been done, and this is what came of it: an answer to keep, so that its repetition asks nothing of the UE.
			return { status: 409, body: details, headers: { "Content-Type": PROBLEM_TYPE } };
		}
		return status === "DONE" ? { status: 200, body: this.commands.view(settled) } : this.accepted(settled);
	}

	private accepted(command: CommandResource): ApiResponse {
		return { status: 202, body: this.commands.view(command), headers: { Location: this.commands.uriOf(command) } };
	}

	private *view(ue: UeEntry, session: SessionView): Steps<object> {
		const { configuration } = session;
		const { externalId, msisdn, imsi } = ue;
		return {
			self: this.sessionUriOf(ue, session.sessionId),
			sessionId: sessionIdText(session.sessionId),
			externalId,
			msisdn,
			easId: session.easId,
			state: STATE_WORDS[session.state],
			keyId: session.keyId,
			service: SERVICE_WORDS[configuration.service],
			mode: MODE_WORDS[configuration.mode],
			keyAgreement: AGREEMENT_WORDS[configuration.agreement],
			encryptionAlgorithm: ALGORITHM_WORDS[configuration.encryption],
			integrityAlgorithm: ALGORITHM_WORDS[configuration.integrity],
			counterScheme: configuration.counterScheme,
			macLength: configuration.macLength,
			lifetime: configuration.lifetime,
			isListening: yield* isListening(this.context, imsi),
		};
	}

	private sessionUriOf({ applicationServer }: UeEntry, sessionId: number): string {
		return `${this.root}/${encodeURIComponent(applicationServer)}/sessions/${sessionIdText(sessionId)}`;
	}

	private subscriptionUriOf({ applicationServer, id }: SubscriptionResource): string {
		return `${this.root}/${encodeURIComponent(applicationServer)}/subscriptions/${id}`;
	}

	private subscriptionView(resource: SubscriptionResource): object {
		const { hasWebsocket, ...body } = resource.body;
		const self = this.subscriptionUriOf(resource);
		return {
			self,
			...body,
			...(hasWebsocket && { websockNotifConfig: { websocketUri: websocketUriOf(self), requestWebsocketUri: true } }),
		};
	}
}

/** What application servers are told of. */
const EVENT_NAMES: Readonly<Partial<Record<HseEvent["kind"], EventName>>> = {
	"session asked for": "SESSION_REQUESTED",
	"session confirmed": "SESSION_STARTED",
	"session resumed": "SESSION_RESUMED",
	"new keys": "NEW_KEYS",
	"session over": "SESSION_OVER",
};
