import { HEADER, SERVICE } from "../../firmware/emsdp/profile.js";
import { toHex } from "../hex.js";
import type { HseEvent } from "../hse/events.js";
import type { Traffic } from "../hse/server.js";
import { type Field, fieldsOf, rejectCauseOf } from "../inspect/fields.js";
import { nameOf } from "../inspect/name.js";
import { causeName, sessionIdText } from "./best/words.js";
import type { HsePort, SessionView } from "./hse-port.js";

/** Messages that are kept for the page. */
const KEPT = 2000;
/** Sessions that a page is shown when it comes. */
const MOST_SESSIONS = 200;

/** A message on the ladder of the page. */
export interface LiveMessage {
	readonly number: number;
	/** Milliseconds since 1970. */
	readonly time: number;
	readonly fromUe: boolean;
	readonly peer: string;
	/** Of the header; all 0 before there is a session. */
	readonly sessionId: string;
	readonly name: string;
	readonly octets: number;
	/** What the HSE did with it; undefined for what it sent. */
	readonly verdict: string | undefined;
}

export interface LiveSession {
	readonly sessionId: string;
	readonly imsi: string;
	readonly easId: string;
	readonly state: string;
	readonly keyId: number;
	readonly service: number;
}

export type LiveChange =
	| { readonly kind: "message"; readonly message: LiveMessage }
	| { readonly kind: "session"; readonly session: LiveSession }
	| { readonly kind: "over"; readonly sessionId: string; readonly cause: string; readonly by: string };

interface Kept {
	readonly message: LiveMessage;
	readonly datagram: Uint8Array;
}

/** What goes on at an HSE, for the page that shows it: the newest messages, and who listens. */
export class LiveFeed {
	/** Message Rejects that were sent, by cause. */
	readonly rejects = new Map<string, number>();
	private readonly port: HsePort;
	private readonly now: () => number;
	private readonly ring: (Kept | undefined)[] = new Array(KEPT).fill(undefined);
	private readonly listeners = new Set<(change: LiveChange) => void>();
	private next = 0;

	constructor(port: HsePort, now: () => number) {
		this.port = port;
		this.now = now;
	}

	handleTraffic({ fromUe, peer, datagram, verdict }: Traffic): void {
		if (!fromUe) {
			const cause = rejectCauseOf(datagram);
			if (cause !== undefined) this.rejects.set(causeName(cause), (this.rejects.get(causeName(cause)) ?? 0) + 1);
		}
		const number = this.next++;
		const sessionId =
			datagram.length >= HEADER.length ? toHex(datagram.subarray(HEADER.sessionId, HEADER.length)) : "00000000";
		const message = {
			number,
			time: this.now(),
			fromUe,
			peer,
			sessionId,
			name: nameOf(datagram),
			octets: datagram.length,
			verdict,
		};
		this.ring[number % KEPT] = { message, datagram: datagram.slice() };
		this.tell({ kind: "message", message });
	}

	handleEvent(event: HseEvent): void {
		if (this.listeners.size === 0) return;
		if (event.kind === "session over")
			this.tell({
				kind: "over",
				sessionId: sessionIdText(event.sessionId),
				cause: causeName(event.cause),
				by: event.by,
			});
		else if (event.kind === "session confirmed" || event.kind === "new keys" || event.kind === "session resumed") {
			const session = this.port.session(event.sessionId);
			if (session !== undefined) this.tell({ kind: "session", session: shown(session) });
		}
	}

	/** The newest messages, oldest first. */
	messages(): LiveMessage[] {
		const messages: LiveMessage[] = [];
		for (let number = Math.max(0, this.next - KEPT); number < this.next; number++) {
			const kept = this.ring[number % KEPT];
			if (kept !== undefined) messages.push(kept.message);
		}
		return messages;
	}

	/** Sessions, as many as a page can show. */
	sessions(): LiveSession[] {
		const sessions: LiveSession[] = [];
		for (const imsi of this.port.imsis()) {
			const session = this.port.sessionOf(imsi);
			if (session !== undefined) sessions.push(shown(session));
			if (sessions.length === MOST_SESSIONS) break;
		}
		return sessions;
	}

	/** The octets of a message, and what each field says; undefined where it is kept no more. */
	explain(number: number): { readonly hex: string; readonly fields: readonly Field[] } | undefined {
		const kept = this.ring[number % KEPT];
		if (kept?.message.number !== number) return undefined;
		const session = this.port.session(Number.parseInt(kept.message.sessionId, 16));
		const layout = session && {
			...session.configuration,
			isCiphered: session.configuration.service === SERVICE.confidential,
		};
		return { hex: toHex(kept.datagram), fields: fieldsOf(kept.datagram, layout) };
	}

	/** @returns a function that ends it */
	listen(listener: (change: LiveChange) => void): () => void {
		this.listeners.add(listener);
		return () => this.listeners.delete(listener);
	}

	private tell(change: LiveChange): void {
		for (const listener of this.listeners) listener(change);
	}
}

function shown({ sessionId, imsi, easId, state, keyId, configuration }: SessionView): LiveSession {
	return { sessionId: sessionIdText(sessionId), imsi, easId, state, keyId, service: configuration.service };
}
