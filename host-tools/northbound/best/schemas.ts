import { z } from "zod";
import { DateTime, DurationSec, ExternalId, Link, Msisdn, WebsockNotifConfig } from "../schemas.js";
import { AGREEMENT_WORDS, ALGORITHM_WORDS, CAUSE_WORDS, MODE_WORDS, SERVICE_WORDS, valuesOf } from "./words.js";

const ueNames = { externalId: ExternalId.optional(), msisdn: Msisdn.optional() };
const hasOneName = (value: { externalId?: unknown; msisdn?: unknown }) =>
	(value.externalId === undefined) !== (value.msisdn === undefined);
const ONE_NAME = { message: "exactly one of externalId and msisdn is needed", path: ["externalId"] };

export const SessionId = z
	.string()
	.regex(/^[0-9a-f]{8}$/)
	.describe("Session ID of EMSDP: 8 hex digits.");
const KeyId = z.int().min(1).max(7).describe("Key ID of EMSDP.");
const Algorithm = z.enum(valuesOf(ALGORITHM_WORDS));
const Cause = z.enum(valuesOf(CAUSE_WORDS)).describe("Cause of EMSDP (tag 18).");

export const Session = z
	.object({
		self: Link,
		sessionId: SessionId,
		...ueNames,
		easId: z.string().describe("The EAS Id that the UE named."),
		state: z.enum(["UNCONFIRMED", "LIVE", "REFRESHING", "TERMINATING"]),
		keyId: KeyId,
		service: z.enum(valuesOf(SERVICE_WORDS)),
		mode: z.enum(valuesOf(MODE_WORDS)),
		keyAgreement: z.enum(valuesOf(AGREEMENT_WORDS)),
		encryptionAlgorithm: Algorithm,
		integrityAlgorithm: Algorithm,
		counterScheme: z.int().min(0).max(2),
		macLength: z.union([z.literal(4), z.literal(8)]).describe("Octets."),
		lifetime: z.int().min(0).describe("Seconds, 0 unlimited."),
		isListening: z.boolean().describe("Whether the UE was heard so lately that it still listens."),
	})
	.meta({ id: "Session" });

export const SessionList = z
	.object({ sessions: z.array(Session), next: z.string().optional().describe("For `after` of the next request.") })
	.meta({ id: "SessionList" });

export const SessionQuery = z.object({
	externalId: ExternalId.optional(),
	msisdn: Msisdn.optional(),
	after: z.string().max(254).optional(),
	limit: z.coerce.number().int().min(1).max(1000).optional().describe("100 by default."),
});

const waiting = {
	maximumLatency: DurationSec.optional().describe("How long to wait for the UE; without end by default."),
};
const delivery = z
	.enum(["WHEN_HEARD", "NOW"])
	.optional()
	.describe("Whether the UE is asked when it listens (the default), or at once in any case.");

export const SessionRequest = z
	.object({ ...ueNames, ...waiting })
	.refine(hasOneName, ONE_NAME)
	.meta({
		id: "SessionRequest",
	});

export const TerminationRequest = z
	.object({ cause: z.enum(["NORMAL_RELEASE", "UNSPECIFIED"]).optional(), delivery, ...waiting })
	.meta({ id: "TerminationRequest" });

export const KeyRefreshRequest = z
	.object({
		method: z.enum(["ANY", "AKA", "CHAINED"]).optional().describe("ANY, the default: the HSE decides."),
		delivery,
		...waiting,
	})
	.meta({ id: "KeyRefreshRequest" });

/** Something asked of a UE that takes its time. */
export const Command = z
	.object({
		self: Link,
		command: z.enum(["SESSION_REQUEST", "TERMINATION", "KEY_REFRESH"]),
		...ueNames,
		status: z.enum(["WAITING_FOR_UE", "SENT", "DONE", "FAILED"]).describe("SENT: the UE has not answered yet."),
		session: Link.optional(),
		keyId: KeyId.optional().describe("After a key refresh: the new one."),
		cause: Cause.optional(),
		by: z.enum(["UE", "HSE"]).optional().describe("After a termination: who ended the session."),
		reason: z.string().optional().describe("Why it failed."),
	})
	.meta({ id: "Command" });

export const CommandList = z.object({ commands: z.array(Command) }).meta({ id: "CommandList" });

export const EasKey = z
	.object({
		sessionId: SessionId,
		keyId: KeyId,
		easId: z.string(),
		key: z.string().length(44).describe("K_EAS_PSK, 32 octets in base64. It changes with the Key ID."),
	})
	.meta({ id: "EasKey" });

export const EVENTS = [
	"SESSION_REQUESTED",
	"SESSION_STARTED",
	"SESSION_RESUMED",
	"NEW_KEYS",
	"SESSION_OVER",
	"COMMAND_OVER",
] as const;
const Event = z.enum(EVENTS);

export const SubscriptionRequest = z
	.object({
		notificationDestination: Link,
		events: z.array(Event).min(1).max(EVENTS.length).optional().describe("All by default."),
		...ueNames,
		websockNotifConfig: WebsockNotifConfig.optional(),
	})
	.refine((value) => value.externalId === undefined || value.msisdn === undefined, ONE_NAME)
	.meta({ id: "SubscriptionRequest" });

export const Subscription = z
	.object({
		self: Link,
		notificationDestination: Link,
		events: z.array(Event),
		...ueNames,
		websockNotifConfig: WebsockNotifConfig.optional(),
	})
	.meta({ id: "Subscription" });

export const SubscriptionList = z.object({ subscriptions: z.array(Subscription) }).meta({ id: "SubscriptionList" });

/** What is sent to the notification destination of a subscription. */
export const EventNotification = z
	.object({
		subscription: Link,
		event: Event,
		time: DateTime,
		...ueNames,
		session: Link.optional(),
		sessionId: SessionId.optional(),
		keyId: KeyId.optional(),
		cause: Cause.optional(),
		by: z.enum(["UE", "HSE"]).optional(),
		command: Command.optional(),
	})
	.meta({ id: "EventNotification" });

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
