import { CachedAnswer } from "../emsdp/cached-answer.js";
import type { HseConfiguration } from "../emsdp/configuration.js";
import { checkContents } from "../emsdp/contents.js";
import { REPLAY } from "../emsdp/count.js";
import { encodeCounters, RESUME_NONCE_OCTETS, readCounters } from "../emsdp/counters.js";
import type { Header } from "../emsdp/header.js";
import { equalInConstantTime } from "../emsdp/octets.js";
import {
	CAUSE,
	CAUSES_THAT_END_A_SESSION,
	COMMAND,
	CONTENTS,
	type ContentsRow,
	HEADER,
	LONGEST_MESSAGE,
	SERVICE,
	TAG,
} from "../emsdp/profile.js";
import { Retransmission } from "../emsdp/retransmission.js";
import type { SecurityContext } from "../emsdp/security-context.js";
import { TlvScan, writeTlv } from "../emsdp/tlv.js";
import type { Verdict } from "../emsdp/verdict.js";
import { ClientError } from "./errors.js";
import { LastView } from "./last-view.js";
import { randomFraction, type UeOptions } from "./options.js";
import type { Outbox } from "./outbox.js";
import { packSession } from "./packed-session.js";
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
const NO_OCTETS = new Uint8Array(0);

/** A session at the UE: it has keys until its state is "over". */
export class Session {
	state: SessionState = "live";
	readonly configuration: HseConfiguration;
	readonly context: SecurityContext;
	/** The last CP request accepted and its answer; after the end only the 21, which needs no keys. */
	cached: CachedAnswer | undefined;
	private readonly options: UeOptions;
	private readonly outbox: Outbox;
	/** K_base and K_EAS_PSK, 32 octets each. */
	private readonly baseKey: Uint8Array;
	private readonly kEasPsk: Uint8Array;
	private readonly tlvs = new TlvScan();
	private readonly downlinkBuffer: Uint8Array;
	private readonly downlinkView: LastView;
	private readonly downlinkEvent: { kind: "downlink"; payload: Uint8Array };
	private readonly largestPayload: number;
	/** The 20 or the resume request of this UE on its way. */
	private request: Retransmission | undefined;
	private resumeNonce: Uint8Array = NO_OCTETS;
	/** COUNTs below these are reserved in non-volatile storage. */
	private controlReserved = 0;
	private userReserved = 0;
	/** The message being handled, as it came, and its cause. */
	private datagram: Uint8Array = NO_OCTETS;
	private cause = 0;
	/** Whether what was received before is not known: a power cut lies behind. */
	private readonly stateWasLost: boolean;
	private wasResumed = false;

	/**
	 * Takes the keys over: they are erased when the session ends.
	 * @param stateWasLost of a session from non-volatile storage: its context's COUNTs are the ends of the blocks reserved
	 */
	constructor(
		options: UeOptions,
		outbox: Outbox,
		context: SecurityContext,
		configuration: HseConfiguration,
		baseKey: Uint8Array,
		kEasPsk: Uint8Array,
		stateWasLost = false,
	) {
		this.options = options;
		this.outbox = outbox;
		this.context = context;
		this.configuration = configuration;
		this.baseKey = baseKey;
		this.kEasPsk = kEasPsk;
		this.stateWasLost = stateWasLost;
		if (stateWasLost) this.state = "stale";
		this.controlReserved = context.control.next;
		this.userReserved = context.user.next;
		this.downlinkBuffer = new Uint8Array(options.offer.largestMessage);
		this.downlinkView = new LastView(this.downlinkBuffer);
		this.downlinkEvent = { kind: "downlink", payload: this.downlinkBuffer };
		const largestMessage = Math.min(configuration.largestMessage, LONGEST_MESSAGE);
		this.largestPayload = Math.max(0, largestMessage - context.user.headerOctets - configuration.macLength);
	}

	get deadline(): number | undefined {
		return this.request?.dueAt;
	}

	/** Whether a payload can be sent. While a session that has lost nothing resumes, it goes on. */
	get canSend(): boolean {
		return this.state === "live" || (this.state === "resuming" && !this.isStale);
	}

	/** Whether nothing may be taken before a resume. */
	private get isStale(): boolean {
		return this.stateWasLost && !this.wasResumed;
	}

	/** K_EAS_PSK, a copy of 32 octets. */
	easKey(): Uint8Array {
		return this.kEasPsk.slice();
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
		if (context.user.next >= this.userReserved) this.reserve();
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

	/** A resume came to nothing: the HSE does not know the session, or does not answer. */
	failResume(now: number): void {
		this.feed(this.isStale ? "resume failed, stale" : "resume failed", now);
	}

	/** @returns whether a resume was given up */
	handleTimeout(now: number): boolean {
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
		return header.userPlane ? this.handleUser(header, length) : this.handleControl(now, header, length);
	}

	/** Erases all keys. */
	erase(): void {
		this.context.erase();
		this.baseKey.fill(0);
		this.kEasPsk.fill(0);
		this.downlinkBuffer.fill(0);
		this.state = "over";
	}

	private handleUser(header: Header, length: number): Verdict {
		const { user } = this.context;
		const { message } = this.options.kernel;
		if (this.configuration.service === SERVICE.keyAgreementOnly) return "service";
		if (this.isStale) return "not expected";
		if (!header.readExtension(message, length, user.headerOctets - HEADER.length)) return "length";
		const count = user.open(header.countBits, length);
		if (count < 0) return count === REPLAY ? "replay" : "wrong MAC or COUNT";
		user.received.accept(count);
		const octets = length - user.headerOctets - this.configuration.macLength;
		const payload = this.downlinkView.of(octets);
		for (let i = 0; i < octets; i++) payload[i] = message[user.headerOctets + i];
		this.downlinkEvent.payload = payload;
		this.outbox.tell(this.downlinkEvent);
		return "accept";
	}

	private handleControl(now: number, header: Header, length: number): Verdict {
		const { control } = this.context;
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
		// Opening deciphers in place; a repetition is compared with the octets as they came.
		const datagram = message.slice(0, length);
		const count = control.open(header.countBits, length);
		if (count < 0) return "wrong MAC or COUNT";
		control.received.accept(count);
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
		if (command === COMMAND.manageKeysRequest) return this.reject(CAUSE.serviceNotSupported);
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
		else this.outbox.tell({ kind: "rejected", cause });
		return "accept";
	}

	/** Answers the message being handled with a protected 80. */
	private reject(cause: number): Verdict {
		this.transmitControl(COMMAND.messageReject, TAG.cause, Uint8Array.of(cause));
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
		const { control } = this.context;
		if (control.next >= this.controlReserved) this.reserve();
		const octets = control.seal(length);
		this.outbox.transmit(octets);
		return octets;
	}

	/** Reserves the blocks of COUNTs from which the next messages take theirs (profile section 7). */
	private reserve(): void {
		const { control, user } = this.context;
		if (control.next >= this.controlReserved) this.controlReserved = control.next + BLOCK;
		if (user.next >= this.userReserved) this.userReserved = user.next + BLOCK;
		const { sessionId } = this.context.parameters;
		const { configuration, baseKey, controlReserved, userReserved } = this;
		this.outbox.store(
			packSession({ sessionId, configuration, controlNext: controlReserved, userNext: userReserved, baseKey }),
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
		const octets = this.transmitControl(COMMAND.sessionTerminateRequest, TAG.cause, cause);
		const datagram = kernel.message.subarray(0, octets);
		this.request = new Retransmission(datagram, retransmission, randomFraction(random), now);
	}

	private repeatRequest(): void {
		if (this.request !== undefined) this.outbox.transmitAgain(this.request.datagram);
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

	private abandonResume(): void {
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
		this.outbox.store(NO_OCTETS);
		this.outbox.tell({ kind: "session over", cause, by });
	}
}
