import { CachedAnswer } from "../../firmware/emsdp/cached-answer.js";
import {
	encodeHseConfiguration,
	type HseConfiguration,
	readUeConfiguration,
	type UeConfiguration,
} from "../../firmware/emsdp/configuration.js";
import { checkContents, isAka, REFRESH_METHOD } from "../../firmware/emsdp/contents.js";
import { REPLAY } from "../../firmware/emsdp/count.js";
import { Header, writeHeader } from "../../firmware/emsdp/header.js";
import { decodeImsi, encodeImsi } from "../../firmware/emsdp/imsi.js";
import type { Tlv } from "../../firmware/emsdp/message.js";
import { writeUint16 } from "../../firmware/emsdp/octets.js";
import { CAUSE, COMMAND, CONTENTS, HEADER, LIMITS, MODE, SERVICE, TAG } from "../../firmware/emsdp/profile.js";
import { Retransmission, type RetransmissionPolicy } from "../../firmware/emsdp/retransmission.js";
import { screen } from "../../firmware/emsdp/screening.js";
import { TlvScan, writeTlv } from "../../firmware/emsdp/tlv.js";
import type { Verdict } from "../../firmware/emsdp/verdict.js";
import type { Kernel } from "../../firmware/kernels/kernel.js";
import type { AuthenticationVector } from "../../firmware/keys/aka.js";
import { baseKeyFromSharedKey, concatenate } from "../../firmware/keys/hierarchy.js";
import { sha256 } from "../../firmware/keys/sha256.js";
import { easIdText } from "../eas-id-text.js";
import { sessionIdText } from "../hex.js";
import { copyOctets } from "../octets.js";
import { HseError } from "./errors.js";
import type { Credentials, VectorRequest } from "./events.js";
import { FailureLimits } from "./failure-limits.js";
import { HseKeys } from "./hse-keys.js";
import { KeptAnswers } from "./kept-answers.js";
import { Outbox } from "./outbox.js";
import { checkPolicy, choose, type EasKeyPolicy, needsEasKey, type Policy } from "./policy.js";
import { HseSession, type SessionSurroundings, type StoredAttempt } from "./session.js";
import { Sessions } from "./sessions.js";
import { ShortLived } from "./short-lived.js";
import type { Restorer, SessionBatch } from "./store.js";
import { eraseCredentials, useVector } from "./vector.js";

/** How an HSE defends itself under load (profile section 6, 8). All functions are of the inputs alone. */
export interface LoadPolicy {
	/**
	 * The cookie to ask a source for, 1–32 octets; undefined where none is needed now, or a good one was given.
	 * @param identity value of tag 01 or 02
	 */
	cookie(now: number, source: string, identity: Uint8Array, given: Uint8Array | undefined): Uint8Array | undefined;
	/**
	 * Seconds of back-off where the HSE cannot serve, undefined where it can.
	 * @param unconfirmed sessions that are not confirmed yet
	 */
	backOff(now: number, unconfirmed: number): number | undefined;
	/** Whether a Session Request is dropped before anything is done about it: so many come that sessions would suffer. */
	isTooMuch?(now: number): boolean;
}

export interface HseOptions {
	readonly kernel: Kernel;
	readonly policy: Policy;
	readonly retransmission: RetransmissionPolicy;
	readonly load: LoadPolicy;
	/** Draws a candidate for a Session ID, 32 bits; one that is 0 or in use is drawn again. */
	drawSessionId(): number;
	/** Draws an HSE nonce, 8 octets. */
	drawNonce(): Uint8Array;
	/** Random, 0 to 1, for the spread of retransmissions. */
	fraction(): number;
	/** Whether K_EAS_PSK of a subscriber may leave the HSE; "allow" by default. @param imsi digits */
	easKeyPolicy?(imsi: string): EasKeyPolicy;
	/** Whether an EAS can be reached now; any can by default. @param easId text of tag 04 */
	isReachable?(easId: string): boolean;
	/** Sessions at rest whose expanded keys are kept; 256 by default. */
	readonly hotSessions?: number;
	/** Whether what changes is to be stored: then {@link Hse.takeBatch} is called after every input. */
	readonly durable?: boolean;
	/** Whether other processes share the store, so that sessions come and go: {@link Hse.takeUp}, {@link Hse.giveUp}. */
	readonly shared?: boolean;
}

/** What the authentication centre answers: credentials, or the cause that refuses the UE. `undefined`: AUTS was wrong. */
export type VectorAnswer = Credentials | number | undefined;

/** A Session Request that waits for its authentication vector. */
interface Asked {
	/** {@link keyOf} the request. */
	readonly key: string;
	readonly source: string;
	readonly identity: VectorRequest["identity"];
	readonly keyReference: Uint8Array | undefined;
	readonly ueNonce: Uint8Array;
	readonly request: Uint8Array;
	readonly offer: UeConfiguration;
	readonly choice: HseConfiguration;
	readonly easId: Uint8Array;
	readonly servingNetwork: Uint8Array;
	/** The Session ID of the attempt that is started again after a resynchronisation. */
	readonly sessionId: number | undefined;
}

/** An unconfirmed session: its request is answered again while it waits. */
interface Pending {
	readonly asked: Asked;
	readonly session: HseSession;
	/** RAND of its challenge, none for agreements 5 to 7. */
	readonly rand: Uint8Array | undefined;
	readonly answer: CachedAnswer;
	readonly resynchronised: boolean;
	/** Whether the authentication centre looks at an AUTS of the UE. */
	isResynchronising: boolean;
}

const DIGEST_OCTETS = 16;
const NO_OCTETS = new Uint8Array(0);
const NEVER_ANSWERED: readonly number[] = [COMMAND.messageReject, COMMAND.sessionTerminateResponse];
/** What became of messages that were dropped by their session before anything moved: there is nothing to store. */
const CHANGES_NOTHING: readonly Verdict[] = ["wrong MAC or COUNT", "replay", "not expected", "service", "length"];
/** Unconfirmed sessions of one UE: the oldest gives way to the next. */
const MOST_ATTEMPTS_OF_A_UE = 4;
/** Sources that are remembered for the rate of 0A and 0B; beyond, new ones get none. */
const REMEMBERED_SOURCES = 65_536;

/**
 * The HSE without any input or output of its own. One contract: after every input drain {@link outbox} (takeDatagram,
 * takeVectorRequest, takeEvent) until only {@link deadline} is left. A source is an opaque text, such as "address:port".
 */
export class Hse {
	readonly outbox: Outbox;
	/** How many datagrams met each fate. */
	readonly verdicts: Partial<Record<Verdict, number>> = {};
	private readonly options: HseOptions;
	private readonly header = new Header();
	private readonly tlvs = new TlvScan();
	private readonly surroundings: SessionSurroundings;
	private readonly sessions: Sessions;
	/** Sessions that were handed out as objects: they go back to rest at the next input. */
	private readonly lent = new Set<HseSession>();
	private readonly failures = new FailureLimits();
	private readonly answers = new KeptAnswers();
	/** Unconfirmed sessions by Session ID, when the time of each is over, oldest first, and the Session IDs by request. */
	private readonly pending = new ShortLived<Pending>();
	private readonly pendingUntil = new Map<number, number>();
	private readonly pendingByRequest = new Map<string, number>();
	/** The same by IMSI, oldest first. */
	private readonly attempts = new Map<string, number[]>();
	/** Requests that wait for their vector, by number, and their octets. */
	private readonly asked = new ShortLived<Asked>();
	private readonly askedRequests = new Set<string>();
	private askedNumber = 0;
	/** Session IDs of those that wait for a vector for new keys, by number. */
	private readonly refreshing = new Map<number, number>();
	/** The time of the input being handled. */
	private now = 0;
	/** When a source was last sent an unprotected 80 with cause 0A or 0B. */
	private readonly rejectedAt = new Map<string, number>();

	/** @throws HseError `policy` */
	constructor(options: HseOptions) {
		checkPolicy(options.policy, options.kernel);
		this.options = options;
		const { kernel, retransmission } = options;
		this.outbox = new Outbox(kernel);
		this.surroundings = {
			kernel,
			outbox: this.outbox,
			tlvs: this.tlvs,
			retransmission,
			fraction: options.fraction,
			answers: this.answers,
			confirmed: (session) => this.confirm(session),
			refresh: (session, method) => this.offerKeys(session, method),
			resynchronise: (session, resynchronisation) => this.askForKeys(session, resynchronisation),
			restored: (session, attempt) => this.restoreAttempt(session, attempt),
		};
		this.sessions = new Sessions(
			this.surroundings,
			options.durable === true,
			options.shared === true,
			options.hotSessions,
		);
	}

	/** When {@link handleTimeout} is to be called; undefined: not at all. It may be early, which does no harm. */
	get deadline(): number | undefined {
		let earliest = Math.min(this.sessions.earliest, this.answers.earliest);
		for (const until of this.pendingUntil.values()) {
			// The oldest entry comes first.
			earliest = Math.min(earliest, until);
			break;
		}
		return earliest === Number.POSITIVE_INFINITY ? undefined : earliest;
	}

	/**
	 * What has changed since the last batch, undefined where nothing has. Whatever an input brought about, datagrams and
	 * events alike, must not leave before the batch taken after it is durable: then what others have seen of a session is
	 * never ahead of what is stored, so that no COUNT is used twice and no message is taken twice whenever the process
	 * ends. There are no blocks of COUNTs and no gaps after a restart.
	 * @param isLast before the end of the process: called until there is nothing left
	 */
	takeBatch(isLast = false): SessionBatch | undefined {
		return this.sessions.takeBatch(isLast);
	}

	/** Takes up what a store holds, before the first input. */
	restorer(now: number): Restorer {
		return this.sessions.restorer(now);
	}

	/** The batch that was taken last is durable. */
	batchWritten(): void {
		this.sessions.batchWritten();
	}

	/** Number of the batch that was taken last. */
	get lastBatch(): number {
		return this.sessions.lastBatch;
	}

	/** Whether a datagram of a session can be answered here: it is of this process, or was and its 21 is kept. */
	knows(sessionId: number): boolean {
		return this.sessions.has(sessionId) || this.answers.has(sessionId);
	}

	/** Whether something about a session is not durable yet: it may have left this process without the store knowing. */
	isPending(sessionId: number): boolean {
		return this.sessions.isPending(sessionId);
	}

	/**
	 * Takes up a session of the store that this process owns from now on.
	 * @returns false where another session of its UE must be written first: to be tried again
	 */
	takeUp(now: number, octets: Uint8Array): boolean {
		const earlier = this.sessions.earlierThan(octets);
		if (earlier !== undefined) {
			if (this.isPending(earlier)) return false;
			this.supersede(now, earlier);
		}
		this.begin(now);
		this.sessions.takeUp(now, octets);
		return true;
	}

	/** Gives a session up with the next batch, so that another process can take it. @returns false where it is not here */
	giveUp(now: number, sessionId: number): boolean {
		this.begin(now);
		const session = this.sessions.get(sessionId);
		const octets = this.sessions.packed(sessionId);
		if (session === undefined || octets === undefined) return false;
		const failures = this.failures.get(sessionId);
		session.erase();
		this.settle(session, false);
		// Whoever sends it to and fro is not given as many tries anew each time (profile section 6, 9).
		if (failures !== undefined) this.failures.keep(sessionId, failures);
		this.sessions.release(sessionId, octets);
		return true;
	}

	/** Another process has confirmed a later session of the same UE. */
	supersede(now: number, sessionId: number): void {
		this.begin(now);
		this.giveWay(sessionId);
	}

	/** A session ends since its UE has confirmed a later one. */
	private giveWay(sessionId: number): void {
		const session = this.sessions.get(sessionId);
		if (session === undefined) return;
		session.tellOver(CAUSE.normalRelease, "UE");
		session.erase();
		this.settle(session);
	}

	/** How many sessions there are, confirmed or not. */
	get sessionCount(): number {
		return this.sessions.size;
	}

	/** A session by its Session ID, to look at until the next input: what is changed of it is not stored. */
	session(sessionId: number): HseSession | undefined {
		const session = this.sessions.get(sessionId);
		if (session !== undefined) this.lent.add(session);
		return session;
	}

	/** The confirmed session of a UE, as {@link session} gives it. @param imsi digits */
	sessionOf(imsi: string): HseSession | undefined {
		const sessionId = this.sessions.ofImsi(imsi);
		return sessionId === undefined ? undefined : this.session(sessionId);
	}

	/** IMSIs of UEs that have a confirmed session. @param most so many at the most */
	imsis(most = Number.POSITIVE_INFINITY): string[] {
		return this.sessions.imsis(most);
	}

	/** Takes up a session that was made elsewhere. */
	adopt(make: (surroundings: SessionSurroundings) => HseSession): HseSession {
		const session = make(this.surroundings);
		this.sessions.add(session);
		this.lent.add(session);
		return session;
	}

	/** Sends a payload to a UE. @throws HseError */
	send(now: number, sessionId: number, payload: Uint8Array): void {
		this.begin(now);
		const session = this.known(sessionId);
		try {
			session.send(payload);
			if (session.needsNewKeys) this.offerKeys(session, REFRESH_METHOD.chained);
		} finally {
			this.settle(session);
		}
	}

	/**
	 * Offers new keys to a UE.
	 * @param method of tag 19; 0: chained
	 * @throws HseError
	 */
	refresh(now: number, sessionId: number, method: number): void {
		this.begin(now);
		const session = this.known(sessionId);
		try {
			if (!session.canRefresh)
				throw new HseError("state", `The session is in state "${session.state}": its keys cannot be changed now.`);
			if (method === REFRESH_METHOD.aka && !isAka(session.identity.configuration.agreement))
				throw new HseError("state", "The session was not agreed by AKA: its keys can only be chained.");
			this.offerKeys(session, method);
		} finally {
			this.settle(session);
		}
	}

	/** Ends a session. @param cause of tag 18, not 0F, which would need a back-off @throws HseError */
	terminate(now: number, sessionId: number, cause: number): void {
		if (cause === CAUSE.congestion)
			throw new HseError("policy", "Congestion is a cause of an 80 only: end a session with another one.");
		this.begin(now);
		const session = this.known(sessionId);
		try {
			session.terminate(now, cause);
		} finally {
			this.settle(session);
		}
	}

	handleTimeout(now: number): void {
		this.begin(now);
		while (this.sessions.earliest <= now) {
			const session = this.sessions.takeDue();
			if (session === undefined) continue;
			session.handleTimeout(now);
			this.settle(session);
		}
		for (const [sessionId, until] of this.pendingUntil) {
			if (until > now) break;
			this.giveUpAttempt(sessionId);
		}
		this.answers.handleTimeout(now);
	}

	/** Erases all keys. The HSE is of no use afterwards. */
	erase(): void {
		this.sessions.erase();
	}

	/** Handles a datagram from a UE, whatever its octets. */
	handleDatagram(now: number, source: string, octets: Uint8Array, length: number): Verdict {
		this.begin(now);
		const verdict = this.receive(now, source, octets, length);
		this.verdicts[verdict] = (this.verdicts[verdict] ?? 0) + 1;
		return verdict;
	}

	/**
	 * Handles a UP message from an EAS for one of its UEs: verified, it goes to the UE as it is (profile section 2.2).
	 * @param easId text of tag 04 of the EAS that sent it
	 */
	handleEasDatagram(now: number, easId: string, octets: Uint8Array, length: number): Verdict {
		this.begin(now);
		const { header } = this;
		const { message } = this.options.kernel;
		if (length > octets.length || length > message.length) return "length";
		copyOctets(message, 0, octets, 0, length);
		// Both directions have the same form on the user plane; a command never comes from an EAS.
		const dropped = screen(header, message, length, true);
		if (dropped !== undefined) return dropped;
		if (!header.userPlane) return "command";
		const session = this.sessions.get(header.sessionId);
		if (session === undefined) return "session or Key ID unknown";
		const isOwn = easIdText(session.identity.easId) === easId;
		const verdict = isOwn ? session.relay(header, length) : "session or Key ID unknown";
		if (verdict === "accept" && session.needsNewKeys) this.offerKeys(session, REFRESH_METHOD.chained);
		this.settle(session, verdict === "accept");
		return verdict;
	}

	/** The authentication centre's answer to a request that was taken from the outbox. */
	handleVector(now: number, number: number, answer: VectorAnswer): void {
		this.begin(now);
		if (typeof answer === "object" && encodeImsi(answer.imsi) === undefined)
			throw new RangeError("The IMSI of a vector must have 6 to 15 digits.");
		const sessionId = this.refreshing.get(number);
		if (sessionId !== undefined) {
			this.refreshing.delete(number);
			this.handleRefreshVector(now, this.sessions.get(sessionId), answer);
			return;
		}
		const asked = this.asked.get(number);
		this.asked.delete(number);
		const attempt = asked?.sessionId === undefined ? undefined : this.pending.get(asked.sessionId);
		if (attempt !== undefined) attempt.isResynchronising = false;
		// An AUTS that the authentication centre finds wrong is ignored (profile section 6, 1).
		if (asked === undefined || answer === undefined) return;
		if (asked.sessionId !== undefined) {
			// Nobody waits for an answer to an 80: where there is no vector the attempt runs out.
			if (typeof answer !== "number") this.startAgain(now, asked, asked.sessionId, answer);
			return;
		}
		this.askedRequests.delete(asked.key);
		if (typeof answer === "number") this.reject(asked.source, 0, answer);
		else this.start(now, asked, answer);
	}

	private receive(now: number, source: string, octets: Uint8Array, length: number): Verdict {
		const { header } = this;
		const { message } = this.options.kernel;
		if (length > this.options.policy.largestMessage || length > octets.length) return "length";
		if (octets !== message) copyOctets(message, 0, octets, 0, length);
		const dropped = screen(header, message, length, true);
		if (dropped !== undefined) return dropped;
		if (header.keyId === 0)
			return message[HEADER.length] === COMMAND.sessionRequest
				? this.handleRequest(now, source, length)
				: this.handleUnprotectedReject(now, length);
		const { sessionId } = header;
		const slot = this.sessions.table.find(sessionId);
		if (slot >= 0 && header.userPlane) return this.handleUplink(now, source, slot, length);
		const failures = this.failures.get(sessionId);
		if (failures?.isBlocked(now, source, this.sessions.hasAddress(sessionId, source))) return "rate limit";
		if (!header.userPlane) {
			const answer = this.answers.get(sessionId)?.answer;
			if (answer?.answers(message, length)) {
				if (!answer.use()) return "cached answer used up";
				// The cached answer goes to the source of the repetition and moves no address (profile section 2.1).
				this.outbox.transmitAgain(source, answer.answer);
				return "repetition";
			}
		}
		const session = this.sessions.get(sessionId);
		if (session === undefined) return this.rejectUnknown(now, source, CAUSE.sessionUnknown);
		if (session.contextOf(header.keyId) === undefined) {
			this.settle(session, false);
			return this.rejectUnknown(now, source, CAUSE.keyIdUnknown);
		}
		const verdict = this.count(now, source, session.handleDatagram(now, source, header, length));
		this.settle(session, !CHANGES_NOTHING.includes(verdict));
		return verdict;
	}

	/** A UP message of a session at rest: nothing is made on its way, and nothing but its record changes. */
	private handleUplink(now: number, source: string, slot: number, length: number): Verdict {
		const { header, sessions } = this;
		const { table } = sessions;
		const { message } = this.options.kernel;
		const record = table.at(slot);
		const { sessionId } = header;
		if (header.keyId !== record.keyId) return this.rejectUnknown(now, source, CAUSE.keyIdUnknown);
		const failures = this.failures.get(sessionId);
		if (failures?.isBlocked(now, source, table.hasAddress(slot, source))) return "rate limit";
		if (record.service === SERVICE.keyAgreementOnly) return "service";
		if (!header.readExtension(message, length, record.extension)) return "length";
		const { user } = sessions.contextAt(slot);
		record.loadReceived(user.received);
		const count = user.open(header.countBits, length);
		if (count < 0) return count === REPLAY ? "replay" : this.count(now, source, "wrong MAC or COUNT");
		if (count > user.received.last && !table.hasAddress(slot, source)) table.setAddress(slot, source);
		user.received.accept(count);
		record.storeReceived(user.received);
		sessions.received(slot, sessionId, count);
		failures?.succeeded(source);
		if (record.mode === MODE.ueToEas) this.outbox.forward(record, count, length);
		else this.outbox.hear(record, count, user.headerOctets, length - record.macLength);
		return "accept";
	}

	/** Counts failed verifications of the session named in the header (profile section 6, 9). */
	private count(now: number, source: string, verdict: Verdict): Verdict {
		const { sessionId } = this.header;
		if (verdict === "wrong MAC or COUNT") this.failures.failed(now, sessionId, source);
		else if (verdict === "accept") this.failures.get(sessionId)?.succeeded(source);
		return verdict;
	}

	/** 0A and 0B answer what could not be verified: unprotected, at most one a second to a source, and never an 80. */
	private rejectUnknown(now: number, source: string, cause: number): Verdict {
		const { header } = this;
		const { message } = this.options.kernel;
		// An 80 or a 21 is never answered by an 80 (profile section 4).
		if (!header.userPlane && NEVER_ANSWERED.includes(message[HEADER.length])) return "session or Key ID unknown";
		for (const [remembered, at] of this.rejectedAt) {
			if (now - at < LIMITS.rejectInterval) break;
			this.rejectedAt.delete(remembered);
		}
		const last = this.rejectedAt.get(source);
		if (last !== undefined && now - last < LIMITS.rejectInterval) return "rate limit";
		if (last === undefined && this.rejectedAt.size >= REMEMBERED_SOURCES) return "rate limit";
		this.rejectedAt.delete(source);
		this.rejectedAt.set(source, now);
		return this.reject(source, header.sessionId, cause);
	}

	/** Sends an unprotected 80. @param value what follows the cause in tag 18, or tag 07 for cause 10 */
	private reject(source: string, sessionId: number, cause: number, value?: Uint8Array): Verdict {
		const { message } = this.options.kernel;
		let end = writeHeader(message, false, 0, sessionId, 0, 0);
		message[end++] = COMMAND.messageReject;
		const isCookie = cause === CAUSE.cookieNeeded && value !== undefined;
		if (isCookie) end = writeTlv(message, end, TAG.cookie, value);
		end = writeTlv(message, end, TAG.cause, Uint8Array.of(cause, ...(isCookie ? [] : (value ?? []))));
		this.outbox.transmit(source, end, isCookie);
		return "reject";
	}

	private handleRequest(now: number, source: string, length: number): Verdict {
		const { tlvs } = this;
		const { kernel, policy, load } = this.options;
		if (load.isTooMuch?.(now)) return "rate limit";
		const { message } = kernel;
		const key = keyOf(message, length);
		const waiting = this.pending.get(this.pendingByRequest.get(key) ?? 0);
		if (waiting?.answer.answers(message, length)) {
			if (!waiting.answer.use()) return "cached answer used up";
			this.outbox.transmitAgain(source, waiting.answer.answer);
			return "repetition";
		}
		if (this.askedRequests.has(key)) return "being answered";
		const fault = tlvs.scan(message, HEADER.length + 1, length) || checkContents(tlvs, CONTENTS.newSessionRequest);
		if (fault !== 0) return this.reject(source, 0, fault);
		const identityTag = tlvs.has(TAG.imsi) ? TAG.imsi : TAG.suci;
		const identity = { tag: identityTag, value: tlvs.value(identityTag) };
		const cookie = load.cookie(now, source, identity.value, tlvs.has(TAG.cookie) ? tlvs.value(TAG.cookie) : undefined);
		if (cookie !== undefined) return this.reject(source, 0, CAUSE.cookieNeeded, cookie);
		const seconds = load.backOff(now, this.pending.size + this.asked.size);
		if (seconds !== undefined) {
			const backOff = new Uint8Array(2);
			writeUint16(backOff, 0, seconds);
			return this.reject(source, 0, CAUSE.congestion, backOff);
		}
		const offer = readUeConfiguration(message, tlvs.offsets[TAG.ueConfiguration]);
		const servingNetwork = tlvs.has(TAG.servingNetwork) ? tlvs.value(TAG.servingNetwork) : new Uint8Array(0);
		const choice = choose(policy, offer, servingNetwork);
		if (typeof choice === "number") return this.reject(source, 0, choice);
		const easId = tlvs.value(TAG.easId);
		const refusal = this.refuseEas(easIdText(easId), choice);
		if (refusal !== undefined) return this.reject(source, 0, refusal);
		const isShared = !isAka(choice.agreement);
		const keyReference = isShared ? tlvs.value(TAG.keyReference) : undefined;
		const ueNonce = isShared ? tlvs.value(TAG.ueNonce) : NO_OCTETS;
		this.askedRequests.add(key);
		this.ask({
			key,
			source,
			identity,
			keyReference,
			ueNonce,
			request: message.slice(0, length),
			offer,
			choice,
			easId,
			servingNetwork,
			sessionId: undefined,
		});
		this.outbox.tell({
			kind: "session asked for",
			imsi: identityTag === TAG.imsi ? (decodeImsi(identity.value) ?? "") : "",
			source,
		});
		return "accept";
	}

	/** @returns the cause that refuses a session for an EAS, undefined where it may begin */
	private refuseEas(easId: string, choice: HseConfiguration): number | undefined {
		const { policy, isReachable } = this.options;
		if (policy.easIds?.includes(easId) === false) return CAUSE.easUnknown;
		// In UE-to-HSE mode nothing needs the EAS at once: whoever has the application takes the uplinks from the HSE.
		const isNeeded = choice.mode === MODE.ueToEas;
		return isNeeded && isReachable?.(easId) === false ? CAUSE.easRefusedOrOutOfReach : undefined;
	}

	private ask(asked: Asked, resynchronisation?: { readonly rand: Uint8Array; readonly auts: Uint8Array }): void {
		this.askedNumber++;
		this.asked.set(this.askedNumber, asked);
		const { identity, keyReference } = asked;
		this.outbox.ask({ number: this.askedNumber, identity, keyReference, resynchronisation });
	}

	/** Makes the session that a request asks for and sends its 11. */
	private start(now: number, asked: Asked, credentials: Credentials): void {
		const { kernel } = this.options;
		const { choice, easId, request, source } = asked;
		const { imsi } = credentials;
		const disclosure = credentials.easKeyPolicy ?? this.options.easKeyPolicy?.(imsi);
		if (needsEasKey(choice) && disclosure === "deny") {
			eraseCredentials(credentials);
			this.reject(source, 0, CAUSE.restrictedByRegulation);
			return;
		}
		let { sessionId } = asked;
		try {
			sessionId ??= this.newSessionId();
		} catch (error) {
			eraseCredentials(credentials);
			throw error;
		}
		const parameters = { ...choice, sessionId };
		const { baseKey, expectedResponse, tlvs } =
			"vector" in credentials
				? fromVector(asked, credentials.vector)
				: fromSharedKey(asked, credentials.sharedKey, this.options.drawNonce());
		const keys = HseKeys.derive(kernel, parameters, baseKey, easId);
		const { context } = keys;
		const network = asked.servingNetwork.subarray(1);
		const session = new HseSession(
			this.surroundings,
			{ imsi, easId, configuration: choice, network, largestMessage: asked.offer.largestMessage },
			keys,
			expectedResponse,
			source,
		);
		const { message } = kernel;
		message[HEADER.length] = COMMAND.sessionStart;
		let end = writeTlv(message, HEADER.length + 1, TAG.hseConfiguration, encodeHseConfiguration(choice));
		for (const { tag, value } of tlvs) end = writeTlv(message, end, tag, value);
		end = writeTlv(message, end, TAG.requestDigest, sha256(request).slice(0, DIGEST_OCTETS));
		// Its SQN is durable. A session that is not confirmed is stored only where it may go on in another process.
		const atOnce = this.options.shared !== true;
		const datagram = this.outbox.transmit(source, context.control.seal(end - HEADER.length), atOnce);
		session.request = new Retransmission(datagram, this.options.retransmission, this.options.fraction(), now);
		this.makeRoom(imsi);
		this.sessions.add(session);
		session.attempt = {
			request,
			answer: datagram,
			rand: "vector" in credentials ? credentials.vector.rand : undefined,
			until: now + LIMITS.keepAnswer,
			resynchronised: asked.sessionId !== undefined,
		};
		this.waitFor(session, { ...asked, sessionId }, session.attempt);
		this.settle(session);
		this.outbox.tell({ kind: "session started", imsi, sessionId, keyId: choice.keyId });
	}

	/** Keeps an attempt until its session is confirmed, or its time is over. */
	private waitFor(session: HseSession, asked: Asked, attempt: StoredAttempt): void {
		const { sessionId } = session;
		const { imsi } = session.identity;
		const { request, answer, rand, until, resynchronised } = attempt;
		// A map keeps the place of a key that it has: the oldest must come first.
		this.pendingUntil.delete(sessionId);
		// Where the clock of another process was ahead it would hold up all that are behind it.
		this.pendingUntil.set(sessionId, Math.min(until, this.now + LIMITS.keepAnswer));
		const cached = new CachedAnswer(request, answer);
		this.pending.set(sessionId, { asked, session, answer: cached, rand, resynchronised, isResynchronising: false });
		this.pendingByRequest.set(asked.key, sessionId);
		const attempts = this.attempts.get(imsi);
		if (attempts === undefined) this.attempts.set(imsi, [sessionId]);
		else attempts.push(sessionId);
	}

	/** An attempt that another process began. It has been checked there. */
	private restoreAttempt(session: HseSession, attempt: StoredAttempt): void {
		const { request } = attempt;
		const tlvs = new TlvScan();
		tlvs.scan(request, HEADER.length + 1, request.length);
		const value = (tag: number) => (tlvs.has(tag) ? tlvs.value(tag) : NO_OCTETS);
		const tag = tlvs.has(TAG.imsi) ? TAG.imsi : TAG.suci;
		const { configuration, easId } = session.identity;
		const asked: Asked = {
			key: keyOf(request, request.length),
			source: session.address,
			identity: { tag, value: value(tag) },
			keyReference: isAka(configuration.agreement) ? undefined : value(TAG.keyReference),
			ueNonce: isAka(configuration.agreement) ? NO_OCTETS : value(TAG.ueNonce),
			request,
			offer: readUeConfiguration(request, tlvs.offsets[TAG.ueConfiguration]),
			choice: configuration,
			easId,
			servingNetwork: value(TAG.servingNetwork),
			sessionId: session.sessionId,
		};
		this.waitFor(session, asked, attempt);
	}

	/** After a resynchronisation the attempt starts again under its Session ID, once (profile section 6, 1). */
	private startAgain(now: number, asked: Asked, sessionId: number, credentials: Credentials): void {
		const pending = this.pending.get(sessionId);
		if (pending === undefined || pending.resynchronised) {
			eraseCredentials(credentials);
			return;
		}
		pending.session.erase();
		this.settle(pending.session);
		this.outbox.tell({ kind: "resynchronised", imsi: pending.session.identity.imsi, sessionId });
		this.start(now, asked, credentials);
	}

	/** An unprotected 80 may end an attempt, or ask for a resynchronisation; it never tears down a session with keys. */
	private handleUnprotectedReject(now: number, length: number): Verdict {
		const { header, tlvs } = this;
		const { message } = this.options.kernel;
		if (tlvs.scan(message, HEADER.length + 1, length) !== 0) return "contents";
		if (checkContents(tlvs, CONTENTS.reject) !== 0) return "contents";
		const pending = this.pending.get(header.sessionId);
		const cause = message[tlvs.offsets[TAG.cause]];
		if (pending === undefined || pending.session.state !== "unconfirmed") return "unprotected reject";
		if (cause === CAUSE.akaMacFailure) {
			pending.session.rejectAttempt(now, cause);
			this.settle(pending.session);
			return "hint";
		}
		const { rand, resynchronised } = pending;
		if (cause !== CAUSE.akaSynchronisationFailure || resynchronised || rand === undefined) return "unprotected reject";
		// One at a time: whoever knows the Session ID can send as many as it likes, and each costs the centre work.
		if (pending.isResynchronising) return "being answered";
		pending.isResynchronising = true;
		this.ask(pending.asked, { rand, auts: tlvs.value(TAG.auts) });
		return "hint";
	}

	private confirm(session: HseSession): void {
		const { imsi } = session.identity;
		const earlier = this.sessions.ofImsi(imsi);
		this.sessions.confirm(session);
		// What the UE had begun before this one it has given up: a late 12 of that must not end this one.
		const attempts = this.attempts.get(imsi) ?? [];
		for (const other of attempts.slice(0, Math.max(0, attempts.indexOf(session.sessionId)))) this.giveUpAttempt(other);
		// A session that the same UE has stays as it is until the new one is confirmed (profile section 6, 1).
		if (earlier === undefined || earlier === session.sessionId) return;
		this.giveWay(earlier);
	}

	/** Method 0 leaves it to the HSE: chained keys need no vector. */
	private offerKeys(session: HseSession, method: number): void {
		if (method === REFRESH_METHOD.aka) this.askForKeys(session);
		else session.offerChainedKeys(this.now, this.options.drawNonce());
	}

	private askForKeys(session: HseSession, resynchronisation?: VectorRequest["resynchronisation"]): void {
		this.askedNumber++;
		// The IMSI, so that a SUCI and the key for it are needed once only.
		this.refreshing.set(this.askedNumber, session.sessionId);
		const value = encodeImsi(session.identity.imsi) ?? NO_OCTETS;
		const identity = { tag: TAG.imsi, value };
		this.outbox.ask({ number: this.askedNumber, identity, keyReference: undefined, resynchronisation });
	}

	/** The authentication centre's answer for a session whose keys are to be changed. */
	private handleRefreshVector(now: number, session: HseSession | undefined, answer: VectorAnswer): void {
		if (session !== undefined && typeof answer === "object" && "vector" in answer && session.canRefresh)
			session.offerAkaKeys(now, answer.vector);
		else {
			if (typeof answer === "object") eraseCredentials(answer);
			session?.refuseKeys();
		}
		if (session !== undefined) this.settle(session);
	}

	/** Starts an input. */
	private begin(now: number): void {
		this.now = now;
		this.outbox.keepUplink();
		if (this.lent.size === 0) return;
		for (const session of this.lent) this.settle(session, false);
		this.lent.clear();
	}

	/** Brings the tables in line with the state of a session that an input may have changed. */
	private settle(session: HseSession, hasChanged = true): void {
		const { sessionId } = session;
		if (session.state !== "unconfirmed") {
			const pending = this.pending.get(sessionId);
			if (pending?.session === session) this.endAttempt(pending);
		}
		if (session.state === "over") this.failures.forget(sessionId);
		this.sessions.settle(session, hasChanged);
	}

	private endAttempt({ session, asked }: Pending): void {
		const { sessionId } = session;
		const { imsi } = session.identity;
		this.pending.delete(sessionId);
		this.pendingUntil.delete(sessionId);
		if (this.pendingByRequest.get(asked.key) === sessionId) this.pendingByRequest.delete(asked.key);
		const others = this.attempts.get(imsi)?.filter((other) => other !== sessionId) ?? [];
		if (others.length > 0) this.attempts.set(imsi, others);
		else this.attempts.delete(imsi);
	}

	private giveUpAttempt(sessionId: number): void {
		const session = this.pending.get(sessionId)?.session;
		if (session === undefined) return;
		session.erase();
		this.settle(session);
	}

	/** Keeps the unconfirmed sessions of one UE few, whoever asks for them in its name. */
	private makeRoom(imsi: string): void {
		for (;;) {
			const attempts = this.attempts.get(imsi) ?? [];
			if (attempts.length < MOST_ATTEMPTS_OF_A_UE) break;
			this.giveUpAttempt(attempts[0]);
		}
	}

	private newSessionId(): number {
		for (;;) {
			const sessionId = this.options.drawSessionId() >>> 0;
			if (sessionId !== 0 && !this.sessions.has(sessionId) && !this.answers.has(sessionId)) return sessionId;
		}
	}

	private known(sessionId: number): HseSession {
		const session = this.sessions.get(sessionId);
		if (session === undefined) throw new HseError("unknown", `There is no session ${sessionIdText(sessionId)}.`);
		return session;
	}
}

/** What an 11 is made of that depends on the key agreement. The credentials are erased. */
interface Start {
	readonly baseKey: Uint8Array;
	readonly expectedResponse: Uint8Array | undefined;
	/** The TLVs between tags 10 and 17. */
	readonly tlvs: readonly Tlv[];
}

function fromVector({ choice, servingNetwork }: Asked, vector: AuthenticationVector): Start {
	const { rand, autn } = vector;
	const tlvs = [{ tag: TAG.akaChallenge, value: concatenate(rand, autn) }];
	return { ...useVector(choice.agreement, servingNetwork.subarray(1), vector), tlvs };
}

function fromSharedKey({ keyReference = NO_OCTETS, ueNonce }: Asked, sharedKey: Uint8Array, nonce: Uint8Array): Start {
	const baseKey = baseKeyFromSharedKey(sharedKey, nonce, ueNonce);
	sharedKey.fill(0);
	const tlvs = [
		{ tag: TAG.keyReference, value: keyReference },
		{ tag: TAG.hseNonce, value: nonce },
	];
	return { baseKey, expectedResponse: undefined, tlvs };
}

/** A request as the key of a map. */
function keyOf(octets: Uint8Array, length: number): string {
	return Buffer.from(octets.buffer, octets.byteOffset, length).toString("latin1");
}
