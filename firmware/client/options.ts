import type { UeConfiguration } from "../emsdp/configuration.js";
import type { RetransmissionPolicy } from "../emsdp/retransmission.js";
import type { Kernel } from "../kernels/kernel.js";
import type { Random } from "../ports/random.js";

/** Who the UE is and what it asks for. */
export interface UeOptions {
	readonly kernel: Kernel;
	readonly random: Random;
	/** EF_IMSI bytes 2–9, 8 octets. */
	readonly imsi: Uint8Array;
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

const fractionOctets = new Uint8Array(2);

/** A random number from 0 to 1 for the spread of retransmissions. */
export function randomFraction(random: Random): number {
	random.fill(fractionOctets);
	return ((fractionOctets[0] << 8) | fractionOctets[1]) / 0xffff;
}
