import { Header } from "../../firmware/emsdp/header.js";
import { CAUSE, RETRANSMISSION } from "../../firmware/emsdp/profile.js";
import { screen } from "../../firmware/emsdp/screening.js";
import type { Verdict } from "../../firmware/emsdp/verdict.js";
import type { Kernel } from "../../firmware/kernels/kernel.js";
import type { TlsIdentity } from "../eas/https.js";
import { RandomPool } from "../random-pool.js";
import type { DatagramReceiver, DatagramSocket, OpenDatagramSocket } from "../udp/datagram-socket.js";
import { openDatagramSocket } from "../udp/open-socket.js";
import { AuthenticationCentre } from "./authentication-centre.js";
import { Claims } from "./claims.js";
import { DatabaseError, type HseDatabase } from "./database.js";
import { type DisclosureEntry, EasGateway } from "./eas-gateway.js";
import { EasInterface } from "./eas-interface.js";
import type { Escrow } from "./escrow-file.js";
import type { HseEvent, Outgoing, VectorRequest } from "./events.js";
import { HeldOutputs } from "./held-outputs.js";
import type { HomeNetworkKeys } from "./home-network-key.js";
import { Hse, type VectorAnswer } from "./hse.js";
import { Cookies, LoadMeter, RequestGate } from "./load.js";
import { DEFAULT_POLICY, type EasKeyPolicy, type Policy } from "./policy.js";
import { SharedAuthenticationCentre } from "./postgres/authentication-centre.js";
import { PostgresSubscribers } from "./postgres/subscribers.js";
import type { EasRegistrations } from "./shared-eas.js";
import { SharedEasKeys } from "./shared-eas-keys.js";
import type { SharedSessionStore } from "./shared-store.js";
import type { SessionStore } from "./store.js";
import type { Awaitable } from "./subscriber-database.js";
import type { Uplink } from "./uplink.js";
import { eraseCredentials } from "./vector.js";
import type { VectorSource } from "./vector-source.js";

/** Unconfirmed sessions from which on requests are put off, and for how many seconds. */
const MOST_UNCONFIRMED = 10_000;
const BACK_OFF = 30;
/** The longest that setTimeout takes, in milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1;
/** A datagram on the HSE's socket. `verdict` is what the HSE found, undefined for what it sends. */
export interface Traffic {
	/** When it was received or sent, in milliseconds since 1970 with their fractions. */
	readonly at: number;
	readonly fromUe: boolean;
	readonly peer: string;
	readonly datagram: Uint8Array;
	readonly verdict: Verdict | undefined;
}

/** The HSE's interface to EASs. */
export interface EasOptions {
	readonly tls: TlsIdentity;
	readonly address: string;
	/** TCP port, 0 for any free one. */
	readonly port: number;
	/** @param imsi digits @returns a promise only where there are {@link registrations} */
	easKeyPolicy(imsi: string): Awaitable<EasKeyPolicy>;
	/** Where other HSEs share the store: EASs register with any of them. */
	readonly registrations?: EasRegistrations | undefined;
	readonly escrow?: Escrow | undefined;
	/** Told of every K_EAS_PSK that is given out or refused. */
	readonly onDisclosure?: (entry: DisclosureEntry) => void;
	/** Told when an EAS has registered, and when it is gone. */
	readonly onEas?: (easId: string, isThere: boolean) => void;
}

export interface HseServerOptions {
	readonly kernel: Kernel;
	readonly database: HseDatabase | PostgresSubscribers;
	/** Where sessions outlive the process; undefined: nowhere. */
	readonly store?: SessionStore | SharedSessionStore;
	/** Address to listen at; "127.0.0.1" or "::", for instance. */
	readonly address: string;
	/** 0: any free port. */
	readonly port: number;
	readonly policy?: Policy;
	/** Undefined: the server makes vectors of the database itself. */
	readonly centre?: VectorSource | undefined;
	/** Private keys for SUCIs of profiles A and B, where the server makes vectors itself. */
	readonly homeNetworkKeys?: HomeNetworkKeys | undefined;
	/** Where EASs register (TS 33.163 Annex B); undefined: nowhere, and UE-to-EAS mode is refused with 09. */
	readonly eas?: EasOptions;
	readonly onEvent?: (event: HseEvent) => void;
	/**
	 * Told of uplinks in place of {@link onEvent}, without anything being made for each. Not of the first ones of a session,
	 * for instance, which confirm it: those are events.
	 * @param uplink valid until it returns
	 */
	readonly onUplink?: (uplink: Uplink) => void;
	readonly onTraffic?: (traffic: Traffic) => void;
	/** Whether so many events wait where they are told that no more input should be taken. */
	readonly isBehind?: () => boolean;
	/** Told when the authentication centre fails for one request, or the store for one batch. */
	readonly onError?: (error: Error) => void;
	/** Told when other HSEs may have this one's sessions: the process must end at once. */
	readonly onLost?: (error: Error) => void;
	/** {@link openDatagramSocket} by default. */
	readonly openSocket?: OpenDatagramSocket;
}

/** An HSE on a UDP socket: the sans-IO core with its inputs and outputs attached. */
export class HseServer implements DatagramReceiver {
	readonly hse: Hse;
	private readonly options: HseServerOptions;
	private socket: DatagramSocket | undefined;
	private readonly meter = new LoadMeter();
	private readonly centre: AuthenticationCentre | SharedAuthenticationCentre | VectorSource;
	/** Where other processes share the store. */
	private readonly claims: Claims | undefined;
	private readonly header = new Header();
	private readonly outputs: HeldOutputs;
	private readonly gateway: EasGateway | undefined;
	private readonly easInterface: EasInterface | undefined;
	/** Where EASs register with any of several HSEs. */
	private readonly sharedEas: SharedEasKeys | undefined;
	private timer: NodeJS.Timeout | undefined;
	private timerAt = Number.POSITIVE_INFINITY;
	private isClosing = false;
	/** When the batch being handled was there, 0 between batches. */
	private batchAt = 0;
	private boundEasPort: number | undefined;

	constructor(options: HseServerOptions) {
		this.options = options;
		const { kernel, database, policy = DEFAULT_POLICY, eas } = options;
		const easKeyPolicy = (imsi: string) => this.easKeyPolicy(imsi);
		const random = new RandomPool();
		const draw = () => random.take(16);
		this.centre =
			options.centre ??
			(database instanceof PostgresSubscribers
				? new SharedAuthenticationCentre(kernel, database, draw, options.homeNetworkKeys)
				: new AuthenticationCentre(kernel, database, draw, options.homeNetworkKeys));
		const { store } = options;
		const shared = store !== undefined && "claim" in store ? store : undefined;
		const cookies = new Cookies(() => random.take(32), this.now());
		const { meter } = this;
		const gate = new RequestGate();
		this.hse = new Hse({
			kernel,
			policy,
			retransmission: RETRANSMISSION,
			load: {
				cookie: (now, source, identity, given) =>
					meter.isHigh(now) ? cookies.demand(now, source, identity, given) : undefined,
				backOff: (_now, unconfirmed) =>
					unconfirmed >= MOST_UNCONFIRMED || shared?.hasSessionIds === false ? BACK_OFF : undefined,
				isTooMuch: (now) => gate.isShut(now),
			},
			drawSessionId: () => (shared === undefined ? random.uint32() : drawReserved(shared)),
			drawNonce: () => random.take(8),
			fraction: () => random.uint32() / 0xffffffff,
			durable: store !== undefined,
			shared: shared !== undefined,
			...(eas === undefined ? {} : { easKeyPolicy }),
			isReachable: (easId) => this.easInterface?.isReachable(easId) ?? false,
		});
		this.claims = shared && this.claimsOf(shared);
		if (eas !== undefined) {
			const { hse } = this;
			const { escrow, onDisclosure, onEas, registrations } = eas;
			const gateway = new EasGateway({ hse, easKeyPolicy, escrow, audit: onDisclosure, onError: options.onError });
			this.gateway = gateway;
			this.sharedEas =
				registrations &&
				new SharedEasKeys({
					registrations,
					hse,
					gateway,
					bring: (sessionId) => this.seek(sessionId),
					easKeyPolicy: async (imsi) => eas.easKeyPolicy(imsi),
					now: () => this.now(),
					drain: () => this.drain(),
					onError: (error) => this.report(error),
				});
			this.easInterface = new EasInterface({
				...eas,
				hse,
				gateway,
				easIds: policy.easIds,
				shared: this.sharedEas,
				now: () => this.now(),
				drain: () => this.drain(),
				onEas,
				onError: (error) => options.onError?.(error),
			});
		}
		this.outputs = new HeldOutputs({
			hse: this.hse,
			store: options.store,
			send: (out) => this.transmit(out),
			flush: () => this.socket?.flush(),
			tell: (event) => this.tell(event),
			hear: options.onUplink ?? ((uplink) => this.tell(uplink.toEvent())),
			onError: (error) => options.onError?.(error),
		});
	}

	/**
	 * Takes up the sessions of the store and listens.
	 * @returns the port. @throws Error with the code of an errno where it cannot be had
	 */
	async listen(): Promise<number> {
		const { address, port, store, openSocket = openDatagramSocket } = this.options;
		await store?.load(this.hse.restorer(this.now()));
		this.boundEasPort = await this.easInterface?.listen();
		try {
			this.socket = await openSocket({ address, port, receiver: this });
			this.drain();
			return this.port;
		} catch (error) {
			await this.easInterface?.close();
			throw error;
		}
	}

	/** The TCP port of the interface to EASs, undefined where there is none. */
	get easPort(): number | undefined {
		return this.boundEasPort;
	}

	/** Sessions come from a shared store when they are heard, and go when another process hears them. */
	private claimsOf(store: SharedSessionStore): Claims {
		const claims = new Claims({
			store,
			now: () => this.now(),
			lastBatch: () => this.hse.lastBatch,
			isPending: (sessionId) => this.hse.isPending(sessionId),
			takeUp: (octets) => {
				const isTaken = this.hse.takeUp(this.now(), octets);
				this.drain();
				return isTaken;
			},
			handle: (source, datagram) => {
				this.handle(source, datagram, datagram.length);
				this.drain();
			},
			onError: (error) => this.options.onError?.(error),
		});
		store.listen({
			onAsked: (sessionId) => {
				if (this.isClosing || claims.has(sessionId)) return;
				if (this.hse.giveUp(this.now(), sessionId)) this.drain();
				else if (!this.hse.isPending(sessionId))
					store.disown(sessionId).catch((error: Error) => this.options.onError?.(error));
			},
			onFree: (sessionId) => claims.free(sessionId),
			onSuperseded: (sessionId) => {
				this.hse.supersede(this.now(), sessionId);
				this.drain();
			},
			onDeleted: ({ sessionId, imsi, easId, hasEasKey }) => {
				const cause = CAUSE.normalRelease;
				this.tell({ kind: "session over", imsi, sessionId, cause, by: "UE" });
				if (hasEasKey) this.tell({ kind: "eas over", easId, sessionId, cause });
			},
			onLost: (error) => this.options.onLost?.(error),
		});
		return claims;
	}

	/** The port it listens at, 0 where it does not. */
	get port(): number {
		return this.socket?.port ?? 0;
	}

	/** Sends a payload to a UE. @throws HseError */
	send(sessionId: number, payload: Uint8Array): void {
		this.hse.send(this.now(), sessionId, payload);
		this.drain();
	}

	/** Offers new keys to a UE. @param method of tag 19; 0: chained @throws HseError */
	refresh(sessionId: number, method: number): void {
		this.hse.refresh(this.now(), sessionId, method);
		this.drain();
	}

	/** Ends a session. @throws HseError */
	terminate(sessionId: number, cause: number): void {
		this.hse.terminate(this.now(), sessionId, cause);
		this.drain();
	}

	/** Brings a session here from whichever HSE has it. @returns whether it is here, until the next thing that is waited for */
	async bring(sessionId: number): Promise<boolean> {
		return (await this.seek(sessionId)) && this.hse.session(sessionId) !== undefined;
	}

	/** @returns whether a session is here or does not exist, until the next thing that is waited for */
	private async seek(sessionId: number): Promise<boolean> {
		return this.claims === undefined || this.hse.knows(sessionId) || this.claims.bring(sessionId);
	}

	/** Resolves when all that was sent until now has left this process. */
	handedOver(): Promise<void> {
		return this.outputs.handedOver();
	}

	/** Takes no more datagrams, stores what there is to store, lets out what waited for that, and erases all keys. */
	async close(): Promise<void> {
		this.isClosing = true;
		this.sharedEas?.close();
		this.claims?.close();
		clearTimeout(this.timer);
		await this.easInterface?.stop();
		await this.outputs.finish();
		await this.easInterface?.close();
		clearTimeout(this.timer);
		this.hse.erase();
		await this.socket?.close();
	}

	/** Milliseconds since 1970 by a clock that does not jump while the process runs: times are stored. */
	private now(): number {
		return performance.timeOrigin + performance.now();
	}

	/** A datagram from a UE, in octets that are used again. */
	receive(peer: string, octets: Uint8Array, length: number): void {
		if (this.isClosing || this.outputs.isFull || this.options.isBehind?.() === true) return;
		if (this.claims !== undefined && screen(this.header, octets, length, true) === undefined) {
			const { sessionId } = this.header;
			if (sessionId !== 0 && !this.hse.knows(sessionId)) {
				this.claims.hold(sessionId, peer, octets.slice(0, length));
				return;
			}
		}
		this.handle(peer, octets, length);
	}

	expectRequests(requests: number): void {
		this.meter.expect(this.now(), requests);
	}

	/** Does what the datagrams since the last call brought about, at once for all of them. */
	endBatch(): void {
		this.drain();
	}

	private handle(peer: string, octets: Uint8Array, length: number): void {
		// One time for all datagrams of a batch: they have been there for as long.
		if (this.batchAt === 0) this.batchAt = this.now();
		const at = this.batchAt;
		const verdict = this.hse.handleDatagram(at, peer, octets, length);
		this.options.onTraffic?.({ at, fromUe: true, peer, datagram: octets.slice(0, length), verdict });
		this.outputs.hear();
	}

	/** Does what the last input brought about. */
	private drain(): void {
		this.batchAt = 0;
		const { outbox } = this.hse;
		const requests: VectorRequest[] = [];
		for (let request = outbox.takeVectorRequest(); request !== undefined; request = outbox.takeVectorRequest())
			requests.push(request);
		if (requests.length > 0) this.askForVectors(requests);
		this.setTimer();
		// Last, since whoever is told of an event may send at once.
		this.outputs.drain();
	}

	/** A timer that rings too early does no harm: it is not set anew for each message. */
	private setTimer(): void {
		const { deadline } = this.hse;
		if (deadline === undefined || this.isClosing || this.timerAt <= deadline) return;
		clearTimeout(this.timer);
		this.timerAt = deadline;
		const wait = Math.min(LONGEST_TIMER, Math.max(1, deadline - this.now()));
		this.timer = setTimeout(() => this.handleDeadline(), wait);
		this.timer.unref();
	}

	private tell(event: HseEvent): void {
		const isAwaited = event.kind === "eas key" && this.sharedEas !== undefined;
		const forEas = isAwaited ? this.sharedEas.keyFor(event) : this.gateway?.handleEvent(this.now(), event);
		if (forEas !== undefined) this.easInterface?.deliver(forEas);
		this.options.onEvent?.(event);
		// A policy that denies the key has ended the session.
		if (event.kind === "eas key" && forEas === undefined) this.drain();
	}

	private transmit({ to, datagram }: Outgoing): void {
		this.socket?.send(to, datagram);
		this.options.onTraffic?.({ at: this.now(), fromUe: false, peer: to, datagram, verdict: undefined });
	}

	/** No challenge leaves before its SQN is durable. */
	private askForVectors(requests: readonly VectorRequest[]): void {
		const { centre } = this;
		if (centre instanceof AuthenticationCentre)
			for (const request of requests) this.handleVector(request, answerOf(centre, request));
		else if (centre instanceof SharedAuthenticationCentre)
			for (const request of requests)
				centre
					.answer(request)
					.then((answer) => this.sharedEas?.withPolicy(answer) ?? answer)
					.catch(errorOf)
					.then((answer) => this.handleVectorsLater([request], [answer]));
		else
			centre
				.answerAll(requests)
				.catch((error) => requests.map(() => errorOf(error)))
				.then((answers) => this.handleVectorsLater(requests, answers));
	}

	private handleVectorsLater(requests: readonly VectorRequest[], answers: readonly (VectorAnswer | Error)[]): void {
		if (this.isClosing) {
			for (const answer of answers)
				if (!(answer instanceof Error) && typeof answer === "object") eraseCredentials(answer);
			return;
		}
		for (const [index, request] of requests.entries()) this.handleVector(request, answers[index]);
		this.drain();
	}

	/** @param answer an error refuses the UE */
	private handleVector({ number }: VectorRequest, answer: VectorAnswer | Error): void {
		if (answer instanceof Error) this.report(answer);
		try {
			this.hse.handleVector(this.now(), number, answer instanceof Error ? CAUSE.unspecified : answer);
		} catch (error) {
			this.report(error);
		}
	}

	/** Where the database fails no key goes out. With several HSEs whoever needs the policy has been given it. */
	private easKeyPolicy(imsi: string): EasKeyPolicy {
		try {
			const policy = this.sharedEas === undefined ? this.options.eas?.easKeyPolicy(imsi) : undefined;
			return typeof policy === "string" ? policy : "deny";
		} catch (error) {
			this.report(error);
			return "deny";
		}
	}

	private report(error: unknown): void {
		this.options.onError?.(errorOf(error));
	}

	private handleDeadline(): void {
		this.timerAt = Number.POSITIVE_INFINITY;
		this.hse.handleTimeout(this.now());
		this.drain();
	}
}

const errorOf = (error: unknown) => (error instanceof Error ? error : new Error(String(error)));

function answerOf(centre: AuthenticationCentre, request: VectorRequest): VectorAnswer | Error {
	try {
		return centre.answer(request);
	} catch (error) {
		return errorOf(error);
	}
}

/** @throws DatabaseError where none is left: the UE asks again */
function drawReserved(store: SharedSessionStore): number {
	const sessionId = store.drawSessionId();
	if (sessionId === undefined) throw new DatabaseError("No Session ID is left that the database has reserved.");
	return sessionId;
}
