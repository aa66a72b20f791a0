/**
 * Why an EAS cannot do what it was asked to. `unknown`: no such session; `state`: not with this session; `too-long`: the
 * payload; `count`: no COUNT is left now; `document`: octets that are no document of Annex B, or ask for what it does
 * not have; `refused`: the other end said no.
 */
export type EasErrorCode = "unknown" | "state" | "too-long" | "count" | "document" | "refused";

export class EasError extends Error {
	override readonly name = "EasError";
	readonly code: EasErrorCode;
	constructor(code: EasErrorCode, message: string) {
		super(message);
		this.code = code;
	}
}
