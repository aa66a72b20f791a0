import type { HseConfiguration } from "../../firmware/emsdp/configuration.js";
import { checkContents, isAka, REFRESH_METHOD } from "../../firmware/emsdp/contents.js";
import { REPLAY } from "../../firmware/emsdp/count.js";
import { encodeCounters, readCounters } from "../../firmware/emsdp/counters.js";
import type { Header } from "../../firmware/emsdp/header.js";
import { decodeImsi, encodeImsi } from "../../firmware/emsdp/imsi.js";
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
	MODE,
	SERVICE,
	TAG,
} from "../../firmware/emsdp/profile.js";
import { Retransmission, type RetransmissionPolicy } from "../../firmware/emsdp/retransmission.js";
import type { SecurityContext } from "../../firmware/emsdp/security-context.js";
import { type TlvScan, writeTlv } from "../../firmware/emsdp/tlv.js";
import type { Verdict } from "../../firmware/emsdp/verdict.js";
import type { Kernel } from "../../firmware/kernels/kernel.js";
import type { AuthenticationVector } from "../../firmware/keys/aka.js";
import { chainedBaseKey, concatenate } from "../../firmware/keys/hierarchy.js";
import { nextKeyId } from "../../firmware/keys/session-keys.js";
import { HseError } from "./errors.js";
import { easKey, expand, HseKeys } from "./hse-keys.js";
import type { KeptAnswers } from "./kept-answers.js";
import type { Outbox } from "./outbox.js";
import type { Parts } from "./parts.js";
import { needsEasKey } from "./policy.js";
import { type SessionRecord, WORD } from "./session-record.js";
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
	/** Filled again for each message. */
	readonly tlvs: TlvScan;
	readonly retransmission: RetransmissionPolicy;
	/** Random, 0 to 1, for the spread of retransmissions. */
	fraction(): number;
	readonly answers: KeptAnswers;
	/** Called when a session has been confirmed. */
	confirmed(session: HseSession): void;
	/** Called when the UE asks for new keys. @param method of tag 19 */
	refresh(session: HseSession, method: number): void;
	/** Called when the UE answers the challenge of a 30 with AUTS. */
	resynchronise(session: HseSession, resynchronisation: { readonly rand: Uint8Array; readonly auts: Uint8Array }): void;
	/** Called when a session that is not confirmed goes on in this process. */
	restored(session: HseSession, attempt: StoredAttempt): void;
}

/** What an attempt of a UE is, beside its unconfirmed session. */
export interface StoredAttempt {
	/** The UE's 10. */
	readonly request: Uint8Array;
	/** The 11 that answers it. */
	readonly answer: Uint8Array;
	/** RAND of the challenge, none for agreements 5 to 7. */
	readonly rand: Uint8Array | undefined;
	readonly until: number;
	readonly resynchronised: boolean;
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
	/** The largest message the UE takes, in octets. */
	readonly largestMessage: number;
}

/** What an EAS has to know of a session beside K_EAS_PSK. */
export interface EasSession {
	/** Digits. */
	readonly imsi: string;
	/** Value of tag 04. */
	readonly easId: Uint8Array;
	readonly sessionId: number;
	/** Of tag 10, with the Key ID in use. */
	readonly configuration: HseConfiguration;
	/** The largest message the UE takes, in octets. */
	readonly largestMessage: number;
	/** Highest UP COUNT received from the UE plus one. */
	readonly uplinkCount: number;
	/** Next UP COUNT to the UE. */
	readonly downlinkCount: number;
	/** Seconds until the session is ended, 0: no end is known. */
	readonly expiresIn: number;
}

/** New keys on offer to the UE. */
interface NewKeys {
	readonly keys: HseKeys;
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

/** What is going on in a session, as it is stored beside its record. */
const PART = {
	state: 1,
	request: 2,
	newBaseKey: 3,
	newResponse: 4,
	offer: 5,
	rand: 6,
	responseToOffer: 7,
	offered: 8,
	sessionRequest: 9,
	sessionStart: 10,
	waitsUntil: 11,
	resynchronised: 12,
} as const;
/** The part that a session which is not confirmed has. */
export const SESSION_REQUEST_PART = PART.sessionRequest;
const STATES: readonly SessionState[] = ["live", "refreshing", "terminating", "unconfirmed"];

/** A session at the HSE while something is going on: before and after that it is a record of the session table. */
export class HseSession {
	state: SessionState;
	readonly identity: SessionIdentity;
	/** What protects messages that are sent. */
	private keys: HseKeys;
	/** New keys whose 30 is open: they protect nothing before the UE has used them. */
	private next: NewKeys | undefined;
	/** The keys before, which only verify what was on its way, until a time. */
	private old: { readonly keys: HseKeys; readonly until: number } | undefined;
	/** Source of the newest valid message: where answers and downlinks go. */
	address: string;
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
	private readonly largestPayload: number;
	/** Of an unconfirmed session, where it may go on in another process. */
	attempt: StoredAttempt | undefined;
	/** When the HSE has been told to look after the session. */
	watchedAt = Number.POSITIVE_INFINITY;
	/** The source and the octets of the message being handled, and its cause. */
	private source = "";
	private datagram: Uint8Array = NO_OCTETS;
	private cause: number = CAUSE.normalRelease;

	/**
	 * Takes the keys over: they are erased when the session ends.
	 * @param expectedResponse XRES, or XRES*; undefined where no 12 with a response is waited for
	 */
	constructor(
		surroundings: SessionSurroundings,
		identity: SessionIdentity,
		keys: HseKeys,
		expectedResponse: Uint8Array | undefined,
		address: string,
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
		this.largestPayload = Math.max(0, Math.min(identity.largestMessage, LONGEST_MESSAGE) - overhead);
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
		return easKey(this.keys.baseKey, this.context.parameters, this.identity.easId);
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
		if (this.identity.configuration.mode === MODE.ueToEas)
			throw new HseError("state", "The session is in UE-to-EAS mode: its EAS protects what goes to the UE.");
		if (!this.context.user.canSend) throw new HseError("count", "No COUNT is left under these keys.");
		kernel.message.set(payload, this.context.user.headerOctets);
		outbox.transmit(this.address, this.context.user.seal(payload.length));
	}

	/**
	 * Forwards the UP message of the EAS that stands in the kernel's message buffer, as it is, once its MAC and COUNT have
	 * been verified as the UE will (profile section 2.2). No COUNT goes to the UE twice, whatever the EAS has lost.
	 */
	relay(header: Header, length: number): Verdict {
		const { kernel, outbox } = this.surroundings;
		const { mode, service } = this.identity.configuration;
		if (mode !== MODE.ueToEas || service === SERVICE.keyAgreementOnly) return "service";
		if (!this.isLive) return "not expected";
		// What was on its way when the keys changed is still good; new keys are no one's before the UE has used them.
		const keys = [this.keys, this.old?.keys].find((held) => held?.context.parameters.keyId === header.keyId);
		if (keys === undefined) return "session or Key ID unknown";
		const { user, parameters } = keys.context;
		if (length > this.identity.largestMessage) return "length";
		if (!header.readExtension(kernel.message, length, user.headerOctets - HEADER.length)) return "length";
		const asUe = expand(kernel, parameters, keys.trafficKeys, DIRECTION.fromUe);
		asUe.user.received.last = user.next - 1;
		const count = asUe.user.open(header.countBits, length);
		asUe.erase();
		if (count < 0 && count !== REPLAY) return "wrong MAC or COUNT";
		if (count < user.next) return "replay";
		user.next = count + 1;
		outbox.transmit(this.address, length);
		return "accept";
	}

	/** What an EAS has to know of the session. @throws HseError `state` */
	easSession(now: number): EasSession {
		if (!this.isLive)
			throw new HseError("state", `The session is in state "${this.state}": only a live one has an EAS.`);
		const { identity, context } = this;
		return {
			imsi: identity.imsi,
			easId: identity.easId.slice(),
			sessionId: this.sessionId,
			configuration: { ...identity.configuration, keyId: context.parameters.keyId },
			largestMessage: identity.largestMessage,
			uplinkCount: context.user.received.last + 1,
			downlinkCount: context.user.next,
			expiresIn:
				this.expiresAt === Number.POSITIVE_INFINITY ? 0 : Math.max(1, Math.ceil((this.expiresAt - now) / 1000)),
		};
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

	/** There will be no keys for the UE's 30. */
	refuseKeys(): void {
		this.asked = NO_OCTETS;
	}

	private offerKeys(
		now: number,
		method: number,
		baseKey: Uint8Array,
		expectedResponse: Uint8Array | undefined,
		tag: number,
		value: Uint8Array,
	): void {
		const { kernel, answers } = this.surroundings;
		const keyId = nextKeyId(this.context.parameters.keyId);
		const parameters = { ...this.context.parameters, keyId };
		this.dropNext();
		// Not in every state: then nothing is on offer.
		this.row("refresh");
		const keys = HseKeys.derive(kernel, parameters, baseKey, this.identity.easId);
		this.next = { keys, expectedResponse, tag, value, keyRefresh: Uint8Array.of(method, keyId), datagram: NO_OCTETS };
		this.feed("refresh", now);
		if (this.asked.length > 0) answers.keep(now, this.sessionId, this.asked, this.next.datagram);
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
		return header.userPlane
			? this.handleUser(now, context, header, length)
			: this.handleControl(now, context, header, length);
	}

	/** When {@link handleTimeout} has something to do. */
	get dueAt(): number {
		return Math.min(
			this.request?.dueAt ?? Number.POSITIVE_INFINITY,
			this.old?.until ?? Number.POSITIVE_INFINITY,
			this.isLive ? this.expiresAt : Number.POSITIVE_INFINITY,
		);
	}

	/** Whether nothing is going on: then the session is all in a record. */
	get isAtRest(): boolean {
		return (
			this.state === "live" &&
			this.request === undefined &&
			this.next === undefined &&
			this.old === undefined &&
			this.responseToOffer === undefined &&
			this.asked.length === 0
		);
	}

	/** Writes into a record what a session at rest is; what is going on besides is left out. */
	pack(record: SessionRecord): void {
		const { identity, keys, context } = this;
		const { control, user } = context;
		const { release, lifetime, largestMessage } = identity.configuration;
		record.parameters = context.parameters;
		record.release = release;
		record.set(WORD.lifetime, lifetime);
		record.set(WORD.largestMessages, largestMessage | (identity.largestMessage << 16));
		record.expiresAt = this.expiresAt;
		record.set(WORD.userNext, user.next);
		record.set(WORD.controlNext, control.next);
		record.set(WORD.controlReceived, control.received.last + 1);
		record.storeReceived(user.received);
		record.imsi = encodeImsi(identity.imsi) ?? NO_OCTETS;
		record.baseKey = keys.baseKey;
		record.trafficKeys = keys.trafficKeys;
		record.expectedResponse = this.expectedResponse;
		record.easId = identity.easId;
	}

	/** The session of a record. @param context of its keys; taken over */
	static unpack(
		surroundings: SessionSurroundings,
		record: SessionRecord,
		context: SecurityContext,
		network: Uint8Array,
		address: string,
	): HseSession {
		const { expiresAt } = record;
		const { control, user } = context;
		control.next = record.get(WORD.controlNext);
		control.received.last = record.get(WORD.controlReceived) - 1;
		user.next = record.get(WORD.userNext);
		record.loadReceived(user.received);
		const identity = {
			imsi: decodeImsi(record.imsi) ?? "",
			easId: record.easId.slice(),
			configuration: configurationOf(record),
			network: network.slice(),
			largestMessage: record.get(WORD.largestMessages) >>> 16,
		};
		const keys = new HseKeys(record.baseKey.slice(), record.trafficKeys.slice(), context);
		const session = new HseSession(surroundings, identity, keys, record.expectedResponse?.slice(), address, "live");
		session.expiresAt = expiresAt;
		session.watchedAt = expiresAt;
		return session;
	}

	/** What is going on and must outlive the process; empty where nothing is. Parts hold secrets. */
	get progress(): Parts {
		const parts = new Map<number, Uint8Array>();
		const put = (number: number, octets: Uint8Array | undefined) => {
			if (octets !== undefined) parts.set(number, octets);
		};
		const { next } = this;
		if (this.state !== "live") put(PART.state, Uint8Array.of(STATES.indexOf(this.state), this.cause));
		put(PART.request, this.request?.datagram);
		// The new keys and the 30 with its nonce: the UE may use them as soon as it has the 30 (profile section 6, 4).
		put(PART.newBaseKey, next?.keys.baseKey);
		put(PART.newResponse, next?.expectedResponse);
		put(PART.offer, next?.datagram);
		put(PART.offered, next && Uint8Array.of(next.tag, ...next.keyRefresh, ...next.value));
		put(PART.rand, next === undefined ? undefined : this.rand);
		put(PART.responseToOffer, this.responseToOffer);
		const { attempt } = this;
		if (this.state !== "unconfirmed" || attempt === undefined) return parts;
		put(PART.sessionRequest, attempt.request);
		put(PART.sessionStart, attempt.answer);
		put(PART.rand, attempt.rand);
		put(PART.waitsUntil, new Uint8Array(Float64Array.of(attempt.until).buffer));
		if (attempt.resynchronised) put(PART.resynchronised, NO_OCTETS);
		return parts;
	}

	/**
	 * Goes on with what was going on when the session was stored. A request is sent again as if it had just been sent;
	 * keys before the ones in use, which only verify what was on its way, are gone.
	 */
	goOn(now: number, parts: Parts): void {
		const { kernel, retransmission, fraction } = this.surroundings;
		const [, cause = CAUSE.normalRelease] = parts.get(PART.state) ?? [];
		this.state = stateOf(parts);
		this.cause = cause;
		const request = parts.get(PART.request);
		if (request !== undefined) this.request = new Retransmission(request, retransmission, fraction(), now);
		const baseKey = parts.get(PART.newBaseKey);
		const datagram = parts.get(PART.offer);
		const offered = parts.get(PART.offered);
		if (baseKey !== undefined && datagram !== undefined && offered !== undefined) {
			const parameters = { ...this.context.parameters, keyId: nextKeyId(this.context.parameters.keyId) };
			const keys = HseKeys.derive(kernel, parameters, baseKey, this.identity.easId);
			const expectedResponse = parts.get(PART.newResponse);
			const [tag] = offered;
			const [keyRefresh, value] = [offered.subarray(1, 3), offered.subarray(3)];
			this.next = { keys, expectedResponse, tag, value, keyRefresh, datagram };
			this.rand = parts.get(PART.rand);
		}
		this.responseToOffer = parts.get(PART.responseToOffer);
		const [asked, answer, until] = [PART.sessionRequest, PART.sessionStart, PART.waitsUntil].map((part) =>
			parts.get(part),
		);
		if (asked === undefined || answer === undefined || until === undefined) return;
		this.attempt = {
			request: asked,
			answer,
			rand: parts.get(PART.rand),
			until: new Float64Array(until.slice().buffer)[0],
			resynchronised: parts.has(PART.resynchronised),
		};
		this.surroundings.restored(this, this.attempt);
	}

	/** Erases the keys of a session whose record goes on without it. @returns the context, which goes on too */
	release(): SecurityContext {
		this.keys.eraseOctets();
		this.expectedResponse?.fill(0);
		this.expectedResponse = undefined;
		this.state = "over";
		return this.context;
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
		this.surroundings.answers.forget(this.sessionId);
		this.state = "over";
	}

	/** Whether it is that of the keys before: what comes under them is late. */
	private isOld(context: SecurityContext): boolean {
		return context === this.old?.keys.context;
	}

	private handleUser(now: number, context: SecurityContext, header: Header, length: number): Verdict {
		const { user } = context;
		const { kernel, outbox } = this.surroundings;
		const { service, macLength, mode } = this.identity.configuration;
		if (service === SERVICE.keyAgreementOnly) return "service";
		if (!header.readExtension(kernel.message, length, user.headerOctets - HEADER.length)) return "length";
		const count = user.open(header.countBits, length);
		if (count < 0) return count === REPLAY ? "replay" : "wrong MAC or COUNT";
		this.moveTo(count > user.received.last && !this.isOld(context));
		user.received.accept(count);
		this.accepted(now, context);
		const datagram = kernel.message.slice(0, length);
		// A valid UP message confirms the session as well as a 12 does (profile section 6, 1).
		if (this.state === "unconfirmed") this.feed("confirmation", now);
		const { sessionId } = this;
		const { imsi, easId } = this.identity;
		if (mode === MODE.ueToEas) outbox.tell({ kind: "forward", imsi, easId: easId.slice(), sessionId, count, datagram });
		else {
			const payload = datagram.subarray(user.headerOctets, length - macLength);
			outbox.tell({ kind: "uplink", imsi, sessionId, count, payload });
		}
		return "accept";
	}

	private handleControl(now: number, context: SecurityContext, header: Header, length: number): Verdict {
		const { control } = context;
		const { kernel, tlvs } = this.surroundings;
		const command = kernel.message[HEADER.length];
		// Repetitions aside, a 30 under the old key is dropped, and a resume is under the current one (profile sections 4 and 6, 4).
		const isOld = this.isOld(context);
		if (isOld && (command === COMMAND.sessionRequest || command === COMMAND.manageKeysRequest)) return "not expected";
		if (command === COMMAND.sessionRequest) return this.handleResume(now, context, header, length);
		const contents = CONTENTS_BY_COMMAND[command];
		if (contents === undefined) return "not expected";
		// Opening deciphers in place; a repetition is compared with the octets as they came.
		this.datagram = kernel.message.slice(0, length);
		const count = control.open(header.countBits, length);
		if (count < 0) return "wrong MAC or COUNT";
		control.received.accept(count);
		this.moveTo(!isOld);
		this.accepted(now, context);
		const { macLength, agreement } = this.identity.configuration;
		// Whether a response belongs in a 12 or a 31 hangs on how the keys are agreed.
		const aka = command === COMMAND.manageKeysResponse ? this.responseToOffer !== undefined : isAka(agreement);
		const fault =
			tlvs.scan(kernel.message, HEADER.length + 1, length - macLength) || checkContents(tlvs, contents, aka);
		if (fault !== 0) return NEVER_REJECTED.includes(command) ? "contents" : this.reject(fault);
		return this.handleCommand(now, command);
	}

	/** Handles a request for resume. Its contents are looked at before its MAC: any fault is dropped (profile section 6, 2). */
	private handleResume(now: number, context: SecurityContext, header: Header, length: number): Verdict {
		const { control, user } = context;
		const { kernel, outbox, tlvs } = this.surroundings;
		const datagram = kernel.message.slice(0, length);
		const end = length - this.identity.configuration.macLength;
		if (tlvs.scan(datagram, HEADER.length + 1, end) !== 0) return "contents";
		if (checkContents(tlvs, CONTENTS.resumeRequest) !== 0) return "contents";
		const counters = readCounters(tlvs, header.countBits, control.received.last);
		if (counters === undefined || !control.openWith(counters.message, length)) return "wrong MAC or COUNT";
		const nonce = tlvs.value(TAG.resumeNonce);
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
		const reply = outbox.transmit(this.address, control.seal(at - HEADER.length));
		this.surroundings.answers.keep(now, this.sessionId, datagram, reply);
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
		const { tlvs } = this.surroundings;
		if (command === COMMAND.sessionStartConfirmation) return this.handleConfirmation(now);
		if (command === COMMAND.manageKeysRequest) return this.handleRefreshRequest(now);
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
	private handleRefreshRequest(now: number): Verdict {
		const { next, identity, surroundings } = this;
		const { tlvs } = surroundings;
		const method = tlvs.octets[tlvs.offsets[TAG.keyRefresh]];
		if (method === REFRESH_METHOD.aka && !isAka(identity.configuration.agreement))
			return this.reject(CAUSE.serviceNotSupported);
		if (next !== undefined) {
			surroundings.outbox.transmitAgain(this.source, next.datagram);
			surroundings.answers.keep(now, this.sessionId, this.datagram, next.datagram);
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
		if (!equalInConstantTime(this.surroundings.tlvs.value(TAG.akaResponse), expected)) {
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
		this.tellEasKey();
	}

	private tellEasKey(): void {
		const { easId, configuration } = this.identity;
		if (!needsEasKey(configuration)) return;
		const { keyId } = this.context.parameters;
		this.surroundings.outbox.tell({ kind: "eas key", easId: easId.slice(), sessionId: this.sessionId, keyId });
	}

	/** Tells that the session is over, whoever erases it. @param cause of tag 18 */
	tellOver(cause: number, by: "UE" | "HSE"): void {
		const { outbox } = this.surroundings;
		const { imsi, easId, configuration } = this.identity;
		const { sessionId } = this;
		outbox.tell({ kind: "session over", imsi, sessionId, cause, by });
		if (needsEasKey(configuration)) outbox.tell({ kind: "eas over", easId: easId.slice(), sessionId, cause });
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
			if (!equalInConstantTime(this.surroundings.tlvs.value(TAG.akaResponse), expectedResponse)) {
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
		const [action, next] = this.row(input);
		this.state = next;
		this[action](now);
	}

	private row(input: SessionInput) {
		const row = SESSION[this.state][input];
		if (row === undefined) throw new HseError("state", `A session in state "${this.state}" cannot take "${input}".`);
		return row;
	}

	private confirm(now: number): void {
		this.request = undefined;
		const { lifetime } = this.identity.configuration;
		if (lifetime > 0) this.expiresAt = now + 1000 * lifetime;
		const { outbox } = this.surroundings;
		outbox.tell({ kind: "session confirmed", imsi: this.identity.imsi, sessionId: this.sessionId });
		this.tellEasKey();
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

	private answerTerminate(now: number): void {
		const answer = this.transmitControl(COMMAND.sessionTerminateResponse);
		this.end(this.cause, "UE");
		// The 21 is all that is kept of a session that is over (profile section 2.1).
		this.surroundings.answers.keep(now, this.sessionId, this.datagram, answer);
	}

	private endByAnswer(): void {
		this.end(this.cause, "HSE");
	}

	private forget(): void {
		this.erase();
	}

	private end(cause: number, by: "UE" | "HSE"): void {
		this.erase();
		this.tellOver(cause, by);
	}
}

/** What was agreed in the session of a record. */
export function configurationOf(record: SessionRecord): HseConfiguration {
	return {
		...record.parameters,
		release: record.release,
		lifetime: record.get(WORD.lifetime),
		largestMessage: record.get(WORD.largestMessages) & 0xffff,
	};
}

/** The state of a session that is stored. @param parts what is going on in it */
export function stateOf(parts: Parts): SessionState {
	return STATES[parts.get(PART.state)?.[0] ?? 0];
}
