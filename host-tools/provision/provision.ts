import { randomBytes } from "node:crypto";
import { encodeIdentity, IDENTITY_KEY } from "../../firmware/client/identity.js";
import { SESSION_KEY } from "../../firmware/client/packed-session.js";
import type { UeConfiguration } from "../../firmware/emsdp/configuration.js";
import { encodeImsi } from "../../firmware/emsdp/imsi.js";
import {
	AGREEMENT,
	ALGORITHM,
	COUNTER_EXTENSION_OCTETS,
	LONGEST_MESSAGE,
	MAC_LENGTHS,
	MODE,
	RELEASE,
	SERVICE,
} from "../../firmware/emsdp/profile.js";
import { plmnForm } from "../../firmware/emsdp/serving-network.js";
import { SQN_STEP, sqnOctets } from "../../firmware/keys/aka.js";
import { Failure, UsageError } from "../cli/errors.js";
import { NodeStore } from "../device/node-store.js";
import type { HseDatabase } from "../hse/database.js";

/** AMF with the separation bit set, as EPS AKA needs it (TS 33.401 6.1.2). */
const AMF = Uint8Array.of(0x80, 0x00);

/** The services by the words that the command takes. */
export const SERVICES = { integrity: SERVICE.integrity, confidential: SERVICE.confidential } as const;

/** The key agreements by the words that the command takes. */
export const AGREEMENTS = { "umts-aka": AGREEMENT.umtsAka, "eps-aka": AGREEMENT.epsAka } as const;

/** The algorithms by the words that the command takes: each stands for ciphering and integrity. */
export const ALGORITHMS = { aes: ALGORITHM.aes, snow3g: ALGORITHM.snow3g, zuc: ALGORITHM.zuc } as const;

/** The network of a test subscriber: MCC 001, MNC 01. */
export const TEST_IMSI = "001010000000001";

export interface ProvisionOptions {
	readonly database: HseDatabase;
	/** The device's file-backed store. */
	readonly storeDirectory: string;
	/** 6 to 15 digits, the first five of which are MCC and MNC. */
	readonly imsi: string;
	readonly hseAddress: string;
	readonly hsePort: number;
	readonly easId: string;
	readonly service: number;
	readonly agreement: number;
	/** Offered for ciphering and for integrity; AES alone by default. */
	readonly algorithms?: readonly number[];
}

function set(numbers: Iterable<number>): number {
	let bits = 0;
	for (const number of numbers) bits |= 1 << number;
	return bits;
}

/** What a device offers: everything that is built but algorithms, and one key agreement. */
export function offerOf(
	agreement: number,
	service: number,
	algorithms: readonly number[] = [ALGORITHM.aes],
): UeConfiguration {
	return {
		release: RELEASE,
		agreements: set([agreement]),
		encryptionAlgorithms: set([ALGORITHM.null, ...algorithms]),
		integrityAlgorithms: set(algorithms),
		counterSchemes: set(COUNTER_EXTENSION_OCTETS.keys()),
		macLengths: set(MAC_LENGTHS),
		service,
		mode: MODE.ueToHse,
		largestMessage: LONGEST_MESSAGE,
	};
}

/**
 * Makes a subscriber with fresh keys: adds it to the HSE's database and writes its identity into a device's store. The
 * keys are shown nowhere.
 * @throws UsageError for an IMSI or EAS Id that is none, DatabaseError if the subscriber is there already, Failure if the
 * device has an identity already
 */
export function provision(options: ProvisionOptions): void {
	const { database, storeDirectory, imsi, hseAddress, hsePort, service, agreement, algorithms } = options;
	const digits = encodeImsi(imsi);
	if (digits === undefined) throw new UsageError(`The IMSI is "${imsi}": 6 to 15 digits are allowed.`);
	const easId = new TextEncoder().encode(options.easId);
	if (easId.length < 1 || easId.length > 64)
		throw new UsageError(`The EAS Id has ${easId.length} octets: 1 to 64 are allowed.`);
	const store = new NodeStore(storeDirectory);
	if (store.read(IDENTITY_KEY) !== undefined)
		throw new Failure(`The device in ${storeDirectory} has an identity already: name another --store, or remove it.`);
	const k = Uint8Array.from(randomBytes(16));
	const opc = Uint8Array.from(randomBytes(16));
	// The first challenge has SEQ 1; the USIM has seen SEQ 0.
	database.addSubscriber({ imsi, k, opc, amf: AMF, sqn: SQN_STEP, enabled: true });
	const record = encodeIdentity({
		imsi: digits,
		k,
		opc,
		sqnMs: sqnOctets(0),
		hseAddress,
		hsePort,
		offer: offerOf(agreement, service, algorithms),
		easId,
		servingNetwork: plmnForm(imsi.slice(0, 3), imsi.slice(3, 5)),
	});
	store.write(IDENTITY_KEY, record);
	// A new identity begins with its own SQNs and without a session.
	store.delete("sqn");
	store.delete(SESSION_KEY);
	for (const secret of [k, opc, record]) secret.fill(0);
}
