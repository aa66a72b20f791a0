import { encodeImsi } from "../../firmware/emsdp/imsi.js";
import { InternedOctets } from "./interned-octets.js";
import { RECORD_WORDS, RecordMemory, SessionRecord, WORD } from "./session-record.js";
import { SlotIndex } from "./slot-index.js";

const RECORDS_PER_CHUNK_BITS = 12;
const RECORDS_PER_CHUNK = 1 << RECORDS_PER_CHUNK_BITS;
/** In a free record: the next free slot plus one. Word 0, the Session ID, is 0 there. */
const NEXT_FREE = 1;

/** Sessions at rest, as packed records in slots; found by Session ID and by IMSI. */
export class SessionTable {
	private readonly chunks: RecordMemory[] = [];
	private readonly byId: SlotIndex;
	private readonly byImsi: SlotIndex;
	private readonly record = new SessionRecord();
	private readonly imsi = new SessionRecord();
	private readonly networks = new InternedOctets();
	/** Addresses that do not fit a record, by slot. */
	private readonly addresses = new Map<number, string>();
	/** The first free slot plus one. */
	private free = 0;

	constructor() {
		const word = (index: number) => (slot: number) =>
			this.chunks[slot >> RECORDS_PER_CHUNK_BITS].words[(slot & (RECORDS_PER_CHUNK - 1)) * RECORD_WORDS + index];
		this.byId = new SlotIndex(() => 0, word(WORD.sessionId));
		this.byImsi = new SlotIndex(word(WORD.imsi), word(WORD.imsi + 1));
	}

	get size(): number {
		return this.byId.size;
	}

	/** Slots that there are, those that are free as well. */
	get slotCount(): number {
		return this.chunks.length * RECORDS_PER_CHUNK;
	}

	/** @returns the slot of a Session ID, −1 where there is none */
	find(sessionId: number): number {
		return this.byId.find(0, sessionId);
	}

	/** @param imsi digits. @returns its slot, −1 where there is none */
	findImsi(imsi: string): number {
		const octets = encodeImsi(imsi);
		if (octets === undefined) return -1;
		this.imsi.imsi.set(octets);
		return this.byImsi.find(this.imsi.get(WORD.imsi), this.imsi.get(WORD.imsi + 1));
	}

	/** A look at a slot, by an object that is pointed at another one at the next call. */
	at(slot: number): SessionRecord {
		return this.record.select(this.chunks[slot >> RECORDS_PER_CHUNK_BITS], slot & (RECORDS_PER_CHUNK - 1));
	}

	/** Adds a session: the octets of a record whose Session ID and IMSI are not in the table. @returns its slot */
	add(octets: Uint8Array, network: Uint8Array, address: string): number {
		if (this.free === 0) this.grow();
		const slot = this.free - 1;
		const record = this.at(slot);
		this.free = record.get(NEXT_FREE);
		record.octets.set(octets);
		record.set(WORD.network, this.networks.add(network));
		record.set(WORD.context, 0);
		if (!record.setAddress(address)) this.addresses.set(slot, address);
		this.byId.add(slot);
		this.byImsi.add(slot);
		return slot;
	}

	/** Takes a session out; its record is filled with zero. */
	remove(slot: number): void {
		this.byId.remove(slot);
		this.byImsi.remove(slot);
		const record = this.at(slot);
		this.networks.remove(record.get(WORD.network));
		this.addresses.delete(slot);
		record.erase();
		record.set(NEXT_FREE, this.free);
		this.free = slot + 1;
	}

	/** Value of tag 05 behind its form octet, of the session in a slot. */
	network(slot: number): Uint8Array {
		return this.networks.get(this.at(slot).get(WORD.network));
	}

	address(slot: number): string {
		return this.at(slot).address ?? this.addresses.get(slot) ?? "";
	}

	hasAddress(slot: number, address: string): boolean {
		return this.at(slot).hasAddress(address) || (this.addresses.size > 0 && this.addresses.get(slot) === address);
	}

	setAddress(slot: number, address: string): void {
		if (this.at(slot).setAddress(address)) this.addresses.delete(slot);
		else this.addresses.set(slot, address);
	}

	/** Notes where the expanded keys of a session are: a place plus one, 0 for none. Does not move {@link at}. */
	setContext(slot: number, place: number): void {
		const chunk = this.chunks[slot >> RECORDS_PER_CHUNK_BITS];
		chunk.words[(slot & (RECORDS_PER_CHUNK - 1)) * RECORD_WORDS + WORD.context] = place;
	}

	/** Whether the sessions of two slots differ in nothing but their Session IDs, Key IDs and keys. Moves {@link at}. */
	isAlike(one: number, other: number): boolean {
		const { suite } = this.at(one);
		return suite === this.at(other).suite;
	}

	/** All slots that hold a session. */
	*slots(): Generator<number> {
		for (let slot = 0; slot < this.slotCount; slot++) if (this.at(slot).sessionId !== 0) yield slot;
	}

	private grow(): void {
		const first = this.slotCount;
		this.chunks.push(new RecordMemory(RECORDS_PER_CHUNK));
		for (let slot = first + RECORDS_PER_CHUNK - 1; slot >= first; slot--) {
			this.at(slot).set(NEXT_FREE, this.free);
			this.free = slot + 1;
		}
	}
}
