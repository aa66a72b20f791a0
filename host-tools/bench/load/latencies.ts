import { copyOctets } from "../../octets.js";
import { sharedNow } from "./messages.js";

/** Octets of the time that a datagram of a load test carries. */
const TIME_OCTETS = 8;
const time = new DataView(new ArrayBuffer(TIME_OCTETS));
const timeOctets = new Uint8Array(time.buffer);

/** Writes the time of {@link sharedNow}. */
export function writeTime(octets: Uint8Array, at: number): void {
	time.setFloat64(0, sharedNow());
	octets.set(timeOctets, at);
}

/** Milliseconds since datagrams were sent, as they say themselves. */
export class Latencies {
	private readonly all: Float64Array;
	private length = 0;

	/** @param most how many are kept: those beyond are not. Their room is made here, so that what is measured is not its growth. */
	constructor(most: number) {
		this.all = new Float64Array(most);
	}

	/** @param at where the datagram has its time */
	add(octets: Uint8Array, at: number): void {
		copyOctets(timeOctets, 0, octets, at, at + TIME_OCTETS);
		if (this.length < this.all.length) this.all[this.length++] = sharedNow() - time.getFloat64(0);
	}

	/** What 99 of 100 are no longer than, 0 where there are none, and forgets them. */
	take99thOf100(): number {
		const measured = this.all.subarray(0, this.length).sort();
		this.length = 0;
		return measured[Math.ceil(0.99 * measured.length) - 1] ?? 0;
	}
}
