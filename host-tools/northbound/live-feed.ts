import { HEADER, SERVICE } from "../../firmware/emsdp/profile.js";
import { SOURCES, type Source, WAKE_UP } from "../energy/figures.js";
import { airEnergy, energyByProtocol } from "../energy/model.js";
import { emsdpOverhead, OVERHEADS, type Protocol } from "../energy/overheads.js";
import { sessionIdText, toHex } from "../hex.js";
import type { HseEvent } from "../hse/events.js";
import type { Traffic } from "../hse/server.js";
import { type Field, fieldsOf, type Layout, rejectCauseOf } from "../inspect/fields.js";
import { nameOf } from "../inspect/name.js";
import { causeName, MODE_WORDS, SERVICE_WORDS } from "./best/words.js";
import type { HsePort, SessionView } from "./hse-port.js";
import { Latencies, type Latency, type LatencyKind } from "./latencies.js";

/** Messages and latencies that are kept for the page. */
const KEPT = 2000;
const LATENCIES_KEPT = 500;
/** Sessions that a page is shown when it comes. */
const MOST_SESSIONS = 200;
/** Sessions whose layout is remembered, so that a message costs no question to the HSE. */
const MOST_LAYOUTS = 10_000;

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
	/**
	 * Modelled, in whole microjoules: what it costs the UE while it is on the air and, for a UP message, what its payload
	 * would cost under the other {@link PROTOCOLS}, in their order. Undefined for what no UE seems to have sent.
	 */
	readonly energy: readonly number[] | undefined;
}

export interface LiveSession {
	readonly sessionId: string;
	readonly imsi: string;
	readonly easId: string;
	readonly state: string;
	readonly keyId: number;
	/** In the words of the BEST API. */
	readonly service: string;
	readonly mode: string;
}

export interface LiveLatency {
	readonly kind: LatencyKind;
	readonly sessionId: string;
	readonly time: number;
	readonly milliseconds: number;
}

/** The model behind the energies, for whoever reads them. */
export interface EnergyModel {
	readonly protocols: readonly { readonly name: Protocol; readonly overhead: number | undefined }[];
	/** In millijoules. */
	readonly wakeUp: number;
	readonly sources: readonly Source[];
}

export type LiveChange =
	| { readonly kind: "message"; readonly message: LiveMessage }
	| { readonly kind: "latency"; readonly latency: LiveLatency }
	| { readonly kind: "session"; readonly session: LiveSession }
	| { readonly kind: "over"; readonly sessionId: string; readonly cause: string; readonly by: string };

/** The order of the energies of a message. What EMSDP adds differs by session. */
export const PROTOCOLS: readonly Protocol[] = ["EMSDP", ...(Object.keys(OVERHEADS) as (keyof typeof OVERHEADS)[])];
export const ENERGY_MODEL: EnergyModel = {
	protocols: PROTOCOLS.map((name) => ({ name, overhead: name === "EMSDP" ? undefined : OVERHEADS[name] })),
	wakeUp: 1000 * WAKE_UP,
	sources: SOURCES,
};

/** What the HSE answers messages of, or takes, is a UE's as far as can be told. */
const OF_A_UE = ["accept", "repetition", "hint"];

interface Kept {
	readonly message: LiveMessage;
	readonly datagram: Uint8Array;
	/** Of its session while that lasted: the message is explained by it later too. */
	readonly layout: Layout | undefined;
}

/** What goes on at an HSE, for the page that shows it: the newest messages, and who listens. */
export class LiveFeed {
	/** Message Rejects that were sent, by cause. */
	readonly rejects = new Map<string, number>();
	private readonly port: HsePort;
	private readonly now: () => number;
	private readonly onLatency: (latency: Latency) => void;
	private readonly ring: (Kept | undefined)[] = new Array(KEPT).fill(undefined);
	private readonly latencies = new Latencies();
	private readonly latencyRing: LiveLatency[] = [];
	private readonly layouts = new Map<number, Layout>();
	/** By length, overhead and direction: there are no more than messages have lengths. */
	private readonly energies = new Map<number, readonly number[]>();
	private readonly listeners = new Set<(change: LiveChange) => void>();
	private next = 0;

	/** @param now milliseconds since 1970, by the clock of {@link Traffic} */
	constructor(port: HsePort, now: () => number, onLatency: (latency: Latency) => void) {
		this.port = port;
		this.now = now;
		this.onLatency = onLatency;
	}

	handleTraffic(traffic: Traffic): void {
		const { at, fromUe, peer, datagram, verdict } = traffic;
		if (!fromUe) {
			const cause = rejectCauseOf(datagram);
			if (cause !== undefined) this.rejects.set(causeName(cause), (this.rejects.get(causeName(cause)) ?? 0) + 1);
		}
		const number = this.next++;
		const sessionId =
			datagram.length >= HEADER.length ? toHex(datagram.subarray(HEADER.sessionId, HEADER.length)) : "00000000";
		const layout = this.layoutOf(Number.parseInt(sessionId, 16));
		const message = {
			number,
			time: Math.floor(at),
			fromUe,
			peer,
			sessionId,
			name: nameOf(datagram),
			octets: datagram.length,
			verdict,
			energy: this.energyOf(traffic, layout),
		};
		this.ring[number % KEPT] = { message, datagram: datagram.slice(), layout };
		this.tell({ kind: "message", message });
		this.take(this.latencies.handleTraffic(traffic));
	}

	handleEvent(event: HseEvent): void {
		this.take(this.latencies.handleEvent(this.now(), event));
		if (event.kind === "session over") {
			this.layouts.delete(event.sessionId);
			this.tell({
				kind: "over",
				sessionId: sessionIdText(event.sessionId),
				cause: causeName(event.cause),
				by: event.by,
			});
		} else if (event.kind === "session confirmed" || event.kind === "new keys" || event.kind === "session resumed") {
			if (this.listeners.size === 0) return;
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

	/** The newest latencies, oldest first. */
	newestLatencies(): readonly LiveLatency[] {
		return this.latencyRing;
	}

	/** Sessions, as many as a page can show. */
	sessions(): LiveSession[] {
		const sessions: LiveSession[] = [];
		for (const imsi of this.port.imsis(MOST_SESSIONS)) {
			const session = this.port.sessionOf(imsi);
			if (session !== undefined) sessions.push(shown(session));
		}
		return sessions;
	}

	/** The octets of a message, and what each field says; undefined where it is kept no more. */
	explain(number: number): { readonly hex: string; readonly fields: readonly Field[] } | undefined {
		const kept = this.ring[number % KEPT];
		if (kept?.message.number !== number) return undefined;
		return { hex: toHex(kept.datagram), fields: fieldsOf(kept.datagram, kept.layout) };
	}

	/** @returns a function that ends it */
	listen(listener: (change: LiveChange) => void): () => void {
		this.listeners.add(listener);
		return () => this.listeners.delete(listener);
	}

	private take(latency: Latency | undefined): void {
		if (latency === undefined) return;
		this.onLatency(latency);
		const { kind, sessionId, at, milliseconds } = latency;
		const live = { kind, sessionId: sessionIdText(sessionId), time: Math.floor(at), milliseconds };
		this.latencyRing.push(live);
		if (this.latencyRing.length > LATENCIES_KEPT) this.latencyRing.shift();
		this.tell({ kind: "latency", latency: live });
	}

	private energyOf({ fromUe, datagram, verdict }: Traffic, layout: Layout | undefined): readonly number[] | undefined {
		if (fromUe && !OF_A_UE.includes(verdict ?? "")) return undefined;
		const { length } = datagram;
		const isUserPlane = length > HEADER.length && (datagram[1] & HEADER.userPlane) !== 0;
		const overhead = isUserPlane && layout !== undefined ? emsdpOverhead(layout) : 0;
		const place = 2 * (256 * length + overhead) + Number(fromUe);
		let energies = this.energies.get(place);
		if (energies === undefined) {
			energies = energiesOf(length, overhead, fromUe);
			this.energies.set(place, energies);
		}
		return energies;
	}

	/** How the messages of a session are made up. It stays so as long as the session lasts. */
	private layoutOf(sessionId: number): Layout | undefined {
		if (sessionId === 0) return undefined;
		const known = this.layouts.get(sessionId);
		if (known !== undefined) return known;
		const configuration = this.port.session(sessionId)?.configuration;
		if (configuration === undefined) return undefined;
		const { counterScheme, macLength, service } = configuration;
		const layout = { counterScheme, macLength, isCiphered: service === SERVICE.confidential };
		if (this.layouts.size >= MOST_LAYOUTS) this.layouts.clear();
		this.layouts.set(sessionId, layout);
		return layout;
	}

	private tell(change: LiveChange): void {
		for (const listener of this.listeners) listener(change);
	}
}

/** @param overhead octets that EMSDP adds to the payload; 0: a message that carries none */
function energiesOf(octets: number, overhead: number, fromUe: boolean): readonly number[] {
	if (overhead === 0) return [microjoules(airEnergy(octets, { fromUe }))];
	const energies = energyByProtocol(octets - overhead, overhead, { fromUe });
	return PROTOCOLS.map((protocol) => microjoules(energies[protocol]));
}

function microjoules(joules: number): number {
	return Math.round(1e6 * joules);
}

function shown({ sessionId, imsi, easId, state, keyId, configuration }: SessionView): LiveSession {
	const service = SERVICE_WORDS[configuration.service];
	const mode = MODE_WORDS[configuration.mode];
	return { sessionId: sessionIdText(sessionId), imsi, easId, state, keyId, service, mode };
}
