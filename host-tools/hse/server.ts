import { randomBytes, randomFillSync } from "node:crypto";
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import { CAUSE, RETRANSMISSION } from "../../firmware/emsdp/profile.js";
import type { Verdict } from "../../firmware/emsdp/verdict.js";
import type { Kernel } from "../../firmware/kernels/kernel.js";
import type { TlsIdentity } from "../eas/https.js";
import { AuthenticationCentre } from "./authentication-centre.js";
import type { HseDatabase } from "./database.js";
import { type DisclosureEntry, EasGateway } from "./eas-gateway.js";
import { EasInterface } from "./eas-interface.js";
import type { Escrow } from "./escrow-file.js";
import type { HseEvent, Outgoing, VectorRequest } from "./events.js";
import { HeldOutputs } from "./held-outputs.js";
import type { HomeNetworkKeys } from "./home-network-key.js";
import { Hse, type VectorAnswer } from "./hse.js";
import { Cookies, LoadMeter } from "./load.js";
import { DEFAULT_POLICY, type EasKeyPolicy, type Policy } from "./policy.js";
import type { SessionStore } from "./store.js";

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
	/** @param imsi digits */
	easKeyPolicy(imsi: string): EasKeyPolicy;
	readonly escrow?: Escrow | undefined;
	/** Told of every K_EAS_PSK that is given out or refused. */
	readonly onDisclosure?: (entry: DisclosureEntry) => void;
	/** Told when an EAS has registered, and when it is gone. */
	readonly onEas?: (easId: string, isThere: boolean) => void;
}

export interface HseServerOptions {
	readonly kernel: Kernel;
	readonly database: HseDatabase;
	/** Where sessions outlive the process; undefined: nowhere. */
	readonly store?: SessionStore;
	/** Address to listen at; "127.0.0.1" or "::", for instance. */
	readonly address: string;
	/** 0: any free port. */
	readonly port: number;
	readonly policy?: Policy;
	/** Private keys for SUCIs of profiles A and B. */
	readonly homeNetworkKeys?: HomeNetworkKeys | undefined;
	/** Where EASs register (TS 33.163 Annex B); undefined: nowhere, and UE-to-EAS mode is refused with 09. */
	readonly eas?: EasOptions;
	readonly onEvent?: (event: HseEvent) => void;
	readonly onTraffic?: (traffic: Traffic) => void;
	/** Told when the authentication centre fails for one request, or the store for one batch. */
	readonly onError?: (error: Error) => void;
}

/** An HSE on a UDP socket: the sans-IO core with its inputs and outputs attached. */
export class HseServer {
	readonly hse: Hse;
	private readonly options: HseServerOptions;
	private readonly socket: Socket;
	private readonly centre: AuthenticationCentre;
	private readonly outputs: HeldOutputs;
	private readonly gateway: EasGateway | undefined;
	private readonly easInterface: EasInterface | undefined;
	private timer: NodeJS.Timeout | undefined;
	private isClosing = false;
	private boundEasPort: number | undefined;

	constructor(options: HseServerOptions) {
		this.options = options;
		const { kernel, database, policy = DEFAULT_POLICY, eas } = options;
		const easKeyPolicy = (imsi: string) => this.easKeyPolicy(imsi);
		this.centre = new AuthenticationCentre(kernel, database, () => randomOctets(16), options.homeNetworkKeys);
		const cookies = new Cookies(() => randomOctets(32), this.now());
		const meter = new LoadMeter();
		this.hse = new Hse({
			kernel,
			policy,
			retransmission: RETRANSMISSION,
			load: {
				cookie: (now, source, identity, given) =>
					meter.isHigh(now) ? cookies.demand(now, source, identity, given) : undefined,
				backOff: (_now, unconfirmed) => (unconfirmed >= MOST_UNCONFIRMED ? BACK_OFF : undefined),
			},
			drawSessionId: () => randomBytes(4).readUInt32BE(),
			drawNonce: () => randomOctets(8),
			fraction: () => randomBytes(2).readUInt16BE() / 0xffff,
			durable: options.store !== undefined,
			...(eas === undefined ? {} : { easKeyPolicy }),
			isReachable: (easId) => this.easInterface?.isReachable(easId) ?? false,
		});
		if (eas !== undefined) {
			const { hse } = this;
			const { escrow, onDisclosure, onEas } = eas;
			this.gateway = new EasGateway({ hse, easKeyPolicy, escrow, audit: onDisclosure, onError: options.onError });
			this.easInterface = new EasInterface({
				...eas,
				hse,
				gateway: this.gateway,
				easIds: policy.easIds,
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
			tell: (event) => this.tell(event),
			onError: (error) => options.onError?.(error),
		});
		this.socket = createSocket(isIPv6(options.address) ? "udp6" : "udp4");
	}

	/**
	 * Takes up the sessions of the store and listens.
	 * @returns the port. @throws Error of node:dgram where it cannot be had
	 */
	async listen(): Promise<number> {
		const { address, port, store } = this.options;
		await store?.load(this.hse.restorer(this.now()));
		this.boundEasPort = await this.easInterface?.listen();
		try {
			return await this.bind(address, port);
		} catch (error) {
			await this.easInterface?.close();
			throw error;
		}
	}

	private bind(address: string, port: number): Promise<number> {
		return new Promise((resolve, reject) => {
			this.socket.once("error", reject);
			this.socket.bind(port, address, () => {
				this.socket.off("error", reject);
				// A datagram that could not be sent is lost, as datagrams are.
				this.socket.on("error", () => {});
				this.socket.on("message", (datagram, remote) => this.receive(datagram, remote));
				this.drain();
				resolve(this.port);
			});
		});
	}

	/** The TCP port of the interface to EASs, undefined where there is none. */
	get easPort(): number | undefined {
		return this.boundEasPort;
	}

	/** The port it listens at. */
	get port(): number {
		return this.socket.address().port;
	}

	/** Sends a payload to a UE. @throws HseError */
	send(sessionId: number, payload: Uint8Array): void {
		this.hse.send(sessionId, payload);
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

	/** Takes no more datagrams, stores what there is to store, lets out what waited for that, and erases all keys. */
	async close(): Promise<void> {
		this.isClosing = true;
		clearTimeout(this.timer);
		await this.easInterface?.close();
		await this.outputs.finish();
		clearTimeout(this.timer);
		this.hse.erase();
		return new Promise((resolve) => this.socket.close(() => resolve()));
	}

	/** Milliseconds since 1970 by a clock that does not jump while the process runs: times are stored. */
	private now(): number {
		return performance.timeOrigin + performance.now();
	}

	private receive(datagram: Uint8Array, { address, port }: RemoteInfo): void {
		// A source port of 0 asks for no answer (RFC 768), and none can be sent there.
		if (port === 0 || this.isClosing || this.outputs.isFull) return;
		const peer = `${address} ${port}`;
		const at = this.now();
		const verdict = this.hse.handleDatagram(at, peer, datagram, datagram.length);
		this.options.onTraffic?.({ at, fromUe: true, peer, datagram, verdict });
		this.drain();
	}

	/** Does what the last input brought about. */
	private drain(): void {
		const { outbox } = this.hse;
		for (let request = outbox.takeVectorRequest(); request !== undefined; request = outbox.takeVectorRequest())
			this.hse.handleVector(this.now(), request.number, this.vector(request));
		clearTimeout(this.timer);
		const { deadline } = this.hse;
		if (deadline !== undefined && !this.isClosing) {
			const wait = Math.min(LONGEST_TIMER, Math.max(1, deadline - this.now()));
			this.timer = setTimeout(() => this.handleDeadline(), wait);
			this.timer.unref();
		}
		// Last, since whoever is told of an event may send at once.
		this.outputs.drain();
	}

	private tell(event: HseEvent): void {
		const forEas = this.gateway?.handleEvent(this.now(), event);
		if (forEas !== undefined) this.easInterface?.deliver(forEas);
		this.options.onEvent?.(event);
		// A policy that denies the key has ended the session.
		if (event.kind === "eas key" && forEas === undefined) this.drain();
	}

	private transmit({ to, datagram }: Outgoing): void {
		const [address, port] = to.split(" ");
		this.socket.send(datagram, Number(port), address);
		this.options.onTraffic?.({ at: this.now(), fromUe: false, peer: to, datagram, verdict: undefined });
	}

	/** A failure of the database refuses one UE; it does not end the HSE. */
	private vector(request: VectorRequest): VectorAnswer {
		try {
			return this.centre.answer(request);
		} catch (error) {
			this.options.onError?.(error instanceof Error ? error : new Error(String(error)));
			return CAUSE.unspecified;
		}
	}

	/** Where the database fails no key goes out. */
	private easKeyPolicy(imsi: string): EasKeyPolicy {
		try {
			return this.options.eas?.easKeyPolicy(imsi) ?? "deny";
		} catch (error) {
			this.options.onError?.(error instanceof Error ? error : new Error(String(error)));
			return "deny";
		}
	}

	private handleDeadline(): void {
		this.hse.handleTimeout(this.now());
		this.drain();
	}
}

function randomOctets(length: number): Uint8Array {
	return randomFillSync(new Uint8Array(length));
}
