import type { SessionStore } from "./store.js";

/** What came of asking for sessions. Those named nowhere belong to a process that has been asked to give them up. */
export interface Claimed {
	/** They are of this process from now on. Secret. */
	readonly taken: readonly { readonly sessionId: number; readonly octets: Uint8Array }[];
	/** There are no such sessions. */
	readonly absent: readonly number[];
}

/** What there is to tell of a session that was deleted where it was stored. */
export interface DeletedSession {
	readonly sessionId: number;
	/** Digits. */
	readonly imsi: string;
	/** Value of tag 04. */
	readonly easId: Uint8Array;
	/** Whether its EAS may have its K_EAS_PSK. */
	readonly hasEasKey: boolean;
}

/** What a store that several processes share has to say. */
export interface SharedStoreEvents {
	/** Another process wants a session of this one. */
	onAsked(sessionId: number): void;
	/** A session that was asked for can be had now. */
	onFree(sessionId: number): void;
	/** Another process has confirmed a later session of the same UE. */
	onSuperseded(sessionId: number): void;
	/** This process has confirmed a later session of the same UE, and that before it, which nobody had, is deleted. */
	onDeleted(session: DeletedSession): void;
	/** The lease of this process has ended, and others may have its sessions: it must end without another word. */
	onLost(error: Error): void;
}

/**
 * A store whose sessions belong to one of several processes each. A process owns a session from the claim that took it
 * until a batch gives it up, or until its own lease has ended; only the owner changes a session, and a batch of a process
 * that is no owner any more fails as a whole.
 */
export interface SharedSessionStore extends SessionStore {
	/** @param lastBatch number of the batch that was taken last: what was journaled up to it is older than the sessions taken */
	claim(sessionIds: readonly number[], lastBatch: number): Promise<Claimed>;
	/** Gives up a session that the store holds as of this process, which has it no more. */
	disown(sessionId: number): Promise<void>;
	/** A Session ID that no other process has, undefined where none is left for the moment. */
	drawSessionId(): number | undefined;
	readonly hasSessionIds: boolean;
	listen(events: SharedStoreEvents): void;
}
