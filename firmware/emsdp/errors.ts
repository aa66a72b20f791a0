import { CAUSE, CAUSE_NAMES } from "./profile.js";

/**
 * Why octets are not an EMSDP message. `drop`: not to be answered (profile section 6, 10); the others are causes of
 * tag 18, to be answered where the rules allow an answer.
 */
export type EmsdpErrorCode = "drop" | "malformed" | "tlv-unknown-or-missing";

/** The one class that `decodeMessage` and `encodeMessage` throw, whatever they are given. */
export class EmsdpError extends Error {
	// A field, since XS with frozen primordials does not take an assignment to an inherited name.
	override readonly name = "EmsdpError";
	readonly code: EmsdpErrorCode;
	constructor(code: EmsdpErrorCode, message: string) {
		super(message);
		this.code = code;
	}

	/** The error for a cause of tag 18 that {@link checkContents} gave. */
	static ofCause(cause: number, message: string): EmsdpError {
		const code = cause === CAUSE.tlvUnknownOrMissing ? "tlv-unknown-or-missing" : "malformed";
		return new EmsdpError(code, `${CAUSE_NAMES[cause] ?? "malformed"}: ${message}`);
	}
}
