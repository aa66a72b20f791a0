import { checkContents } from "./contents.js";
import { EmsdpError } from "./errors.js";
import { extensionOctets, Header, writeHeader } from "./header.js";
import { CAUSE, COMMAND, COMMANDS, CONTENTS, type ContentsRow, HEADER, TAG, TLVS } from "./profile.js";
import { TlvScan, writeTlv } from "./tlv.js";

/**
 * Messages as objects, for tools and tests. The two ends themselves work in place on octets (see screening.ts, tlv.ts,
 * contents.ts) and make no object per message.
 */

/** A TLV: a known tag and its value. */
export interface Tlv {
	readonly tag: number;
	readonly value: Uint8Array;
}

interface MessageHeader {
	/** 0–7. */
	readonly keyId: number;
	readonly sessionId: number;
	/** Decoded: the bits of COUNT that the message carries. To encode: the whole COUNT. */
	readonly count: number;
}

/** A message of the control plane. */
export interface ControlMessage extends MessageHeader {
	readonly plane: "CP";
	readonly command: number;
	/** In ascending order of their tags; ignored tags are left out. */
	readonly tlvs: readonly Tlv[];
}

/** A message of the user plane. */
export interface UserMessage extends MessageHeader {
	readonly plane: "UP";
	readonly payload: Uint8Array;
}

export type Message = ControlMessage | UserMessage;

/** The rows of {@link CONTENTS} that a command may have, by who sends it and whether it has a Key ID. */
const CONTENTS_OF: Readonly<Record<number, (fromUe: boolean, hasKey: boolean, tlvs: TlvScan) => ContentsRow>> = {
	[COMMAND.sessionRequest]: (_, hasKey) => (hasKey ? CONTENTS.resumeRequest : CONTENTS.newSessionRequest),
	[COMMAND.sessionStart]: (_, __, tlvs) =>
		tlvs.has(TAG.resumeNonce) ? CONTENTS.resumeStart : CONTENTS.newSessionStart,
	[COMMAND.sessionStartConfirmation]: () => CONTENTS.confirmation,
	[COMMAND.sessionTerminateRequest]: () => CONTENTS.terminateRequest,
	[COMMAND.sessionTerminateResponse]: () => CONTENTS.terminateResponse,
	[COMMAND.manageKeysRequest]: (fromUe) => (fromUe ? CONTENTS.manageKeysFromUe : CONTENTS.manageKeysFromHse),
	[COMMAND.manageKeysResponse]: () => CONTENTS.manageKeysResponse,
	[COMMAND.messageReject]: () => CONTENTS.reject,
};

/**
 * Decodes a message in clear: one that is not protected, or that has been deciphered and lost its MAC.
 * @param fromUe whether a UE sends it
 * @param counterScheme of the session; it tells the length of a UP message's header
 * @throws EmsdpError, and nothing else, whatever the octets
 */
export function decodeMessage(octets: Uint8Array, fromUe: boolean, counterScheme = 0): Message {
	const header = new Header();
	if (!header.read(octets, octets.length)) throw new EmsdpError("drop", "These octets have no header of EMSDP.");
	const { keyId, sessionId } = header;
	if ((keyId === 0 && header.userPlane) || (keyId !== 0 && sessionId === 0))
		throw new EmsdpError("drop", `Key ID ${keyId} and Session ID ${sessionId} do not go together.`);
	if (header.userPlane) {
		const extension = extensionOctets(counterScheme);
		if (!header.readExtension(octets, octets.length, extension))
			throw new EmsdpError("drop", "The message ends within its counter extension.");
		const payload = octets.slice(HEADER.length + extension);
		return { plane: "UP", keyId, sessionId, count: header.countBits, payload };
	}
	const command = octets[HEADER.length];
	const row = COMMANDS.find((known) => known.command === command);
	if (row === undefined || !(fromUe ? row.fromUe : row.fromHse) || (keyId === 0 && !row.unprotected))
		throw new EmsdpError("drop", "There is no such command from this side, or none without keys.");
	const tlvs = new TlvScan();
	const structure = tlvs.scan(octets, HEADER.length + 1, octets.length);
	// Whether 12 and 31 carry a response hangs on the session; either form is a message.
	const aka = tlvs.has(TAG.akaResponse);
	const cause = structure || checkContents(tlvs, CONTENTS_OF[command](fromUe, keyId !== 0, tlvs), aka);
	if (cause !== 0) throw EmsdpError.ofCause(cause, `the contents of ${row.name}.`);
	const known = TLVS.filter(({ tag }) => tlvs.has(tag)).map(({ tag }) => ({ tag, value: tlvs.value(tag) }));
	return { plane: "CP", keyId, sessionId, count: header.countBits, command, tlvs: known };
}

/**
 * Encodes a message in clear, TLVs in ascending order of their tags.
 * @throws EmsdpError `malformed` where a value does not fit its TLV
 */
export function encodeMessage(message: Message, counterScheme = 0): Uint8Array {
	const userPlane = message.plane === "UP";
	const extension = userPlane ? extensionOctets(counterScheme) : 0;
	const tlvs = userPlane ? [] : [...message.tlvs].sort((a, b) => a.tag - b.tag);
	if (tlvs.some(({ value }) => value.length > 0xff))
		throw EmsdpError.ofCause(CAUSE.malformed, "a value has more than 255 octets.");
	const contents = userPlane ? message.payload.length : tlvs.reduce((sum, { value }) => sum + 2 + value.length, 1);
	const octets = new Uint8Array(HEADER.length + extension + contents);
	let end = writeHeader(octets, userPlane, message.keyId, message.sessionId, message.count, extension);
	if (message.plane === "UP") octets.set(message.payload, end);
	else {
		octets[end++] = message.command;
		for (const { tag, value } of tlvs) end = writeTlv(octets, end, tag, value);
	}
	return octets;
}
