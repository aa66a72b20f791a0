/** `state`: the call does not fit the session; `unknown`: there is no such session; `too-long`: the payload does not fit; `count`: no COUNT is left; `policy`: what is to be granted cannot be. */
export type HseErrorCode = "state" | "unknown" | "too-long" | "count" | "policy";

/** The one class of errors that the HSE's own calls raise. */
export class HseError extends Error {
	override readonly name = "HseError";
	readonly code: HseErrorCode;
	constructor(code: HseErrorCode, message: string) {
		super(message);
		this.code = code;
	}
}
