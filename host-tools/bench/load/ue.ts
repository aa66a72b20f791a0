import { Ue } from "../../../firmware/client/ue.js";
import { encodeImsi } from "../../../firmware/emsdp/imsi.js";
import { LIMITS, RETRANSMISSION, TAG } from "../../../firmware/emsdp/profile.js";
import { plmnForm } from "../../../firmware/emsdp/serving-network.js";
import type { Kernel } from "../../../firmware/kernels/kernel.js";
import { Milenage } from "../../../firmware/keys/milenage.js";
import { SoftUsim } from "../../../firmware/platform/common/soft-usim.js";
import { offerOf } from "../../provision/provision.js";
import { RandomPool } from "../../random-pool.js";

/** K and OP_C of all subscribers of a load test. */
export const CREDENTIALS = { k: new Uint8Array(16).fill(0x4b), opc: new Uint8Array(16).fill(0x6f) } as const;

/** What a UE that is never switched off needs of a store. */
const NO_STORE = { read: () => undefined, write: () => {}, delete: () => {} };
const pool = new RandomPool();
const random = { fill: (octets: Uint8Array) => octets.set(pool.take(octets.length)) };

/** A UE of a load test, and its USIM. @param imsi digits */
export function makeUe(kernel: Kernel, imsi: string, agreement: number, service: number) {
	const value = encodeImsi(imsi) ?? new Uint8Array(8);
	const usim = new SoftUsim(new Milenage(kernel, CREDENTIALS.k, CREDENTIALS.opc), value, NO_STORE);
	const ue = new Ue({
		kernel,
		random,
		identity: { tag: TAG.imsi, value },
		sharedKey: undefined,
		offer: offerOf(agreement, service),
		easId: new TextEncoder().encode("eas.example"),
		servingNetwork: plmnForm(imsi.slice(0, 3), imsi.slice(3, 5)),
		retransmission: RETRANSMISSION,
		longestBackOff: LIMITS.longestBackOff,
	});
	return { ue, usim };
}
