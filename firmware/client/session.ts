import { CachedAnswer } from "../emsdp/cached-answer.js";
import type { HseConfiguration } from "../emsdp/configuration.js";
import { checkContents, isAka, REFRESH_METHOD } from "../emsdp/contents.js";
import { REPLAY } from "../emsdp/count.js";
import { encodeCounters, RESUME_NONCE_OCTETS, readCounters } from "../emsdp/counters.js";
import { FailureLimit } from "../emsdp/failure-limit.js";
import type { Header } from "../emsdp/header.js";
import { equalInConstantTime } from "../emsdp/octets.js";
import {
	CAUSE,
	CAUSES_THAT_END_A_SESSION,
	COMMAND,
	CONTENTS,
	COUNT,
	type ContentsRow,
	DIRECTION,
	HEADER,
	LIMITS,
	LONGEST_MESSAGE,
	SERVICE,
	TAG,
} from "../emsdp/profile.js";
import { Retransmission } from "../emsdp/retransmission.js";
import type { SecurityContext } from "../emsdp/security-context.js";
import { TlvScan, writeTlv } from "../emsdp/tlv.js";
import type { Verdict } from "../emsdp/verdict.js";
import { baseKeyFromAka, chainedBaseKey } from "../keys/hierarchy.js";
import { nextKeyId, SessionKeys } from "../keys/session-keys.js";
import type { AuthenticationResult } from "../ports/usim.js";
import { akaResponse, eraseResult, hasSeparationBit } from "./aka-result.js";
import { ClientError } from "./errors.js";
import { LastView } from "./last-view.js";
import { randomFraction, type UeOptions } from "./options.js";
import type { Challenge, Outbox } from "./outbox.js";
import { packSession } from "./packed-session.js";
import { packSnapshot } from "./snapshot.js";
import { row, SESSION, type SessionInput, type SessionState } from "./states.js";

/** Contents of the protected commands that a UE receives. */
const CONTENTS_BY_COMMAND: Readonly<Record<number, ContentsRow>> = {
	[COMMAND.sessionTerminateRequest]: CONTENTS.terminateRequest,
	[COMMAND.sessionTerminateResponse]: CONTENTS.terminateResponse,
	[COMMAND.manageKeysRequest]: CONTENTS.manageKeysFromHse,
	[COMMAND.messageReject]: CONTENTS.reject,
};

/** Commands that are never answered by an 80 (profile section 4). */
const NEVER_REJECTED: readonly number[] = [COMMAND.sessionTerminateResponse, COMMAND.messageReject];

/** COUNTs in a block that is reserved in non-volatile storage: one write for so many messages (profile section 7). */
const BLOCK = 64;
/** Milliseconds after which a UE whose COUNT is past rekeyAt asks for new keys again, with the message that begins a block. */
const REKEY_GAP = 3_600_000;
/**
 * Milliseconds before the end of its lifetime at which a session is renewed, whatever comes; an eighth of the lifetime where
 * that is less. As long before that, the renewal begins to wait for a message.
 */
const LONGEST_RENEWAL = 3_600_000;
/** A UE hears one source only. */
const HSE = "HSE";
const NO_OCTETS = new Uint8Array(0);

/** The ends of the blocks of COUNTs that are reserved in non-volatile storage. */
export interface Reserved {
	control: number;
	user: number;
}

/** A session at the UE: it has keys until its state is "over". */
export class Session {
	state: SessionState = "live";
	configuration: HseConfiguration;
	/** The newest keys: what protects every message that is sent. */
	private keys: SessionKeys;
	/** The keys before, which only verify what was on its way, until a time. */
	private old: { readonly keys: SessionKeys; readonly until: number } | undefined;
	/** The last CP request accepted and its answer; after the end only the 21, which needs no keys. */
	cached: CachedAnswer | undefined;
	private readonly options: UeOptions;
	private readonly outbox: Outbox;
	/** Made at the first wrong MAC. */
	private failures: FailureLimit | undefined;
	private readonly tlvs = new TlvScan();
	/** Made at the first downlink. */
	private downlink: { readonly view: LastView; readonly event: { kind: "downlink"; payload: Uint8Array } } | undefined;
	private readonly largestPayload: number;
	/** The 20 or the resume request of this UE on its way. */
	private request: Retransmission | undefined;
	private resumeNonce: Uint8Array = NO_OCTETS;
	private readonly reserved: Reserved;
	/** The message being handled, as it came, and its cause. */
	private datagram: Uint8Array = NO_OCTETS;
	private cause = 0;
	/** Whether what was received before is not known: a power cut lies behind. */
	private readonly stateWasLost: boolean;
	/** The method asked for in a 30, and the challenge of the HSE's 30 that the USIM is at work on. */
	private method = 0;
	private challenge: Challenge | undefined;
	/** That 30, as it came. */
	private newKeysRequest: Uint8Array = NO_OCTETS;
	private wasResumed = false;
	/** When the UE may ask for new keys again because of its COUNT. */
	private rekeyFrom = 0;
	/** Whether there is an end of the lifetime that is known. */
	isLimited = false;
	/** From when a message brings about a new session since the lifetime of this one ends: only where its start is known. */
	private renewFrom = Number.POSITIVE_INFINITY;
	/** When that happens without one. */
	private renewAt = Number.POSITIVE_INFINITY;
	private renewBefore = 0;

	/**
	 * Takes the keys over: they are erased when the session ends.
	 * @param stateWasLost of a session from non-volatile storage: its context's COUNTs are the ends of the blocks reserved
	 * @param reserved of a session that was asleep: the ends of its blocks
	 */
	constructor(
		options: UeOptions,
		outbox: Outbox,
		keys: SessionKeys,
		configuration: HseConfiguration,
		stateWasLost = false,
		reserved?: Reserved,
	) {
		this.options = options;
		this.outbox = outbox;
		const { context } = keys;
		this.keys = keys;
		this.configuration = configuration;
		this.stateWasLost = stateWasLost;
		if (stateWasLost) this.state = "stale";
		this.reserved = reserved ?? { control: context.control.next, user: context.user.next };
		const largestMessage = Math.min(configuration.largestMessage, LONGEST_MESSAGE);
		this.largestPayload = Math.max(0, largestMessage - context.user.headerOctets - configuration.macLength);
	}

	get context(): SecurityContext {
		return this.keys.context;
	}

	/** When {@link handleTimeout} has something to do; in the past: at once. */
	get deadline(): number | undefined {
		let at = this.renewAt;
		if (this.request !== undefined && this.request.dueAt < at) at = this.request.dueAt;
		if (this.old !== undefined && this.old.until < at) at = this.old.until;
		return at === Number.POSITIVE_INFINITY ? undefined : at;
	}

	/** Whether a COUNT to send is so high that the UE asks for new keys by itself (profile section 2.1). */
	get needsNewKeys(): boolean {
		const { control, user } = this.context;
		return this.state === "live" && (user.next >= COUNT.rekeyAt || control.next >= COUNT.rekeyAt);
	}

	/** The lifetime of tag 10 begins. After a power cut nobody knows how much of it has gone: then the HSE ends the session. */
	beginLifetime(now: number): void {
		const lifetime = 1000 * this.configuration.lifetime;
		if (lifetime === 0) return;
		this.isLimited = true;
		this.renewBefore = Math.min(lifetime / 8, LONGEST_RENEWAL);
		this.renewAt = now + lifetime - this.renewBefore;
		this.renewFrom = this.renewAt - this.renewBefore;
	}

	/** Whether a payload can be sent. While a session that has lost nothing resumes or changes its keys, it goes on. */
	get canSend(): boolean {
		const { state } = this;
		return state === "live" || state === "refreshing" || (state === "resuming" && !this.isStale);
	}

	/** Whether a message with this header is for this session, under keys that it holds. */
	holds({ sessionId, keyId }: Header): boolean {
		return sessionId === this.context.parameters.sessionId && this.contextOf(keyId) !== undefined;
	}

	private contextOf(keyId: number): SecurityContext | undefined {
		if (keyId === this.context.parameters.keyId) return this.context;
		const old = this.old?.keys.context;
		return old?.parameters.keyId === keyId ? old : undefined;
	}

	/** Whether nothing may be taken before a resume. */
	private get isStale(): boolean {
		return this.stateWasLost && !this.wasResumed;
	}

	/** K_EAS_PSK, a copy of 32 octets. */
	easKey(): Uint8Array {
		return this.keys.kEasPsk.slice();
	}

	/**
	 * The session for memory that lives through deep sleep. @param imsi EF_IMSI bytes 2–9
	 * @returns undefined while something is under way
	 */
	snapshot(imsi: Uint8Array): Uint8Array | undefined {
		if (this.state !== "live" || this.old !== undefined || this.challenge !== undefined) return undefined;
		return packSnapshot(this.configuration, this.keys, this.reserved, imsi);
	}

	/**
	 * Protects a payload; the datagram stands in the kernel's message buffer.
	 * @throws ClientError `state`, `too-long` or `count`
	 */
	send(payload: Uint8Array): void {
		const { context } = this;
		if (!this.canSend) throw new ClientError("state", `A session in state "${this.state}" sends nothing.`);
		if (this.configuration.service === SERVICE.keyAgreementOnly)
			throw new ClientError("state", "This session is for key agreement only: use easKey() and send by other means.");
		if (payload.length > this.largestPayload)
			throw new ClientError(
				"too-long",
				`A payload of ${payload.length} octets does not fit: this session takes ${this.largestPayload} at the most.`,
			);
		if (!context.user.canSend)
			throw new ClientError("count", "No COUNT is left under these keys: start a new session.");
		if (context.user.next >= this.reserved.user) this.reserve();
		this.options.kernel.message.set(payload, context.user.headerOctets);
		this.outbox.transmit(context.user.seal(payload.length));
	}

	/** Asks the HSE to end the session. @throws ClientError `state` */
	stop(now: number): void {
		this.feed("stop", now);
	}

	/** Asks the HSE to go on with the COUNTs of both ends: after a loss of state, or to mend one. @throws ClientError `state` */
	resume(now: number): void {
		this.feed("resume", now);
	}

	/**
	 * Asks the HSE for new keys.
	 * @param method of tag 19: {@link REFRESH_METHOD}
	 * @throws ClientError `state`
	 */
	refresh(now: number, method: number): void {
		this.method = method;
		this.feed("refresh", now);
	}

	/** A resume came to nothing: the HSE does not know the session, or does not answer. */
	failResume(now: number): void {
		this.feed(this.isStale ? "resume failed, stale" : "resume failed", now);
	}

	/**
	 * Whether a message that wakes the radio is to take security work along: new keys because of the COUNT, or a new session
	 * because of the lifetime. Not while something is under way.
	 */
	hasWork(now: number): boolean {
		if (this.state !== "live" || this.challenge !== undefined) return false;
		return now >= this.renewFrom || (now >= this.rekeyFrom && this.needsNewKeys);
	}

	/** Does what {@link hasWork} tells of. @returns whether a new session is to be agreed */
	work(now: number): boolean {
		if (now >= this.renewFrom) {
			this.renewFrom = now + this.renewBefore / 4;
			return true;
		}
		this.rekeyFrom = now + REKEY_GAP;
		this.refresh(now, REFRESH_METHOD.anyMethod);
		return false;
	}

	/** @returns whether a new session is to be agreed: a resume was given up, or the lifetime ends */
	handleTimeout(now: number): boolean {
		if (this.old !== undefined && now >= this.old.until) this.forgetOld();
		if (now >= this.renewAt) {
			// Where no session comes about there is time for some more attempts.
			this.renewAt = now + this.renewBefore / 4;
			this.renewFrom = this.renewAt;
			return true;
		}
		if (this.request === undefined || now < this.request.dueAt) return false;
		if (this.request.again(now)) this.feed("timeout", now);
		else if (this.state === "resuming") {
			this.failResume(now);
			return true;
		} else this.feed("exhausted", now);
		return false;
	}

	/** Handles the datagram in the kernel's message buffer, whose header is that of this session. */
	handleDatagram(now: number, header: Header, length: number): Verdict {
		const context = this.contextOf(header.keyId);
		if (context === undefined) return "session or Key ID unknown";
		if (this.failures?.isBlocked(now, HSE, true)) return "rate limit";
		const verdict = header.userPlane
			? this.handleUser(context, header, length)
			: this.handleControl(now, context, header, length);
		if (verdict === "wrong MAC or COUNT") {
			this.failures ??= new FailureLimit();
			this.failures.failed(now, HSE);
		} else if (verdict === "accept") this.failures?.succeeded(HSE);
		return verdict;
	}

	/** Whether the USIM is at work on a challenge of this session. */
	awaits(challenge: Challenge): boolean {
		return this.challenge === challenge;
	}

	/** What the USIM made of the challenge in a 30. */
	handleAuthentication(now: number, result: AuthenticationResult): Verdict {
		const { challenge } = this;
		this.challenge = undefined;
		if (challenge === undefined || !this.canSend) {
			eraseResult(result);
			return "not expected";
		}
		if (result.status === "MAC failure") return this.reject(CAUSE.akaMacFailure);
		if (result.status === "synchronisation failure") return this.reject(CAUSE.akaSynchronisationFailure, result.auts);
		const { servingNetwork } = this.options;
		const { agreement } = this.configuration;
		const network = servingNetwork.subarray(1);
		const { ck, ik, res } = result;
		const sqnXorAk = challenge.autn.subarray(0, 6);
		const baseKey = baseKeyFromAka(agreement, { ck, ik, sqnXorAk, servingNetwork: network });
		const response = akaResponse(agreement, network, challenge.rand, result);
		this.changeKeys(now, baseKey, response);
		for (const secret of [ck, ik, res]) secret.fill(0);
		return "accept";
	}

	/** Erases all keys. */
	erase(): void {
		this.keys.erase();
		this.forgetOld();
		this.renewAt = Number.POSITIVE_INFINITY;
		this.renewFrom = Number.POSITIVE_INFINITY;
		this.downlink?.view.buffer.fill(0);
		this.state = "over";
	}

	private handleUser(context: SecurityContext, header: Header, length: number): Verdict {
		const { user } = context;
		const { message } = this.options.kernel;
		if (this.configuration.service === SERVICE.keyAgreementOnly) return "service";
		if (this.isStale) return "not expected";
		if (!header.readExtension(message, length, user.headerOctets - HEADER.length)) return "length";
		const count = user.open(header.countBits, length);
		if (count < 0) return count === REPLAY ? "replay" : "wrong MAC or COUNT";
		user.received.accept(count);
		this.accepted(context);
		const octets = length - user.headerOctets - this.configuration.macLength;
		this.downlink ??= this.makeDownlink();
		const { view, event } = this.downlink;
		const payload = view.of(octets);
		for (let i = 0; i < octets; i++) payload[i] = message[user.headerOctets + i];
		event.payload = payload;
		this.outbox.tell(event);
		return "accept";
	}

	private makeDownlink() {
		const payload = new Uint8Array(this.options.offer.largestMessage);
		return { view: new LastView(payload), event: { kind: "downlink" as const, payload } };
	}

	private handleControl(now: number, context: SecurityContext, header: Header, length: number): Verdict {
		context.prepareControl();
		const { control } = context;
		const { message } = this.options.kernel;
		if (this.cached?.answers(message, length)) {
			if (!this.cached.use()) return "cached answer used up";
			this.outbox.transmitAgain(this.cached.answer);
			return "repetition";
		}
		const command = message[HEADER.length];
		if (command === COMMAND.sessionStart) return this.handleResumeAnswer(now, header, length);
		const contents = CONTENTS_BY_COMMAND[command];
		if (contents === undefined || this.isStale) return "not expected";
		// A 30 under the old key other than a repetition is dropped (profile section 6, 4).
		if (command === COMMAND.manageKeysRequest && context !== this.context) return "not expected";
		// Opening deciphers in place; a repetition is compared with the octets as they came.
		const datagram = message.slice(0, length);
		const count = control.open(header.countBits, length);
		if (count < 0) return "wrong MAC or COUNT";
		control.received.accept(count);
		this.accepted(context);
		const fault =
			this.tlvs.scan(message, HEADER.length + 1, length - this.configuration.macLength) ||
			checkContents(this.tlvs, contents);
		if (fault !== 0) return NEVER_REJECTED.includes(command) ? "contents" : this.reject(fault);
		return this.handleCommand(now, command, datagram);
	}

	/** Handles the answer to a resume request. Its contents are looked at before its MAC: any fault is dropped. */
	private handleResumeAnswer(now: number, header: Header, length: number): Verdict {
		const { control, user } = this.context;
		if (this.state !== "resuming") return "not expected";
		const { message } = this.options.kernel;
		const end = length - this.configuration.macLength;
		if (this.tlvs.scan(message, HEADER.length + 1, end) !== 0) return "contents";
		if (checkContents(this.tlvs, CONTENTS.resumeStart) !== 0) return "contents";
		if (!equalInConstantTime(this.tlvs.value(TAG.resumeNonce), this.resumeNonce)) return "contents";
		const counters = readCounters(this.tlvs, header.countBits, control.received.last);
		if (counters === undefined || !control.openWith(counters.message, length)) return "wrong MAC or COUNT";
		control.received.accept(counters.message);
		user.received.raise(counters.toUe - 1);
		user.next = Math.max(user.next, counters.fromUe);
		this.feed("resumed", now);
		return "accept";
	}

	private handleCommand(now: number, command: number, datagram: Uint8Array): Verdict {
		if (command === COMMAND.manageKeysRequest) return this.handleNewKeys(now, datagram);
		if (command === COMMAND.sessionTerminateResponse) {
			// An answer nobody waits for is accepted and ignored (profile section 6, 10).
			if (this.state === "terminating") this.feed("terminate response", now);
			return "accept";
		}
		const cause = this.tlvs.octets[this.tlvs.offsets[TAG.cause]];
		this.cause = cause;
		if (command === COMMAND.sessionTerminateRequest) {
			this.datagram = datagram;
			this.feed("terminate request", now);
		} else if (CAUSES_THAT_END_A_SESSION.includes(cause)) this.feed("fatal reject", now);
		else if (this.state === "terminating") this.feed("request rejected", now);
		else {
			if (this.state === "refreshing") this.feed("request rejected", now);
			this.outbox.tell({ kind: "rejected", cause });
		}
		return "accept";
	}

	/** Handles the HSE's 30: chained keys are made at once, those from AKA when the USIM has answered. */
	private handleNewKeys(now: number, datagram: Uint8Array): Verdict {
		const { tlvs, keys, configuration } = this;
		const at = tlvs.offsets[TAG.keyRefresh];
		const aka = tlvs.octets[at] === REFRESH_METHOD.aka;
		// The new Key ID must be the next in order, and AKA goes with agreements 1 to 4 only (profile section 6, 4).
		if (tlvs.octets[at + 1] !== nextKeyId(configuration.keyId) || (aka && !isAka(configuration.agreement)))
			return this.reject(CAUSE.malformed);
		if (!this.canSend) return "accept";
		this.newKeysRequest = datagram;
		if (!aka) {
			const nonce = tlvs.value(TAG.hseNonce);
			this.changeKeys(now, chainedBaseKey(keys.baseKey, nonce, nextKeyId(configuration.keyId)));
			return "accept";
		}
		const value = tlvs.value(TAG.akaChallenge);
		const challenge = { rand: value.subarray(0, 16), autn: value.subarray(16) };
		if (!hasSeparationBit(configuration.agreement, challenge.autn)) return this.reject(CAUSE.akaMacFailure);
		this.challenge = challenge;
		this.outbox.authenticate(challenge);
		return "accept";
	}

	/** Changes over to new keys and tells the HSE with a 31 under them. The old ones only verify what is on its way. */
	private changeKeys(now: number, baseKey: Uint8Array, response?: Uint8Array): void {
		const { kernel, easId } = this.options;
		const { sessionId } = this.context.parameters;
		this.configuration = { ...this.configuration, keyId: nextKeyId(this.configuration.keyId) };
		const parameters = { ...this.configuration, sessionId };
		this.forgetOld();
		this.old = { keys: this.keys, until: now + LIMITS.oldKeys };
		// K_base is not needed to verify.
		this.keys.baseKey.fill(0);
		this.keys = new SessionKeys(kernel, parameters, baseKey, easId, DIRECTION.fromUe);
		this.reserved.control = 0;
		this.reserved.user = 0;
		const octets = this.transmitControl(COMMAND.manageKeysResponse, TAG.akaResponse, response);
		this.cached = new CachedAnswer(this.newKeysRequest, kernel.message.subarray(0, octets));
		// A resume under way has become idle: the HSE is there, and all COUNTs begin anew.
		if (this.state === "refreshing" || this.state === "resuming") this.feed("refreshed", now);
		this.outbox.tell({ kind: "new keys", keyId: this.configuration.keyId });
	}

	/** The first message under the new key ends the use of the old ones. */
	private accepted(context: SecurityContext): void {
		if (context === this.context && this.old !== undefined) this.forgetOld();
	}

	private forgetOld(): void {
		this.old?.keys.erase();
		this.old = undefined;
	}

	/** Answers the message being handled with a protected 80. */
	private reject(cause: number, auts?: Uint8Array): Verdict {
		const { message } = this.options.kernel;
		message[HEADER.length] = COMMAND.messageReject;
		let end = HEADER.length + 1;
		if (auts !== undefined) end = writeTlv(message, end, TAG.auts, auts);
		end = writeTlv(message, end, TAG.cause, Uint8Array.of(cause));
		this.sealControl(end - HEADER.length);
		return "reject";
	}

	/** Sends a command, with one TLV or none, under the keys of this session. @returns octets of the datagram */
	transmitControl(command: number, tag?: number, value?: Uint8Array): number {
		const { message } = this.options.kernel;
		message[HEADER.length] = command;
		let end = HEADER.length + 1;
		if (tag !== undefined && value !== undefined) end = writeTlv(message, end, tag, value);
		return this.sealControl(end - HEADER.length);
	}

	private sealControl(length: number): number {
		this.context.prepareControl();
		const { control } = this.context;
		if (control.next >= this.reserved.control) this.reserve();
		const octets = control.seal(length);
		this.outbox.transmit(octets);
		return octets;
	}

	/** Reserves the blocks of COUNTs from which the next messages take theirs (profile section 7). */
	private reserve(): void {
		const { control, user } = this.context;
		const { reserved, configuration } = this;
		if (control.next >= reserved.control) reserved.control = control.next + BLOCK;
		if (user.next >= reserved.user) reserved.user = user.next + BLOCK;
		const { sessionId } = this.context.parameters;
		const { baseKey } = this.keys;
		this.outbox.store(
			packSession({ sessionId, configuration, controlNext: reserved.control, userNext: reserved.user, baseKey }),
		);
	}

	private feed(input: SessionInput, now: number): void {
		const [action, next] = row(SESSION, this.state, input);
		this.state = next;
		this[action](now);
	}

	private sendTerminateRequest(now: number): void {
		const { kernel, random, retransmission } = this.options;
		const cause = Uint8Array.of(CAUSE.normalRelease);
		this.renewAt = Number.POSITIVE_INFINITY;
		this.renewFrom = Number.POSITIVE_INFINITY;
		const octets = this.transmitControl(COMMAND.sessionTerminateRequest, TAG.cause, cause);
		const datagram = kernel.message.subarray(0, octets);
		this.request = new Retransmission(datagram, retransmission, randomFraction(random), now);
	}

	private repeatRequest(): void {
		if (this.request !== undefined) this.outbox.transmitAgain(this.request.datagram);
	}

	private sendRefresh(now: number): void {
		const { kernel, random, retransmission } = this.options;
		const octets = this.transmitControl(COMMAND.manageKeysRequest, TAG.keyRefresh, Uint8Array.of(this.method, 0));
		const datagram = kernel.message.subarray(0, octets);
		this.request = new Retransmission(datagram, retransmission, randomFraction(random), now);
	}

	private giveUpRefresh(): void {
		this.endRequest();
		this.outbox.tell({ kind: "rejected", cause: undefined });
	}

	private sendResume(now: number): void {
		const { kernel, random, retransmission } = this.options;
		const { control, user } = this.context;
		this.resumeNonce = new Uint8Array(RESUME_NONCE_OCTETS);
		random.fill(this.resumeNonce);
		const toUe = this.isStale ? 0 : user.received.last + 1;
		const counters = encodeCounters({ fromUe: user.next, toUe, message: control.next });
		const { message } = kernel;
		message[HEADER.length] = COMMAND.sessionRequest;
		let end = writeTlv(message, HEADER.length + 1, TAG.resumeNonce, this.resumeNonce);
		end = writeTlv(message, end, TAG.counters, counters);
		const octets = this.sealControl(end - HEADER.length);
		this.request = new Retransmission(message.subarray(0, octets), retransmission, randomFraction(random), now);
	}

	private finishResume(): void {
		this.request = undefined;
		this.wasResumed = true;
		this.outbox.tell({ kind: "session resumed" });
	}

	private endRequest(): void {
		this.request = undefined;
	}

	/** A session that cannot send is ended without a word: its keys are erased. */
	private endStale(): void {
		this.end(CAUSE.normalRelease, "UE");
	}

	private answerTerminate(): void {
		const octets = this.transmitControl(COMMAND.sessionTerminateResponse);
		const answer = new CachedAnswer(this.datagram, this.options.kernel.message.subarray(0, octets));
		this.end(this.cause, "HSE");
		// The 21 is all that is kept of a session that is over (profile section 2.1).
		this.cached = answer;
	}

	private endByAnswer(): void {
		this.end(CAUSE.normalRelease, "UE");
	}

	private endByReject(): void {
		this.end(this.cause, "HSE");
	}

	private endUnanswered(): void {
		this.end(CAUSE.normalRelease, "UE");
	}

	private end(cause: number, by: "UE" | "HSE"): void {
		this.request = undefined;
		this.cached = undefined;
		this.erase();
		// Not the constant: whoever takes a record erases it, and the constant may be in flash.
		this.outbox.store(new Uint8Array(0));
		this.outbox.tell({ kind: "session over", cause, by });
	}
}
