import { hasAlgorithms } from "../emsdp/algorithms.js";
import { readHseConfiguration } from "../emsdp/configuration.js";
import { DIRECTION } from "../emsdp/profile.js";
import { SessionKeys } from "../keys/session-keys.js";
import type { UeOptions } from "./options.js";
import type { Outbox } from "./outbox.js";
import { Session } from "./session.js";
import {
	BASE_KEY,
	CONTROL_NEXT,
	CONTROL_RECEIVED,
	CONTROL_RESERVED,
	IDENTITY,
	SESSION_ID,
	USER_KEYS,
	USER_NEXT,
	USER_RECEIVED,
	USER_RESERVED,
	WINDOW_HIGH,
	WINDOW_LOW,
} from "./snapshot.js";

/**
 * Makes a live session of a snapshot. Its octets can be erased afterwards.
 * @returns undefined where it is of algorithms that this image does not have
 */
export function wakeSession(snapshot: Uint8Array, options: UeOptions, outbox: Outbox): Session | undefined {
	const configuration = readHseConfiguration(snapshot, 0);
	if (!hasAlgorithms(options.kernel, configuration)) return undefined;
	const octets = snapshot.slice();
	const words = new Uint32Array(octets.buffer);
	const parameters = { ...configuration, sessionId: words[SESSION_ID] };
	const baseKey = octets.subarray(BASE_KEY, USER_KEYS);
	const userKeys = octets.subarray(USER_KEYS, IDENTITY);
	const keys = new SessionKeys(options.kernel, parameters, baseKey, options.easId, DIRECTION.fromUe, userKeys);
	const { control, user } = keys.context;
	control.next = words[CONTROL_NEXT];
	control.received.last = words[CONTROL_RECEIVED] - 1;
	user.next = words[USER_NEXT];
	user.received.last = words[USER_RECEIVED] - 1;
	user.received.windowHigh = words[WINDOW_HIGH];
	user.received.windowLow = words[WINDOW_LOW];
	const reserved = { control: words[CONTROL_RESERVED], user: words[USER_RESERVED] };
	return new Session(options, outbox, keys, configuration, false, reserved);
}
