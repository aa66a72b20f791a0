import {
	encodeUeConfiguration,
	isUeConfiguration,
	readUeConfiguration,
	type UeConfiguration,
} from "../emsdp/configuration.js";
import { isImsi } from "../emsdp/imsi.js";
import { isUtf8, readUint16, writeUint16 } from "../emsdp/octets.js";
import { isServingNetwork } from "../emsdp/serving-network.js";
import { ClientError } from "./errors.js";
import type { SharedKey } from "./options.js";

/** Key of the identity in the device's store. */
export const IDENTITY_KEY = "identity";

/** What a device is given when it is provisioned. */
export interface Identity {
	/** EF_IMSI bytes 2–9, 8 octets. */
	readonly imsi: Uint8Array;
	/** Of the soft USIM: a number of AKA_ALGORITHM; {@link SHARED_KEY} or {@link CARD} where there is none. */
	readonly algorithm: number;
	/** What the algorithm works with: K ‖ OP_C for MILENAGE; a pre-shared key ‖ its reference; nothing for a card. Secret. */
	readonly credentials: Uint8Array;
	/** SQN_MS to begin with, 6 octets. */
	readonly sqnMs: Uint8Array;
	/** Numeric address of the HSE. */
	readonly hseAddress: string;
	readonly hsePort: number;
	readonly offer: UeConfiguration;
	/** EAS Id, 1–64 octets of UTF-8. */
	readonly easId: Uint8Array;
	/** Value of tag 05, empty where it is not sent. */
	readonly servingNetwork: Uint8Array;
	/** How the IMSI is concealed in a SUCI, in the octets of its module; empty where the IMSI is sent. */
	readonly concealment: Uint8Array;
}

/** In place of an algorithm of AKA: a pre-shared key (agreement 7). */
export const SHARED_KEY = 0;

/** In place of an algorithm of AKA: the card in the modem runs it, and gives the IMSI. */
export const CARD = 0xff;

const SHARED_KEY_OCTETS = 32;
const LONGEST_REFERENCE = 127;

/** @returns undefined where the octets are not credentials of {@link SHARED_KEY} */
export function sharedKeyFrom(credentials: Uint8Array): SharedKey | undefined {
	const reference = credentials.slice(SHARED_KEY_OCTETS);
	if (reference.length < 1 || reference.length > LONGEST_REFERENCE) return undefined;
	return { reference, key: credentials.slice(0, SHARED_KEY_OCTETS) };
}

/** Version of the record: octet 0. */
const VERSION = 2;

/** Offsets of the fields of fixed length. Behind them {@link FIELDS} more, each with its length in one octet. */
const ALGORITHM = 1;
const IMSI = 2;
const SQN_MS = 10;
const PORT = 16;
const OFFER = 18;
const VARIABLE = 26;
const FIELDS = 5;

/** The record that stands in the store under {@link IDENTITY_KEY}. The caller erases it. */
export function encodeIdentity(identity: Identity): Uint8Array {
	const { hseAddress, credentials, easId, servingNetwork, concealment } = identity;
	const address = new Uint8Array(hseAddress.length);
	for (let i = 0; i < address.length; i++) address[i] = hseAddress.charCodeAt(i);
	const fields = [credentials, address, easId, servingNetwork, concealment];
	let length = VARIABLE;
	for (const field of fields) length += 1 + field.length;
	const record = new Uint8Array(length);
	record[0] = VERSION;
	record[ALGORITHM] = identity.algorithm;
	record.set(identity.imsi, IMSI);
	record.set(identity.sqnMs, SQN_MS);
	writeUint16(record, PORT, identity.hsePort);
	record.set(encodeUeConfiguration(identity.offer), OFFER);
	let at = VARIABLE;
	for (const field of fields) {
		record[at++] = field.length;
		record.set(field, at);
		at += field.length;
	}
	return record;
}

/** @throws ClientError `configuration` where the record is not one of this version */
export function decodeIdentity(record: Uint8Array): Identity {
	const fields: Uint8Array[] = [];
	let at = VARIABLE;
	while (fields.length < FIELDS && at < record.length) {
		const end = at + 1 + record[at];
		if (end > record.length) break;
		fields.push(record.slice(at + 1, end));
		at = end;
	}
	const [credentials, address, easId, servingNetwork, concealment] = fields;
	const isGood =
		record[0] === VERSION &&
		fields.length === FIELDS &&
		at === record.length &&
		isImsi(record, IMSI) &&
		isUeConfiguration(record, OFFER) &&
		easId.length >= 1 &&
		easId.length <= 64 &&
		isUtf8(easId, 0, easId.length) &&
		(servingNetwork.length === 0 || isServingNetwork(servingNetwork, 0, servingNetwork.length));
	if (!isGood)
		throw new ClientError("configuration", "The identity in the store is not usable: provision the device again.");
	return {
		imsi: record.slice(IMSI, SQN_MS),
		algorithm: record[ALGORITHM],
		credentials,
		sqnMs: record.slice(SQN_MS, PORT),
		hseAddress: String.fromCharCode(...address),
		hsePort: readUint16(record, PORT),
		offer: readUeConfiguration(record, OFFER),
		easId,
		servingNetwork,
		concealment,
	};
}
