import type { UeConfiguration } from "../emsdp/configuration.js";
import type { RetransmissionPolicy } from "../emsdp/retransmission.js";
import type { Kernel } from "../kernels/kernel.js";
import type { Conceal } from "../ports/platform.js";
import type { Random } from "../ports/random.js";

/** A key that UE and HSE share already: Ks_ext_NAF, K_AF or a pre-shared key. */
export interface SharedKey {
	/** Value of tag 14: B-TID, A-KID or the key's id, 1–127 octets. */
	readonly reference: Uint8Array;
	/** 32 octets. */
	readonly key: Uint8Array;
}

/** Who the UE is and what it asks for. */
export interface UeOptions {
	readonly kernel: Kernel;
	readonly random: Random;
	/** Value of tag 01 (EF_IMSI bytes 2–9) or of tag 02 (SUCI). */
	readonly identity: { readonly tag: number; readonly value: Uint8Array };
	/** Makes a SUCI of the IMSI in `identity` for each Session Request that is not a repetition, and that is sent instead. */
	readonly conceal?: Conceal | undefined;
	/** The key of agreement 5, 6 or 7, where one is offered. */
	readonly sharedKey: SharedKey | undefined;
	readonly offer: UeConfiguration;
	/** EAS Id, 1–64 octets of UTF-8. */
	readonly easId: Uint8Array;
	/** Value of tag 05, empty where it is not sent. */
	readonly servingNetwork: Uint8Array;
	/** How CP requests are sent again. */
	readonly retransmission: RetransmissionPolicy;
	/** The longest back-off that an unprotected 80 can bring about, in seconds. */
	readonly longestBackOff: number;
}

/** A random number from 0 to 1 for the spread of retransmissions. */
export function randomFraction(random: Random): number {
	const octets = new Uint8Array(2);
	random.fill(octets);
	return ((octets[0] << 8) | octets[1]) / 0xffff;
}
