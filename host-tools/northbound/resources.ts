import type { Awaitable } from "../hse/subscriber-database.js";
import type { Steps } from "./steps.js";

export type ResourceKind = "configuration" | "delivery" | "command" | "subscription";

/** A resource of an API as it is stored. `T`: its own fields, as JSON. */
export interface Resource<T = unknown> {
	readonly id: string;
	readonly kind: ResourceKind;
	readonly applicationServer: string;
	/** The UE it is about, empty where it is about all. */
	readonly imsi: string;
	/** The resource that it is part of and goes with, empty where there is none. */
	readonly parent: string;
	/** When its time is over, in milliseconds since 1970; undefined: never. */
	readonly until: number | undefined;
	readonly body: T;
}

/** The answer to a POST, kept for its repetition. */
export interface StoredReply {
	readonly digest: string;
	readonly status: number;
	/** JSON of header fields and of the body. */
	readonly headers: string;
	readonly body: string;
}

/** What a store has to say. */
export interface ResourceEvents {
	/** A process has stored something about a UE: whoever has heard it lately may have something to send. */
	onAnnounced(imsi: string): void;
	/** A command is over. */
	onCommandOver(id: string): void;
}

/**
 * What the northbound side keeps: resources and replies, in a file of one process, whose answers are there at once, or in a
 * PostgreSQL that several share. In a shared one, what a unit reads by {@link get} and {@link ofUe} is locked until it ends, so that
 * two processes never change one resource by what both have read.
 */
export interface Resources {
	/** Whether other processes have it too: then they may do what this one is about to do. */
	readonly isShared: boolean;
	/** Whether so many units wait for their turn that no more should come. */
	readonly isBehind: boolean;
	listen(events: ResourceEvents): void;

	/**
	 * Does work all of which is stored, or nothing where it throws.
	 * @param isReading it changes nothing: nothing is locked
	 */
	unit<T>(isReading: boolean, work: () => Steps<T>): Awaitable<T>;
	/**
	 * A unit about a UE, after those before it.
	 * @param isRepeatable it does nothing but store: it is done again where the store has failed
	 */
	inTurn(imsi: string, isRepeatable: boolean, work: () => Steps<void>): void;
	/** What the unit has done until now is stored, whatever comes: called before something is sent or waited for. */
	commit(): Awaitable<void>;
	/** Until the next {@link commit} no other process is in a unit that has called this for the same UE. */
	lockUe(imsi: string): Awaitable<void>;

	put<T>(resource: Resource<T>): Awaitable<void>;
	/** @returns undefined where there is none of this kind with this identifier that belongs to this application server */
	get<T>(kind: ResourceKind, applicationServer: string, id: string): Awaitable<Resource<T> | undefined>;
	ofServer<T>(kind: ResourceKind, applicationServer: string): Awaitable<Resource<T>[]>;
	ofUe<T>(kind: ResourceKind, imsi: string): Awaitable<Resource<T>[]>;
	partsOf<T>(parent: string): Awaitable<Resource<T>[]>;
	/** Those whose time is over; in a shared store some of them, which no other process looks at now. */
	over(now: number): Awaitable<Resource[]>;
	/** How many resources of a kind an application server has. None is added elsewhere until the unit ends. */
	count(kind: ResourceKind, applicationServer: string): Awaitable<number>;
	/** Removes a resource and its parts. */
	remove(id: string): Awaitable<void>;

	/** Whether some resource may be about a UE, or an application server may want events of all its UEs. Costs nothing. */
	isWatched(imsi: string): boolean;
	isSubscribed(applicationServer: string): boolean;
	/** Other processes are told that something about a UE, or for all UEs of a server, is stored now. */
	announce(resource: Pick<Resource, "imsi" | "applicationServer">): Awaitable<void>;
	/** Whoever waits for the end of a command is told. */
	announceOver(id: string): Awaitable<void>;

	/** A UE that is watched was heard from by this process. */
	heard(imsi: string, at: number): Awaitable<void>;
	/** When UEs were last heard from by any process, as far as it is known. */
	heardAt(imsis: readonly string[]): Awaitable<ReadonlyMap<string, number>>;

	reply(applicationServer: string, key: string, now: number): Awaitable<StoredReply | undefined>;
	/**
	 * @param until when another process may take it over: nobody is answering any more then
	 * @returns false where another process is answering the request of this key
	 */
	claimReply(applicationServer: string, key: string, now: number, until: number): Awaitable<boolean>;
	/** @returns false where another process has taken the key over */
	keepReply(applicationServer: string, key: string, reply: StoredReply, until: number): Awaitable<boolean>;
	/** No answer is kept for this key. */
	dropReply(applicationServer: string, key: string): Awaitable<void>;
	/** Forgets what is too old to be of use. @param most replies of one application server: the oldest beyond go too */
	forgetOld(now: number, most: number): Awaitable<void>;

	close(): Awaitable<void>;
}
