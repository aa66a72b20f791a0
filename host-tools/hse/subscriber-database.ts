import type { SharedKeySubscriber, Subscriber, SubscriberSummary } from "./database.js";
import type { EasKeyPolicy } from "./policy.js";

export type Awaitable<T> = T | Promise<T>;
type Stream<T> = Iterable<T> | AsyncIterable<T>;

/** The subscribers of an HSE for those who administer them, in a file or in a PostgreSQL. Errors are DatabaseErrors. */
export interface SubscriberDatabase {
	/** @throws DatabaseError if the IMSI is there already */
	addSubscriber(subscriber: Subscriber): Awaitable<void>;
	/** @throws DatabaseError if the IMSI or the reference is there already */
	addSharedKey(subscriber: SharedKeySubscriber): Awaitable<void>;
	/** @returns undefined where there is none of this IMSI with AKA */
	subscriber(imsi: string): Awaitable<Subscriber | undefined>;
	/** @returns undefined where the subscriber has none */
	sharedKeyOf(imsi: string): Awaitable<SharedKeySubscriber | undefined>;
	/** Whether the subscriber may use BEST. @returns false where there is none of this IMSI */
	setEnabled(imsi: string, enabled: boolean): Awaitable<boolean>;
	setEasKeyPolicy(imsi: string, policy: EasKeyPolicy): Awaitable<void>;
	/** Whether K_EAS_PSK of a subscriber may leave the HSE; undefined where nobody has said so. */
	easKeyPolicy(imsi: string): Awaitable<EasKeyPolicy | undefined>;
	/** All subscribers, or the one of an IMSI, without their keys, one by one in the order of their IMSIs. */
	summaries(imsi?: string): Stream<SubscriberSummary>;
	/** All subscribers of AKA, one by one. The caller erases their keys. */
	subscribers(): Stream<Subscriber>;
	close(): Awaitable<void>;
}
