import { readUint32 } from "../../firmware/emsdp/octets.js";
import { COMMAND, HEADER } from "../../firmware/emsdp/profile.js";
import type { HseEvent } from "../hse/events.js";
import type { Traffic } from "../hse/server.js";

/**
 * `answer`: from a datagram of a UE to the answer that the HSE sends; `hand-over`: from an uplink to the moment the
 * application side is told of it, once it is stored; `round trip`: from an 11, 20 or 30 of the HSE to the UE's answer,
 * so with the network, the radio and the UE's sleep. Each as the HSE sees it: the way to it and from it is in the last only.
 */
export type LatencyKind = "answer" | "hand-over" | "round trip";

export interface Latency {
	readonly kind: LatencyKind;
	readonly sessionId: number;
	/** When it was over, in milliseconds since 1970. */
	readonly at: number;
	readonly milliseconds: number;
}

/** What is waited for at the most, of each kind: the oldest gives way. */
const MOST_WAITING = 10_000;
/** Uplinks of one session that wait to be handed over. */
const MOST_UPLINKS = 64;

/** With what the HSE answers a command of a UE. */
const ANSWERS: Readonly<Record<number, readonly number[]>> = {
	[COMMAND.sessionRequest]: [COMMAND.sessionStart, COMMAND.messageReject],
	[COMMAND.sessionTerminateRequest]: [COMMAND.sessionTerminateResponse, COMMAND.messageReject],
	[COMMAND.manageKeysRequest]: [COMMAND.manageKeysRequest, COMMAND.manageKeysResponse, COMMAND.messageReject],
};
/** Which of the HSE's commands a command of a UE answers. */
const ASKED_BY: Readonly<Record<number, number>> = {
	[COMMAND.sessionStartConfirmation]: COMMAND.sessionStart,
	[COMMAND.sessionTerminateResponse]: COMMAND.sessionTerminateRequest,
	[COMMAND.manageKeysResponse]: COMMAND.manageKeysRequest,
};
const ASKING = Object.values(ASKED_BY);
/** What became of datagrams that the HSE may answer. */
const ANSWERED = ["accept", "repetition", "reject"];

/** Measures how long things take from what passes an HSE's socket and from its events. */
export class Latencies {
	/** When a UE asked for something, by its source, and what would be an answer. */
	private readonly asked = new Map<string, { readonly at: number; readonly answers: readonly number[] }>();
	/** Uplinks by Session ID, oldest first. */
	private readonly uplinks = new Map<number, { readonly countBits: number; readonly at: number }[]>();
	/** What the HSE asks of UEs, by Session ID. */
	private readonly asking = new Map<number, { readonly command: number; readonly at: number; isRepeated: boolean }>();

	handleTraffic({ at, fromUe, peer, datagram, verdict }: Traffic): Latency | undefined {
		if (datagram.length <= HEADER.length) return undefined;
		const userPlane = (datagram[1] & HEADER.userPlane) !== 0;
		const command = userPlane ? -1 : datagram[HEADER.length];
		const sessionId = readUint32(datagram, HEADER.sessionId);
		if (!fromUe) return userPlane ? undefined : this.sent(at, peer, sessionId, command);
		if (verdict === undefined || !ANSWERED.includes(verdict)) return undefined;
		if (userPlane && verdict === "accept") this.await(sessionId, { countBits: datagram[1] & HEADER.countMask, at });
		const answers = verdict === "reject" ? [COMMAND.messageReject] : ANSWERS[command];
		if (answers !== undefined) put(this.asked, peer, { at, answers });
		const asking = this.asking.get(sessionId);
		if (asking === undefined || asking.command !== ASKED_BY[command] || verdict !== "accept") return undefined;
		this.asking.delete(sessionId);
		// Which of several the answer is to cannot be told.
		return asking.isRepeated ? undefined : { kind: "round trip", sessionId, at, milliseconds: at - asking.at };
	}

	/** @param at when the event was told, in milliseconds since 1970 */
	handleEvent(at: number, event: HseEvent): Latency | undefined {
		if (event.kind === "session over") {
			this.uplinks.delete(event.sessionId);
			this.asking.delete(event.sessionId);
		}
		if (event.kind !== "uplink" && event.kind !== "forward") return undefined;
		const { sessionId, count } = event;
		const waiting = this.uplinks.get(sessionId) ?? [];
		for (let uplink = waiting.shift(); uplink !== undefined; uplink = waiting.shift()) {
			if (uplink.countBits !== (count & HEADER.countMask)) continue;
			if (waiting.length === 0) this.uplinks.delete(sessionId);
			return { kind: "hand-over", sessionId, at, milliseconds: at - uplink.at };
		}
		this.uplinks.delete(sessionId);
		return undefined;
	}

	private sent(at: number, peer: string, sessionId: number, command: number): Latency | undefined {
		if (ASKING.includes(command)) {
			const before = this.asking.get(sessionId);
			if (before?.command === command) before.isRepeated = true;
			else put(this.asking, sessionId, { command, at, isRepeated: false });
		}
		const asked = this.asked.get(peer);
		if (asked === undefined || !asked.answers.includes(command)) return undefined;
		this.asked.delete(peer);
		return { kind: "answer", sessionId, at, milliseconds: at - asked.at };
	}

	private await(sessionId: number, uplink: { readonly countBits: number; readonly at: number }): void {
		const waiting = this.uplinks.get(sessionId);
		if (waiting === undefined) put(this.uplinks, sessionId, [uplink]);
		else if (waiting.push(uplink) > MOST_UPLINKS) waiting.shift();
	}
}

function put<K, V>(map: Map<K, V>, key: K, value: V): void {
	map.delete(key);
	map.set(key, value);
	if (map.size <= MOST_WAITING) return;
	for (const oldest of map.keys()) {
		map.delete(oldest);
		break;
	}
}
