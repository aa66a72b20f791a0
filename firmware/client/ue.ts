import { withinKernel } from "../emsdp/algorithms.js";
import type { UeConfiguration } from "../emsdp/configuration.js";
import { checkContents } from "../emsdp/contents.js";
import { Header } from "../emsdp/header.js";
import {
	ALGORITHM,
	CAUSE,
	CAUSES_OF_THE_UE,
	COMMAND,
	CONTENTS,
	HEADER,
	LIMITS,
	SERVICE,
	TAG,
} from "../emsdp/profile.js";
import { screen } from "../emsdp/screening.js";
import { TlvScan } from "../emsdp/tlv.js";
import type { Verdict } from "../emsdp/verdict.js";
import type { Kernel } from "../kernels/kernel.js";
import type { AuthenticationResult } from "../ports/usim.js";
import { Attempt } from "./attempt.js";
import { ClientError } from "./errors.js";
import type { UeOptions } from "./options.js";
import { type Challenge, Outbox } from "./outbox.js";
import type { Session } from "./session.js";

/** Milliseconds for which a UE that has acted on an unprotected 0A or 0B acts on no other one; doubled each time. */
const FIRST_HINT_GAP = 60_000;
const LONGEST_HINT_GAP = 3_600_000;

/**
 * The UE side of BEST without any input or output of its own: time, octets and the USIM's results come in; a datagram, a
 * challenge for the USIM, a record for the store, events and a deadline go out. One contract: after every input drain
 * {@link outbox} (takeRecord, takeDatagram, takeChallenge, takeEvent) until only {@link deadline} is left. A datagram to send stands in the kernel's
 * message buffer and must be taken from there before the kernel is used again.
 */
export class Ue {
	readonly outbox: Outbox;
	/** How many datagrams met each fate. */
	readonly verdicts: Partial<Record<Verdict, number>> = {};
	private readonly options: UeOptions;
	private readonly header = new Header();
	private readonly tlvs = new TlvScan();
	/** Made when it is needed first: a device that wakes from deep sleep does without. */
	private firstAttempt: Attempt | undefined;
	private live: Session | undefined;
	/** A session that the HSE ended: its 21 is kept, without keys, for a while. */
	private ended: Session | undefined;
	private endedAt = 0;
	/** When the UE may act on an unprotected 0A or 0B again, and how long it waits after that. */
	private hintsFrom = 0;
	private hintGap: number = FIRST_HINT_GAP;

	/** @throws ClientError `configuration` if nothing that is offered can be done */
	constructor(given: UeOptions) {
		const { kernel } = given;
		const options = { ...given, offer: usableOffer(kernel, given.offer) };
		this.options = options;
		this.outbox = new Outbox(kernel);
	}

	/** The session that has keys, undefined where there is none. */
	get session(): Session | undefined {
		return this.live;
	}

	/** Whether an attempt to get keys is under way. */
	get isAttempting(): boolean {
		return this.firstAttempt !== undefined && this.firstAttempt.state !== "idle";
	}

	/** When {@link handleTimeout} is to be called, in the clock's milliseconds; undefined: not at all. */
	get deadline(): number | undefined {
		const attempt = this.firstAttempt?.deadline;
		const session = this.live?.deadline;
		if (attempt === undefined || session === undefined) return attempt ?? session;
		return Math.min(attempt, session);
	}

	/** Takes up a session that was made elsewhere, such as one of a record; undefined where that came to nothing. */
	adopt(make: (options: UeOptions, outbox: Outbox) => Session | undefined): void {
		this.live?.erase();
		this.live = make(this.options, this.outbox);
	}

	/** Asks for a new session. A session that exists stays as it is until the new one's 11 is verified. @throws ClientError `state` */
	begin(now: number): void {
		this.attempt.begin(now);
	}

	/** Asks the HSE for new keys. @param method of tag 19 @throws ClientError `state` */
	refresh(now: number, method: number): void {
		if (this.live === undefined) throw new ClientError("state", "There is no session: call start() first.");
		this.live.refresh(now, method);
	}

	/** Asks the HSE to go on with the session. @throws ClientError `state` */
	resume(now: number): void {
		if (this.live === undefined) throw new ClientError("state", "There is no session to resume: call start() first.");
		this.live.resume(now);
	}

	/** Protects a payload; the datagram stands in the kernel's message buffer. @throws ClientError `state`, `too-long`, `count` */
	send(payload: Uint8Array): void {
		if (this.live === undefined) throw new ClientError("state", "There is no session to send in: call start() first.");
		this.live.send(payload);
	}

	/** Gives up an attempt, and asks the HSE to end the session. */
	stop(now: number): void {
		if (this.isAttempting) this.attempt.cancel(now);
		if (this.live !== undefined && this.live.state !== "terminating") this.live.stop(now);
		this.bury(now);
	}

	/** The USIM's answer to a challenge that was taken; of no use, and erased, if the attempt has gone on without it. */
	handleAuthentication(now: number, challenge: Challenge, result: AuthenticationResult): Verdict {
		if (this.live?.awaits(challenge)) return this.live.handleAuthentication(now, result);
		return this.attempt.handleAuthentication(now, challenge, result);
	}

	/**
	 * To be called when a message has gone out or come in, and the outbox is empty: the radio is awake, and security work that
	 * waits for that is done with it, so that it has no wake-up of its own. {@link deadline} is its hard limit.
	 * @returns whether there was any
	 */
	attend(now: number): boolean {
		if (this.isAttempting || !this.live?.hasWork(now)) return false;
		if (this.live.work(now)) this.renew(now);
		return true;
	}

	/** To be called at {@link deadline}; too early does no harm. */
	handleTimeout(now: number): void {
		// One input sends one datagram at the most: what else is due comes with the next call.
		if (!this.firstAttempt?.handleTimeout(now) && this.live?.handleTimeout(now)) this.renew(now);
		this.bury(now);
	}

	/**
	 * Handles a datagram from the HSE, whatever its octets.
	 * @param octets the kernel's message buffer, or any other octets, which are copied there
	 * @param length octets of the datagram
	 */
	handleDatagram(now: number, octets: Uint8Array, length: number): Verdict {
		const verdict = this.receive(now, octets, length);
		this.verdicts[verdict] = (this.verdicts[verdict] ?? 0) + 1;
		this.bury(now);
		return verdict;
	}

	private get attempt(): Attempt {
		this.firstAttempt ??= new Attempt(this.options, this.outbox, (session) => this.install(session));
		return this.firstAttempt;
	}

	private receive(now: number, octets: Uint8Array, length: number): Verdict {
		const { header, live } = this;
		const { message } = this.options.kernel;
		if (length > this.options.offer.largestMessage || length > octets.length) return "length";
		if (octets !== message) for (let i = 0; i < length; i++) message[i] = octets[i];
		const dropped = screen(header, message, length, false);
		if (dropped !== undefined) return dropped;
		if (header.keyId === 0) return this.handleUnprotectedReject(now, length);
		if (live?.holds(header)) return live.handleDatagram(now, header, length);
		if (this.ended?.cached?.answers(message, length) && now - this.endedAt <= LIMITS.keepAnswer) {
			if (!this.ended.cached.use()) return "cached answer used up";
			this.outbox.transmitAgain(this.ended.cached.answer);
			return "repetition";
		}
		if (!header.userPlane && message[HEADER.length] === COMMAND.sessionStart && this.isNew(header.sessionId))
			return this.attempt.handleStart(now, header, length);
		return "session or Key ID unknown";
	}

	/** The Session ID of a new session is never that of the one that exists (profile section 2). */
	private isNew(sessionId: number): boolean {
		return this.live?.context.parameters.sessionId !== sessionId;
	}

	/** An unprotected 80 is a hint: it never tears down a session with keys (profile section 6, 6). */
	private handleUnprotectedReject(now: number, length: number): Verdict {
		const { header, tlvs, live } = this;
		const { message } = this.options.kernel;
		if (tlvs.scan(message, HEADER.length + 1, length) !== 0) return "contents";
		if (checkContents(tlvs, CONTENTS.reject) !== 0) return "contents";
		const cause = message[tlvs.offsets[TAG.cause]];
		if (CAUSES_OF_THE_UE.includes(cause)) return "unprotected reject";
		// The request carried Session ID 0, and so does its reject.
		if (header.sessionId === 0) return this.attempt.handleReject(now, tlvs);
		const unknown = cause === CAUSE.sessionUnknown || cause === CAUSE.keyIdUnknown;
		if (!unknown || live?.context.parameters.sessionId !== header.sessionId || this.isAttempting)
			return "unprotected reject";
		// One resume is tried, then a new session; the old keys stay until its 11 is verified (profile section 6, 6).
		if (live.state === "live" || live.state === "refreshing") {
			if (!this.takesHint(now)) return "rate limit";
			live.resume(now);
		} else if (live.state === "resuming") {
			live.failResume(now);
			this.renew(now);
		} else return "unprotected reject";
		return "hint";
	}

	/** Whether a hint is acted on: whoever forges them costs the UE a resume now and then, not one for each (profile section 6, 6). */
	private takesHint(now: number): boolean {
		if (now < this.hintsFrom) return false;
		if (now - this.hintsFrom > LONGEST_HINT_GAP) this.hintGap = FIRST_HINT_GAP;
		this.hintsFrom = now + this.hintGap;
		this.hintGap = Math.min(2 * this.hintGap, LONGEST_HINT_GAP);
		return true;
	}

	/** A new session is agreed where a resume came to nothing, or the lifetime ends. */
	private renew(now: number): void {
		if (!this.isAttempting) this.attempt.begin(now);
	}

	private install(session: Session): void {
		if (this.live?.state === "terminating")
			this.outbox.tell({ kind: "session over", cause: CAUSE.normalRelease, by: "UE" });
		this.live?.erase();
		this.live = session;
		const { sessionId, keyId } = session.context.parameters;
		this.outbox.tell({ kind: "session started", sessionId, keyId });
	}

	private bury(now: number): void {
		if (this.live?.state === "over") {
			this.ended = this.live;
			this.endedAt = now;
			this.live = undefined;
		}
		if (this.ended !== undefined && now - this.endedAt > LIMITS.keepAnswer) this.ended = undefined;
	}
}

/**
 * What of an offer the kernel can do. A session needs integrity, and one of the confidential service ciphering (profile
 * section 2.2).
 * @throws ClientError `configuration` where nothing is left
 */
export function usableOffer(kernel: Kernel, offer: UeConfiguration): UeConfiguration {
	const usable = withinKernel(kernel, offer);
	const cannotEncipher = (usable.encryptionAlgorithms & ~(1 << ALGORITHM.null)) === 0;
	if (usable.integrityAlgorithms === 0 || (usable.service === SERVICE.confidential && cannotEncipher))
		throw new ClientError("configuration", "The UE has none of the algorithms that it is to offer.");
	return usable;
}
