import { hasAlgorithms } from "../emsdp/algorithms.js";
import { DIRECTION } from "../emsdp/profile.js";
import { SessionKeys } from "../keys/session-keys.js";
import type { UeOptions } from "./options.js";
import type { Outbox } from "./outbox.js";
import { unpackSession } from "./packed-session.js";
import { Session } from "./session.js";

/**
 * Makes a session of its record after a power cut: its COUNTs go on at the ends of the blocks that were reserved, and
 * nothing is sent or taken before a resume (profile section 7).
 * @returns undefined where the record is not whole, or of algorithms that this image does not have
 */
export function restoreSession(record: Uint8Array, options: UeOptions, outbox: Outbox): Session | undefined {
	const packed = unpackSession(record);
	if (packed === undefined) return undefined;
	const { configuration, sessionId, baseKey } = packed;
	if (!hasAlgorithms(options.kernel, configuration)) {
		baseKey.fill(0);
		return undefined;
	}
	const parameters = { ...configuration, sessionId };
	const keys = new SessionKeys(options.kernel, parameters, baseKey, options.easId, DIRECTION.fromUe);
	keys.context.control.next = packed.controlNext;
	keys.context.user.next = packed.userNext;
	return new Session(options, outbox, keys, configuration, true);
}
