/**
 * `state`: the call does not fit the state of the client; `too-long`: the payload does not fit a message; `count`: no
 * COUNT is left under these keys; `attempt`: no session came about; `configuration`: what the store holds, or what is to be offered, is not usable.
 */
export type ClientErrorCode = "state" | "too-long" | "count" | "attempt" | "configuration";

/** The one class of errors that the client's own calls raise. */
export class ClientError extends Error {
	// A field, since XS with frozen primordials does not take an assignment to an inherited name.
	override readonly name = "ClientError";
	readonly code: ClientErrorCode;
	constructor(code: ClientErrorCode, message: string) {
		super(message);
		this.code = code;
	}
}
