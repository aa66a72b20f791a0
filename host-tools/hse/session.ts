import { CachedAnswer } from "../../firmware/emsdp/cached-answer.js";
import type { HseConfiguration } from "../../firmware/emsdp/configuration.js";
import { checkContents, isAka, REFRESH_METHOD } from "../../firmware/emsdp/contents.js";
import { REPLAY } from "../../firmware/emsdp/count.js";
import { encodeCounters, readCounters } from "../../firmware/emsdp/counters.js";
import { FailureLimit } from "../../firmware/emsdp/failure-limit.js";
import type { Header } from "../../firmware/emsdp/header.js";
import { equalInConstantTime } from "../../firmware/emsdp/octets.js";
import {
	CAUSE,
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
} from "../../firmware/emsdp/profile.js";
import { Retransmission, type RetransmissionPolicy } from "../../firmware/emsdp/retransmission.js";
import type { SecurityContext } from "../../firmware/emsdp/security-context.js";
import { TlvScan, writeTlv } from "../../firmware/emsdp/tlv.js";
import type { Verdict } from "../../firmware/emsdp/verdict.js";
import type { Kernel } from "../../firmware/kernels/kernel.js";
import type { AuthenticationVector } from "../../firmware/keys/aka.js";
import { chainedBaseKey, concatenate } from "../../firmware/keys/hierarchy.js";
import { nextKeyId, SessionKeys } from "../../firmware/keys/session-keys.js";
import { HseError } from "./errors.js";
import type { VectorRequest } from "./events.js";
import type { Outbox } from "./outbox.js";
import { SESSION, type SessionInput, type SessionState } from "./states.js";
import { useVector } from "./vector.js";

/** Contents of the protected commands that an HSE receives. */
const CONTENTS_BY_COMMAND: Readonly<Record<number, ContentsRow>> = {
	[COMMAND.sessionStartConfirmation]: CONTENTS.confirmation,
	[COMMAND.sessionTerminateRequest]: CONTENTS.terminateRequest,
	[COMMAND.sessionTerminateResponse]: CONTENTS.terminateResponse,
	[COMMAND.manageKeysRequest]: CONTENTS.manageKeysFromUe,
	[COMMAND.manageKeysResponse]: CONTENTS.manageKeysResponse,
	[COMMAND.messageReject]: CONTENTS.reject,
};

/** Commands that are never answered by an 80 (profile section 4). */
const NEVER_REJECTED: readonly number[] = [COMMAND.sessionTerminateResponse, COMMAND.messageReject];

/** What the sessions of one HSE share. */
export interface SessionSurroundings {
	readonly kernel: Kernel;
	readonly outbox: Outbox;
	readonly retransmission: RetransmissionPolicy;
	/** Random, 0 to 1, for the spread of retransmissions. */
	fraction(): number;
	/** Called when a session has been confirmed. */
	confirmed(session: HseSession): void;
	/** Called when the UE asks for new keys. @param method of tag 19 */
	refresh(session: HseSession, method: number): void;
	/** Called when the UE answers the challenge of a 30 with AUTS. */
	resynchronise(session: HseSession, resynchronisation: { readonly rand: Uint8Array; readonly auts: Uint8Array }): void;
}

/** Who and what a session is for. */
export interface SessionIdentity {
	/** Digits. */
	readonly imsi: string;
	/** Value of tag 04. */
	readonly easId: Uint8Array;
	readonly configuration: HseConfiguration;
	/** Value of tag 05 behind its form octet, empty where there was none. */
	readonly network: Uint8Array;
	/** Whom the authentication centre is asked for. */
	readonly asked: VectorRequest["identity"];
}

/** New keys on offer to the UE. */
interface NewKeys {
	readonly keys: SessionKeys;
	/** XRES, or XRES*; undefined for chained keys. */
	readonly expectedResponse: Uint8Array | undefined;
	/** Value of tag 11 or 15 in the 30 that offers them, and that of tag 19. */
	readonly tag: number;
	readonly value: Uint8Array;
	readonly keyRefresh: Uint8Array;
	/** The 30 itself. */
	datagram: Uint8Array;
}

const NO_OCTETS = new Uint8Array(0);

/** A session at the HSE. */
export class HseSession {
	state: SessionState;
	readonly identity: SessionIdentity;
	/** What protects messages that are sent. */
	private keys: SessionKeys;
	/** New keys whose 30 is open: they protect nothing before the UE has used them. */
	private next: NewKeys | undefined;
	/** The keys before, which only verify what was on its way, until a time. */
	private old: { readonly keys: SessionKeys; readonly until: number } | undefined;
	/** Source of the newest valid message: where answers and downlinks go. */
	address: string;
	/** The last CP request accepted and its answer. */
	cached: CachedAnswer | undefined;
	/** The 11 or the 20 of the HSE on its way. */
	request: Retransmission | undefined;
	private readonly surroundings: SessionSurroundings;
	private expectedResponse: Uint8Array | undefined;
	/** XRES of keys that are in use and whose 31 has not come. */
	private responseToOffer: Uint8Array | undefined;
	/** RAND of the challenge in the open 30, and the UE's 30 that it answers. */
	private rand: Uint8Array | undefined;
	private asked: Uint8Array = NO_OCTETS;
	/** When the lifetime of tag 10 is over: counted from the confirmation. */
	private expiresAt = Number.POSITIVE_INFINITY;
	/** Made at the first wrong MAC. */
	private failures: FailureLimit | undefined;
	private readonly tlvs = new TlvScan();
	private readonly largestPayload: number;
	/** The source and the octets of the message being handled, and its cause. */
	private source = "";
	private datagram: Uint8Array = NO_OCTETS;
	private cause: number = CAUSE.normalRelease;

	/**
	 * Takes the keys over: they are erased when the session ends.
	 * @param expectedResponse XRES, or XRES*; undefined where no 12 with a response is waited for
	 * @param largestMessage the largest message the UE takes, in octets
	 */
	constructor(
		surroundings: SessionSurroundings,
		identity: SessionIdentity,
		keys: SessionKeys,
		expectedResponse: Uint8Array | undefined,
		address: string,
		largestMessage: number,
		state: SessionState = "unconfirmed",
	) {
		this.surroundings = surroundings;
		this.identity = identity;
		const { context } = keys;
		this.keys = keys;
		this.expectedResponse = expectedResponse;
		this.address = address;
		this.state = state;
		const overhead = context.user.headerOctets + identity.configuration.macLength;
		this.largestPayload = Math.max(0, Math.min(largestMessage, LONGEST_MESSAGE) - overhead);
	}

	get context(): SecurityContext {
		return this.keys.context;
	}

	/** The context that a Key ID names: the one in use, the new one, or the old one. */
	contextOf(keyId: number): SecurityContext | undefined {
		if (keyId === this.context.parameters.keyId) return this.context;
		const next = this.next?.keys.context;
		if (keyId === next?.parameters.keyId) return next;
		const old = this.old?.keys.context;
		return keyId === old?.parameters.keyId ? old : undefined;
	}

	get sessionId(): number {
		return this.context.parameters.sessionId;
	}

	/** Whether a UP message can be sent: the HSE sends none before the session is confirmed (profile section 6, 1). */
	get isLive(): boolean {
		return this.state === "live" || this.state === "refreshing";
	}

	/** Whether a COUNT to send is so high that the HSE offers new keys by itself (profile section 2.1). */
	get needsNewKeys(): boolean {
		const { control, user } = this.context;
		return this.canRefresh && (user.next >= COUNT.rekeyAt || control.next >= COUNT.rekeyAt);
	}

	/** Whether a change of keys can begin now. */
	get canRefresh(): boolean {
		return this.state === "live";
	}

	/** K_EAS_PSK, a copy of 32 octets. */
	easKey(): Uint8Array {
		return this.keys.kEasPsk.slice();
	}

	/** Protects a payload and sends it to the UE. @throws HseError `state`, `too-long`, `count` */
	send(payload: Uint8Array): void {
		const { kernel, outbox } = this.surroundings;
		if (!this.isLive)
			throw new HseError("state", `The session is in state "${this.state}": only a live one takes a downlink.`);
		if (this.identity.configuration.service === SERVICE.keyAgreementOnly)
			throw new HseError("state", "The session is for key agreement only: it has no user plane.");
		if (payload.length > this.largestPayload)
			throw new HseError(
				"too-long",
				`A payload of ${payload.length} octets does not fit: the UE takes ${this.largestPayload} at the most.`,
			);
		if (!this.context.user.canSend) throw new HseError("count", "No COUNT is left under these keys.");
		kernel.message.set(payload, this.context.user.headerOctets);
		outbox.transmit(this.address, this.context.user.seal(payload.length));
	}

	/** Ends the session with a 20. @param cause of tag 18 */
	terminate(now: number, cause: number): void {
		this.cause = cause;
		this.feed("terminate", now);
	}

	/** Offers chained keys to the UE. @param nonce HSE nonce, 8 octets @throws HseError `state` */
	offerChainedKeys(now: number, nonce: Uint8Array): void {
		const baseKey = chainedBaseKey(this.keys.baseKey, nonce, nextKeyId(this.context.parameters.keyId));
		this.offerKeys(now, REFRESH_METHOD.chained, baseKey, undefined, TAG.hseNonce, nonce);
	}

	/** Offers keys from AKA to the UE; the vector is erased. @throws HseError `state` */
	offerAkaKeys(now: number, vector: AuthenticationVector): void {
		const { rand, autn } = vector;
		const { baseKey, expectedResponse } = useVector(
			this.identity.configuration.agreement,
			this.identity.network,
			vector,
		);
		this.rand = rand;
		this.offerKeys(now, REFRESH_METHOD.aka, baseKey, expectedResponse, TAG.akaChallenge, concatenate(rand, autn));
	}

	private offerKeys(
		now: number,
		method: number,
		baseKey: Uint8Array,
		expectedResponse: Uint8Array | undefined,
		tag: number,
		value: Uint8Array,
	): void {
		const keyId = nextKeyId(this.context.parameters.keyId);
		const parameters = { ...this.context.parameters, keyId };
		this.dropNext();
		const { kernel } = this.surroundings;
		const keys = new SessionKeys(kernel, parameters, baseKey, this.identity.easId, DIRECTION.toUe);
		const keyRefresh = Uint8Array.of(method, keyId);
		this.next = { keys, expectedResponse, tag, value, keyRefresh, datagram: NO_OCTETS };
		this.feed("refresh", now);
		if (this.asked.length > 0) this.cached = new CachedAnswer(this.asked, this.next.datagram);
		this.asked = NO_OCTETS;
	}

	/** An unprotected 80 with cause 0C ends an attempt. */
	rejectAttempt(now: number, cause: number): void {
		this.cause = cause;
		this.feed("attempt rejected", now);
	}

	handleTimeout(now: number): void {
		if (now >= this.expiresAt && this.isLive) this.terminate(now, CAUSE.keyLifetimeOver);
		if (this.old !== undefined && now >= this.old.until) this.forgetOld();
		if (this.request === undefined || now < this.request.dueAt) return;
		this.feed(this.request.again(now) ? "timeout" : "exhausted", now);
	}

	/** Handles the datagram in the kernel's message buffer, whose header is that of this session. */
	handleDatagram(now: number, source: string, header: Header, length: number): Verdict {
		this.source = source;
		const context = this.contextOf(header.keyId);
		if (context === undefined) return "session or Key ID unknown";
		if (this.failures?.isBlocked(now, source, source === this.address)) return "rate limit";
		const verdict = header.userPlane
			? this.handleUser(now, context, header, length)
			: this.handleControl(now, context, header, length);
		if (verdict === "wrong MAC or COUNT") {
			this.failures ??= new FailureLimit();
			this.failures.failed(now, source);
		} else if (verdict === "accept") this.failures?.succeeded(source);
		return verdict;
	}

	/** When {@link handleTimeout} has something to do. */
	get dueAt(): number {
		return Math.min(
			this.request?.dueAt ?? Number.POSITIVE_INFINITY,
			this.old?.until ?? Number.POSITIVE_INFINITY,
			this.isLive ? this.expiresAt : Number.POSITIVE_INFINITY,
		);
	}

	/** Erases all keys. */
	erase(): void {
		this.keys.erase();
		this.dropNext();
		this.forgetOld();
		this.expectedResponse?.fill(0);
		this.expectedResponse = undefined;
		this.responseToOffer?.fill(0);
		this.responseToOffer = undefined;
		this.request = undefined;
		this.cached = undefined;
		this.state = "over";
	}

	private handleUser(now: number, context: SecurityContext, header: Header, length: number): Verdict {
		const { user } = context;
		const { kernel, outbox } = this.surroundings;
		const { service, macLength } = this.identity.configuration;
		if (service === SERVICE.keyAgreementOnly) return "service";
		if (!header.readExtension(kernel.message, length, user.headerOctets - HEADER.length)) return "length";
		const count = user.open(header.countBits, length);
		if (count < 0) return count === REPLAY ? "replay" : "wrong MAC or COUNT";
		this.moveTo(count > user.received.last);
		user.received.accept(count);
		this.accepted(now, context);
		const payload = kernel.message.slice(user.headerOctets, length - macLength);
		// A valid UP message confirms the session as well as a 12 does (profile section 6, 1).
		if (this.state === "unconfirmed") this.feed("confirmation", now);
		outbox.tell({ kind: "uplink", imsi: this.identity.imsi, sessionId: this.sessionId, count, payload });
		return "accept";
	}

	private handleControl(now: number, context: SecurityContext, header: Header, length: number): Verdict {
		const { control } = context;
		const { kernel, outbox } = this.surroundings;
		if (this.cached?.answers(kernel.message, length)) {
			if (!this.cached.use()) return "cached answer used up";
			// The cached answer goes to the source of the repetition and moves no address (profile section 2.1).
			outbox.transmitAgain(this.source, this.cached.answer);
			return "repetition";
		}
		const command = kernel.message[HEADER.length];
		if (command === COMMAND.sessionRequest) return this.handleResume(now, context, header, length);
		const contents = CONTENTS_BY_COMMAND[command];
		if (contents === undefined) return "not expected";
		// Opening deciphers in place; a repetition is compared with the octets as they came.
		this.datagram = kernel.message.slice(0, length);
		const count = control.open(header.countBits, length);
		if (count < 0) return "wrong MAC or COUNT";
		control.received.accept(count);
		this.moveTo(true);
		this.accepted(now, context);
		const { macLength, agreement } = this.identity.configuration;
		// Whether a response belongs in a 12 or a 31 hangs on how the keys are agreed.
		const aka = command === COMMAND.manageKeysResponse ? this.responseToOffer !== undefined : isAka(agreement);
		const fault =
			this.tlvs.scan(kernel.message, HEADER.length + 1, length - macLength) || checkContents(this.tlvs, contents, aka);
		if (fault !== 0) return NEVER_REJECTED.includes(command) ? "contents" : this.reject(fault);
		return this.handleCommand(now, command);
	}

	/** Handles a request for resume. Its contents are looked at before its MAC: any fault is dropped (profile section 6, 2). */
	private handleResume(now: number, context: SecurityContext, header: Header, length: number): Verdict {
		const { control, user } = context;
		const { kernel, outbox } = this.surroundings;
		const datagram = kernel.message.slice(0, length);
		const end = length - this.identity.configuration.macLength;
		if (this.tlvs.scan(datagram, HEADER.length + 1, end) !== 0) return "contents";
		if (checkContents(this.tlvs, CONTENTS.resumeRequest) !== 0) return "contents";
		const counters = readCounters(this.tlvs, header.countBits, control.received.last);
		if (counters === undefined || !control.openWith(counters.message, length)) return "wrong MAC or COUNT";
		const nonce = this.tlvs.value(TAG.resumeNonce);
		control.received.accept(counters.message);
		this.accepted(now, context);
		user.received.raise(counters.fromUe - 1);
		user.next = Math.max(user.next, counters.toUe);
		this.moveTo(true);
		if (this.state === "unconfirmed") this.feed("confirmation", now);
		const answer = encodeCounters({ fromUe: user.received.last + 1, toUe: user.next, message: control.next });
		kernel.message[HEADER.length] = COMMAND.sessionStart;
		let at = writeTlv(kernel.message, HEADER.length + 1, TAG.resumeNonce, nonce);
		at = writeTlv(kernel.message, at, TAG.counters, answer);
		this.cached = new CachedAnswer(datagram, outbox.transmit(this.address, control.seal(at - HEADER.length)));
		outbox.tell({ kind: "session resumed", imsi: this.identity.imsi, sessionId: this.sessionId });
		this.renewRequest(now);
		return "accept";
	}

	/** The COUNT of a 20 or 30 on its way is below that of the answer to a resume now: the same request goes out with a new one. */
	private renewRequest(now: number): void {
		if (this.state === "terminating") this.sendTerminateRequest(now);
		else if (this.state === "refreshing") this.sendOffer(now);
	}

	private handleCommand(now: number, command: number): Verdict {
		const { tlvs } = this;
		if (command === COMMAND.sessionStartConfirmation) return this.handleConfirmation(now);
		if (command === COMMAND.manageKeysRequest) return this.handleRefreshRequest();
		if (command === COMMAND.manageKeysResponse) return this.handleNewKeysResponse(now);
		if (command === COMMAND.sessionTerminateResponse) {
			if (this.state === "terminating") this.feed("terminate response", now);
			return "accept";
		}
		const cause = tlvs.octets[tlvs.offsets[TAG.cause]];
		if (command === COMMAND.sessionTerminateRequest) {
			this.cause = cause;
			this.feed("terminate request", now);
		} else if (this.state === "terminating") this.feed("request rejected", now);
		else {
			// A UE that rejects its 30 makes the HSE erase the new keys; with AUTS the centre is asked again.
			if (this.state === "refreshing") this.feed("request rejected", now);
			if (cause === CAUSE.akaSynchronisationFailure && this.rand !== undefined)
				this.surroundings.resynchronise(this, { rand: this.rand, auts: tlvs.value(TAG.auts) });
			else this.surroundings.outbox.tell({ kind: "rejected", sessionId: this.sessionId, cause });
			this.rand = undefined;
		}
		return "accept";
	}

	/** The UE asks for new keys. While the HSE's 30 is open it is answered with that one (profile section 6, 4). */
	private handleRefreshRequest(): Verdict {
		const { next, tlvs, identity, surroundings } = this;
		const method = tlvs.octets[tlvs.offsets[TAG.keyRefresh]];
		if (method === REFRESH_METHOD.aka && !isAka(identity.configuration.agreement))
			return this.reject(CAUSE.serviceNotSupported);
		if (next !== undefined) {
			surroundings.outbox.transmitAgain(this.source, next.datagram);
			this.cached = new CachedAnswer(this.datagram, next.datagram);
		} else if (this.canRefresh) {
			this.asked = this.datagram;
			surroundings.refresh(this, method);
		}
		return "accept";
	}

	/** A 31: RES is compared even where a UP message under the new key has come before. */
	private handleNewKeysResponse(now: number): Verdict {
		const expected = this.responseToOffer;
		// An answer nobody waits for is accepted and ignored (profile section 6, 10).
		if (expected === undefined) return "accept";
		if (!equalInConstantTime(this.tlvs.value(TAG.akaResponse), expected)) {
			this.feed("wrong RES", now);
			return "reject";
		}
		expected.fill(0);
		this.responseToOffer = undefined;
		return "accept";
	}

	/** The first message under new keys brings them into use, and ends the use of the old ones for all but what is on its way. */
	private accepted(now: number, context: SecurityContext): void {
		const { next } = this;
		if (next === undefined || context !== next.keys.context) return;
		this.forgetOld();
		// K_base is not needed to verify.
		this.keys.baseKey.fill(0);
		this.old = { keys: this.keys, until: now + LIMITS.oldKeys };
		this.keys = next.keys;
		this.responseToOffer = next.expectedResponse;
		this.next = undefined;
		this.rand = undefined;
		if (this.state === "refreshing") this.feed("refreshed", now);
		const { keyId } = this.context.parameters;
		this.surroundings.outbox.tell({ kind: "new keys", imsi: this.identity.imsi, sessionId: this.sessionId, keyId });
	}

	private dropNext(): void {
		this.next?.keys.erase();
		this.next?.expectedResponse?.fill(0);
		this.next = undefined;
	}

	private forgetOld(): void {
		this.old?.keys.erase();
		this.old = undefined;
	}

	private handleConfirmation(now: number): Verdict {
		const { expectedResponse } = this;
		// RES is compared even where UP has confirmed the session before (profile section 6, 1).
		if (expectedResponse !== undefined) {
			if (!equalInConstantTime(this.tlvs.value(TAG.akaResponse), expectedResponse)) {
				this.feed("wrong RES", now);
				return "reject";
			}
			expectedResponse.fill(0);
			this.expectedResponse = undefined;
		}
		if (this.state === "unconfirmed") this.feed("confirmation", now);
		return "accept";
	}

	private moveTo(isNewest: boolean): void {
		if (isNewest) this.address = this.source;
	}

	/** Sends a command, with one TLV or none. @returns the datagram */
	private transmitControl(command: number, tag?: number, value?: Uint8Array): Uint8Array {
		const { kernel, outbox } = this.surroundings;
		kernel.message[HEADER.length] = command;
		let end = HEADER.length + 1;
		if (tag !== undefined && value !== undefined) end = writeTlv(kernel.message, end, tag, value);
		return outbox.transmit(this.address, this.context.control.seal(end - HEADER.length));
	}

	/** Sends a protected 80: the answer to the message being handled, or to one before. */
	reject(cause: number): Verdict {
		this.transmitControl(COMMAND.messageReject, TAG.cause, Uint8Array.of(cause));
		return "reject";
	}

	private feed(input: SessionInput, now: number): void {
		const row = SESSION[this.state][input];
		if (row === undefined) throw new HseError("state", `A session in state "${this.state}" cannot take "${input}".`);
		this.state = row[1];
		this[row[0]](now);
	}

	private confirm(now: number): void {
		this.request = undefined;
		const { lifetime } = this.identity.configuration;
		if (lifetime > 0) this.expiresAt = now + 1000 * lifetime;
		const { outbox } = this.surroundings;
		outbox.tell({ kind: "session confirmed", imsi: this.identity.imsi, sessionId: this.sessionId });
		this.surroundings.confirmed(this);
	}

	private endByWrongRes(): void {
		this.reject(CAUSE.wrongRes);
		this.end(CAUSE.wrongRes, "HSE");
	}

	private endAttempt(): void {
		this.surroundings.outbox.tell({ kind: "attempt over", sessionId: this.sessionId, cause: this.cause });
		this.erase();
	}

	private sendTerminateRequest(now: number): void {
		const { retransmission, fraction } = this.surroundings;
		const datagram = this.transmitControl(COMMAND.sessionTerminateRequest, TAG.cause, Uint8Array.of(this.cause));
		this.request = new Retransmission(datagram, retransmission, fraction(), now);
	}

	private repeat(): void {
		if (this.request !== undefined) this.surroundings.outbox.transmitAgain(this.address, this.request.datagram);
	}

	/** Sends the 30 that offers the new keys. */
	private sendOffer(now: number): void {
		const { next } = this;
		if (next === undefined) return;
		const { kernel, outbox, retransmission, fraction } = this.surroundings;
		const { message } = kernel;
		message[HEADER.length] = COMMAND.manageKeysRequest;
		let end = writeTlv(message, HEADER.length + 1, next.tag, next.value);
		end = writeTlv(message, end, TAG.keyRefresh, next.keyRefresh);
		next.datagram = outbox.transmit(this.address, this.context.control.seal(end - HEADER.length));
		this.request = new Retransmission(next.datagram, retransmission, fraction(), now);
	}

	/** No new keys: the UE has refused them, or has not answered. */
	private endRefresh(): void {
		this.request = undefined;
		this.dropNext();
	}

	/** The UE uses the new keys. */
	private finishRefresh(): void {
		this.request = undefined;
	}

	/** The 11 goes out no more; the session waits on for a UP message until its time is over. */
	private stopRepeating(): void {
		this.request = undefined;
	}

	private answerTerminate(): void {
		const answer = this.transmitControl(COMMAND.sessionTerminateResponse);
		this.end(this.cause, "UE");
		// The 21 is all that is kept of a session that is over (profile section 2.1).
		this.cached = new CachedAnswer(this.datagram, answer);
	}

	private endByAnswer(): void {
		this.end(this.cause, "HSE");
	}

	private forget(): void {
		this.erase();
	}

	private end(cause: number, by: "UE" | "HSE"): void {
		this.erase();
		this.surroundings.outbox.tell({
			kind: "session over",
			imsi: this.identity.imsi,
			sessionId: this.sessionId,
			cause,
			by,
		});
	}
}
