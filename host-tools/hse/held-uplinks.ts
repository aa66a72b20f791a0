import { IMSI_OCTETS } from "../../firmware/emsdp/imsi.js";
import { copyOctets } from "../octets.js";
import { Uplink } from "./uplink.js";

/** Words of an uplink's entry: Session ID, COUNT, where its payload ends, and how many events come before it. */
const ENTRY_WORDS = 4;

/** Uplinks that wait until what they depend on is durable, packed, in memory that is used again. */
export class HeldUplinks {
	private entries = new Uint32Array(256 * ENTRY_WORDS);
	/** IMSI and payload of each, one after another. */
	private octets = new Uint8Array(256 * 64);
	private count = 0;
	private readonly uplink = new Uplink(this.octets);

	get length(): number {
		return this.count;
	}

	/** @param eventsBefore events that are told of before it */
	add(uplink: Uplink, eventsBefore: number): void {
		const entry = this.count * ENTRY_WORDS;
		const start = this.endOf(this.count - 1);
		const end = start + IMSI_OCTETS + uplink.end - uplink.start;
		if (entry === this.entries.length) this.entries = longer(this.entries, new Uint32Array(2 * entry));
		if (end > this.octets.length) {
			const { octets } = this;
			this.octets = longer(octets, new Uint8Array(2 * end));
			octets.fill(0);
		}
		const { entries, octets } = this;
		entries[entry] = uplink.sessionId;
		entries[entry + 1] = uplink.count;
		entries[entry + 2] = end;
		entries[entry + 3] = eventsBefore;
		copyOctets(octets, start, uplink.imsi, 0, IMSI_OCTETS);
		copyOctets(octets, start + IMSI_OCTETS, uplink.octets, uplink.start, uplink.end);
		this.count++;
	}

	/** An uplink, valid until the next call. */
	at(index: number): Uplink {
		const { uplink, entries, octets } = this;
		const entry = index * ENTRY_WORDS;
		const start = this.endOf(index - 1);
		uplink.sessionId = entries[entry];
		uplink.count = entries[entry + 1];
		uplink.octets = octets;
		copyOctets(uplink.imsi, 0, octets, start, start + IMSI_OCTETS);
		uplink.start = start + IMSI_OCTETS;
		uplink.end = entries[entry + 2];
		return uplink;
	}

	/** How many events are told of before an uplink. */
	eventsBefore(index: number): number {
		return this.entries[index * ENTRY_WORDS + 3];
	}

	/** Forgets all. Payloads are the application's: they are filled with zero. */
	clear(): void {
		this.octets.fill(0, 0, this.endOf(this.count - 1));
		this.count = 0;
	}

	private endOf(index: number): number {
		return index < 0 ? 0 : this.entries[index * ENTRY_WORDS + 2];
	}
}

function longer<T extends Uint8Array | Uint32Array>(octets: T, into: T): T {
	into.set(octets);
	return into;
}
