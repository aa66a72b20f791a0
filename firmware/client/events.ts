/** What a UE tells its application. `payload` and `cause` are valid as described; everything else is plain data. */
export type UeEvent =
	| { readonly kind: "session started"; readonly sessionId: number; readonly keyId: number }
	/** The session goes on after a loss of state, or of what the HSE sent. */
	| { readonly kind: "session resumed" }
	/** The keys have been changed; K_EAS_PSK too. */
	| { readonly kind: "new keys"; readonly keyId: number }
	/** `payload` is valid until the next downlink. */
	| { readonly kind: "downlink"; readonly payload: Uint8Array }
	/** The keys are erased. `cause` of tag 18; `by` whom it was ended. */
	| { readonly kind: "session over"; readonly cause: number; readonly by: "UE" | "HSE" }
	/** No session came about. `cause` of tag 18, undefined where nobody answered. */
	| { readonly kind: "attempt over"; readonly cause: number | undefined }
	/** The HSE refused a message of a session that goes on; `cause` undefined: it did not answer a 30. */
	| { readonly kind: "rejected"; readonly cause: number | undefined }
	/** The HSE is congested; the next request goes out after so many seconds. */
	| { readonly kind: "back-off"; readonly seconds: number };
