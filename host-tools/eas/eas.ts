import { Header } from "../../firmware/emsdp/header.js";
import { CAUSE, LONGEST_MESSAGE } from "../../firmware/emsdp/profile.js";
import { screen } from "../../firmware/emsdp/screening.js";
import type { Verdict } from "../../firmware/emsdp/verdict.js";
import type { Kernel } from "../../firmware/kernels/kernel.js";
import { sessionIdText } from "../hex.js";
import type { EasKey, ForwardedMessage } from "./eas-key.js";
import { EasSession } from "./eas-session.js";
import { EasError } from "./errors.js";
import type { Downlink, EasEvent, KeyRequest } from "./events.js";

/** Milliseconds that messages wait for a key that the HSE was asked for, and that a refusal stands. */
const KEY_PATIENCE = 10_000;
/** Messages that wait for one key, and keys that are waited for. */
const MOST_WAITING = 16;
const MOST_KEYS_ASKED = 1024;
/** To FailureLimit all messages are from one source, since the HSE forwards them all. */
const FROM_HSE = "HSE";

/** A key that the HSE was asked for. */
interface AskedKey extends KeyRequest {
	/** Messages that wait for it; none once the HSE has refused. */
	waiting: ForwardedMessage[];
	isRefused: boolean;
	readonly until: number;
}

export interface EasOptions {
	readonly kernel: Kernel;
	/** Sessions at the most; the HSE is told that a further one is refused. */
	readonly mostSessions?: number;
}

/** What one input of an EAS brings about, until it is drained. */
class EasOutbox {
	private readonly downlinks: Downlink[] = [];
	private readonly requests: KeyRequest[] = [];
	private readonly events: EasEvent[] = [];

	transmit(downlink: Downlink): void {
		this.downlinks.push(downlink);
	}

	ask(request: KeyRequest): void {
		this.requests.push(request);
	}

	tell(event: EasEvent): void {
		this.events.push(event);
	}

	/** A UP message for the HSE to forward, in the order in which they must get there. */
	takeDownlink(): Downlink | undefined {
		return this.downlinks.shift();
	}

	takeKeyRequest(): KeyRequest | undefined {
		return this.requests.shift();
	}

	takeEvent(): EasEvent | undefined {
		return this.events.shift();
	}
}

/**
 * An EAS without any input or output of its own: the far end of the user plane in UE-to-EAS mode. One contract: after
 * every input drain {@link outbox} until only {@link deadline} is left. Keys come from the HSE, by themselves or asked
 * for; messages come and go through the HSE, as the UE makes and takes them.
 */
export class Eas {
	readonly outbox = new EasOutbox();
	/** How many messages met each fate. */
	readonly verdicts: Partial<Record<Verdict, number>> = {};
	private readonly kernel: Kernel;
	private readonly mostSessions: number;
	private readonly header = new Header();
	private readonly held = new Map<number, EasSession>();
	private readonly asked = new Map<string, AskedKey>();
	/** Not later than the first deadline of all: what is over before its time leaves it as it is. */
	private due = Number.POSITIVE_INFINITY;

	constructor({ kernel, mostSessions = 1_000_000 }: EasOptions) {
		this.kernel = kernel;
		this.mostSessions = mostSessions;
	}

	/** When {@link handleTimeout} is to be called, at the latest; undefined: not at all. */
	get deadline(): number | undefined {
		return this.due === Number.POSITIVE_INFINITY ? undefined : this.due;
	}

	get sessionIds(): number[] {
		return [...this.held.keys()];
	}

	/** Who the UE of a session is. */
	ueOf(sessionId: number): string | undefined {
		return this.held.get(sessionId)?.ueId;
	}

	/** K_EAS_PSK of a session, for the application: a copy of 32 octets. */
	easKey(sessionId: number): Uint8Array | undefined {
		return this.held.get(sessionId)?.key;
	}

	/** The newest session of a UE. */
	sessionOf(ueId: string): number | undefined {
		let found: number | undefined;
		for (const [sessionId, session] of this.held) if (session.ueId === ueId) found = sessionId;
		return found;
	}

	/**
	 * Takes a key that the HSE hands over, which is erased when its time is over.
	 * @param isFirst whether the HSE hands it out for the first time. Otherwise this EAS may have had it before: then it
	 * takes no message again that it can have taken, and leaves out the COUNTs it can have used
	 * @returns undefined, or the cause that refuses it
	 */
	handleKey(now: number, given: EasKey, isFirst: boolean): number | undefined {
		const { sessionId, configuration } = given;
		const { keyId } = configuration;
		let session = this.held.get(sessionId);
		let isNew: boolean;
		// What waits for the key has not been taken, nor has what the HSE forwards behind the key and has counted already.
		// The rest may have been taken by an EAS before this one; the HSE forwards nothing twice.
		const waiting = this.asked.get(nameOf(sessionId, keyId))?.waiting ?? [];
		const uplinksBelow = isFirst ? 0 : Math.min(given.uplinkCount, ...waiting.map(({ count }) => count));
		if (session === undefined) {
			if (this.held.size >= this.mostSessions) {
				given.key.fill(0);
				return CAUSE.congestion;
			}
			session = new EasSession(this.kernel, now, given, uplinksBelow);
			this.held.set(sessionId, session);
			isNew = true;
		} else isNew = session.take(now, given, uplinksBelow);
		this.due = Math.min(this.due, session.deadline);
		if (isNew && !isFirst) session.skipUsed();
		if (isNew) this.outbox.tell({ kind: "session", ueId: session.ueId, sessionId, keyId });
		this.release(now, sessionId, keyId);
		return undefined;
	}

	/** The HSE gives no key. @param cause of tag 18 */
	handleKeyRefused({ sessionId, keyId }: KeyRequest, cause: number): void {
		// The end of the session has not been told, for instance by an HSE that has begun anew.
		if (cause === CAUSE.sessionUnknown && this.held.has(sessionId)) this.handleOver(sessionId, cause);
		const asked = this.asked.get(nameOf(sessionId, keyId));
		if (asked === undefined || asked.isRefused) return;
		asked.isRefused = true;
		asked.waiting = [];
		this.outbox.tell({ kind: "no key", sessionId, keyId, cause });
	}

	/** Handles a UP message that the HSE forwards, whatever its octets. */
	handleDatagram(now: number, { count, datagram }: ForwardedMessage): Verdict {
		const verdict = this.receive(now, count, datagram);
		this.verdicts[verdict] = (this.verdicts[verdict] ?? 0) + 1;
		return verdict;
	}

	/** The HSE has ended a session. @param cause of tag 18 */
	handleOver(sessionId: number, cause: number): void {
		for (const [name, asked] of this.asked) if (asked.sessionId === sessionId) this.asked.delete(name);
		const session = this.held.get(sessionId);
		if (session === undefined) return;
		session.erase();
		this.held.delete(sessionId);
		this.outbox.tell({ kind: "session over", ueId: session.ueId, sessionId, cause });
	}

	/** What the HSE has done with a downlink: "accept", or why it did not forward it. */
	handleForwarded({ sessionId, keyId, count }: Downlink, verdict: Verdict): void {
		const session = this.held.get(sessionId);
		if (session === undefined) return;
		if (session.keyId === keyId) session.unanswered = Math.max(0, session.unanswered - 1);
		if (verdict === "accept") return;
		this.outbox.tell({ kind: "downlink refused", ueId: session.ueId, sessionId, count, verdict });
		// Whether the session is over, or only the key, is what the answer to this says.
		if (verdict === "session or Key ID unknown" && session.keyId === keyId) this.outbox.ask({ sessionId, keyId });
	}

	/** Protects a payload for a UE. @throws EasError `unknown`, `state`, `too-long`, `count` */
	send(sessionId: number, payload: Uint8Array): void {
		const session = this.held.get(sessionId);
		if (session === undefined) throw new EasError("unknown", `There is no session ${sessionIdText(sessionId)}.`);
		const { keyId } = session;
		this.outbox.transmit({ sessionId, keyId, ...session.seal(payload) });
	}

	handleTimeout(now: number): void {
		this.due = Number.POSITIVE_INFINITY;
		for (const [sessionId, session] of this.held) {
			session.forgetOld(now);
			if (now >= session.expiresAt) this.handleOver(sessionId, CAUSE.keyLifetimeOver);
			else this.due = Math.min(this.due, session.deadline);
		}
		for (const [name, { until }] of this.asked)
			if (now >= until) this.asked.delete(name);
			else this.due = Math.min(this.due, until);
	}

	/** Erases all keys. */
	erase(): void {
		for (const session of this.held.values()) session.erase();
		this.held.clear();
		this.asked.clear();
	}

	private receive(now: number, count: number, datagram: Uint8Array): Verdict {
		const { header } = this;
		const { message } = this.kernel;
		const { length } = datagram;
		if (length > LONGEST_MESSAGE) return "length";
		message.set(datagram);
		const dropped = screen(header, message, length, true);
		if (dropped !== undefined) return dropped;
		// The control plane ends in the HSE (TS 33.163).
		if (!header.userPlane) return "command";
		const { sessionId, keyId } = header;
		const session = this.held.get(sessionId);
		if (session === undefined || !session.hasKey(keyId)) return this.wait(now, { count, datagram });
		if (session.failures.isBlocked(now, FROM_HSE, true)) return "rate limit";
		const start = session.open(header, count, length);
		if (typeof start === "string") {
			if (start === "wrong MAC or COUNT") session.failures.failed(now, FROM_HSE);
			return start;
		}
		session.failures.succeeded(FROM_HSE);
		const payload = message.slice(start, session.payloadEnd(length));
		this.outbox.tell({ kind: "uplink", ueId: session.ueId, sessionId, count, payload });
		return "accept";
	}

	/** Asks the HSE for the key of a message, which waits for it. */
	private wait(now: number, message: ForwardedMessage): Verdict {
		const { sessionId, keyId } = this.header;
		const name = nameOf(sessionId, keyId);
		let asked = this.asked.get(name);
		if (asked === undefined) {
			if (this.asked.size >= MOST_KEYS_ASKED) return "rate limit";
			asked = { sessionId, keyId, waiting: [], isRefused: false, until: now + KEY_PATIENCE };
			this.asked.set(name, asked);
			this.due = Math.min(this.due, asked.until);
			this.outbox.ask({ sessionId, keyId });
		}
		if (asked.isRefused) return "session or Key ID unknown";
		if (asked.waiting.length >= MOST_WAITING) return "rate limit";
		asked.waiting.push(message);
		return "being answered";
	}

	/** A key has come: opens what waits for it. */
	private release(now: number, sessionId: number, keyId: number): void {
		const name = nameOf(sessionId, keyId);
		const asked = this.asked.get(name);
		if (asked === undefined) return;
		this.asked.delete(name);
		for (const message of asked.waiting) this.handleDatagram(now, message);
	}
}

function nameOf(sessionId: number, keyId: number): string {
	return `${sessionId}/${keyId}`;
}
