import type { HseConfiguration } from "../emsdp/configuration.js";
import { encodeHseConfiguration, isHseConfiguration, readHseConfiguration } from "../emsdp/configuration.js";
import { readUint32, writeUint32 } from "../emsdp/octets.js";
import { crc32 } from "./crc32.js";

/** Key of the packed session in the device's store. */
export const SESSION_KEY = "session";

/** What of a session survives a power cut (profile section 7). */
export interface PackedSession {
	readonly sessionId: number;
	readonly configuration: HseConfiguration;
	/** COUNTs from which on none has been used: the ends of the blocks reserved. */
	readonly controlNext: number;
	readonly userNext: number;
	/** K_base, 32 octets. Secret. */
	readonly baseKey: Uint8Array;
}

const VERSION = 1;
/** Offsets: version, tag 10, Session ID, COUNTs, K_base, CRC. */
const CONFIGURATION = 1;
const SESSION_ID = 15;
const CONTROL_NEXT = 19;
const USER_NEXT = 23;
const BASE_KEY = 27;
const CRC = 59;
/** Octets of the record. */
export const PACKED_SESSION_OCTETS = 63;

export function packSession(session: PackedSession): Uint8Array {
	const record = new Uint8Array(PACKED_SESSION_OCTETS);
	record[0] = VERSION;
	record.set(encodeHseConfiguration(session.configuration), CONFIGURATION);
	writeUint32(record, SESSION_ID, session.sessionId);
	writeUint32(record, CONTROL_NEXT, session.controlNext);
	writeUint32(record, USER_NEXT, session.userNext);
	record.set(session.baseKey, BASE_KEY);
	writeUint32(record, CRC, crc32(record, CRC));
	return record;
}

/** @returns undefined where the octets are no whole record of this version */
export function unpackSession(record: Uint8Array): PackedSession | undefined {
	if (record.length !== PACKED_SESSION_OCTETS || record[0] !== VERSION) return undefined;
	if (readUint32(record, CRC) !== crc32(record, CRC) || !isHseConfiguration(record, CONFIGURATION)) return undefined;
	return {
		sessionId: readUint32(record, SESSION_ID),
		configuration: readHseConfiguration(record, CONFIGURATION),
		controlNext: readUint32(record, CONTROL_NEXT),
		userNext: readUint32(record, USER_NEXT),
		baseKey: record.slice(BASE_KEY, CRC),
	};
}
