/**
 * The client that is measured, with fixed keys and random octets: the measuring program runs it on the board, and
 * host-tools/board/transcript.ts beforehand with a real HSE, whose answers are then replayed.
 */
import { BestClient } from "../../client/best-client.js";
import type { UeEvent } from "../../client/events.js";
import { AGREEMENT, ALGORITHM, LONGEST_MESSAGE, MODE, RELEASE, SERVICE } from "../../emsdp/profile.js";
import type { Kernel } from "../../kernels/kernel.js";
import { Milenage } from "../../keys/milenage.js";
import type { Datagram } from "../../ports/datagram.js";
import type { Store } from "../../ports/store.js";
import { SoftUsim } from "../common/soft-usim.js";

/** IMSI 001010000000001, as digits and as EF_IMSI bytes 2–9. */
export const IMSI_DIGITS = "001010000000001";
export const IMSI = [0x09, 0x10, 0x10, 0x00, 0x00, 0x00, 0x00, 0x10];
export const K = 0x51;
export const OPC = 0xa7;
/** Messages of each kind that are measured, after one that is not. */
export const MESSAGES = 20;
export const PAYLOAD_OCTETS = 20;

const NAME = [0x6d, 0x65, 0x74, 0x65, 0x72];

/** Octets 0, 1, 2 …: never for anything but measuring. */
export class CountingRandom {
	private next = 0;

	fill(into: Uint8Array): void {
		for (let i = 0; i < into.length; i++) into[i] = this.next++;
	}
}

export function secret(octet: number): Uint8Array {
	return new Uint8Array(16).fill(octet);
}

export function measuredClient(
	kernel: Kernel,
	datagram: Datagram,
	store: Store,
	onEvent: (event: UeEvent) => void,
	snapshot?: Uint8Array,
): BestClient {
	return new BestClient({
		kernel,
		datagram,
		usim: new SoftUsim(new Milenage(kernel, secret(K), secret(OPC)), Uint8Array.from(IMSI), store, 0),
		store,
		clock: { now: () => 1000, setDeadline: () => {}, onDeadline: undefined },
		random: new CountingRandom(),
		config: {
			offer: {
				release: RELEASE,
				agreements: 1 << AGREEMENT.epsAka,
				encryptionAlgorithms: (1 << ALGORITHM.null) | (1 << ALGORITHM.aes),
				integrityAlgorithms: 1 << ALGORITHM.aes,
				counterSchemes: 7,
				macLengths: (1 << 4) | (1 << 8),
				service: SERVICE.confidential,
				mode: MODE.ueToHse,
				largestMessage: LONGEST_MESSAGE,
			},
			easId: Uint8Array.from(NAME),
			servingNetwork: Uint8Array.of(0, 0x00, 0xf1, 0x10),
		},
		...(snapshot && { snapshot }),
		onEvent,
	});
}
