import { readHseConfiguration, readUeConfiguration } from "../../firmware/emsdp/configuration.js";
import { Header } from "../../firmware/emsdp/header.js";
import { decodeImsi } from "../../firmware/emsdp/imsi.js";
import { readUint32 } from "../../firmware/emsdp/octets.js";
import {
	CAUSE_NAMES,
	COMMAND,
	COMMANDS,
	COUNTER_EXTENSION_OCTETS,
	HEADER,
	type Mark,
	TAG,
	TLVS,
} from "../../firmware/emsdp/profile.js";
import { sessionIdText, toHex } from "../hex.js";

/** A field of a message, explained. */
export interface Field {
	/** Octets of the datagram that it stands in. */
	readonly offset: number;
	readonly length: number;
	readonly name: string;
	/** What it says, in words or hex. */
	readonly value: string;
	/** Where it comes from: S, G or P of the profile; several where its parts differ. */
	readonly mark: Mark | "S, P";
	/** Section of the wire profile. */
	readonly section: string;
}

/** What the session of a message has agreed, without which its end cannot be found. */
export interface Layout {
	readonly counterScheme: number;
	readonly macLength: number;
	/** Whether what can be enciphered is. */
	readonly isCiphered: boolean;
}

/** Explains every octet of a datagram, as far as that can be done without keys. Never throws. */
export function fieldsOf(datagram: Uint8Array, layout?: Layout): Field[] {
	const header = new Header();
	if (!header.read(datagram, datagram.length))
		return [field(0, datagram.length, "not EMSDP", toHex(datagram), "P", "2")];
	const { userPlane, keyId, sessionId, countBits } = header;
	const flags = `${userPlane ? "user plane" : "control plane"}, Key ID ${keyId}, COUNT bits ${countBits}`;
	const fields = [
		field(0, 1, "EMSDP type", hex(datagram, 0, 1), "S, P", "2"),
		field(1, 1, "Flags, Key ID, COUNT", flags, "S, P", "2"),
		field(HEADER.sessionId, 4, "Session ID", sessionIdText(sessionId), "S, P", "2"),
	];
	return fields.concat(userPlane ? userFields(datagram, layout) : controlFields(datagram, keyId !== 0, layout));
}

/** The cause of a Message Reject; undefined where a datagram is none, or has none. */
export function rejectCauseOf(datagram: Uint8Array): number | undefined {
	if (datagram[HEADER.length] !== COMMAND.messageReject || (datagram[1] & HEADER.userPlane) !== 0) return undefined;
	let at = HEADER.length + 1;
	while (at + 2 < datagram.length && datagram[at] !== TAG.cause) at += 2 + datagram[at + 1];
	return at + 2 < datagram.length ? datagram[at + 2] : undefined;
}

function userFields(datagram: Uint8Array, layout: Layout | undefined): Field[] {
	const at = HEADER.length;
	const shortest = layout && at + (COUNTER_EXTENSION_OCTETS[layout.counterScheme] ?? 0) + layout.macLength;
	if (shortest !== undefined && datagram.length < shortest) return tooShort(datagram);
	if (layout === undefined)
		return [
			field(at, datagram.length - at, "Counter extension, payload, MAC", hex(datagram, at, datagram.length), "P", "2"),
		];
	const extension = COUNTER_EXTENSION_OCTETS[layout.counterScheme] ?? 0;
	const end = datagram.length - layout.macLength;
	const payload = layout.isCiphered ? "Payload, enciphered" : "Payload";
	return [
		field(at, extension, "Counter extension", hex(datagram, at, at + extension), "P", "2"),
		field(at + extension, end - at - extension, payload, hex(datagram, at + extension, end), "S", "2"),
		field(end, layout.macLength, "MAC", hex(datagram, end, datagram.length), "P", "2.2"),
	].filter(({ length }) => length > 0);
}

function controlFields(datagram: Uint8Array, isProtected: boolean, layout: Layout | undefined): Field[] {
	const at = HEADER.length;
	const mac = isProtected ? (layout?.macLength ?? macLengthOf(datagram)) : 0;
	if (datagram.length < at + 1 + mac) return tooShort(datagram);
	const command = datagram[at];
	const row = COMMANDS.find((known) => known.command === command);
	const fields = [field(at, 1, "Command", `${hex(datagram, at, at + 1)} ${row?.name ?? "unknown"}`, "S", "4")];
	const end = datagram.length - mac;
	const isClear = row?.ciphered === false || layout?.isCiphered === false;
	if (isClear) fields.push(...tlvFields(datagram, at + 1, end));
	else if (end > at + 1)
		fields.push(field(at + 1, end - at - 1, "TLVs, enciphered", hex(datagram, at + 1, end), "P", "3"));
	if (mac > 0) fields.push(field(end, datagram.length - end, "MAC", hex(datagram, end, datagram.length), "P", "2.2"));
	return fields;
}

/** What follows the header of a message that ends too early. */
function tooShort(datagram: Uint8Array): Field[] {
	const at = HEADER.length;
	const length = datagram.length - at;
	return length > 0 ? [field(at, length, "too short", hex(datagram, at, datagram.length), "P", "2")] : [];
}

/** M of an 11 of a new session, which stands in its tag 10; else the usual one. */
function macLengthOf(datagram: Uint8Array): number {
	const at = HEADER.length + 1;
	if (datagram[at - 1] !== COMMAND.sessionStart || datagram[at] !== TAG.hseConfiguration) return 4;
	return datagram[at + 2 + 5] === 8 ? 8 : 4;
}

function tlvFields(datagram: Uint8Array, start: number, end: number): Field[] {
	const fields: Field[] = [];
	let at = start;
	while (at + 2 <= end && at + 2 + datagram[at + 1] <= end) {
		const tag = datagram[at];
		const row = TLVS.find((known) => known.tag === tag);
		const value = datagram.subarray(at + 2, at + 2 + datagram[at + 1]);
		const name = `${hex(datagram, at, at + 1).toUpperCase()} ${row?.name ?? "unknown tag"}`;
		fields.push(field(at, 2 + value.length, name, wordsOf(tag, value), row?.mark ?? "P", "3"));
		at += 2 + value.length;
	}
	if (at < end) fields.push(field(at, end - at, "malformed", hex(datagram, at, end), "P", "3"));
	return fields;
}

/** Values of tags in words; the others in hex. */
const WORDS: Readonly<Record<number, (value: Uint8Array) => string | undefined>> = {
	[TAG.imsi]: decodeImsi,
	[TAG.easId]: (value) => JSON.stringify(new TextDecoder().decode(value)),
	[TAG.cause]: (value) => `${toHex(value)} ${CAUSE_NAMES[value[0]] ?? "unknown cause"}`,
	[TAG.ueConfiguration]: (value) => (value.length === 8 ? listed(readUeConfiguration(value, 0)) : undefined),
	[TAG.hseConfiguration]: (value) => (value.length === 14 ? listed(readHseConfiguration(value, 0)) : undefined),
	[TAG.akaChallenge]: (value) => `RAND ${toHex(value.subarray(0, 16))}, AUTN ${toHex(value.subarray(16))}`,
	[TAG.keyRefresh]: ([method, keyId]) => `method ${method}, Key ID ${keyId}`,
	[TAG.counters]: (value) =>
		value.length === 12
			? `from the UE ${readUint32(value, 0)}, to the UE ${readUint32(value, 4)}, this message ${readUint32(value, 8)}`
			: undefined,
};

function wordsOf(tag: number, value: Uint8Array): string {
	return WORDS[tag]?.(value) ?? toHex(value);
}

function listed(configuration: object): string {
	return Object.entries(configuration)
		.map(([name, value]) => `${name} ${value}`)
		.join(", ");
}

function hex(octets: Uint8Array, start: number, end: number): string {
	return toHex(octets.subarray(start, end));
}

function field(
	offset: number,
	length: number,
	name: string,
	value: string,
	mark: Field["mark"],
	section: string,
): Field {
	return { offset, length, name, value, mark, section };
}
