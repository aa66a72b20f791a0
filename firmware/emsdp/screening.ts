import type { Header } from "./header.js";
import { COMMAND, COMMANDS, EMSDP_TYPE, HEADER, LONGEST_MESSAGE, MAC_LENGTHS } from "./profile.js";
import type { DropReason } from "./verdict.js";

const SHORTEST_MESSAGE = HEADER.length + 1;
const SHORTEST_MAC = MAC_LENGTHS[0];

const FROM_UE: readonly number[] = COMMANDS.filter((row) => row.fromUe).map((row) => row.command);
const FROM_HSE: readonly number[] = COMMANDS.filter((row) => row.fromHse).map((row) => row.command);
const UNPROTECTED: readonly number[] = COMMANDS.filter((row) => row.unprotected).map((row) => row.command);

/**
 * The checks of a received datagram that need no state, in the order of profile section 6, 10: length, type, RFU,
 * command, Key ID and Session ID.
 * @param fromUe whether the datagram comes from a UE
 * @param header filled in
 * @returns undefined where the datagram stands them all
 */
export function screen(header: Header, octets: Uint8Array, length: number, fromUe: boolean): DropReason | undefined {
	if (length < SHORTEST_MESSAGE || length > LONGEST_MESSAGE) return "length";
	if (octets[0] !== EMSDP_TYPE) return "type";
	if (!header.read(octets, length)) return "RFU bit";
	if (header.keyId !== 0) {
		const contents = header.userPlane ? 0 : 1;
		if (length < HEADER.length + contents + SHORTEST_MAC) return "length";
	}
	if (header.userPlane) return header.keyId === 0 || header.sessionId === 0 ? "Key ID and Session ID" : undefined;
	const command = octets[HEADER.length];
	if (!(fromUe ? FROM_UE : FROM_HSE).includes(command)) return "command";
	if (header.keyId !== 0) return header.sessionId === 0 ? "Key ID and Session ID" : undefined;
	if (!UNPROTECTED.includes(command)) return "Key ID and Session ID";
	// Session ID 0 goes with a first Session Request; an unprotected 80 carries that of the message it answers.
	if (command === COMMAND.sessionRequest && header.sessionId !== 0) return "Key ID and Session ID";
	return undefined;
}
