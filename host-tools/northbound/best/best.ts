import { REFRESH_METHOD } from "../../../firmware/emsdp/contents.js";
import { CAUSE } from "../../../firmware/emsdp/profile.js";
import type { HseEvent } from "../../hse/events.js";
import type { ApplicationServer } from "../application-server.js";
import { checkDestination, checkQuota, type NorthboundContext, nameOf, ueOf, websocketUriOf } from "../context.js";
import type { SessionView } from "../hse-port.js";
import type { KeyRelease } from "../key-release.js";
import type { Resource } from "../northbound-store.js";
import type { ApiResponse } from "../operation.js";
import { notFound, Problem } from "../problem.js";
import { base64Of, dateTimeOf } from "../schemas.js";
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
import {
	AGREEMENT_WORDS,
	ALGORITHM_WORDS,
	causeWord,
	MODE_WORDS,
	SERVICE_WORDS,
	STATE_WORDS,
	sessionIdText,
} from "./words.js";

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

	sessions(
		{ id }: ApplicationServer,
		query: UeName & { readonly after?: string | undefined; readonly limit?: number | undefined },
	): ApiResponse {
		const { directory, hse } = this.context;
		const { after, limit = PAGE } = query;
		const sessions: object[] = [];
		if (query.externalId !== undefined || query.msisdn !== undefined) {
			const ue = directory.find(id, query);
			const session = ue && hse.sessionOf(ue.imsi);
			if (ue !== undefined && session !== undefined) sessions.push(this.view(ue, session));
			return { status: 200, body: { sessions } };
		}
		let isPast = after === undefined;
		let last: string | undefined;
		for (const imsi of directory.imsisOf(id, () => hse.imsis())) {
			const ue = directory.ofImsi(imsi);
			if (ue === undefined) continue;
			if (!isPast) {
				isPast = ue.externalId === after;
				continue;
			}
			const session = hse.sessionOf(imsi);
			if (session === undefined) continue;
			if (sessions.length === limit) return { status: 200, body: { sessions, next: last } };
			sessions.push(this.view(ue, session));
			last = ue.externalId;
		}
		return { status: 200, body: { sessions } };
	}

	session(applicationServer: ApplicationServer, sessionId: string): ApiResponse {
		const { ue, session } = this.known(applicationServer, sessionId);
		return { status: 200, body: this.view(ue, session) };
	}

	/** Request of a BEST session: the UE alone can begin one, so the request waits until it does. */
	requestSession(applicationServer: ApplicationServer, request: SessionRequestBody): ApiResponse {
		const ue = ueOf(this.context, applicationServer.id, request);
		const session = this.context.hse.sessionOf(ue.imsi);
		if (session !== undefined) return { status: 200, body: this.view(ue, session) };
		return this.accepted(this.commands.create(ue, "SESSION_REQUEST", undefined, 0, request.maximumLatency, false));
	}

	async terminate(
		applicationServer: ApplicationServer,
		sessionId: string,
		{ cause = "NORMAL_RELEASE", delivery, maximumLatency }: TerminationBody,
	): Promise<ApiResponse> {
		const { ue, session } = this.known(applicationServer, sessionId);
		const isUrgent = delivery === "NOW";
		return this.answer(
			this.commands.create(ue, "TERMINATION", session.sessionId, CAUSES[cause], maximumLatency, isUrgent),
		);
	}

	async refreshKeys(
		applicationServer: ApplicationServer,
		sessionId: string,
		{ method = "ANY", delivery, maximumLatency }: KeyRefreshBody,
	): Promise<ApiResponse> {
		const { ue, session } = this.known(applicationServer, sessionId);
		const isUrgent = delivery === "NOW";
		return this.answer(
			this.commands.create(ue, "KEY_REFRESH", session.sessionId, METHODS[method], maximumLatency, isUrgent),
		);
	}

	/** K_EAS_PSK, where the policy of the UE allows it; there is an audit record before it goes out. */
	async easKey(applicationServer: ApplicationServer, sessionId: string): Promise<ApiResponse> {
		const { hse } = this.context;
		const { ue, session } = this.known(applicationServer, sessionId);
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
			await this.keys.release(
				ue,
				{ applicationServer: applicationServer.id, sessionId: session.sessionId, keyId, easId },
				key,
			);
			return { status: 200, body: { sessionId, keyId, easId, key: base64Of(key) } };
		} finally {
			key.fill(0);
		}
	}

	command(applicationServer: ApplicationServer, id: string): ApiResponse {
		return { status: 200, body: this.commands.view(this.commands.known(applicationServer.id, id)) };
	}

	allCommands({ id }: ApplicationServer): ApiResponse {
		return { status: 200, body: { commands: this.commands.all(id).map((command) => this.commands.view(command)) } };
	}

	removeCommand({ id: applicationServer }: ApplicationServer, id: string): ApiResponse {
		this.commands.remove(applicationServer, id);
		return { status: 204 };
	}

	subscribe(applicationServer: ApplicationServer, request: SubscriptionBody): ApiResponse {
		const { store, newId, limits } = this.context;
		const isAboutOne = request.externalId !== undefined || request.msisdn !== undefined;
		const ue = isAboutOne ? ueOf(this.context, applicationServer.id, request) : undefined;
		checkDestination(applicationServer, request.notificationDestination, "/notificationDestination");
		checkQuota(store.count("subscription", applicationServer.id), limits.subscriptions, "subscriptions");
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
		store.put(resource);
		return {
			status: 201,
			body: this.subscriptionView(resource),
			headers: { Location: this.subscriptionUriOf(resource) },
		};
	}

	subscriptions({ id }: ApplicationServer): ApiResponse {
		const all = this.context.store.ofServer<StoredSubscription>("subscription", id);
		return { status: 200, body: { subscriptions: all.map((resource) => this.subscriptionView(resource)) } };
	}

	subscription(applicationServer: ApplicationServer, id: string): ApiResponse {
		return { status: 200, body: this.subscriptionView(this.knownSubscription(applicationServer, id)) };
	}

	unsubscribe(applicationServer: ApplicationServer, id: string): ApiResponse {
		this.knownSubscription(applicationServer, id);
		this.context.store.remove(id);
		this.context.notifier.close(id);
		return { status: 204 };
	}

	/** The channel of a WebSocket. @throws Problem where the subscription has none */
	websocket(applicationServer: ApplicationServer, id: string): string {
		if (!this.knownSubscription(applicationServer, id).body.hasWebsocket) throw notFound("WebSocket");
		return id;
	}

	handleEvent(event: HseEvent): void {
		const name = EVENT_NAMES[event.kind];
		if (name !== undefined && "imsi" in event) {
			const { directory } = this.context;
			const ue = directory.ofImsi(event.imsi);
			if (ue !== undefined)
				this.tell(ue, name, {
					...("sessionId" in event && {
						session: this.sessionUriOf(ue, event.sessionId),
						sessionId: sessionIdText(event.sessionId),
					}),
					...("keyId" in event && { keyId: event.keyId }),
					...("cause" in event && { cause: causeWord(event.cause), by: event.by }),
				});
		}
		this.commands.handleEvent(event);
	}

	private tellOfCommand(command: CommandResource): void {
		const ue = this.context.directory.ofImsi(command.imsi);
		if (ue !== undefined) this.tell(ue, "COMMAND_OVER", { command: this.commands.view(command) });
	}

	/** Tells those subscriptions of the UE's application server that ask for it. */
	private tell(ue: UeEntry, event: EventName, more: object): void {
		const { store, notifier, now } = this.context;
		for (const resource of store.ofServer<StoredSubscription>("subscription", ue.applicationServer)) {
			const { events, notificationDestination } = resource.body;
			if (!events.includes(event) || (resource.imsi !== "" && resource.imsi !== ue.imsi)) continue;
			notifier.notify(resource.id, notificationDestination, {
				subscription: this.subscriptionUriOf(resource),
				event,
				time: dateTimeOf(now()),
				externalId: ue.externalId,
				...more,
			});
		}
	}

	/** A session by its text; that of another application server's UE is as unknown as one that does not exist. */
	private known({ id }: ApplicationServer, sessionId: string): { ue: UeEntry; session: SessionView } {
		const { hse, directory } = this.context;
		const session = /^[0-9a-f]{8}$/.test(sessionId) ? hse.session(Number.parseInt(sessionId, 16)) : undefined;
		const ue = session && directory.ofImsi(session.imsi);
		if (session === undefined || ue === undefined || session.state === "over") throw notFound("session");
		if (ue.applicationServer !== id)
			throw new Problem(403, "UE_OF_ANOTHER_SERVER", "The session is that of another application server's UE.");
		return { ue, session };
	}

	private knownSubscription({ id: applicationServer }: ApplicationServer, id: string): SubscriptionResource {
		const resource = this.context.store.get<StoredSubscription>("subscription", applicationServer, id);
		if (resource === undefined) throw notFound("subscription");
		return resource;
	}

	/** Waits a while for the UE: its answer, or where to look for it later. */
	private async answer(command: CommandResource): Promise<ApiResponse> {
		const settled = await this.commands.settled(command, this.answerWithin);
		const { status, reason } = settled.body;
		if (status === "FAILED") throw new Problem(409, "COMMAND_FAILED", reason ?? "The command has failed.");
		return status === "DONE" ? { status: 200, body: this.commands.view(settled) } : this.accepted(settled);
	}

	private accepted(command: CommandResource): ApiResponse {
		return { status: 202, body: this.commands.view(command), headers: { Location: this.commands.uriOf(command) } };
	}

	private view(ue: UeEntry, session: SessionView): object {
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
			isListening: this.context.reachability.isReachable(imsi, this.context.now()),
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
