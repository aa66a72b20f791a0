import type { Identity } from "../../firmware/client/identity.js";
import { equalInConstantTime } from "../../firmware/emsdp/octets.js";
import { SQN_STEP } from "../../firmware/keys/aka.js";
import { UsageError } from "../cli/errors.js";
import { takenAlready } from "../hse/database.js";
import type { SubscriberDatabase } from "../hse/subscriber-database.js";
import {
	type DeviceKeys,
	type DeviceOrder,
	eraseKeys,
	freshKeys,
	identityOf,
	isSharedKey,
	secretsOf,
} from "./order.js";

/** A subscriber that the HSE knows and does not serve yet. */
export interface Enrolment {
	/** What its device is to be given. */
	readonly identity: Identity;
	/** The device has it: the HSE serves it from now on. */
	finish(): Promise<void>;
}

function equal(a: DeviceKeys, b: DeviceKeys): boolean {
	const others = secretsOf(b);
	const secrets = secretsOf(a);
	return secrets.length === others.length && secrets.every((secret, i) => equalInConstantTime(secret, others[i]));
}

/** What is left of an earlier attempt: keys of a subscriber that has never been served. */
async function unfinished(database: SubscriberDatabase, order: DeviceOrder): Promise<DeviceKeys | undefined> {
	const { imsi } = order;
	const known = (await database.subscriber(imsi)) ?? (await database.sharedKeyOf(imsi));
	if (known === undefined) return undefined;
	const keys = "key" in known ? { reference: known.reference, key: known.key } : { k: known.k, opc: known.opc };
	const isUnused = !known.enabled && (!("sqn" in known) || known.sqn === order.sqn + SQN_STEP);
	if (isUnused && (order.keys === undefined || equal(order.keys, keys))) return keys;
	eraseKeys(keys);
	throw takenAlready(imsi);
}

/**
 * Puts a subscriber into the HSE's database before its device gets the keys, so that no device has keys that nobody knows.
 * It is served from {@link Enrolment.finish} on. One that an earlier attempt has left unfinished keeps its keys.
 * @throws DatabaseError if the subscriber is there already
 */
export async function enrol(database: SubscriberDatabase, order: DeviceOrder): Promise<Enrolment> {
	const { imsi, amf, tuak } = order;
	if (order.isCard && order.keys === undefined)
		throw new UsageError(`The card of ${imsi} has its keys already: give the same with --keys, or no --database.`);
	const known = await unfinished(database, order);
	const keys = known ?? order.keys ?? freshKeys(order);
	const identity = identityOf(order, keys);
	if (known !== undefined) {
		// It is there.
	} else if (isSharedKey(keys)) await database.addSharedKey({ imsi, ...keys, enabled: false });
	// The first challenge is one past what the USIM takes for seen.
	else await database.addSubscriber({ imsi, ...keys, tuak, amf, sqn: order.sqn + SQN_STEP, enabled: false });
	eraseKeys(keys);
	return {
		identity,
		async finish() {
			await database.setEnabled(imsi, true);
		},
	};
}
