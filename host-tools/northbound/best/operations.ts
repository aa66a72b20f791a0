import type { z } from "zod";
import type { Api, ApiRequest, Operation, ResponseRow } from "../operation.js";
import type { Best } from "./best.js";
import {
	Command,
	CommandList,
	EasKey,
	type KeyRefreshBody,
	KeyRefreshRequest,
	Session,
	SessionList,
	SessionQuery,
	SessionRequest,
	type SessionRequestBody,
	Subscription,
	type SubscriptionBody,
	SubscriptionList,
	SubscriptionRequest,
	type TerminationBody,
	TerminationRequest,
} from "./schemas.js";

const SESSIONS = "/{scsAsId}/sessions";
const SESSION = `${SESSIONS}/{sessionId}`;
const COMMANDS = "/{scsAsId}/commands";
const SUBSCRIPTIONS = "/{scsAsId}/subscriptions";

const ok = (description: string, schema: z.ZodType): Record<number, ResponseRow> => ({ 200: { description, schema } });
const waits: Record<number, ResponseRow> = {
	202: {
		description: "It is under way or waits for the UE: the command says how far it is.",
		schema: Command,
		location: true,
	},
};
const gone: Record<number, ResponseRow> = { 204: { description: "It is removed." } };

/** The BEST API: each command of the liaison statement that an application server gives has its operation. */
export function bestApi(best: Best): Api {
	const of = ({ path }: ApiRequest, name: string) => path[name];
	const operations: Operation[] = [
		{
			id: "ListSessions",
			method: "get",
			path: SESSIONS,
			tag: "Sessions",
			summary: "The sessions of this application server's UEs, or that of one UE.",
			description:
				"Sessions are listed in the order of the UEs. `next` of an answer is `after` of the next request; a UE that is named has one session at the most, and one that is named must be this server's (403).",
			query: SessionQuery,
			responses: ok("The sessions, at most as many as the limit.", SessionList),
			handle: (request) => best.sessions(request.applicationServer, request.query as z.infer<typeof SessionQuery>),
		},
		{
			id: "RequestSession",
			method: "post",
			path: SESSIONS,
			tag: "Sessions",
			summary: "Request BEST-session: the session that the UE has, or the next one that it begins.",
			description:
				"Only a UE can begin a session. Where it has one, that is the answer (200). Otherwise the command waits until the UE begins one (202).",
			body: SessionRequest,
			responses: { ...ok("The UE has a session.", Session), ...waits },
			handle: (request) => best.requestSession(request.applicationServer, request.body as SessionRequestBody),
		},
		{
			id: "ReadSession",
			method: "get",
			path: SESSION,
			tag: "Sessions",
			summary: "One session.",
			description: "What the UE and the HSE have agreed, and what the session is doing.",
			responses: ok("The session.", Session),
			handle: (request) => best.session(request.applicationServer, of(request, "sessionId")),
		},
		{
			id: "TerminateSession",
			method: "post",
			path: `${SESSION}/terminate`,
			tag: "Sessions",
			summary: "Request Termination of BEST-Session, answered by Terminate BEST Session.",
			description:
				"The UE is sent a 20 when it listens, or at once with `delivery` NOW. 200 if it answers within some seconds, else 202 with the command.",
			body: TerminationRequest,
			isBodyOptional: true,
			responses: { ...ok("The session is over at both ends.", Command), ...waits },
			handle: (request) =>
				best.terminate(request.applicationServer, of(request, "sessionId"), request.body as TerminationBody),
		},
		{
			id: "RefreshKeys",
			method: "post",
			path: `${SESSION}/keys/refresh`,
			tag: "Keys",
			summary: "Manage EMSDP keys request: new keys for the session.",
			description:
				"The UE is sent a 30 when it listens, or at once with `delivery` NOW. 200 if it answers within some seconds, else 202 with the command.",
			body: KeyRefreshRequest,
			isBodyOptional: true,
			responses: { ...ok("The UE uses the new keys.", Command), ...waits },
			handle: (request) =>
				best.refreshKeys(request.applicationServer, of(request, "sessionId"), request.body as KeyRefreshBody),
		},
		{
			id: "TakeEasKey",
			method: "post",
			path: `${SESSION}/keys/eas-key`,
			tag: "Keys",
			summary: "Manage EMSDP Keys: K_EAS_PSK of the session, where the policy of the UE allows it.",
			description:
				"Refused (403) where the policy of the UE or of the subscriber denies it, or asks for an escrow that is not there. Not kept for an Idempotency-Key: it is read, and put on record, anew.",
			responses: ok("The key. Each time it is given out is on record.", EasKey),
			isSecret: true,
			handle: (request) => best.easKey(request.applicationServer, of(request, "sessionId")),
		},
		{
			id: "ListCommands",
			method: "get",
			path: COMMANDS,
			tag: "Commands",
			summary: "What was asked of UEs in the last hour, or is still under way.",
			description: "Commands that are over can be read for an hour.",
			responses: ok("The commands.", CommandList),
			handle: (request) => best.allCommands(request.applicationServer),
		},
		{
			id: "ReadCommand",
			method: "get",
			path: `${COMMANDS}/{commandId}`,
			tag: "Commands",
			summary: "One command.",
			description: "How far a command is. A subscription to COMMAND_OVER tells of its end.",
			responses: ok("The command.", Command),
			handle: (request) => best.command(request.applicationServer, of(request, "commandId")),
		},
		{
			id: "RemoveCommand",
			method: "delete",
			path: `${COMMANDS}/{commandId}`,
			tag: "Commands",
			summary: "Takes back a command that waits for its UE, or removes one that is over.",
			description: "A command that has been sent cannot be taken back (409) until it is over.",
			responses: gone,
			handle: (request) => best.removeCommand(request.applicationServer, of(request, "commandId")),
		},
		{
			id: "ListSubscriptions",
			method: "get",
			path: SUBSCRIPTIONS,
			tag: "Events",
			summary: "The subscriptions to events.",
			description: "Those of this application server.",
			responses: ok("The subscriptions.", SubscriptionList),
			handle: (request) => best.subscriptions(request.applicationServer),
		},
		{
			id: "Subscribe",
			method: "post",
			path: SUBSCRIPTIONS,
			tag: "Events",
			summary: "Subscribes to events of sessions and keys, of one UE or of all.",
			description:
				"Notifications of one subscription keep their order. Each is tried again until it was taken with 200 or 204, for a day at the most, so one can arrive twice.",
			body: SubscriptionRequest,
			responses: { 201: { description: "The subscription.", schema: Subscription, location: true } },
			handle: (request) => best.subscribe(request.applicationServer, request.body as SubscriptionBody),
		},
		{
			id: "ReadSubscription",
			method: "get",
			path: `${SUBSCRIPTIONS}/{subscriptionId}`,
			tag: "Events",
			summary: "One subscription.",
			description: "What is told of, and where.",
			responses: ok("The subscription.", Subscription),
			handle: (request) => best.subscription(request.applicationServer, of(request, "subscriptionId")),
		},
		{
			id: "Unsubscribe",
			method: "delete",
			path: `${SUBSCRIPTIONS}/{subscriptionId}`,
			tag: "Events",
			summary: "Ends a subscription.",
			description: "What is still to be told of is dropped.",
			responses: gone,
			handle: (request) => best.unsubscribe(request.applicationServer, of(request, "subscriptionId")),
		},
	];
	return { name: "3gpp-best", version: "v1", operations };
}
