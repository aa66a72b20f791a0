/**
 * UP messages on their way between HSE and EAS: the body of a POST, one or more of them in order. All of this is ours;
 * the messages themselves are as the UE makes and takes them. Each: COUNT (4 octets), length (2), the datagram.
 */
import { readUint16, readUint32, writeUint16, writeUint32 } from "../../firmware/emsdp/octets.js";
import { LONGEST_MESSAGE } from "../../firmware/emsdp/profile.js";
import type { ForwardedMessage } from "./eas-key.js";
import { EasError } from "./errors.js";

export const FORWARDED_TYPE = "application/vnd.best-emsdp.forwarded";
/** Messages in one body at the most. */
export const MOST_FORWARDED = 64;

const HEADER = 6;
export const LONGEST_FORWARDED = MOST_FORWARDED * (HEADER + LONGEST_MESSAGE);

export function encodeForwarded(messages: readonly ForwardedMessage[]): Uint8Array {
	const octets = new Uint8Array(messages.reduce((sum, { datagram }) => sum + HEADER + datagram.length, 0));
	let at = 0;
	for (const { count, datagram } of messages) {
		writeUint32(octets, at, count);
		writeUint16(octets, at + 4, datagram.length);
		octets.set(datagram, at + HEADER);
		at += HEADER + datagram.length;
	}
	return octets;
}

/** @throws EasError `document`, and nothing else, whatever the octets */
export function decodeForwarded(octets: Uint8Array): ForwardedMessage[] {
	const messages: ForwardedMessage[] = [];
	let at = 0;
	while (at < octets.length) {
		const end = at + HEADER > octets.length ? Number.POSITIVE_INFINITY : at + HEADER + readUint16(octets, at + 4);
		if (end > octets.length || end > at + HEADER + LONGEST_MESSAGE)
			throw new EasError("document", "A forwarded message is cut off or too long.");
		if (messages.length === MOST_FORWARDED)
			throw new EasError("document", `There are more than ${MOST_FORWARDED} forwarded messages.`);
		messages.push({ count: readUint32(octets, at), datagram: octets.slice(at + HEADER, end) });
		at = end;
	}
	return messages;
}
