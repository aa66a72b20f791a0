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
import type { TuakParameters } from "../../firmware/keys/tuak.js";
import { UsageError } from "../cli/errors.js";
import type { SubscriberDatabase } from "../hse/subscriber-database.js";
import { enrol } from "./enrol.js";
import type { SuciKey } from "./order.js";
import { refuseStore, storeIdentity } from "./store-identity.js";

/** AMF with the separation bit set, as EPS AKA needs it (TS 33.401 6.1.2). */
const AMF = Uint8Array.of(0x80, 0x00);

/** The services by the words that the command takes. */
export const SERVICES = {
	confidential: SERVICE.confidential,
	integrity: SERVICE.integrity,
	"key-agreement-only": SERVICE.keyAgreementOnly,
} as const;

/** The key agreements by the words that the command takes. */
export const AGREEMENTS = {
	"eps-aka": AGREEMENT.epsAka,
	"umts-aka": AGREEMENT.umtsAka,
	"5g-aka": AGREEMENT.fiveGAka,
	"eap-aka-prime": AGREEMENT.eapAkaPrime,
} as const;

/** The algorithms by the words that the command takes: each stands for ciphering and integrity. */
export const ALGORITHMS = { aes: ALGORITHM.aes, snow3g: ALGORITHM.snow3g, zuc: ALGORITHM.zuc } as const;

/** The network of a test subscriber: MCC 001, MNC 01. */
export const TEST_IMSI = "001010000000001";

export interface ProvisionOptions {
	readonly database: SubscriberDatabase;
	/** The device's file-backed store. */
	readonly storeDirectory: string;
	/** 6 to 15 digits, the first five of which are MCC and MNC. */
	readonly imsi: string;
	readonly hseAddress: string;
	readonly hsePort: number;
	readonly easId: string;
	readonly service: number;
	/** UE-to-HSE by default. */
	readonly mode?: number;
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
	mode: number = MODE.ueToHse,
): UeConfiguration {
	return {
		release: RELEASE,
		agreements: set([agreement]),
		encryptionAlgorithms: set([ALGORITHM.null, ...algorithms]),
		integrityAlgorithms: set(algorithms),
		counterSchemes: set(COUNTER_EXTENSION_OCTETS.keys()),
		macLengths: set(MAC_LENGTHS),
		service,
		mode,
		largestMessage: LONGEST_MESSAGE,
	};
}

/**
 * Makes a subscriber with fresh keys: adds it to the HSE's database and writes its identity into a device's store. The
 * keys are shown nowhere.
 * @throws UsageError for an IMSI or EAS Id that is none, DatabaseError if the subscriber is there already, Failure if the
 * device has an identity already, or its store cannot be used
 */
export async function provision(options: ProvisionOptions): Promise<void> {
	const { database, storeDirectory, imsi, tuak, suci } = options;
	if (encodeImsi(imsi) === undefined) throw new UsageError(`The IMSI is "${imsi}": 6 to 15 digits are allowed.`);
	const easId = new TextEncoder().encode(options.easId);
	if (easId.length < 1 || easId.length > 64)
		throw new UsageError(`The EAS Id has ${easId.length} octets: 1 to 64 are allowed.`);
	refuseStore(storeDirectory);
	const { keyOctets = 16, top, ...parameters } = tuak ?? {};
	const enrolment = await enrol(database, {
		imsi,
		keys: undefined,
		keyOctets,
		top,
		tuak: tuak === undefined ? undefined : (parameters as TuakParameters),
		amf: AMF,
		sqn: 0,
		hseAddress: options.hseAddress,
		hsePort: options.hsePort,
		easId,
		offer: offerOf(options.agreement, options.service, options.algorithms, options.mode),
		mncDigits: 2,
		suci,
	});
	storeIdentity(storeDirectory, enrolment.identity);
	await enrolment.finish();
}
