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
import { AKA_ALGORITHM, SQN_STEP, sqnOctets } from "../../firmware/keys/aka.js";
import { concatenate } from "../../firmware/keys/hierarchy.js";
import { type Concealment, encodeConcealment, PROTECTION_SCHEME } from "../../firmware/keys/suci.js";
import { deriveTopc, TOPC_OCTETS, type TuakParameters, tuakCredentials } from "../../firmware/keys/tuak.js";
import { Failure, UsageError } from "../cli/errors.js";
import { NodeStore } from "../device/node-store.js";
import type { HseDatabase, Subscriber } from "../hse/database.js";
import type { HomeNetworkPublicKey } from "../hse/home-network-key.js";
import type { PostgresSubscribers } from "../hse/postgres/subscribers.js";

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
	/** With TUAK in place of MILENAGE. */
	readonly tuak?: TuakSubscription | undefined;
	/** How the device names itself: by its IMSI where this is undefined. */
	readonly suci?: SuciKey | undefined;
}

/** What an operator chooses for a subscriber with TUAK. */
export interface TuakSubscription extends TuakParameters {
	readonly keyOctets: 16 | 32;
	/** TOP, 32 octets; without it TOP_C is drawn at random. Secret. */
	readonly top?: Uint8Array | undefined;
}

/** The key for SUCIs of profiles A and B with its identifier, 1 to 255; or the null scheme, which conceals nothing. */
export type SuciKey = "null" | (HomeNetworkPublicKey & { readonly keyId: number });

/** Of a test network: MCC and MNC are the first five digits. */
const MNC_DIGITS = 2;

/** @throws UsageError where the IMSI has no MSIN to conceal */
function concealmentOf(imsi: string, suci: SuciKey): Concealment {
	if (imsi.length <= 3 + MNC_DIGITS) throw new UsageError(`The IMSI ${imsi} has no digits behind MCC and MNC.`);
	if (suci === "null")
		return { mncDigits: MNC_DIGITS, scheme: PROTECTION_SCHEME.null, keyId: 0, publicKey: new Uint8Array(0) };
	return { mncDigits: MNC_DIGITS, ...suci };
}

/** Fresh K and OP_C or TOP_C, and the same as the identity record has them. The caller erases all. */
function freshCredentials(tuak: TuakSubscription | undefined) {
	const k = Uint8Array.from(randomBytes(tuak?.keyOctets ?? 16));
	if (tuak === undefined) {
		const opc = Uint8Array.from(randomBytes(16));
		return { k, opc, algorithm: AKA_ALGORITHM.milenage, credentials: concatenate(k, opc) };
	}
	const { top, iterations } = tuak;
	const opc = top === undefined ? Uint8Array.from(randomBytes(TOPC_OCTETS)) : deriveTopc(k, top, iterations);
	return { k, opc, algorithm: AKA_ALGORITHM.tuak, credentials: tuakCredentials(k, opc, tuak) };
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

/** A subscriber with fresh keys, on its way to the HSE's database and to its device. */
interface Subscription {
	readonly subscriber: Subscriber;
	/** Writes the identity into the device's store. */
	writeIdentity(): void;
	/** Erases all keys. */
	erase(): void;
}

function makeSubscription(options: Omit<ProvisionOptions, "database">): Subscription {
	const { storeDirectory, imsi, hseAddress, hsePort, service, agreement, algorithms, tuak, suci } = options;
	const digits = encodeImsi(imsi);
	if (digits === undefined) throw new UsageError(`The IMSI is "${imsi}": 6 to 15 digits are allowed.`);
	const easId = new TextEncoder().encode(options.easId);
	if (easId.length < 1 || easId.length > 64)
		throw new UsageError(`The EAS Id has ${easId.length} octets: 1 to 64 are allowed.`);
	const store = new NodeStore(storeDirectory);
	if (store.read(IDENTITY_KEY) !== undefined)
		throw new Failure(`The device in ${storeDirectory} has an identity already: name another --store, or remove it.`);
	const concealment = suci === undefined ? undefined : concealmentOf(imsi, suci);
	const { k, opc, algorithm, credentials } = freshCredentials(tuak);
	const record = encodeIdentity({
		imsi: digits,
		algorithm,
		credentials,
		sqnMs: sqnOctets(0),
		hseAddress,
		hsePort,
		offer: offerOf(agreement, service, algorithms),
		easId,
		servingNetwork: plmnForm(imsi.slice(0, 3), imsi.slice(3, 3 + MNC_DIGITS)),
		concealment: concealment === undefined ? new Uint8Array(0) : encodeConcealment(concealment),
	});
	return {
		// The first challenge has SEQ 1; the USIM has seen SEQ 0.
		subscriber: { imsi, k, opc, tuak, amf: AMF, sqn: SQN_STEP, enabled: true },
		writeIdentity() {
			store.write(IDENTITY_KEY, record);
			// A new identity begins with its own SQNs and without a session.
			store.delete("sqn");
			store.delete(SESSION_KEY);
		},
		erase() {
			for (const secret of [k, opc, credentials, record]) secret.fill(0);
		},
	};
}

/**
 * Makes a subscriber with fresh keys: adds it to the HSE's database and writes its identity into a device's store. The
 * keys are shown nowhere.
 * @throws UsageError for an IMSI or EAS Id that is none, DatabaseError if the subscriber is there already, Failure if the
 * device has an identity already
 */
export function provision(options: ProvisionOptions): void {
	const subscription = makeSubscription(options);
	try {
		options.database.addSubscriber(subscription.subscriber);
		subscription.writeIdentity();
	} finally {
		subscription.erase();
	}
}

/** The same for a database that several HSEs share. */
export async function provisionShared(
	options: Omit<ProvisionOptions, "database">,
	database: PostgresSubscribers,
): Promise<void> {
	const subscription = makeSubscription(options);
	try {
		await database.addSubscriber(subscription.subscriber);
		subscription.writeIdentity();
	} finally {
		subscription.erase();
	}
}
