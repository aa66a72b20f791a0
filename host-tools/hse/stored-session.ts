import { ReceivedCount } from "../../firmware/emsdp/count.js";
import { decodeImsi, IMSI_OCTETS } from "../../firmware/emsdp/imsi.js";
import { COUNT, HEADER } from "../../firmware/emsdp/profile.js";
import { easIdText } from "../eas-id-text.js";
import { decodeParts, encodeParts, type Parts } from "./parts.js";
import { configurationOf, SESSION_REQUEST_PART, stateOf } from "./session.js";
import { RECORD_OCTETS, SessionRecord, WORD } from "./session-record.js";

/** A record is in the order of the machine's octets, so that a million can be read without taking each apart. */
const IS_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
/** First octet: version of the form and order of the octets. */
const FORM = IS_LITTLE_ENDIAN ? 0x10 : 0x11;
/** Parts beside those of what is going on in a session. */
const PART = { address: 0x20, answeredRequest: 0x21, answer: 0x22, answerUntil: 0x23 } as const;

/** An answer that is kept for repetitions of a CP request, until a time. */
export interface StoredAnswer {
	readonly request: Uint8Array;
	readonly answer: Uint8Array;
	readonly until: number;
}

/**
 * A session as it is stored: form (1 octet), record, length of the serving network (1) and that, then parts.
 * @param address used where it does not stand in the record
 * @param parts what is going on in it
 */
export function encodeStored(
	record: SessionRecord,
	network: Uint8Array,
	address: string,
	parts: Parts,
	kept:
		| { readonly answer: { readonly request: Uint8Array; readonly answer: Uint8Array }; readonly until: number }
		| undefined,
): Uint8Array {
	const all = new Map(parts);
	if (!record.hasOwnAddress) all.set(PART.address, new TextEncoder().encode(address));
	if (kept !== undefined) {
		all.set(PART.answeredRequest, kept.answer.request);
		all.set(PART.answer, kept.answer.answer);
		all.set(PART.answerUntil, new Uint8Array(Float64Array.of(kept.until).buffer));
	}
	const encoded = encodeParts(all);
	const start = 1 + RECORD_OCTETS;
	const octets = new Uint8Array(start + 1 + network.length + encoded.length);
	octets[0] = FORM;
	octets.set(record.octets, 1);
	// What is of this process only.
	octets.fill(0, 1 + 4 * WORD.network, 1 + 4 * (WORD.context + 1));
	octets[start] = network.length;
	octets.set(network, start + 1);
	octets.set(encoded, start + 1 + network.length);
	return octets;
}

/** Where the parts begin, behind the serving network. */
const partsStart = (octets: Uint8Array) => 2 + RECORD_OCTETS + octets[1 + RECORD_OCTETS];

/**
 * The reverse of {@link encodeStored}.
 * @param record filled in
 * @throws RangeError where the octets are of another form
 */
export function decodeStored(octets: Uint8Array, record: SessionRecord) {
	const start = 1 + RECORD_OCTETS;
	if (octets[0] !== FORM || octets.length <= start)
		throw new RangeError("A stored session is not of the form that this program writes on this machine.");
	record.octets.set(octets.subarray(1, start));
	const end = partsStart(octets);
	const network = octets.subarray(start + 1, end);
	const all = new Map(decodeParts(octets.subarray(end)));
	const part = (number: number) => {
		const octetsOfPart = all.get(number);
		all.delete(number);
		return octetsOfPart;
	};
	const address = record.address ?? new TextDecoder().decode(part(PART.address));
	const [request, answer, until] = [part(PART.answeredRequest), part(PART.answer), part(PART.answerUntil)];
	const kept: StoredAnswer | undefined = request &&
		answer &&
		until && { request, answer, until: new Float64Array(until.buffer)[0] };
	return { network, address, parts: all as Parts, kept };
}

/** What there is to see of a stored session without its keys. */
export function viewOfStored(octets: Uint8Array) {
	const record = new SessionRecord();
	const { parts } = decodeStored(octets, record);
	const { keyId, sessionId } = record;
	const view = {
		sessionId,
		/** Digits. */
		imsi: decodeImsi(record.imsi) ?? "",
		state: stateOf(parts),
		keyId,
		easId: easIdText(record.easId),
		configuration: configurationOf(record),
	};
	record.erase();
	return view;
}

/** EF_IMSI of a stored session, 8 octets; not a copy. */
export function imsiOfStored(octets: Uint8Array): Uint8Array {
	return octets.subarray(1 + 4 * WORD.imsi, 1 + 4 * WORD.imsi + IMSI_OCTETS);
}

/** Whether a stored session has been confirmed: one that has not is kept with the UE's request. */
export function isConfirmedStored(octets: Uint8Array): boolean {
	return !decodeParts(octets.subarray(partsStart(octets))).has(SESSION_REQUEST_PART);
}

/** A session at rest had accepted a COUNT. */
export function acceptBefore(record: SessionRecord, count: number): void {
	const received = new ReceivedCount(HEADER.countBits + 8 * record.extension, 1);
	record.loadReceived(received);
	if (received.last - count >= COUNT.window) return;
	received.accept(count);
	record.storeReceived(received);
}

/** A copy of a stored session that has accepted some COUNTs since. */
export function withCounts(octets: Uint8Array, counts: readonly number[]): Uint8Array {
	const record = new SessionRecord();
	record.octets.set(octets.subarray(1, 1 + RECORD_OCTETS));
	for (const count of counts) acceptBefore(record, count);
	const copy = Uint8Array.from(octets);
	copy.set(record.octets, 1);
	record.erase();
	return copy;
}
