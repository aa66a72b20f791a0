import { CachedAnswer } from "../../firmware/emsdp/cached-answer.js";
import {
	encodeHseConfiguration,
	type HseConfiguration,
	readUeConfiguration,
	type UeConfiguration,
} from "../../firmware/emsdp/configuration.js";
import { checkContents, isAka, REFRESH_METHOD } from "../../firmware/emsdp/contents.js";
import { Header, writeHeader } from "../../firmware/emsdp/header.js";
import { decodeImsi, encodeImsi } from "../../firmware/emsdp/imsi.js";
import type { Tlv } from "../../firmware/emsdp/message.js";
import { writeUint16 } from "../../firmware/emsdp/octets.js";
import { CAUSE, COMMAND, CONTENTS, DIRECTION, HEADER, LIMITS, TAG } from "../../firmware/emsdp/profile.js";
import { Retransmission, type RetransmissionPolicy } from "../../firmware/emsdp/retransmission.js";
import { screen } from "../../firmware/emsdp/screening.js";
import { TlvScan, writeTlv } from "../../firmware/emsdp/tlv.js";
import type { Verdict } from "../../firmware/emsdp/verdict.js";
import type { Kernel } from "../../firmware/kernels/kernel.js";
import type { AuthenticationVector } from "../../firmware/keys/aka.js";
import { baseKeyFromSharedKey, concatenate } from "../../firmware/keys/hierarchy.js";
import { SessionKeys } from "../../firmware/keys/session-keys.js";
import { sha256 } from "../../firmware/keys/sha256.js";
import { HseError } from "./errors.js";
import type { Credentials, VectorRequest } from "./events.js";
import { Outbox } from "./outbox.js";
import { checkPolicy, choose, type Policy } from "./policy.js";
import { HseSession, type SessionSurroundings } from "./session.js";
import { eraseVector, useVector } from "./vector.js";

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
}

/** What the authentication centre answers: credentials, or the cause that refuses the UE. `undefined`: AUTS was wrong. */
export type VectorAnswer = Credentials | number | undefined;

/** A Session Request that waits for its authentication vector. */
interface Asked {
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
	readonly until: number;
	readonly resynchronised: boolean;
}

const DIGEST_OCTETS = 16;
const NO_OCTETS = new Uint8Array(0);
const NEVER_ANSWERED: readonly number[] = [COMMAND.messageReject, COMMAND.sessionTerminateResponse];
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
	private readonly sessions = new Map<number, HseSession>();
	/** The confirmed session of each UE, by IMSI. */
	private readonly byImsi = new Map<string, HseSession>();
	/** Unconfirmed sessions by Session ID, oldest first, and the Session IDs by request. */
	private readonly pending = new Map<number, Pending>();
	private readonly pendingByRequest = new Map<string, number>();
	/** The same by IMSI, oldest first. */
	private readonly attempts = new Map<string, Set<HseSession>>();
	/** Requests that wait for their vector, by number, and their octets. */
	private readonly asked = new Map<number, Asked>();
	private readonly askedRequests = new Set<string>();
	private askedNumber = 0;
	/** Sessions that wait for a vector for new keys, by number. */
	private readonly refreshing = new Map<number, HseSession>();
	/** The time of the input being handled. */
	private now = 0;
	/** Sessions that are over and whose 21 is kept, oldest first, with the time it is forgotten. */
	private readonly ended = new Map<number, { readonly session: HseSession; readonly until: number }>();
	/** Sessions that wait for an answer to an 11 or a 20. */
	private readonly waiting = new Set<HseSession>();
	/** No later than the first of them is due. */
	private nextDue = Number.POSITIVE_INFINITY;
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
			retransmission,
			fraction: options.fraction,
			confirmed: (session) => this.confirm(session),
			refresh: (session, method) => this.offerKeys(session, method),
			resynchronise: (session, resynchronisation) => this.askForKeys(session, resynchronisation),
		};
	}

	/** When {@link handleTimeout} is to be called; undefined: not at all. It may be early, which does no harm. */
	get deadline(): number | undefined {
		let earliest = this.nextDue;
		for (const entries of [this.pending, this.ended])
			for (const { until } of entries.values()) {
				// The oldest entry comes first.
				earliest = Math.min(earliest, until);
				break;
			}
		return earliest === Number.POSITIVE_INFINITY ? undefined : earliest;
	}

	/** A session by its Session ID. */
	session(sessionId: number): HseSession | undefined {
		return this.sessions.get(sessionId);
	}

	/** The confirmed session of a UE. @param imsi digits */
	sessionOf(imsi: string): HseSession | undefined {
		return this.byImsi.get(imsi);
	}

	/** Takes up a session that was made elsewhere, such as one read from a store. */
	adopt(make: (surroundings: SessionSurroundings) => HseSession): HseSession {
		const session = make(this.surroundings);
		this.sessions.set(session.sessionId, session);
		if (session.state !== "unconfirmed") this.byImsi.set(session.identity.imsi, session);
		return session;
	}

	/** Sends a payload to a UE. @throws HseError */
	send(sessionId: number, payload: Uint8Array): void {
		const session = this.known(sessionId);
		session.send(payload);
		if (!session.needsNewKeys) return;
		this.offerKeys(session, REFRESH_METHOD.chained);
		this.settle(this.now, session);
	}

	/**
	 * Offers new keys to a UE.
	 * @param method of tag 19; 0: chained
	 * @throws HseError
	 */
	refresh(now: number, sessionId: number, method: number): void {
		const session = this.known(sessionId);
		if (!session.canRefresh)
			throw new HseError("state", `The session is in state "${session.state}": its keys cannot be changed now.`);
		if (method === REFRESH_METHOD.aka && !isAka(session.identity.configuration.agreement))
			throw new HseError("state", "The session was not agreed by AKA: its keys can only be chained.");
		this.now = now;
		this.offerKeys(session, method);
		this.settle(now, session);
	}

	/** Ends a session. @param cause of tag 18 @throws HseError */
	terminate(now: number, sessionId: number, cause: number): void {
		const session = this.known(sessionId);
		session.terminate(now, cause);
		this.settle(now, session);
	}

	handleTimeout(now: number): void {
		if (now >= this.nextDue) {
			this.nextDue = Number.POSITIVE_INFINITY;
			for (const session of [...this.waiting]) {
				session.handleTimeout(now);
				this.settle(now, session);
			}
		}
		for (const { session, until } of this.pending.values()) {
			if (until > now) break;
			session.erase();
			this.settle(now, session);
		}
		for (const [sessionId, { until }] of this.ended) {
			if (until > now) break;
			this.ended.delete(sessionId);
		}
	}

	/** Erases all keys. The HSE is of no use afterwards. */
	erase(): void {
		for (const session of this.sessions.values()) session.erase();
		this.sessions.clear();
	}

	/** Handles a datagram from a UE, whatever its octets. */
	handleDatagram(now: number, source: string, octets: Uint8Array, length: number): Verdict {
		this.now = now;
		const verdict = this.receive(now, source, octets, length);
		this.verdicts[verdict] = (this.verdicts[verdict] ?? 0) + 1;
		return verdict;
	}

	/** The authentication centre's answer to a request that was taken from the outbox. */
	handleVector(now: number, number: number, answer: VectorAnswer): void {
		const session = this.refreshing.get(number);
		if (session !== undefined) {
			this.refreshing.delete(number);
			this.handleRefreshVector(now, session, answer);
			return;
		}
		const asked = this.asked.get(number);
		this.asked.delete(number);
		// An AUTS that the authentication centre finds wrong is ignored (profile section 6, 1).
		if (asked === undefined || answer === undefined) return;
		if (asked.sessionId !== undefined) {
			// Nobody waits for an answer to an 80: where there is no vector the attempt runs out.
			if (typeof answer !== "number") this.startAgain(now, asked, asked.sessionId, answer);
			return;
		}
		this.askedRequests.delete(keyOf(asked.request));
		if (typeof answer === "number") this.reject(asked.source, 0, answer);
		else this.start(now, asked, answer);
	}

	private receive(now: number, source: string, octets: Uint8Array, length: number): Verdict {
		const { header } = this;
		const { message } = this.options.kernel;
		if (length > this.options.policy.largestMessage || length > octets.length) return "length";
		if (octets !== message) message.set(octets.subarray(0, length));
		const dropped = screen(header, message, length, true);
		if (dropped !== undefined) return dropped;
		if (header.keyId === 0)
			return message[HEADER.length] === COMMAND.sessionRequest
				? this.handleRequest(now, source, length)
				: this.handleUnprotectedReject(now, length);
		const session = this.sessions.get(header.sessionId);
		if (session === undefined) return this.handleUnknown(now, source, length);
		if (session.contextOf(header.keyId) === undefined) return this.rejectUnknown(now, source, CAUSE.keyIdUnknown);
		const verdict = session.handleDatagram(now, source, header, length);
		this.settle(now, session);
		return verdict;
	}

	private handleUnknown(now: number, source: string, length: number): Verdict {
		const { message } = this.options.kernel;
		const answer = this.ended.get(this.header.sessionId)?.session.cached;
		if (answer?.answers(message, length)) {
			if (!answer.use()) return "cached answer used up";
			this.outbox.transmitAgain(source, answer.answer);
			return "repetition";
		}
		return this.rejectUnknown(now, source, CAUSE.sessionUnknown);
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
		this.outbox.transmit(source, end);
		return "reject";
	}

	private handleRequest(now: number, source: string, length: number): Verdict {
		const { tlvs } = this;
		const { kernel, policy, load } = this.options;
		const request = kernel.message.slice(0, length);
		const waiting = this.pending.get(this.pendingByRequest.get(keyOf(request)) ?? 0);
		if (waiting?.answer.answers(request, length)) {
			if (!waiting.answer.use()) return "cached answer used up";
			this.outbox.transmitAgain(source, waiting.answer.answer);
			return "repetition";
		}
		if (this.askedRequests.has(keyOf(request))) return "being answered";
		const fault = tlvs.scan(request, HEADER.length + 1, length) || checkContents(tlvs, CONTENTS.newSessionRequest);
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
		const offer = readUeConfiguration(request, tlvs.offsets[TAG.ueConfiguration]);
		const servingNetwork = tlvs.has(TAG.servingNetwork) ? tlvs.value(TAG.servingNetwork) : new Uint8Array(0);
		const choice = choose(policy, offer, servingNetwork);
		if (typeof choice === "number") return this.reject(source, 0, choice);
		const easId = tlvs.value(TAG.easId);
		const isShared = !isAka(choice.agreement);
		const keyReference = isShared ? tlvs.value(TAG.keyReference) : undefined;
		const ueNonce = isShared ? tlvs.value(TAG.ueNonce) : NO_OCTETS;
		this.askedRequests.add(keyOf(request));
		this.ask({
			source,
			identity,
			keyReference,
			ueNonce,
			request,
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
		const sessionId = asked.sessionId ?? this.newSessionId();
		const parameters = { ...choice, sessionId };
		const { baseKey, expectedResponse, tlvs } =
			"vector" in credentials
				? fromVector(asked, credentials.vector)
				: fromSharedKey(asked, credentials.sharedKey, this.options.drawNonce());
		const keys = new SessionKeys(kernel, parameters, baseKey, easId, DIRECTION.toUe);
		const { context } = keys;
		const network = asked.servingNetwork.subarray(1);
		const session = new HseSession(
			this.surroundings,
			{ imsi, easId, configuration: choice, network, asked: identityOf(imsi, asked) },
			keys,
			expectedResponse,
			source,
			asked.offer.largestMessage,
		);
		const { message } = kernel;
		message[HEADER.length] = COMMAND.sessionStart;
		let end = writeTlv(message, HEADER.length + 1, TAG.hseConfiguration, encodeHseConfiguration(choice));
		for (const { tag, value } of tlvs) end = writeTlv(message, end, tag, value);
		end = writeTlv(message, end, TAG.requestDigest, sha256(request).slice(0, DIGEST_OCTETS));
		const datagram = this.outbox.transmit(source, context.control.seal(end - HEADER.length));
		session.request = new Retransmission(datagram, this.options.retransmission, this.options.fraction(), now);
		this.makeRoom(now, imsi);
		this.sessions.set(sessionId, session);
		// A map keeps the place of a key that it has: the oldest must come first.
		this.pending.delete(sessionId);
		this.pending.set(sessionId, {
			asked: { ...asked, sessionId },
			session,
			rand: "vector" in credentials ? credentials.vector.rand : undefined,
			answer: new CachedAnswer(request, datagram),
			until: now + LIMITS.keepAnswer,
			resynchronised: asked.sessionId !== undefined,
		});
		this.pendingByRequest.set(keyOf(request), sessionId);
		const attempts = this.attempts.get(imsi);
		if (attempts === undefined) this.attempts.set(imsi, new Set([session]));
		else attempts.add(session);
		this.await(session);
		this.outbox.tell({ kind: "session started", imsi, sessionId, keyId: choice.keyId });
	}

	/** After a resynchronisation the attempt starts again under its Session ID, once (profile section 6, 1). */
	private startAgain(now: number, asked: Asked, sessionId: number, credentials: Credentials): void {
		const pending = this.pending.get(sessionId);
		if (pending === undefined || pending.resynchronised) {
			eraseCredentials(credentials);
			return;
		}
		pending.session.erase();
		this.settle(now, pending.session);
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
			this.settle(now, pending.session);
			return "hint";
		}
		const { rand, resynchronised } = pending;
		if (cause !== CAUSE.akaSynchronisationFailure || resynchronised || rand === undefined) return "unprotected reject";
		this.ask(pending.asked, { rand, auts: tlvs.value(TAG.auts) });
		return "hint";
	}

	private confirm(session: HseSession): void {
		const { imsi } = session.identity;
		const earlier = this.byImsi.get(imsi);
		this.byImsi.set(imsi, session);
		// A session that the same UE has stays as it is until the new one is confirmed (profile section 6, 1).
		if (earlier !== undefined && earlier !== session) {
			earlier.erase();
			this.sessions.delete(earlier.sessionId);
			this.waiting.delete(earlier);
			const { sessionId } = earlier;
			this.outbox.tell({ kind: "session over", imsi, sessionId, cause: CAUSE.normalRelease, by: "UE" });
		}
	}

	/** Method 0 leaves it to the HSE: chained keys need no vector. */
	private offerKeys(session: HseSession, method: number): void {
		if (method === REFRESH_METHOD.aka) this.askForKeys(session);
		else session.offerChainedKeys(this.now, this.options.drawNonce());
	}

	private askForKeys(session: HseSession, resynchronisation?: VectorRequest["resynchronisation"]): void {
		this.askedNumber++;
		this.refreshing.set(this.askedNumber, session);
		const identity = session.identity.asked;
		this.outbox.ask({ number: this.askedNumber, identity, keyReference: undefined, resynchronisation });
	}

	/** The authentication centre's answer for a session whose keys are to be changed. */
	private handleRefreshVector(now: number, session: HseSession, answer: VectorAnswer): void {
		if (typeof answer !== "object") return;
		if ("vector" in answer && session.canRefresh) {
			session.offerAkaKeys(now, answer.vector);
			this.settle(now, session);
		} else eraseCredentials(answer);
	}

	/** Brings the tables in line with the state of a session that an input may have changed. */
	private settle(now: number, session: HseSession): void {
		const { sessionId } = session;
		this.await(session);
		if (session.state !== "unconfirmed") {
			const { imsi } = session.identity;
			const attempts = this.attempts.get(imsi);
			if (attempts?.delete(session) && attempts.size === 0) this.attempts.delete(imsi);
			const pending = this.pending.get(sessionId);
			if (pending?.session === session) {
				this.pending.delete(sessionId);
				const key = keyOf(pending.asked.request);
				if (this.pendingByRequest.get(key) === sessionId) this.pendingByRequest.delete(key);
			}
		}
		if (session.state !== "over" || this.sessions.get(sessionId) !== session) return;
		this.sessions.delete(sessionId);
		if (this.byImsi.get(session.identity.imsi) === session) this.byImsi.delete(session.identity.imsi);
		if (session.cached !== undefined) this.ended.set(sessionId, { session, until: now + LIMITS.keepAnswer });
	}

	/** Watches a session that has a request on its way. */
	private await(session: HseSession): void {
		if (session.dueAt < Number.POSITIVE_INFINITY) {
			this.waiting.add(session);
			this.nextDue = Math.min(this.nextDue, session.dueAt);
		} else if (this.waiting.delete(session) && this.waiting.size === 0) this.nextDue = Number.POSITIVE_INFINITY;
	}

	/** Keeps the unconfirmed sessions of one UE few, whoever asks for them in its name. */
	private makeRoom(now: number, imsi: string): void {
		for (const oldest of this.attempts.get(imsi) ?? []) {
			if ((this.attempts.get(imsi)?.size ?? 0) < MOST_ATTEMPTS_OF_A_UE) break;
			oldest.erase();
			this.settle(now, oldest);
		}
	}

	private newSessionId(): number {
		for (;;) {
			const sessionId = this.options.drawSessionId() >>> 0;
			if (sessionId !== 0 && !this.sessions.has(sessionId) && !this.ended.has(sessionId)) return sessionId;
		}
	}

	private known(sessionId: number): HseSession {
		const session = this.sessions.get(sessionId);
		if (session === undefined)
			throw new HseError("unknown", `There is no session ${sessionId.toString(16).padStart(8, "0")}.`);
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

/** Who is asked for when keys are changed: the IMSI, so that a SUCI and the key for it are needed once only. */
function identityOf(imsi: string, { identity }: Asked): VectorRequest["identity"] {
	const value = encodeImsi(imsi);
	return value === undefined ? identity : { tag: TAG.imsi, value };
}

function eraseCredentials(credentials: Credentials): void {
	if ("vector" in credentials) eraseVector(credentials.vector);
	else credentials.sharedKey.fill(0);
}

/** A request as the key of a map. */
function keyOf(request: Uint8Array): string {
	return String.fromCharCode(...request);
}
