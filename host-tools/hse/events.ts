import type { AuthenticationVector } from "../../firmware/keys/aka.js";
import type { EasKeyPolicy } from "./policy.js";

/** What an HSE tells the side that runs it. IMSIs are digits; payloads are copies. */
export type HseEvent =
	/** `imsi` is empty where the UE sent a SUCI. */
	| { readonly kind: "session asked for"; readonly imsi: string; readonly source: string }
	| { readonly kind: "session started"; readonly imsi: string; readonly sessionId: number; readonly keyId: number }
	| { readonly kind: "session confirmed"; readonly imsi: string; readonly sessionId: number }
	| { readonly kind: "new keys"; readonly imsi: string; readonly sessionId: number; readonly keyId: number }
	| { readonly kind: "session resumed"; readonly imsi: string; readonly sessionId: number }
	| { readonly kind: "resynchronised"; readonly imsi: string; readonly sessionId: number }
	| { readonly kind: "attempt over"; readonly sessionId: number; readonly cause: number }
	| {
			readonly kind: "uplink";
			readonly imsi: string;
			readonly sessionId: number;
			readonly count: number;
			readonly payload: Uint8Array;
	  }
	/** A UP message of a session in UE-to-EAS mode, verified and as it came: for the EAS. `easId`: value of tag 04. */
	| {
			readonly kind: "forward";
			readonly imsi: string;
			readonly easId: Uint8Array;
			readonly sessionId: number;
			readonly count: number;
			readonly datagram: Uint8Array;
	  }
	/** A session has K_EAS_PSK for its EAS, for the first time or anew. `easId`: value of tag 04. */
	| { readonly kind: "eas key"; readonly easId: Uint8Array; readonly sessionId: number; readonly keyId: number }
	/** The EAS is to forget a session. */
	| { readonly kind: "eas over"; readonly easId: Uint8Array; readonly sessionId: number; readonly cause: number }
	| {
			readonly kind: "session over";
			readonly imsi: string;
			readonly sessionId: number;
			readonly cause: number;
			readonly by: "UE" | "HSE";
	  }
	| { readonly kind: "rejected"; readonly sessionId: number; readonly cause: number };

/** A datagram to send. */
export interface Outgoing {
	readonly to: string;
	readonly datagram: Uint8Array;
	/** Whether nothing that is stored has to be durable before it leaves. */
	readonly atOnce: boolean;
}

/** What the HSE asks of the authentication centre; answered by a call of `handleVector` with the same number. */
export interface VectorRequest {
	readonly number: number;
	/** Value of tag 01 or 02. */
	readonly identity: { readonly tag: number; readonly value: Uint8Array };
	/** Value of tag 14, where the key agreement is one of 5 to 7: then a key is asked for, and no vector. */
	readonly keyReference: Uint8Array | undefined;
	/** AUTS of the UE and the RAND it answers, where the UE asks for a resynchronisation first. */
	readonly resynchronisation: { readonly rand: Uint8Array; readonly auts: Uint8Array } | undefined;
}

/** What the authentication centre gives for a UE that it knows. */
export type Credentials = {
	/** Digits. */
	readonly imsi: string;
	/** Whether K_EAS_PSK may leave the HSE, where that was looked up beside them. */
	readonly easKeyPolicy?: EasKeyPolicy | undefined;
} & (
	| { readonly vector: AuthenticationVector }
	/** Ks_ext_NAF, K_AF or the pre-shared key, 32 octets; the HSE erases it. */
	| { readonly sharedKey: Uint8Array }
);
