import type { Verdict } from "../../firmware/emsdp/verdict.js";

/** What an EAS tells the side that runs it. `payload` is a copy; `ueId` as the HSE gave it. */
export type EasEvent =
	/** There is a new K_EAS_PSK, which `Eas.easKey` gives to the application. */
	| { readonly kind: "session"; readonly ueId: string; readonly sessionId: number; readonly keyId: number }
	| {
			readonly kind: "uplink";
			readonly ueId: string;
			readonly sessionId: number;
			readonly count: number;
			readonly payload: Uint8Array;
	  }
	| { readonly kind: "session over"; readonly ueId: string; readonly sessionId: number; readonly cause: number }
	/** The HSE gives no key for messages that came. */
	| { readonly kind: "no key"; readonly sessionId: number; readonly keyId: number; readonly cause: number }
	/** The HSE has not forwarded a downlink. */
	| {
			readonly kind: "downlink refused";
			readonly ueId: string;
			readonly sessionId: number;
			readonly count: number;
			readonly verdict: Verdict;
	  };

/** A downlink for the HSE. Its verdict is given back by `handleForwarded`. */
export interface Downlink {
	readonly sessionId: number;
	readonly keyId: number;
	readonly count: number;
	readonly datagram: Uint8Array;
}

/** A K_EAS_PSK that the EAS asks the HSE for. */
export interface KeyRequest {
	readonly sessionId: number;
	readonly keyId: number;
}
