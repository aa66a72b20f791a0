import { CachedAnswer } from "../../firmware/emsdp/cached-answer.js";
import type { HseConfiguration } from "../../firmware/emsdp/configuration.js";
import { checkContents, isAka } from "../../firmware/emsdp/contents.js";
import { REPLAY } from "../../firmware/emsdp/count.js";
import { encodeCounters, readCounters } from "../../firmware/emsdp/counters.js";
import type { Header } from "../../firmware/emsdp/header.js";
import { equalInConstantTime } from "../../firmware/emsdp/octets.js";
import {
	CAUSE,
	COMMAND,
	CONTENTS,
	type ContentsRow,
	HEADER,
	LONGEST_MESSAGE,
	SERVICE,
	TAG,
} from "../../firmware/emsdp/profile.js";
import { Retransmission, type RetransmissionPolicy } from "../../firmware/emsdp/retransmission.js";
import type { SecurityContext } from "../../firmware/emsdp/security-context.js";
import { TlvScan, writeTlv } from "../../firmware/emsdp/tlv.js";
import type { Verdict } from "../../firmware/emsdp/verdict.js";
import type { Kernel } from "../../firmware/kernels/kernel.js";
import { HseError } from "./errors.js";
import type { Outbox } from "./outbox.js";
import { SESSION, type SessionInput, type SessionState } from "./states.js";

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
}

/** Who and what a session is for. */
export interface SessionIdentity {
	/** Digits. */
	readonly imsi: string;
	/** Value of tag 04. */
	readonly easId: Uint8Array;
	readonly configuration: HseConfiguration;
}

/** What AKA left at the HSE. */
export interface SessionSecrets {
	/** K_base and K_EAS_PSK, 32 octets each. */
	readonly baseKey: Uint8Array;
	readonly kEasPsk: Uint8Array;
	/** XRES, or XRES*; undefined where no 12 is waited for. */
	readonly expectedResponse: Uint8Array | undefined;
}

const NO_OCTETS = new Uint8Array(0);

/** A session at the HSE. */
export class HseSession {
	state: SessionState;
	readonly identity: SessionIdentity;
	readonly context: SecurityContext;
	/** Source of the newest valid message: where answers and downlinks go. */
	address: string;
	/** The last CP request accepted and its answer. */
	cached: CachedAnswer | undefined;
	/** The 11 or the 20 of the HSE on its way. */
	request: Retransmission | undefined;
	private readonly surroundings: SessionSurroundings;
	private readonly secrets: SessionSecrets;
	private expectedResponse: Uint8Array | undefined;
	private readonly tlvs = new TlvScan();
	private readonly largestPayload: number;
	/** The source and the octets of the message being handled, and its cause. */
	private source = "";
	private datagram: Uint8Array = NO_OCTETS;
	private cause: number = CAUSE.normalRelease;

	/**
	 * Takes the secrets over: they are erased when the session ends.
	 * @param largestMessage the largest message the UE takes, in octets
	 */
	constructor(
		surroundings: SessionSurroundings,
		identity: SessionIdentity,
		context: SecurityContext,
		secrets: SessionSecrets,
		address: string,
		largestMessage: number,
		state: SessionState = "unconfirmed",
	) {
		this.surroundings = surroundings;
		this.identity = identity;
		this.context = context;
		this.secrets = secrets;
		this.expectedResponse = secrets.expectedResponse;
		this.address = address;
		this.state = state;
		const overhead = context.user.headerOctets + identity.configuration.macLength;
		this.largestPayload = Math.max(0, Math.min(largestMessage, LONGEST_MESSAGE) - overhead);
	}

	get sessionId(): number {
		return this.context.parameters.sessionId;
	}

	/** Whether a UP message can be sent: the HSE sends none before the session is confirmed (profile section 6, 1). */
	get isLive(): boolean {
		return this.state === "live";
	}

	/** K_EAS_PSK, a copy of 32 octets. */
	easKey(): Uint8Array {
		return this.secrets.kEasPsk.slice();
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

	/** An unprotected 80 with cause 0C ends an attempt. */
	rejectAttempt(now: number, cause: number): void {
		this.cause = cause;
		this.feed("attempt rejected", now);
	}

	handleTimeout(now: number): void {
		if (this.request === undefined || now < this.request.dueAt) return;
		this.feed(this.request.again(now) ? "timeout" : "exhausted", now);
	}

	/** Handles the datagram in the kernel's message buffer, whose header is that of this session. */
	handleDatagram(now: number, source: string, header: Header, length: number): Verdict {
		this.source = source;
		return header.userPlane ? this.handleUser(now, header, length) : this.handleControl(now, header, length);
	}

	/** Erases all keys. */
	erase(): void {
		this.context.erase();
		this.secrets.baseKey.fill(0);
		this.secrets.kEasPsk.fill(0);
		this.expectedResponse?.fill(0);
		this.expectedResponse = undefined;
		this.request = undefined;
		this.cached = undefined;
		this.state = "over";
	}

	private handleUser(now: number, header: Header, length: number): Verdict {
		const { user } = this.context;
		const { kernel, outbox } = this.surroundings;
		const { service, macLength } = this.identity.configuration;
		if (service === SERVICE.keyAgreementOnly) return "service";
		if (!header.readExtension(kernel.message, length, user.headerOctets - HEADER.length)) return "length";
		const count = user.open(header.countBits, length);
		if (count < 0) return count === REPLAY ? "replay" : "wrong MAC or COUNT";
		this.moveTo(count > user.received.last);
		user.received.accept(count);
		const payload = kernel.message.slice(user.headerOctets, length - macLength);
		// A valid UP message confirms the session as well as a 12 does (profile section 6, 1).
		if (this.state === "unconfirmed") this.feed("confirmation", now);
		outbox.tell({ kind: "uplink", imsi: this.identity.imsi, sessionId: this.sessionId, count, payload });
		return "accept";
	}

	private handleControl(now: number, header: Header, length: number): Verdict {
		const { control } = this.context;
		const { kernel, outbox } = this.surroundings;
		if (this.cached?.answers(kernel.message, length)) {
			if (!this.cached.use()) return "cached answer used up";
			// The cached answer goes to the source of the repetition and moves no address (profile section 2.1).
			outbox.transmitAgain(this.source, this.cached.answer);
			return "repetition";
		}
		const command = kernel.message[HEADER.length];
		if (command === COMMAND.sessionRequest) return this.handleResume(now, header, length);
		const contents = CONTENTS_BY_COMMAND[command];
		if (contents === undefined) return "not expected";
		// Opening deciphers in place; a repetition is compared with the octets as they came.
		this.datagram = kernel.message.slice(0, length);
		const count = control.open(header.countBits, length);
		if (count < 0) return "wrong MAC or COUNT";
		control.received.accept(count);
		this.moveTo(true);
		const { macLength, agreement } = this.identity.configuration;
		const fault =
			this.tlvs.scan(kernel.message, HEADER.length + 1, length - macLength) ||
			checkContents(this.tlvs, contents, isAka(agreement));
		if (fault !== 0) return NEVER_REJECTED.includes(command) ? "contents" : this.reject(fault);
		return this.handleCommand(now, command);
	}

	/** Handles a request for resume. Its contents are looked at before its MAC: any fault is dropped (profile section 6, 2). */
	private handleResume(now: number, header: Header, length: number): Verdict {
		const { control, user } = this.context;
		const { kernel, outbox } = this.surroundings;
		const datagram = kernel.message.slice(0, length);
		const end = length - this.identity.configuration.macLength;
		if (this.tlvs.scan(datagram, HEADER.length + 1, end) !== 0) return "contents";
		if (checkContents(this.tlvs, CONTENTS.resumeRequest) !== 0) return "contents";
		const counters = readCounters(this.tlvs, header.countBits, control.received.last);
		if (counters === undefined || !control.openWith(counters.message, length)) return "wrong MAC or COUNT";
		const nonce = this.tlvs.value(TAG.resumeNonce);
		control.received.accept(counters.message);
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
		return "accept";
	}

	private handleCommand(now: number, command: number): Verdict {
		const { tlvs } = this;
		if (command === COMMAND.sessionStartConfirmation) return this.handleConfirmation(now);
		if (command === COMMAND.manageKeysRequest) return this.reject(CAUSE.serviceNotSupported);
		// An answer nobody waits for is accepted and ignored (profile section 6, 10).
		if (command === COMMAND.manageKeysResponse) return "accept";
		if (command === COMMAND.sessionTerminateResponse) {
			if (this.state === "terminating") this.feed("terminate response", now);
			return "accept";
		}
		const cause = tlvs.octets[tlvs.offsets[TAG.cause]];
		if (command === COMMAND.sessionTerminateRequest) {
			this.cause = cause;
			this.feed("terminate request", now);
		} else if (this.state === "terminating") this.feed("request rejected", now);
		else this.surroundings.outbox.tell({ kind: "rejected", sessionId: this.sessionId, cause });
		return "accept";
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

	/** Answers the message being handled with a protected 80. */
	private reject(cause: number): Verdict {
		this.transmitControl(COMMAND.messageReject, TAG.cause, Uint8Array.of(cause));
		return "reject";
	}

	private feed(input: SessionInput, now: number): void {
		const row = SESSION[this.state][input];
		if (row === undefined) throw new HseError("state", `A session in state "${this.state}" cannot take "${input}".`);
		this.state = row[1];
		this[row[0]](now);
	}

	private confirm(): void {
		this.request = undefined;
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
