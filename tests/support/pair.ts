import type { UeEvent } from "../../firmware/client/events.js";
import { SESSION_KEY } from "../../firmware/client/packed-session.js";
import { restoreSession } from "../../firmware/client/restore.js";
import { Ue } from "../../firmware/client/ue.js";
import type { UeConfiguration } from "../../firmware/emsdp/configuration.js";
import { encodeImsi } from "../../firmware/emsdp/imsi.js";
import { AGREEMENT, CAUSE, LIMITS, RETRANSMISSION, SERVICE, TAG } from "../../firmware/emsdp/profile.js";
import { plmnForm } from "../../firmware/emsdp/serving-network.js";
import type { Verdict } from "../../firmware/emsdp/verdict.js";
import type { Kernel } from "../../firmware/kernels/kernel.js";
import { type AkaFunctions, makeVector, SQN_STEP, verifyAuts } from "../../firmware/keys/aka.js";
import { Milenage } from "../../firmware/keys/milenage.js";
import { isAcceptable, nextSqn } from "../../firmware/keys/sqn.js";
import { type Concealment, concealingWith, encodeConcealment } from "../../firmware/keys/suci.js";
import { CURVES } from "../../firmware/keys/suci-curves.js";
import { Tuak, type TuakParameters } from "../../firmware/keys/tuak.js";
import { SoftUsim } from "../../firmware/platform/common/soft-usim.js";
import type { Store } from "../../firmware/ports/store.js";
import type { Subscriber } from "../../host-tools/hse/database.js";
import type { HseEvent, Outgoing, VectorRequest } from "../../host-tools/hse/events.js";
import { Hse, type HseOptions, type LoadPolicy, type VectorAnswer } from "../../host-tools/hse/hse.js";
import { UNLOADED } from "../../host-tools/hse/load.js";
import { DEFAULT_POLICY, type Policy } from "../../host-tools/hse/policy.js";
import { loadKernel } from "../../host-tools/kernel.js";
import { offerOf } from "../../host-tools/provision/provision.js";
import { SeededRandom } from "./seeded-random.js";

export const IMSI = "001010000000001";
export { SeededRandom };
export const UE_SOURCE = "ue";

/** A store in memory that can lose its power: from then on every write fails. */
export class MemoryStore implements Store {
	readonly values = new Map<string, Uint8Array>();
	readonly writes: string[] = [];
	powerIsCut = false;

	read(key: string): Uint8Array | undefined {
		return this.values.get(key)?.slice();
	}

	write(key: string, value: Uint8Array): void {
		if (this.powerIsCut) throw new Error("power cut");
		this.writes.push(key);
		this.values.set(key, value.slice());
	}

	delete(key: string): void {
		this.values.delete(key);
	}
}

export interface PairOptions {
	readonly service?: number;
	readonly agreement?: number;
	/** What the HSE asks of whoever runs it about EASs and their keys. */
	readonly eas?: Pick<HseOptions, "easKeyPolicy" | "isReachable">;
	readonly policy?: Partial<Policy>;
	/** Whether other HSEs share the store. */
	readonly shared?: boolean;
	readonly load?: LoadPolicy;
	readonly seed?: number;
	readonly easId?: string;
	/** SQN of the next challenge, and SQN_MS at the USIM. */
	readonly sqn?: number;
	readonly sqnMs?: number;
	/** The authentication centre holds another K. */
	readonly wrongK?: boolean;
	readonly longestBackOff?: number;
	/** TUAK with a K of 32 octets, in place of MILENAGE. */
	readonly tuak?: TuakParameters;
	/** The UE sends a SUCI in place of its IMSI. */
	readonly concealment?: Concealment;
	/** In place of the pair's own authentication centre. */
	readonly centre?: (kernel: Kernel, subscriber: Subscriber) => (request: VectorRequest) => VectorAnswer;
	/** The device's store, such as that of a device before its restart. */
	readonly store?: MemoryStore;
	/** What the UE offers beside what it does by default, its kernel, and that of the HSE. */
	readonly offer?: Partial<UeConfiguration>;
	readonly kernel?: Kernel;
	readonly hseKernel?: Kernel;
}

/** Seed of the UE's randomness, by that of the pair. */
export function seedOfUe(seed = 1): number {
	return seed ^ 0x5bd1e995;
}

/** One UE and one HSE with a link between them that does what a test tells it. */
export class Pair {
	now = 1000;
	/** The UE's. Both ends may share one: it holds nothing between two inputs. */
	readonly kernel: Kernel;
	readonly random: SeededRandom;
	/** The UE's own. */
	readonly ueRandom: SeededRandom;
	readonly store: MemoryStore;
	ue: Ue;
	hse: Hse;
	readonly ueEvents: UeEvent[] = [];
	readonly hseEvents: HseEvent[] = [];
	/** Datagrams on their way. */
	readonly toHse: Uint8Array[] = [];
	readonly toUe: Uint8Array[] = [];
	/** How often the USIM has run. */
	usimRuns = 0;
	vectorsFetched = 0;
	/** The SQN of every challenge that the authentication centre has made. */
	readonly sqns: number[] = [];
	/** Where the UE's datagrams come from. */
	source = UE_SOURCE;
	/** Where the HSE sent its last datagram. */
	lastDestination = "";
	/** The UE's, which a test may put elsewhere. */
	usim: SoftUsim;
	private readonly options: PairOptions;
	private readonly k: Uint8Array;
	private readonly opc: Uint8Array;
	private readonly centre: AkaFunctions;
	private readonly ask: ((request: VectorRequest) => VectorAnswer) | undefined;
	private sqn: number;

	constructor(options: PairOptions = {}) {
		this.kernel = options.kernel ?? loadKernel();
		this.random = new SeededRandom(options.seed);
		this.ueRandom = new SeededRandom(seedOfUe(options.seed));
		this.store = options.store ?? new MemoryStore();
		const { tuak } = options;
		const k = this.random.octets(tuak === undefined ? 16 : 32);
		const opc = this.random.octets(tuak === undefined ? 16 : 32);
		this.k = k;
		this.opc = opc;
		this.options = options;
		[this.ue, this.usim] = this.boot();
		this.centre = this.functions(options.wrongK ? this.random.octets(k.length) : k);
		this.sqn = options.sqn ?? SQN_STEP;
		const subscriber = { imsi: IMSI, k, opc, tuak, amf: Uint8Array.of(0x80, 0), sqn: this.sqn, enabled: true };
		this.ask = options.centre?.(this.kernel, subscriber);
		this.hse = this.bootHse();
	}

	/** An HSE without sessions. @param kernel its own, where it is not to share that of the UE */
	bootHse(kernel = this.options.hseKernel ?? this.kernel, durable = false): Hse {
		return new Hse({
			kernel,
			policy: { ...DEFAULT_POLICY, ...this.options.policy },
			retransmission: RETRANSMISSION,
			load: this.options.load ?? UNLOADED,
			drawSessionId: () => this.random.next(),
			drawNonce: () => this.random.octets(8),
			fraction: () => 0,
			durable,
			shared: this.options.shared === true,
			...this.options.eas,
		});
	}

	/** The UE loses its power and all that is not in its store, and comes back. What was on its way stays so. */
	cutPower(): void {
		[this.ue, this.usim] = this.boot();
		const record = this.store.read(SESSION_KEY);
		if (record !== undefined) this.ue.adopt((options, outbox) => restoreSession(record, options, outbox));
	}

	/** The HSE's process ends and begins anew: what it did not store is gone. */
	restartHse(): void {
		this.hse = this.bootHse();
	}

	/** Takes what the UE wants sent, after any input. */
	drainUe(): void {
		const { outbox } = this.ue;
		for (;;) {
			const record = outbox.takeRecord();
			if (record?.length === 0) this.store.delete(SESSION_KEY);
			else if (record !== undefined) this.store.write(SESSION_KEY, record);
			this.passed("UE");
			const octets = outbox.takeDatagram();
			if (octets > 0) this.toHse.push(this.kernel.message.slice(0, octets));
			this.passed("UE");
			const challenge = outbox.takeChallenge();
			if (challenge === undefined) break;
			this.usimRuns++;
			this.usim.authenticate(challenge.rand, challenge.autn, (result) => {
				this.ue.handleAuthentication(this.now, challenge, result);
			});
			this.passed("UE");
		}
		for (let event = outbox.takeEvent(); event !== undefined; event = outbox.takeEvent())
			this.ueEvents.push(event.kind === "downlink" ? { kind: "downlink", payload: event.payload.slice() } : event);
	}

	drainHse(): void {
		const { outbox } = this.hse;
		for (let request = outbox.takeVectorRequest(); request !== undefined; request = outbox.takeVectorRequest()) {
			const answer = this.answer(request);
			this.passed("HSE");
			this.hse.handleVector(this.now, request.number, answer);
		}
		const held: Outgoing[] = [];
		for (let out = outbox.takeDatagram(); out !== undefined; out = outbox.takeDatagram())
			if (out.atOnce) this.transmit(out);
			else held.push(out);
		if (!this.keepHse()) return;
		this.passed("HSE");
		for (const out of held) {
			this.transmit(out);
			this.passed("HSE");
		}
		for (let event = outbox.takeEvent(); event !== undefined; event = outbox.takeEvent()) this.hseEvents.push(event);
	}

	private transmit({ to, datagram }: Outgoing): void {
		this.lastDestination = to;
		this.seeDatagram(datagram);
		this.toUe.push(datagram);
	}

	/** A datagram leaves the HSE. */
	protected seeDatagram(_datagram: Uint8Array): void {}

	/** Stores what the HSE wants stored, before its outputs leave. @returns false where it has lost them */
	protected keepHse(): boolean {
		return true;
	}

	/** Brings one datagram to the HSE: the next one on its way, or any other. */
	deliverToHse(datagram = this.toHse.shift(), source = this.source): Verdict {
		if (datagram === undefined) throw new Error("nothing is on its way to the HSE");
		const verdict = this.hse.handleDatagram(this.now, source, datagram, datagram.length);
		this.drainHse();
		return verdict;
	}

	deliverToUe(datagram = this.toUe.shift()): Verdict {
		if (datagram === undefined) throw new Error("nothing is on its way to the UE");
		const verdict = this.ue.handleDatagram(this.now, datagram, datagram.length);
		this.drainUe();
		return verdict;
	}

	/** Lets everything on its way arrive, until the link is quiet. */
	settle(): void {
		while (this.toHse.length + this.toUe.length > 0) {
			while (this.toHse.length > 0) this.deliverToHse();
			while (this.toUe.length > 0) this.deliverToUe();
		}
	}

	begin(): void {
		this.ue.begin(this.now);
		this.drainUe();
	}

	/** A session, agreed without loss. */
	connect(): this {
		this.begin();
		this.settle();
		return this;
	}

	send(text: string): Uint8Array {
		this.ue.send(new TextEncoder().encode(text));
		this.drainUe();
		const datagram = this.toHse[this.toHse.length - 1];
		if (this.ue.attend(this.now)) this.drainUe();
		return datagram;
	}

	answerUe(text: string): Uint8Array {
		const session = this.hse.sessionOf(IMSI);
		if (session === undefined) throw new Error("the HSE has no session");
		this.hse.send(this.now, session.sessionId, new TextEncoder().encode(text));
		this.drainHse();
		return this.toUe[this.toUe.length - 1];
	}

	stop(): void {
		this.ue.stop(this.now);
		this.drainUe();
	}

	terminate(cause: number = CAUSE.normalRelease): void {
		const session = this.hse.sessionOf(IMSI);
		if (session === undefined) throw new Error("the HSE has no session");
		this.hse.terminate(this.now, session.sessionId, cause);
		this.drainHse();
	}

	/** Goes to the earliest deadline of either end. @returns false where there is none */
	wait(): boolean {
		const deadlines = [this.ue.deadline, this.hse.deadline].filter((at) => at !== undefined);
		if (deadlines.length === 0) return false;
		this.now = Math.max(this.now, Math.min(...deadlines));
		this.ue.handleTimeout(this.now);
		this.drainUe();
		this.hse.handleTimeout(this.now);
		this.drainHse();
		return true;
	}

	/** The readings that the application side has, as text. */
	get uplinks(): string[] {
		return this.hseEvents.flatMap((event) =>
			event.kind === "uplink" ? [new TextDecoder().decode(event.payload)] : [],
		);
	}

	get downlinks(): string[] {
		return this.ueEvents.flatMap((event) =>
			event.kind === "downlink" ? [new TextDecoder().decode(event.payload)] : [],
		);
	}

	/** Called after each single output of an end: a test that cuts its power there throws. */
	protected passed(_end: "UE" | "HSE"): void {}

	private boot(): [Ue, SoftUsim] {
		const { service = SERVICE.confidential, agreement = AGREEMENT.epsAka, concealment } = this.options;
		const imsi = encodeImsi(IMSI) ?? new Uint8Array(8);
		const usim = new SoftUsim(this.functions(this.k), imsi, this.store, this.options.sqnMs ?? 0);
		const ue = new Ue({
			kernel: this.kernel,
			random: this.ueRandom,
			identity: { tag: TAG.imsi, value: imsi },
			conceal: concealment && concealingWith(CURVES)(this.kernel, this.random, encodeConcealment(concealment)),
			sharedKey: undefined,
			offer: { ...offerOf(agreement, service), ...this.options.offer },
			easId: new TextEncoder().encode(this.options.easId ?? "eas.example"),
			servingNetwork: plmnForm("001", "01"),
			retransmission: RETRANSMISSION,
			longestBackOff: this.options.longestBackOff ?? LIMITS.longestBackOff,
		});
		return [ue, usim];
	}

	private functions(k: Uint8Array): AkaFunctions {
		const { tuak } = this.options;
		return tuak === undefined ? new Milenage(this.kernel, k, this.opc) : new Tuak(k, this.opc, tuak);
	}

	/** What the authentication centre answers. It outlives the HSE. */
	protected answer(request: VectorRequest): VectorAnswer {
		this.vectorsFetched++;
		if (this.ask !== undefined) return this.ask(request);
		const { resynchronisation } = request;
		if (resynchronisation !== undefined) {
			const sqnMs = verifyAuts(this.centre, resynchronisation.rand, resynchronisation.auts);
			if (sqnMs === undefined) return undefined;
			if (!isAcceptable(this.sqn, sqnMs)) this.sqn = nextSqn(sqnMs);
		}
		this.sqns.push(this.sqn);
		const vector = makeVector(this.centre, this.random.octets(16), this.sqn, Uint8Array.of(0x80, 0));
		this.sqn = nextSqn(this.sqn);
		return { imsi: IMSI, vector };
	}
}

/** A copy with one bit changed. */
export function flipped(octets: Uint8Array, octet: number, bit = 0): Uint8Array {
	const copy = octets.slice();
	copy[octet < 0 ? copy.length + octet : octet] ^= 1 << bit;
	return copy;
}
