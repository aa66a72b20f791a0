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

/** Key of the identity in the device's store. */
export const IDENTITY_KEY = "identity";

/** What a device is given when it is provisioned. */
export interface Identity {
	/** EF_IMSI bytes 2–9, 8 octets. */
	readonly imsi: Uint8Array;
	/** K, 16 octets. Secret. */
	readonly k: Uint8Array;
	/** OP_C, 16 octets. Secret. */
	readonly opc: Uint8Array;
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
}

/** Version of the record and the algorithm of the soft USIM: octets 0 and 1. */
const VERSION = 1;
const MILENAGE = 1;

/** Fields of fixed length: offset and octets. Behind them address, EAS Id and tag 05, each with its length in one octet. */
const IMSI = 2;
const K = 10;
const OPC = 26;
const SQN_MS = 42;
const PORT = 48;
const OFFER = 50;
const VARIABLE = 58;

/** The record that stands in the store under {@link IDENTITY_KEY}. */
export function encodeIdentity(identity: Identity): Uint8Array {
	const { hseAddress, easId, servingNetwork } = identity;
	const address = new Uint8Array(hseAddress.length);
	for (let i = 0; i < address.length; i++) address[i] = hseAddress.charCodeAt(i);
	const record = new Uint8Array(VARIABLE + 3 + address.length + easId.length + servingNetwork.length);
	record[0] = VERSION;
	record[1] = MILENAGE;
	record.set(identity.imsi, IMSI);
	record.set(identity.k, K);
	record.set(identity.opc, OPC);
	record.set(identity.sqnMs, SQN_MS);
	writeUint16(record, PORT, identity.hsePort);
	record.set(encodeUeConfiguration(identity.offer), OFFER);
	let at = VARIABLE;
	for (const field of [address, easId, servingNetwork]) {
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
	while (fields.length < 3 && at < record.length) {
		const end = at + 1 + record[at];
		if (end > record.length) break;
		fields.push(record.slice(at + 1, end));
		at = end;
	}
	const [address, easId, servingNetwork] = fields;
	const isGood =
		record[0] === VERSION &&
		record[1] === MILENAGE &&
		fields.length === 3 &&
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
		imsi: record.slice(IMSI, K),
		k: record.slice(K, OPC),
		opc: record.slice(OPC, SQN_MS),
		sqnMs: record.slice(SQN_MS, PORT),
		hseAddress: String.fromCharCode(...address),
		hsePort: readUint16(record, PORT),
		offer: readUeConfiguration(record, OFFER),
		easId,
		servingNetwork,
	};
}
