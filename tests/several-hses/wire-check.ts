import { BEARER, DIRECTION, HEADER } from "../../firmware/emsdp/profile.js";
import { toHex } from "../../host-tools/hex.js";
import { loadKernel } from "../../host-tools/kernel.js";

/** A pair of traffic keys that an end of a session had. */
export interface TrafficKeyPair {
	readonly encryption: Uint8Array;
	readonly integrity: Uint8Array;
}

/** What was seen of one UE on the wire, in order, and all keys it ever had. */
export interface Wire {
	readonly keys: readonly TrafficKeyPair[];
	readonly fromUe: readonly Uint8Array[];
	readonly toUe: readonly Uint8Array[];
}

const MAC_LENGTH = 4;
/** A UE sends no more in a test. */
const HIGHEST_COUNT = 4000;

export interface WireFindings {
	/** Words without keys; there must be none. */
	readonly violations: readonly string[];
	/** Different messages whose COUNT was found. */
	readonly messages: number;
	/** Messages of the user plane to the UE that no key of the UE fits. */
	readonly unexplained: number;
}

/**
 * Finds the COUNT of every protected message by its MAC, whatever either end took it for: a message has three bits of it
 * only. No (key, plane, direction, COUNT) may have two messages.
 */
export function checkWire({ keys, fromUe, toUe }: Wire): WireFindings {
	const kernel = loadKernel();
	const violations: string[] = [];
	const seen = new Map<string, string>();
	let unexplained = 0;
	const keySets = keys.map(({ encryption, integrity }) => {
		const keySet = kernel.createKeySet();
		kernel.setKeys(keySet, encryption, integrity);
		return { keySet, highest: [0, 0, 0, 0] };
	});
	const countOf = (datagram: Uint8Array, word: number, plane: number): readonly [number, number] | undefined => {
		const covered = datagram.length - MAC_LENGTH;
		kernel.message.set(datagram);
		for (let key = keySets.length - 1; key >= 0; key--)
			for (let count = datagram[1] & HEADER.countMask; count < HIGHEST_COUNT; count += 1 << HEADER.countBits) {
				// A COUNT far ahead of all before it is in no message of these keys.
				if (count > keySets[key].highest[plane] + 300) break;
				if (!kernel.unprotect(keySets[key].keySet, count, word, covered, covered, MAC_LENGTH)) continue;
				keySets[key].highest[plane] = Math.max(keySets[key].highest[plane], count);
				return [key, count];
			}
		return undefined;
	};
	const look = (datagram: Uint8Array, direction: number, way: string) => {
		const isUser = (datagram[1] & HEADER.userPlane) !== 0;
		if (((datagram[1] >> HEADER.keyIdShift) & HEADER.keyIdMask) === 0) return;
		const word = ((isUser ? BEARER.userPlane : BEARER.controlPlane) << 3) | (direction << 2);
		const found = countOf(datagram, word, 2 * direction + (isUser ? 1 : 0));
		if (found === undefined) {
			if (isUser) unexplained++;
			return;
		}
		const [key, count] = found;
		const use = `key ${key}, ${isUser ? "user" : "control"} plane, ${way}, COUNT ${count}`;
		const octets = toHex(datagram);
		const earlier = seen.get(use);
		if (earlier === undefined) seen.set(use, octets);
		else if (earlier !== octets) violations.push(`two messages: ${use}`);
	};
	for (const datagram of fromUe) look(datagram, DIRECTION.fromUe, "from the UE");
	for (const datagram of toUe) look(datagram, DIRECTION.toUe, "to the UE");
	return { violations, messages: seen.size, unexplained };
}
