import { Header } from "../../firmware/emsdp/header.js";
import { COMMANDS, HEADER } from "../../firmware/emsdp/profile.js";

const header = new Header();

/** A datagram in a few words: what can be told without keys. */
export function nameOf(datagram: Uint8Array): string {
	if (!header.read(datagram, datagram.length)) return "not EMSDP";
	if (header.userPlane) return "UP message";
	const command = datagram[HEADER.length];
	const row = COMMANDS.find((known) => known.command === command);
	const code = (command ?? 0).toString(16).padStart(2, "0").toUpperCase();
	return `${code} ${row?.name ?? "unknown command"}`;
}

/** Whether a datagram carries a MAC: absent when Key ID is 0 (profile section 2). */
export function isProtected(datagram: Uint8Array): boolean {
	return header.read(datagram, datagram.length) && header.keyId !== 0;
}
