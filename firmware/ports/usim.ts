/** What AUTHENTICATE yields (TS 31.102 7.1.2, 3G context). */
export type AuthenticationResult =
	| {
			readonly status: "success";
			/** 4 to 16 octets. */
			readonly res: Uint8Array;
			/** 16 octets. */
			readonly ck: Uint8Array;
			/** 16 octets. */
			readonly ik: Uint8Array;
	  }
	| {
			readonly status: "synchronisation failure";
			/** 14 octets. */
			readonly auts: Uint8Array;
	  }
	| { readonly status: "MAC failure" };

/** The subscription: a USIM in a modem, or a soft USIM. */
export interface Usim {
	/** Calls back once with EF_IMSI bytes 2–9 (8 octets), possibly before it returns; undefined if it cannot be read. */
	readImsi(done: (imsi: Uint8Array | undefined) => void): void;
	/**
	 * Runs AKA. Calls back once, possibly before it returns; not at all where the USIM gives no useful answer or a new
	 * challenge takes this one's place: the caller waits no longer than it can. The caller erases CK and IK.
	 * @param rand 16 octets
	 * @param autn 16 octets
	 */
	authenticate(rand: Uint8Array, autn: Uint8Array, done: (result: AuthenticationResult) => void): void;
}
