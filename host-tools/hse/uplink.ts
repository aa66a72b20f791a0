import { decodeImsi, IMSI_OCTETS } from "../../firmware/emsdp/imsi.js";
import type { HseEvent } from "./events.js";

/**
 * An uplink of a session in which nothing else is going on, without a copy: the payload is `octets[start .. end)`. One
 * object is filled again for each, so it is valid until whoever hands it over goes on.
 */
export class Uplink {
	sessionId = 0;
	count = 0;
	octets: Uint8Array;
	start = 0;
	end = 0;
	/** As EF_IMSI has it. */
	readonly imsi = new Uint8Array(IMSI_OCTETS);

	constructor(octets: Uint8Array) {
		this.octets = octets;
	}

	/** The same as an event, with copies. */
	toEvent(): HseEvent & { readonly kind: "uplink" } {
		const { imsi, sessionId, count, octets, start, end } = this;
		return { kind: "uplink", imsi: decodeImsi(imsi) ?? "", sessionId, count, payload: octets.slice(start, end) };
	}
}
