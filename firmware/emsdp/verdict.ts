/** Why a datagram was dropped: nothing was sent and nothing changed (profile section 6, 10). */
export type DropReason =
	| "length"
	| "type"
	| "RFU bit"
	| "command"
	| "Key ID and Session ID"
	| "session or Key ID unknown"
	| "wrong MAC or COUNT"
	| "replay"
	| "service"
	| "contents"
	| "unprotected reject"
	| "not expected"
	| "cached answer used up"
	| "being answered"
	| "rate limit";

/**
 * What became of a received datagram. `accept`: verified or taken as it is; `repetition`: the cached answer goes out
 * again; `hint`: an unprotected reject was acted on; `reject`: answered with a Message Reject.
 */
export type Verdict = "accept" | "repetition" | "hint" | "reject" | DropReason;
