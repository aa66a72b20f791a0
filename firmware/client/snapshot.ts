/**
 * A live session as it is, for memory that lives through deep sleep: COUNTs, replay window and the user-plane keys, so that
 * nothing is derived and nothing is sent when the device wakes. It has no CRC: the port that keeps it tells whether it is
 * whole. Only the device that made a snapshot reads it, so numbers are in its own order of octets.
 */
import { encodeHseConfiguration, type HseConfiguration } from "../emsdp/configuration.js";
import type { SessionKeys } from "../keys/session-keys.js";
import type { Reserved } from "./session.js";

const VERSION = 1;
/** An octet behind the value of tag 10, which comes first. */
const VERSION_AT = 14;
/** Words. */
export const SESSION_ID = 4;
export const CONTROL_NEXT = 5;
export const CONTROL_RESERVED = 6;
export const CONTROL_RECEIVED = 7;
export const USER_NEXT = 8;
export const USER_RESERVED = 9;
export const USER_RECEIVED = 10;
export const WINDOW_HIGH = 11;
export const WINDOW_LOW = 12;
/** Octets. */
export const BASE_KEY = 52;
export const USER_KEYS = 84;
export const IDENTITY = 116;
/** Octets of a snapshot. */
export const SNAPSHOT_OCTETS = 124;

/** @param imsi EF_IMSI bytes 2–9, so that the USIM need not be asked */
export function packSnapshot(
	configuration: HseConfiguration,
	keys: SessionKeys,
	reserved: Reserved,
	imsi: Uint8Array,
): Uint8Array {
	const octets = new Uint8Array(SNAPSHOT_OCTETS);
	const words = new Uint32Array(octets.buffer);
	const { control, user, parameters } = keys.context;
	octets.set(encodeHseConfiguration(configuration));
	octets[VERSION_AT] = VERSION;
	words[SESSION_ID] = parameters.sessionId;
	words[CONTROL_NEXT] = control.next;
	words[CONTROL_RESERVED] = reserved.control;
	words[CONTROL_RECEIVED] = control.received.last + 1;
	words[USER_NEXT] = user.next;
	words[USER_RESERVED] = reserved.user;
	words[USER_RECEIVED] = user.received.last + 1;
	words[WINDOW_HIGH] = user.received.windowHigh;
	words[WINDOW_LOW] = user.received.windowLow;
	octets.set(keys.baseKey, BASE_KEY);
	octets.set(keys.userKeys, USER_KEYS);
	octets.set(imsi, IDENTITY);
	return octets;
}

/** Whether the octets are a snapshot of this version. */
export function isSnapshot(octets: Uint8Array): boolean {
	return octets.length === SNAPSHOT_OCTETS && octets[VERSION_AT] === VERSION;
}

/** The IMSI of a snapshot, a copy. */
export function imsiOf(snapshot: Uint8Array): Uint8Array {
	return snapshot.slice(IDENTITY);
}
