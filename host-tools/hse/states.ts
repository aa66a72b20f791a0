/** The HSE's side of a session as a table: state × input → action, next state. */
export type SessionState = "unconfirmed" | "live" | "refreshing" | "terminating" | "over";

export type SessionInput =
	/** A 12 with the right RES, or the first valid UP message. */
	| "confirmation"
	| "wrong RES"
	| "attempt rejected"
	| "refresh"
	| "refreshed"
	| "terminate"
	| "terminate request"
	| "terminate response"
	| "request rejected"
	| "timeout"
	| "exhausted";

export type SessionAction =
	| "confirm"
	| "endByWrongRes"
	| "endAttempt"
	| "sendOffer"
	| "finishRefresh"
	| "endRefresh"
	| "sendTerminateRequest"
	| "answerTerminate"
	| "endByAnswer"
	| "forget"
	| "repeat"
	| "stopRepeating";

export const SESSION: Readonly<
	Record<SessionState, Readonly<Partial<Record<SessionInput, readonly [SessionAction, SessionState]>>>>
> = {
	unconfirmed: {
		confirmation: ["confirm", "live"],
		"wrong RES": ["endByWrongRes", "over"],
		"attempt rejected": ["endAttempt", "over"],
		terminate: ["forget", "over"],
		"terminate request": ["answerTerminate", "over"],
		timeout: ["repeat", "unconfirmed"],
		exhausted: ["stopRepeating", "unconfirmed"],
	},
	live: {
		refresh: ["sendOffer", "refreshing"],
		"wrong RES": ["endByWrongRes", "over"],
		terminate: ["sendTerminateRequest", "terminating"],
		"terminate request": ["answerTerminate", "over"],
	},
	refreshing: {
		refreshed: ["finishRefresh", "live"],
		"request rejected": ["endRefresh", "live"],
		"wrong RES": ["endByWrongRes", "over"],
		terminate: ["sendTerminateRequest", "terminating"],
		"terminate request": ["answerTerminate", "over"],
		timeout: ["repeat", "refreshing"],
		exhausted: ["endRefresh", "live"],
	},
	terminating: {
		"wrong RES": ["endByWrongRes", "over"],
		"terminate request": ["answerTerminate", "over"],
		"terminate response": ["endByAnswer", "over"],
		"request rejected": ["endByAnswer", "over"],
		timeout: ["repeat", "terminating"],
		exhausted: ["endByAnswer", "over"],
	},
	over: {},
};
