import type { HseConfiguration } from "../../firmware/emsdp/configuration.js";
import type { SessionState } from "../hse/states.js";

/** A session as the northbound side sees it: a copy. */
export interface SessionView {
	readonly sessionId: number;
	/** Digits. */
	readonly imsi: string;
	readonly state: SessionState;
	/** Key ID in use, 1–7. */
	readonly keyId: number;
	readonly easId: string;
	readonly configuration: HseConfiguration;
}

/** The HSEs that share a store with this one, this one among them. */
export interface OtherHses {
	/** A session as it was last stored. */
	session(sessionId: number): Promise<SessionView | undefined>;
	/** The confirmed sessions of some UEs, in any order. @param imsis digits */
	sessionsOf(imsis: readonly string[]): Promise<readonly SessionView[]>;
	/** IMSIs of all UEs that have a confirmed session, always in the same order. */
	imsis(): Promise<readonly string[]>;
	/** Brings a session here from the HSE that has it. @returns whether it is here now */
	bring(sessionId: number): Promise<boolean>;
}

/**
 * What the northbound API needs of an HSE. What happens there comes the other way, as events given to
 * `Northbound.handleEvent`. Commands raise HseError.
 */
export interface HsePort {
	session(sessionId: number): SessionView | undefined;
	/** The confirmed session of a UE. @param imsi digits */
	sessionOf(imsi: string): SessionView | undefined;
	/** IMSIs of the UEs that have a confirmed session. @param most so many at the most */
	imsis(most?: number): Iterable<string>;
	/** Sends a payload in a UP message. */
	send(sessionId: number, payload: Uint8Array): void;
	/** Resolves when all that was sent until now has left the process. */
	handedOver(): Promise<void>;
	/** Sends a 30. @param method of tag 19; 0: the HSE decides */
	refresh(sessionId: number, method: number): void;
	/** Sends a 20. @param cause of tag 18 */
	terminate(sessionId: number, cause: number): void;
	/** K_EAS_PSK, 32 octets that the caller erases; undefined where there is no such session. */
	easKey(sessionId: number): Uint8Array | undefined;
}
