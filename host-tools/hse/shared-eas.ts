import type { EasKeyPolicy } from "./policy.js";

/** An EAS that has registered, with whichever HSE. */
export interface EasRegistration {
	readonly easId: string;
	/** The EAS session id of TS 33.163 Annex B. */
	readonly id: string;
	/** Where the EAS listens, without a slash at the end. */
	readonly callback: string;
}

/** A registration as it stands. */
export interface StandingRegistration extends EasRegistration {
	/** Milliseconds. */
	readonly remaining: number;
}

/** EASs that are registered with all HSEs on one database. All methods fail with the error of the database. */
export interface EasRegistrations {
	/** @param onRegistrations told of all that there are: now, and whenever some other may be there */
	begin(onRegistrations: (registrations: readonly StandingRegistration[]) => void): Promise<void>;
	/** In place of one of the same EAS. `onRegistrations` has been told of it before this returns. @param seconds how long it holds */
	put(registration: EasRegistration, seconds: number): Promise<void>;
	/** @returns false where there is none of this id */
	renew(id: string, seconds: number): Promise<boolean>;
	remove(id: string): Promise<void>;
	/** Tells `onRegistrations` of all that there are. */
	refresh(): Promise<void>;
}

/** What an interface to EASs needs where several HSEs share sessions. */
export interface SharedEas {
	readonly registrations: EasRegistrations;
	/**
	 * Brings a session here, from whichever HSE has it.
	 * @returns whether it is here or does not exist, until the next thing that is waited for; false where it cannot be had now
	 */
	bring(sessionId: number): Promise<boolean>;
	/** The same, with the policy of its subscriber; undefined where there is no such session. */
	bringForKey(sessionId: number): Promise<EasKeyPolicy | undefined | false>;
}
