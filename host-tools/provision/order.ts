import { randomBytes } from "node:crypto";
import { CARD, type Identity, SHARED_KEY } from "../../firmware/client/identity.js";
import type { SharedKey } from "../../firmware/client/options.js";
import type { UeConfiguration } from "../../firmware/emsdp/configuration.js";
import { encodeImsi } from "../../firmware/emsdp/imsi.js";
import { AGREEMENT } from "../../firmware/emsdp/profile.js";
import { nameForm, plmnForm } from "../../firmware/emsdp/serving-network.js";
import { AKA_ALGORITHM, sqnOctets } from "../../firmware/keys/aka.js";
import { concatenate } from "../../firmware/keys/hierarchy.js";
import { encodeConcealment, PROTECTION_SCHEME } from "../../firmware/keys/suci.js";
import { deriveTopc, TOPC_OCTETS, type TuakParameters, tuakCredentials } from "../../firmware/keys/tuak.js";
import { UsageError } from "../cli/errors.js";
import type { HomeNetworkPublicKey } from "../hse/home-network-key.js";

/** K and OP_C of a subscription, or K and TOP_C with TUAK. Secret. */
export interface SubscriptionKeys {
	readonly k: Uint8Array;
	readonly opc: Uint8Array;
}

export type DeviceKeys = SubscriptionKeys | SharedKey;

/** The key for SUCIs of profiles A and B with its identifier, 1 to 255; or the null scheme, which conceals nothing. */
export type SuciKey = "null" | (HomeNetworkPublicKey & { readonly keyId: number });

/** What device and authentication centre are to share. */
export interface SubscriptionOrder {
	/** 6 to 15 digits. */
	readonly imsi: string;
	/** Undefined where fresh keys are to be made. */
	readonly keys: DeviceKeys | undefined;
	/** Of a fresh K. */
	readonly keyOctets: 16 | 32;
	/** Of a fresh TUAK subscription: TOP, without which TOP_C is drawn at random. Secret. */
	readonly top?: Uint8Array | undefined;
	/** Without it the algorithm is MILENAGE. */
	readonly tuak?: TuakParameters | undefined;
	/** 2 octets. */
	readonly amf: Uint8Array;
	/** The highest SQN that the USIM takes for seen. */
	readonly sqn: number;
}

/** What a device is to be given. */
export interface DeviceOrder extends SubscriptionOrder {
	readonly hseAddress: string;
	readonly hsePort: number;
	readonly easId: Uint8Array;
	readonly offer: UeConfiguration;
	/** Digits of the MNC in the IMSI, 2 or 3. */
	readonly mncDigits: 2 | 3;
	/** How the device names itself: by its IMSI where this is undefined. */
	readonly suci?: SuciKey | undefined;
	/** Whether a card in the device's modem runs AKA: the keys are then for the authentication centre alone. */
	readonly isCard?: boolean;
}

export function isSharedKey(keys: DeviceKeys): keys is SharedKey {
	return "reference" in keys;
}

/** The keys' secrets, to be compared or erased. */
export function secretsOf(keys: DeviceKeys): readonly Uint8Array[] {
	return isSharedKey(keys) ? [keys.key] : [keys.k, keys.opc];
}

export function eraseKeys(keys: DeviceKeys): void {
	for (const secret of secretsOf(keys)) secret.fill(0);
}

/** Fresh keys from the system's source of randomness. */
export function freshKeys({
	keyOctets,
	tuak,
	top,
}: Pick<SubscriptionOrder, "keyOctets" | "tuak" | "top">): SubscriptionKeys {
	const k = Uint8Array.from(randomBytes(keyOctets));
	if (tuak === undefined) return { k, opc: Uint8Array.from(randomBytes(16)) };
	return {
		k,
		opc: top === undefined ? Uint8Array.from(randomBytes(TOPC_OCTETS)) : deriveTopc(k, top, tuak.iterations),
	};
}

function credentialsOf(
	{ tuak, isCard }: DeviceOrder,
	keys: DeviceKeys | undefined,
): Pick<Identity, "algorithm" | "credentials"> {
	if (isCard) return { algorithm: CARD, credentials: new Uint8Array(0) };
	if (keys === undefined) throw new UsageError("Fresh keys need a database: name one with --database.");
	if (isSharedKey(keys)) return { algorithm: SHARED_KEY, credentials: concatenate(keys.key, keys.reference) };
	if (tuak === undefined) return { algorithm: AKA_ALGORITHM.milenage, credentials: concatenate(keys.k, keys.opc) };
	return { algorithm: AKA_ALGORITHM.tuak, credentials: tuakCredentials(keys.k, keys.opc, tuak) };
}

function concealmentOf({ imsi, mncDigits, suci }: DeviceOrder): Uint8Array {
	if (suci === undefined) return new Uint8Array(0);
	if (imsi.length <= 3 + mncDigits) throw new UsageError(`The IMSI ${imsi} has no digits behind MCC and MNC.`);
	const key = suci === "null" ? { scheme: PROTECTION_SCHEME.null, keyId: 0, publicKey: new Uint8Array(0) } : suci;
	return encodeConcealment({ mncDigits, ...key });
}

const NAMED_NETWORK = (1 << AGREEMENT.fiveGAka) | (1 << AGREEMENT.eapAkaPrime);

/** The identity that a device is given; the caller erases its credentials. @throws UsageError */
export function identityOf(order: DeviceOrder, keys: DeviceKeys | undefined): Identity {
	const { imsi, mncDigits, offer } = order;
	const form = (offer.agreements & NAMED_NETWORK) === 0 ? plmnForm : nameForm;
	const digits = encodeImsi(imsi);
	if (digits === undefined) throw new UsageError(`The IMSI is "${imsi}": 6 to 15 digits are allowed.`);
	return {
		imsi: digits,
		...credentialsOf(order, keys),
		sqnMs: sqnOctets(order.sqn),
		hseAddress: order.hseAddress,
		hsePort: order.hsePort,
		offer,
		easId: order.easId,
		servingNetwork: form(imsi.slice(0, 3), imsi.slice(3, 3 + mncDigits)),
		concealment: concealmentOf(order),
	};
}
