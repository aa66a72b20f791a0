/** What one transaction of a session store holds: all of it becomes durable, or nothing does. */
export interface SessionBatch {
	/** Above that of every batch before it. */
	readonly number: number;
	/** Sessions that are new or have changed, packed. Secret. */
	readonly puts: readonly { readonly sessionId: number; readonly octets: Uint8Array }[];
	/** Session IDs of those that are over. */
	readonly removals: readonly number[];
	/**
	 * UP messages accepted from sessions in which nothing else has changed, in order: Session ID and COUNT, a word each,
	 * big-endian. A put of a later batch, or of this one, holds them already.
	 */
	readonly counts: Uint8Array;
	/** Sessions that this process gives up, packed: another one of those that share the store may take them. Secret. */
	readonly releases?: readonly { readonly sessionId: number; readonly octets: Uint8Array }[];
	/** Session IDs of those that have been confirmed: any other confirmed session of the same UE is over. */
	readonly confirmations?: readonly number[];
	/** The counts of batches below this number stand in puts by now and can be forgotten. */
	readonly forgetBelow: number;
}

/** Takes what a store holds. */
export interface Restorer {
	/** @param batch the number of the batch that put it */
	session(batch: number, octets: Uint8Array): void;
	/** After all sessions; in ascending order. */
	counts(batch: number, counts: Uint8Array): void;
}

/**
 * Where the sessions of an HSE outlive its process. One process owns a session at a time; whoever runs the HSE hands
 * over one batch after another, and lets out what depends on a batch only when its promise is fulfilled.
 */
export interface SessionStore {
	/** @returns when the batch is durable. A batch that failed may be given again. @throws what the medium says; nothing was changed */
	commit(batch: SessionBatch): Promise<void>;
	load(into: Restorer): Promise<void>;
	/** After the last batch. */
	close(): Promise<void>;
}
