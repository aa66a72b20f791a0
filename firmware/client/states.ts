import { ClientError } from "./errors.js";

/**
 * The UE's two state machines as tables: state × input → action, next state. An attempt (to get keys) and a session (that
 * has keys) run side by side, since a session that exists stays as it is until a new one's 11 is verified (profile
 * section 6, 1). A datagram that no row waits for is dropped before it becomes an input; any other input without a row
 * is a mistake of the caller.
 */

export type AttemptState = "idle" | "requesting" | "authenticating" | "waiting";

export type AttemptInput =
	/** The application, or the loss of a session, asks for a new one. */
	| "begin"
	/** An 11 with a challenge that has not run on the USIM yet. */
	| "challenge"
	/** An 11 whose challenge has run before, for instance a good copy after a spoilt one. */
	| "known challenge"
	/** An 11 of agreement 5, 6 or 7: no USIM is needed. */
	| "shared key"
	| "verified"
	| "spoilt"
	| "synchronisation failure"
	| "MAC failure"
	| "cookie"
	| "congestion"
	| "rejected"
	| "timeout"
	| "exhausted"
	| "cancel";

export type AttemptAction =
	| "sendRequest"
	| "repeatRequest"
	| "runAka"
	| "useAka"
	| "useSharedKey"
	| "adoptSession"
	| "keepWaiting"
	| "sendAuts"
	| "sendMacFailure"
	| "sendRequestWithCookie"
	| "backOff"
	| "giveUp"
	| "abandon";

/** "stale": the keys are there, but after a power cut nothing is sent or taken before a resume. */
export type SessionState = "live" | "stale" | "resuming" | "refreshing" | "terminating" | "over";

export type SessionInput =
	| "refresh"
	| "refreshed"
	| "resume"
	| "resumed"
	| "resume failed"
	/** The same, where the state had been lost before. */
	| "resume failed, stale"
	| "stop"
	| "terminate request"
	| "terminate response"
	| "fatal reject"
	/** The HSE refuses the 20 or the 30. Asked to end the session, the UE then ends it by itself. */
	| "request rejected"
	| "timeout"
	| "exhausted";

export type SessionAction =
	| "sendRefresh"
	| "giveUpRefresh"
	| "sendResume"
	| "finishResume"
	| "endRequest"
	| "endStale"
	| "sendTerminateRequest"
	| "repeatRequest"
	| "answerTerminate"
	| "endByAnswer"
	| "endByReject"
	| "endUnanswered";

export type Table<State extends string, Input extends string, Action> = Readonly<
	Record<State, Readonly<Partial<Record<Input, readonly [Action, State]>>>>
>;

export const ATTEMPT: Table<AttemptState, AttemptInput, AttemptAction> = {
	idle: {
		begin: ["sendRequest", "requesting"],
	},
	requesting: {
		challenge: ["runAka", "authenticating"],
		"known challenge": ["useAka", "authenticating"],
		"shared key": ["useSharedKey", "authenticating"],
		cookie: ["sendRequestWithCookie", "requesting"],
		congestion: ["backOff", "waiting"],
		rejected: ["giveUp", "idle"],
		timeout: ["repeatRequest", "requesting"],
		exhausted: ["giveUp", "idle"],
		cancel: ["abandon", "idle"],
	},
	authenticating: {
		verified: ["adoptSession", "idle"],
		spoilt: ["keepWaiting", "requesting"],
		"synchronisation failure": ["sendAuts", "requesting"],
		"MAC failure": ["sendMacFailure", "idle"],
		timeout: ["giveUp", "idle"],
		cancel: ["abandon", "idle"],
	},
	waiting: {
		timeout: ["sendRequest", "requesting"],
		cancel: ["abandon", "idle"],
	},
};

export const SESSION: Table<SessionState, SessionInput, SessionAction> = {
	live: {
		refresh: ["sendRefresh", "refreshing"],
		resume: ["sendResume", "resuming"],
		stop: ["sendTerminateRequest", "terminating"],
		"terminate request": ["answerTerminate", "over"],
		"fatal reject": ["endByReject", "over"],
	},
	stale: {
		resume: ["sendResume", "resuming"],
		stop: ["endStale", "over"],
	},
	resuming: {
		resumed: ["finishResume", "live"],
		refreshed: ["finishResume", "live"],
		"resume failed": ["endRequest", "live"],
		"resume failed, stale": ["endRequest", "stale"],
		stop: ["sendTerminateRequest", "terminating"],
		"terminate request": ["answerTerminate", "over"],
		"fatal reject": ["endByReject", "over"],
		timeout: ["repeatRequest", "resuming"],
	},
	refreshing: {
		refreshed: ["endRequest", "live"],
		"request rejected": ["endRequest", "live"],
		resume: ["sendResume", "resuming"],
		stop: ["sendTerminateRequest", "terminating"],
		"terminate request": ["answerTerminate", "over"],
		"fatal reject": ["endByReject", "over"],
		timeout: ["repeatRequest", "refreshing"],
		exhausted: ["giveUpRefresh", "live"],
	},
	terminating: {
		"terminate request": ["answerTerminate", "over"],
		"terminate response": ["endByAnswer", "over"],
		"fatal reject": ["endByReject", "over"],
		"request rejected": ["endUnanswered", "over"],
		timeout: ["repeatRequest", "terminating"],
		exhausted: ["endUnanswered", "over"],
	},
	over: {},
};

/** The row of a table. @throws ClientError `state` with both names where there is none */
export function row<State extends string, Input extends string, Action>(
	table: Table<State, Input, Action>,
	state: State,
	input: Input,
): readonly [Action, State] {
	const found = table[state][input];
	if (found === undefined) throw new ClientError("state", `The UE cannot take "${input}" in state "${state}".`);
	return found;
}
