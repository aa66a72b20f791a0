import { IP_AND_UDP, POWER, RATE } from "./figures.js";
import { type OtherProtocol, OVERHEADS, type Protocol } from "./overheads.js";

/** A model: what a message costs a UE while it is on the air. Wake-ups are {@link figures.WAKE_UP}, beside it. */
export interface AirOptions {
	/** Whether the UE sends it. */
	readonly fromUe: boolean;
	/** How often the radio sends it: 1 in good coverage, up to 128 (TS 36.213 16.5.1.1). */
	readonly repetitions?: number;
}

/** Energy of a UDP datagram on the air, in joules. @param octets of its payload */
export function airEnergy(octets: number, { fromUe, repetitions = 1 }: AirOptions): number {
	const way = fromUe ? "transmit" : "receive";
	return (POWER[way] * 8 * (octets + IP_AND_UDP) * repetitions) / RATE[way];
}

/** Energy of one payload under each protocol, in joules. @param overhead octets that EMSDP adds to it */
export function energyByProtocol(payload: number, overhead: number, air: AirOptions): Record<Protocol, number> {
	const of = (protocol: OtherProtocol) => airEnergy(payload + OVERHEADS[protocol], air);
	return {
		EMSDP: airEnergy(payload + overhead, air),
		"DTLS 1.2 with CID": of("DTLS 1.2 with CID"),
		"DTLS 1.3 with CID": of("DTLS 1.3 with CID"),
		OSCORE: of("OSCORE"),
	};
}
