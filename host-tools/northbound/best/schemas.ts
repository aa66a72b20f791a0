import { z } from "zod";
import { DateTime, DurationSec, ExternalId, Link, Msisdn, WebsockNotifConfig } from "../schemas.js";
import { AGREEMENT_WORDS, ALGORITHM_WORDS, CAUSE_WORDS, MODE_WORDS, SERVICE_WORDS, valuesOf } from "./words.js";

const ueNames = { externalId: ExternalId.optional(), msisdn: Msisdn.optional() };
const hasOneName = (value: { externalId?: unknown; msisdn?: unknown }) =>
	(value.externalId === undefined) !== (value.msisdn === undefined);
const ONE_NAME = { message: "exactly one of externalId and msisdn is needed", path: ["externalId"] };

/** An enumeration with a name, and what its values say. */
const named = <const T extends readonly string[]>(id: string, values: T, description: string) =>
	z.enum(values).meta({ id, description });

export const SessionId = z
	.string()
	.regex(/^[0-9a-f]{8}$/)
	.describe("Session ID of EMSDP: 8 hex digits.");
const KeyId = z.int().min(1).max(7).describe("Key ID of EMSDP.");
const EasId = z.string().describe("The EAS Id that the UE named.");
const SessionState = named(
	"SessionState",
	["UNCONFIRMED", "LIVE", "REFRESHING", "TERMINATING"],
	"UNCONFIRMED: the UE has not answered the 11 yet. REFRESHING: new keys are offered. TERMINATING: the UE is asked to end it.",
);
const Service = named(
	"Service",
	valuesOf(SERVICE_WORDS),
	"What BEST does for the session: its data enciphered, integrity only, or keys only.",
);
const Mode = named(
	"Mode",
	valuesOf(MODE_WORDS),
	"Where the protection of the user plane ends: at the HSE or at an EAS.",
);
const KeyAgreement = named("KeyAgreement", valuesOf(AGREEMENT_WORDS), "How the keys were agreed.");
const Algorithm = named("Algorithm", valuesOf(ALGORITHM_WORDS), "An algorithm for enciphering or integrity.");
const Cause = named("Cause", valuesOf(CAUSE_WORDS), "Cause of EMSDP (tag 18).");
const EndedBy = named("EndedBy", ["UE", "HSE"], "Who ended the session.");

/** What the examples are about. */
const EXAMPLE = {
	root: "https://hse.example:8443/3gpp-best/v1/meters",
	sessionId: "34bc719c",
	externalId: "meter-1@meters.example",
	id: "0mwxi85bi0000f09776ab4c3fe99b",
};
const EXAMPLE_SESSION = {
	self: `${EXAMPLE.root}/sessions/${EXAMPLE.sessionId}`,
	sessionId: EXAMPLE.sessionId,
	externalId: EXAMPLE.externalId,
	easId: "meter.example",
	state: "LIVE",
	keyId: 1,
	service: "CONFIDENTIAL",
	mode: "UE_TO_HSE",
	keyAgreement: "EPS_AKA",
	encryptionAlgorithm: "AES",
	integrityAlgorithm: "AES",
	counterScheme: 0,
	macLength: 4,
	lifetime: 0,
	isListening: true,
} as const;

export const Session = z
	.object({
		self: Link.describe("URI of the session."),
		sessionId: SessionId,
		...ueNames,
		easId: EasId,
		state: SessionState,
		keyId: KeyId,
		service: Service,
		mode: Mode,
		keyAgreement: KeyAgreement,
		encryptionAlgorithm: Algorithm,
		integrityAlgorithm: Algorithm,
		counterScheme: z.int().min(0).max(2).describe("How COUNT is sent: 3 bits of it, and 0, 1 or 2 octets more."),
		macLength: z.union([z.literal(4), z.literal(8)]).describe("Octets of the MAC."),
		lifetime: z.int().min(0).describe("Seconds, 0 unlimited."),
		isListening: z.boolean().describe("Whether the UE was heard so lately that it still listens."),
	})
	.meta({ id: "Session", description: "A BEST session of a UE.", examples: [EXAMPLE_SESSION] });

export const SessionList = z
	.object({
		sessions: z.array(Session).describe("Those of one page."),
		next: z.string().optional().describe("For `after` of the next request; not there on the last page."),
	})
	.meta({ id: "SessionList", description: "A page of sessions.", examples: [{ sessions: [EXAMPLE_SESSION] }] });

export const SessionQuery = z
	.object({
		externalId: ExternalId.optional(),
		msisdn: Msisdn.optional(),
		after: ExternalId.optional().describe("`next` of the page before."),
		limit: z.coerce.number().int().min(1).max(1000).optional().describe("Sessions on a page, 100 by default."),
	})
	.refine((value) => value.externalId === undefined || value.msisdn === undefined, ONE_NAME);

const waiting = {
	maximumLatency: DurationSec.optional().describe("How many seconds to wait for the UE; without end by default."),
};
const delivery = named(
	"CommandDelivery",
	["WHEN_HEARD", "NOW"],
	"Whether the UE is asked when it listens (the default), or at once in any case.",
).optional();

export const SessionRequest = z
	.object({ ...ueNames, ...waiting })
	.refine(hasOneName, ONE_NAME)
	.meta({
		id: "SessionRequest",
		description: "Names one UE: externalId or msisdn.",
		examples: [{ externalId: EXAMPLE.externalId, maximumLatency: 3600 }],
	});

export const TerminationRequest = z
	.object({
		cause: named(
			"TerminationCause",
			["NORMAL_RELEASE", "UNSPECIFIED"],
			"What the UE is told; NORMAL_RELEASE by default.",
		).optional(),
		delivery,
		...waiting,
	})
	.meta({
		id: "TerminationRequest",
		description: "How a session is to end.",
		examples: [{ cause: "NORMAL_RELEASE", delivery: "NOW" }],
	});

export const KeyRefreshRequest = z
	.object({
		method: named(
			"KeyRefreshMethod",
			["ANY", "AKA", "CHAINED"],
			"AKA: a new run, with the SIM. CHAINED: derived from the old keys. ANY, the default: the HSE decides.",
		).optional(),
		delivery,
		...waiting,
	})
	.meta({ id: "KeyRefreshRequest", description: "How to agree new keys.", examples: [{ method: "CHAINED" }] });

const EXAMPLE_COMMAND = {
	self: `${EXAMPLE.root}/commands/${EXAMPLE.id}`,
	command: "KEY_REFRESH",
	status: "DONE",
	externalId: EXAMPLE.externalId,
	session: EXAMPLE_SESSION.self,
	keyId: 2,
} as const;

export const Command = z
	.object({
		self: Link.describe("URI of the command."),
		command: named("CommandKind", ["SESSION_REQUEST", "TERMINATION", "KEY_REFRESH"], "What is asked of the UE."),
		...ueNames,
		status: named(
			"CommandStatus",
			["WAITING_FOR_UE", "SENT", "DONE", "FAILED"],
			"WAITING_FOR_UE: it goes out when the UE is heard from. SENT: the UE has not answered yet.",
		),
		session: Link.optional().describe("URI of the session that it is about, once there is one."),
		keyId: KeyId.optional().describe("After a key refresh: the new one."),
		cause: Cause.optional(),
		by: EndedBy.optional(),
		reason: z.string().optional().describe("Why it failed."),
	})
	.meta({ id: "Command", description: "Something asked of a UE, which takes its time.", examples: [EXAMPLE_COMMAND] });

export const CommandList = z
	.object({ commands: z.array(Command).describe("All of them.") })
	.meta({ id: "CommandList", description: "Commands.", examples: [{ commands: [EXAMPLE_COMMAND] }] });

export const EasKey = z
	.object({
		sessionId: SessionId,
		keyId: KeyId,
		easId: EasId,
		key: z.string().length(44).describe("K_EAS_PSK, 32 octets in base64. It changes with the Key ID."),
	})
	.meta({
		id: "EasKey",
		description: "The key that the UE and its EAS share.",
		examples: [
			{
				sessionId: EXAMPLE.sessionId,
				keyId: 1,
				easId: "meter.example",
				key: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
			},
		],
	});

export const EVENTS = [
	"SESSION_REQUESTED",
	"SESSION_STARTED",
	"SESSION_RESUMED",
	"NEW_KEYS",
	"SESSION_OVER",
	"COMMAND_OVER",
] as const;
const Event = named(
	"Event",
	EVENTS,
	"SESSION_REQUESTED: a UE asks for a session. COMMAND_OVER: a command is done or has failed. The others are what they say.",
);
const events = z.array(Event).min(1).max(EVENTS.length);

export const SubscriptionRequest = z
	.object({
		notificationDestination: Link.describe("Where notifications are posted to; its origin must have been agreed."),
		events: events.optional().describe("What to tell of; all by default."),
		...ueNames,
		websockNotifConfig: WebsockNotifConfig.optional(),
	})
	.refine((value) => value.externalId === undefined || value.msisdn === undefined, ONE_NAME)
	.meta({
		id: "SubscriptionRequest",
		description: "What to tell of: events of one UE, or of all UEs of the application server where none is named.",
		examples: [
			{ notificationDestination: "https://as.meters.example/events", events: ["SESSION_STARTED", "SESSION_OVER"] },
		],
	});

const EXAMPLE_SUBSCRIPTION = {
	self: `${EXAMPLE.root}/subscriptions/${EXAMPLE.id}`,
	notificationDestination: "https://as.meters.example/events",
	events: ["SESSION_STARTED", "SESSION_OVER"],
} as const;

export const Subscription = z
	.object({
		self: Link.describe("URI of the subscription."),
		notificationDestination: Link.describe("Where notifications are posted to."),
		events: z.array(Event).describe("What is told of."),
		...ueNames,
		websockNotifConfig: WebsockNotifConfig.optional(),
	})
	.meta({ id: "Subscription", description: "A subscription to events.", examples: [EXAMPLE_SUBSCRIPTION] });

export const SubscriptionList = z.object({ subscriptions: z.array(Subscription).describe("All of them.") }).meta({
	id: "SubscriptionList",
	description: "Subscriptions.",
	examples: [{ subscriptions: [EXAMPLE_SUBSCRIPTION] }],
});

/** What is sent to the notification destination of a subscription. */
export const EventNotification = z
	.object({
		subscription: Link.describe("URI of the subscription."),
		event: Event,
		time: DateTime.describe("When it happened (RFC 3339)."),
		...ueNames,
		session: Link.optional().describe("URI of the session."),
		sessionId: SessionId.optional(),
		keyId: KeyId.optional(),
		cause: Cause.optional(),
		by: EndedBy.optional(),
		command: Command.optional(),
	})
	.meta({
		id: "EventNotification",
		description: "What is sent to the notification destination of a subscription.",
		examples: [
			{
				subscription: EXAMPLE_SUBSCRIPTION.self,
				event: "SESSION_STARTED",
				time: "2030-01-01T00:00:00.000Z",
				externalId: EXAMPLE.externalId,
				session: EXAMPLE_SESSION.self,
				sessionId: EXAMPLE.sessionId,
			},
		],
	});

export type EventName = (typeof EVENTS)[number];
export type CommandView = z.infer<typeof Command>;
export type SessionRequestBody = z.infer<typeof SessionRequest>;
export type TerminationBody = z.infer<typeof TerminationRequest>;
export type KeyRefreshBody = z.infer<typeof KeyRefreshRequest>;
export type SubscriptionBody = z.infer<typeof SubscriptionRequest>;

/** What is stored of a command. */
export interface StoredCommand {
	readonly command: CommandView["command"];
	readonly status: CommandView["status"];
	readonly externalId: string;
	readonly msisdn?: string | undefined;
	/** Session that it is about; undefined while there is none. */
	readonly sessionId?: number | undefined;
	/** Cause of a 20, or method of a 30. */
	readonly argument: number;
	readonly keyId?: number | undefined;
	readonly cause?: string | undefined;
	readonly by?: "UE" | "HSE" | undefined;
	readonly reason?: string | undefined;
}

/** What is stored of a subscription. */
export interface StoredSubscription {
	readonly notificationDestination: string;
	readonly events: readonly EventName[];
	readonly externalId?: string | undefined;
	readonly msisdn?: string | undefined;
	readonly hasWebsocket: boolean;
}
