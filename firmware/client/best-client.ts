import type { UeConfiguration } from "../emsdp/configuration.js";
import { REFRESH_METHOD } from "../emsdp/contents.js";
import { ALGORITHM, CAUSE_NAMES, LIMITS, RETRANSMISSION, SERVICE, TAG } from "../emsdp/profile.js";
import type { RetransmissionPolicy } from "../emsdp/retransmission.js";
import type { Kernel } from "../kernels/kernel.js";
import type { Clock } from "../ports/clock.js";
import type { Datagram } from "../ports/datagram.js";
import type { Conceal, RetryPolicy } from "../ports/platform.js";
import type { Random } from "../ports/random.js";
import type { Store } from "../ports/store.js";
import type { Usim } from "../ports/usim.js";
import { ClientError } from "./errors.js";
import type { UeEvent } from "./events.js";
import type { SharedKey } from "./options.js";
import { SESSION_KEY } from "./packed-session.js";
import { restoreSession } from "./restore.js";
import { imsiOf, isSnapshot } from "./snapshot.js";
import { Ue } from "./ue.js";
import { wakeSession } from "./wake.js";

/** What a client asks for. */
export interface ClientConfiguration {
	readonly offer: UeConfiguration;
	/** EAS Id, 1–64 octets of UTF-8. */
	readonly easId: Uint8Array;
	/** Value of tag 05, empty where it is not sent. */
	readonly servingNetwork: Uint8Array;
	/** The key of agreement 5, 6 or 7, where one is offered. */
	readonly sharedKey?: SharedKey;
	/** Makes a SUCI, which is then sent in place of the IMSI. */
	readonly conceal?: Conceal | undefined;
	readonly retransmission?: RetransmissionPolicy;
	/** The longest back-off that an unprotected 80 can bring about, in seconds. */
	readonly longestBackOff?: number;
	/** For a device that nobody can visit: failed attempts begin again by themselves. Without it start() and send() fail. */
	readonly retry?: RetryPolicy | undefined;
}

/** The ports of a client and what it asks for. */
export interface ClientOptions {
	readonly kernel: Kernel;
	readonly datagram: Datagram;
	readonly usim: Usim;
	/** Keeps the session over a power cut: its record, under {@link SESSION_KEY}. */
	readonly store: Store;
	readonly clock: Clock;
	readonly random: Random;
	readonly config: ClientConfiguration;
	/**
	 * What {@link BestClient.snapshot} gave before a deep sleep; erased by start(). Each is used once: the power port forgets it
	 * when it gives it out.
	 */
	readonly snapshot?: Uint8Array;
	readonly onEvent?: (event: UeEvent) => void;
}

/** A promise that a later input settles. */
interface Waiting {
	readonly resolve: () => void;
	readonly reject: (error: ClientError) => void;
}

/** A payload that waits for a session. */
interface Held extends Waiting {
	readonly payload: Uint8Array;
}

/** Payloads that are held while there is no session; further ones are refused. */
const MOST_HELD = 8;

/** What {@link BestClient.send} gives when the link has taken the datagram: one promise for all, made once. */
const HANDED_OVER = Promise.resolve();

/** The BEST client: the UE's state machine ({@link Ue}) with its ports attached. */
export class BestClient {
	/** Called for each downlink. The payload is valid until the next one. */
	onDownlink: ((payload: Uint8Array) => void) | undefined;
	private readonly options: ClientOptions;
	private ue: Ue | undefined;
	private deadline: number | undefined;
	/** When a failed attempt begins again, and how long it is to wait the next time. */
	private retryAt: number | undefined;
	private retryAfter: number | undefined;
	private starting: Waiting | undefined;
	private stopping: Waiting | undefined;
	private refreshing: Waiting | undefined;
	private readonly held: Held[] = [];
	private imsi: Uint8Array | undefined;
	private isAsleep = false;

	constructor(options: ClientOptions) {
		this.options = options;
		options.datagram.onReadable = () => this.receive();
		options.clock.onDeadline = () => this.handleDeadline();
	}

	/**
	 * Goes on with the session of a snapshot at once, or with the one that the store holds, or agrees a new one. Resolves when it
	 * can be used.
	 * @throws ClientError `state` if it is under way already or the client was put to sleep, `attempt` if no session came about
	 */
	start(): Promise<void> {
		return new Promise((resolve, reject) => {
			if (this.starting !== undefined) throw new ClientError("state", "start() is under way already.");
			if (this.stopping !== undefined) throw new ClientError("state", "The session is being ended.");
			if (this.isAsleep) throw asleep();
			if (this.ue === undefined && this.wake()) {
				resolve();
				return;
			}
			this.starting = { resolve, reject };
			if (this.ue === undefined) this.options.usim.readImsi((imsi) => this.make(imsi));
			else this.begin(this.ue);
		});
	}

	/**
	 * Protects a payload and hands it to the link; resolves when the link has taken it. Where there is no session, the
	 * payload is held until there is one. While a new one is being agreed the old one goes on.
	 * @throws ClientError `state`, `too-long`, `count` or `attempt`
	 */
	send(payload: Uint8Array): Promise<void> {
		const { ue } = this;
		if (!ue?.session?.canSend) return this.hold(payload);
		let isNewBlock: boolean;
		try {
			ue.send(payload);
			isNewBlock = this.keepRecord(ue);
		} catch (error) {
			return Promise.reject(error);
		}
		this.options.datagram.write(this.options.kernel.message, ue.outbox.takeDatagram());
		// New keys because of the COUNT may be due once for a block of COUNTs.
		if ((isNewBlock || ue.session.isLimited) && ue.attend(this.options.clock.now())) this.drain(ue);
		return HANDED_OVER;
	}

	/**
	 * Asks the HSE for new keys (Manage Keys); resolves when they are in use. K_EAS_PSK changes with them.
	 * @param method of tag 19: 0 the HSE decides, 1 AKA, 2 chained
	 * @throws ClientError `state` if there is no session at rest, `attempt` if the HSE refuses or does not answer
	 */
	refreshKeys(method: number = REFRESH_METHOD.anyMethod): Promise<void> {
		return new Promise((resolve, reject) => {
			const { ue } = this;
			if (ue === undefined) throw new ClientError("state", "There is no session: call start() first.");
			ue.refresh(this.options.clock.now(), method);
			this.refreshing = { resolve, reject };
			this.drain(ue);
		});
	}

	/** Ends the session; resolves when its keys are erased. @throws ClientError `state` if there is none, or it is under way */
	stop(): Promise<void> {
		return new Promise((resolve, reject) => {
			const { ue } = this;
			if (ue === undefined || this.stopping !== undefined)
				throw new ClientError("state", "There is no session to stop, or stop() is under way already.");
			ue.stop(this.options.clock.now());
			this.retryAt = undefined;
			const error = new ClientError("attempt", "The client was stopped.");
			this.starting?.reject(error);
			this.starting = undefined;
			this.release(error);
			if (ue.session === undefined) resolve();
			else this.stopping = { resolve, reject };
			this.drain(ue);
		});
	}

	/**
	 * Puts the client to sleep: the session goes on in what this returns, for memory that lives through deep sleep, and from
	 * there in a new client, with no message and no key derived. This client has erased its keys and does nothing any more.
	 * @returns 124 octets, secret; undefined, and the client goes on, while there is no session at rest: an answer is awaited,
	 * payloads are held, or old keys are still in use. The store then has what a resume needs, as after a power cut
	 */
	snapshot(): Uint8Array | undefined {
		const { ue, imsi } = this;
		const isBusy = this.starting ?? this.stopping ?? this.refreshing ?? this.held[0];
		if (ue === undefined || imsi === undefined || isBusy !== undefined || ue.isAttempting) return undefined;
		const octets = ue.session?.snapshot(imsi);
		if (octets === undefined) return undefined;
		ue.session?.erase();
		this.ue = undefined;
		this.isAsleep = true;
		this.options.clock.setDeadline(undefined);
		return octets;
	}

	/**
	 * Whether payloads are enciphered as they go out now, up to where the offer's mode says: the HSE or the EAS. As far as that
	 * a second protection of the same data (DTLS, TLS) is not needed, and costs the battery.
	 */
	get isConfidential(): boolean {
		const session = this.ue?.session;
		if (!session?.canSend) return false;
		const { service, encryption } = session.context.parameters;
		return service === SERVICE.confidential && encryption !== ALGORITHM.null;
	}

	/** K_EAS_PSK, 32 octets, for key-agreement-only use; the caller erases it. @throws ClientError `state` without a session */
	easKey(): Uint8Array {
		const session = this.ue?.session;
		if (session === undefined) throw new ClientError("state", "There is no session: call start() first.");
		return session.easKey();
	}

	/** Goes on with the session of a snapshot. @returns whether there is one */
	private wake(): boolean {
		const { snapshot } = this.options;
		if (snapshot === undefined || !isSnapshot(snapshot)) return false;
		const ue = this.makeUe(imsiOf(snapshot));
		ue.adopt((options, outbox) => wakeSession(snapshot, options, outbox));
		snapshot.fill(0);
		if (ue.session !== undefined) return true;
		this.ue = undefined;
		return false;
	}

	private make(imsi: Uint8Array | undefined): void {
		if (imsi === undefined) {
			this.fail(new ClientError("configuration", "The USIM does not give its IMSI."));
			return;
		}
		let ue: Ue;
		try {
			ue = this.makeUe(imsi);
		} catch (error) {
			this.fail(error as ClientError);
			return;
		}
		const record = this.options.store.read(SESSION_KEY);
		if (record !== undefined) ue.adopt((options, outbox) => restoreSession(record, options, outbox));
		record?.fill(0);
		this.begin(ue);
	}

	private makeUe(imsi: Uint8Array): Ue {
		const { kernel, random, config } = this.options;
		this.imsi = imsi;
		const { offer, easId, servingNetwork, conceal } = config;
		const retransmission = config.retransmission ?? RETRANSMISSION;
		const longestBackOff = config.longestBackOff ?? LIMITS.longestBackOff;
		const identity = { tag: TAG.imsi, value: imsi };
		const sharedKey = config.sharedKey;
		const ue = new Ue({
			kernel,
			random,
			identity,
			conceal,
			sharedKey,
			offer,
			easId,
			servingNetwork,
			retransmission,
			longestBackOff,
		});
		this.ue = ue;
		return ue;
	}

	/** Resumes a session that a power cut left, else asks for a new one. */
	private begin(ue: Ue): void {
		this.retryAt = undefined;
		if (ue.session?.state === "stale") ue.resume(this.options.clock.now());
		else if (!ue.isAttempting) ue.begin(this.options.clock.now());
		this.drain(ue);
	}

	private hold(payload: Uint8Array): Promise<void> {
		return new Promise((resolve, reject) => {
			const { ue } = this;
			if (this.isAsleep) throw asleep();
			if (ue === undefined && this.starting === undefined)
				throw new ClientError("state", "There is no session to send in: call start() first.");
			if (this.stopping !== undefined) throw new ClientError("state", "The session is being ended.");
			if (this.held.length >= MOST_HELD)
				throw new ClientError("state", `There is no session yet, and ${MOST_HELD} payloads wait already.`);
			this.held.push({ payload: payload.slice(), resolve, reject });
			// A failed attempt that waits to begin again keeps its time.
			const isIdle = ue !== undefined && !ue.isAttempting && ue.session?.state !== "resuming";
			if (isIdle && this.retryAt === undefined) this.begin(ue);
		});
	}

	private receive(): void {
		const { ue } = this;
		const { datagram, kernel, clock } = this.options;
		for (;;) {
			const length = datagram.read(kernel.message);
			if (length < 0) return;
			if (ue === undefined) continue;
			const verdict = ue.handleDatagram(clock.now(), kernel.message, length);
			this.drain(ue);
			if (verdict === "accept" && ue.session?.isLimited && ue.attend(clock.now())) this.drain(ue);
		}
	}

	private handleDeadline(): void {
		const { ue } = this;
		this.deadline = undefined;
		if (ue === undefined) return;
		const now = this.options.clock.now();
		ue.handleTimeout(now);
		if (this.retryAt !== undefined && now >= this.retryAt) this.begin(ue);
		else this.drain(ue);
	}

	/** Does what the last input brought about. */
	private drain(ue: Ue): void {
		const { datagram, kernel, usim, clock } = this.options;
		this.keepRecord(ue);
		const octets = ue.outbox.takeDatagram();
		if (octets > 0) datagram.write(kernel.message, octets);
		const challenge = ue.outbox.takeChallenge();
		if (challenge !== undefined)
			usim.authenticate(challenge.rand, challenge.autn, (result) => {
				ue.handleAuthentication(clock.now(), challenge, result);
				this.drain(ue);
			});
		for (let event = ue.outbox.takeEvent(); event !== undefined; event = ue.outbox.takeEvent()) this.tell(event);
		// An attempt that waits to begin again has no deadline of its own.
		const { retryAt } = this;
		const own = ue.deadline;
		const deadline = own === undefined || retryAt === undefined ? (own ?? retryAt) : Math.min(own, retryAt);
		if (this.deadline !== deadline) {
			this.deadline = deadline;
			clock.setDeadline(deadline);
		}
	}

	/** Stores the session's record before what relies on it leaves the device. @returns whether there was one */
	private keepRecord(ue: Ue): boolean {
		const record = ue.outbox.takeRecord();
		if (record === undefined) return false;
		try {
			if (record.length === 0) this.options.store.delete(SESSION_KEY);
			else this.options.store.write(SESSION_KEY, record);
		} catch (error) {
			// The datagram relies on the record: it does not go out, and none after it before the record is stored.
			ue.outbox.takeDatagram();
			ue.outbox.store(record);
			throw error;
		}
		record.fill(0);
		return true;
	}

	private tell(event: UeEvent): void {
		this.options.onEvent?.(event);
		if (event.kind === "downlink") this.onDownlink?.(event.payload);
		else if (event.kind === "session started" || event.kind === "session resumed") {
			this.starting?.resolve();
			this.starting = undefined;
			this.retryAfter = undefined;
			this.release();
		} else if (event.kind === "attempt over") this.retryOrFail(event.cause);
		else if (event.kind === "new keys") {
			this.refreshing?.resolve();
			this.refreshing = undefined;
		} else if (event.kind === "rejected") this.failRefresh(event.cause);
		else if (event.kind === "session over") {
			this.failRefresh(event.cause);
			this.stopping?.resolve();
			this.stopping = undefined;
		}
	}

	private failRefresh(cause: number | undefined): void {
		this.refreshing?.reject(new ClientError("attempt", `No new keys came about: ${wordsOf(cause)}.`));
		this.refreshing = undefined;
	}

	private retryOrFail(cause: number | undefined): void {
		const { config, clock } = this.options;
		if (config.retry === undefined) {
			this.fail(attemptError(cause));
			return;
		}
		const { first, longest } = config.retry;
		const wait = this.retryAfter ?? first;
		this.retryAt = clock.now() + wait;
		this.retryAfter = Math.min(2 * wait, longest);
	}

	private fail(error: ClientError): void {
		this.starting?.reject(error);
		this.starting = undefined;
		this.release(error);
	}

	/** Sends the payloads that were held, or refuses them. */
	private release(error?: ClientError): void {
		for (const { payload, resolve, reject } of this.held.splice(0)) {
			if (error === undefined) this.send(payload).then(resolve, reject);
			else reject(error);
		}
	}
}

function asleep(): ClientError {
	return new ClientError(
		"state",
		"The client was put to sleep: its session goes on from the snapshot in a new client.",
	);
}

function attemptError(cause: number | undefined): ClientError {
	return new ClientError("attempt", `No session came about: ${wordsOf(cause)}.`);
}

function wordsOf(cause: number | undefined): string {
	if (cause === undefined) return "nobody answered";
	return `the HSE and the UE do not agree: ${CAUSE_NAMES[cause] ?? "unknown cause"}`;
}
