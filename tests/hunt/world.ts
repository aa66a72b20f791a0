import { withAllAlgorithms } from "../../firmware/algorithms/all.js";
import { ClientError } from "../../firmware/client/errors.js";
import { SESSION_KEY } from "../../firmware/client/packed-session.js";
import { REFRESH_METHOD } from "../../firmware/emsdp/contents.js";
import { CAUSE, COUNT, HEADER, SERVICE } from "../../firmware/emsdp/profile.js";
import type { Kernel } from "../../firmware/kernels/kernel.js";
import { HseError } from "../../host-tools/hse/errors.js";
import { loadKernel } from "../../host-tools/kernel.js";
import { IMSI, MemoryStore, Pair, type PairOptions } from "../support/pair.js";
import { Faults } from "./faults.js";
import { delaying, duplicating, Link, limiting, losing, reordering, spoiling, type Wrapper } from "./link.js";
import { Recorder } from "./recorder.js";

/** Thrown where an end loses its power. */
export class PowerCut extends Error {
	override readonly name = "PowerCut";
	constructor(readonly end: "UE" | "HSE") {
		super(`power cut at the ${end}`);
	}
}

/** What a write does when the power goes: nothing yet, all, or half of the new value over the old one. */
export type Write = "before" | "after" | "torn";

/** A store whose power can go in any write. */
class FaultyStore extends MemoryStore {
	/** Called in each write; it throws where the power goes. */
	onWrite: (key: string, when: Write) => void = () => {};

	override write(key: string, value: Uint8Array): void {
		this.onWrite(key, "before");
		// The port promises the older value after a torn write; the session's record bears a worse store.
		const old = this.values.get(key);
		if (key === SESSION_KEY) {
			const torn = old?.length === value.length ? old.slice() : new Uint8Array(value.length).fill(0xff);
			torn.set(value.subarray(0, value.length >> 1));
			this.values.set(key, torn);
			this.onWrite(key, "torn");
		}
		super.write(key, value);
		this.onWrite(key, "after");
	}

	override delete(key: string): void {
		this.onWrite(key, "before");
		super.delete(key);
		this.onWrite(key, "after");
	}
}

/** How bad a link is, per mille and milliseconds. */
export interface LinkModel {
	readonly lost: number;
	readonly copied: number;
	readonly spoilt: number;
	readonly heldUp: number;
	readonly heldUpFor: number;
	readonly least: number;
	readonly spread: number;
	readonly mtu: number;
}

export interface WorldOptions extends Omit<PairOptions, "load" | "kernel" | "hseKernel" | "store"> {
	readonly seed: number;
	readonly link: LinkModel;
	/** The only faults that may happen. */
	readonly faults?: ReadonlySet<string>;
}

/** What is done to the two ends. `value` picks among what is possible. */
export interface Step {
	readonly what: keyof typeof ACTIONS;
	readonly value: number;
}

/** Octets that each payload begins with: nobody may see them on a link of the confidential service. */
const MARK = "mark ";
/** Inputs at one and the same moment after which an end is said to spin. */
const MOST_AT_ONCE = 2000;
/** By then every request is answered or given up, every back-off and block is over (profile section 6). */
const QUIET_AFTER = 300_000;
/** A message, a resume, a new session: more than that and the ends do not come together. */
const MOST_TRIES = 6;
/** Seconds: a back-off whose length was spoilt must not outlast a run. */
const LONGEST_BACK_OFF = 60;

/** The fastest kernel of this machine, one for each end of all worlds: an uplink stands in that of the HSE until it is taken. */
let kernels: { readonly ue: Kernel; readonly hse: Kernel } | undefined;

interface Sent {
	readonly sessionId: number;
	readonly keyId: number;
	readonly number: number;
}

/** One UE, one HSE and a bad link between them, with everything that must always hold checked as it happens. */
export class World extends Pair {
	readonly recorder: Recorder;
	readonly faults: Faults;
	private readonly up: Link;
	private readonly down: Link;
	private readonly confidential: boolean;
	private readonly reorders: boolean;
	/** Outputs and parts of writes until the power of an end goes. */
	private readonly cutAfter: Record<"UE" | "HSE", number> = {
		UE: Number.POSITIVE_INFINITY,
		HSE: Number.POSITIVE_INFINITY,
	};
	/** Outputs and parts of writes of an end so far: places where its power can go. */
	readonly places = { UE: 0, HSE: 0 };
	private isLoaded = false;
	private isBusy = false;
	private number = 0;
	private readonly sentUp = new Map<string, Sent>();
	private readonly sentDown = new Map<string, Sent>();
	private readonly arrived = new Set<string>();
	private readonly highest = new Map<string, number>();
	private seenUe = 0;
	private seenHse = 0;
	powerCuts = 0;

	constructor(options: WorldOptions) {
		kernels ??= { ue: withAllAlgorithms(loadKernel()), hse: withAllAlgorithms(loadKernel()) };
		const recorder = new Recorder();
		const store = new FaultyStore();
		const cookie = Uint8Array.of(1, 2, 3, 4);
		super({
			longestBackOff: LONGEST_BACK_OFF,
			...options,
			store,
			kernel: recorder.watch(kernels.ue, "UE"),
			hseKernel: recorder.watch(kernels.hse, "HSE"),
			load: {
				cookie: (_now, _source, _identity, given) =>
					!this.isLoaded || given?.join() === cookie.join() ? undefined : cookie,
				backOff: () => (this.isBusy ? 20 : undefined),
			},
		});
		this.recorder = recorder;
		store.onWrite = () => this.passed("UE");
		this.faults = new Faults(options.seed, options.faults);
		this.confidential = (options.service ?? SERVICE.confidential) === SERVICE.confidential;
		this.reorders = (options.policy?.counterSchemes?.[0] ?? 0) > 0;
		this.up = new Link("up", this.wrappers(options.link));
		this.down = new Link("down", this.wrappers(options.link));
	}

	/** Does one thing, and whatever comes of it at once. An end that refuses it in the proper way does no harm. */
	perform({ what, value }: Step): void {
		this.attempt(() => ACTIONS[what](this, value));
	}

	/** Lets time go by: datagrams arrive, deadlines are met. */
	advance(milliseconds: number): void {
		const end = this.now + milliseconds;
		let spins = 0;
		for (;;) {
			const at = Math.min(
				this.up.nextAt,
				this.down.nextAt,
				this.ue.deadline ?? Number.POSITIVE_INFINITY,
				this.hse.deadline ?? Number.POSITIVE_INFINITY,
			);
			if (at > end) break;
			spins = at > this.now ? 0 : spins + 1;
			if (spins > MOST_AT_ONCE) throw new Error(`an end spins at ${this.now} ms`);
			this.now = Math.max(this.now, at);
			this.attempt(() => this.next());
		}
		this.now = end;
	}

	/** The power of an end goes after so many outputs and parts of writes. */
	cutSoon(end: "UE" | "HSE", after: number): void {
		this.cutAfter[end] = after;
	}

	/** From now on nothing goes wrong; what had begun may end. */
	mend(): void {
		this.cutAfter.UE = Number.POSITIVE_INFINITY;
		this.cutAfter.HSE = Number.POSITIVE_INFINITY;
		this.isLoaded = false;
		this.isBusy = false;
		const good = delaying(this.faults, 5, 0);
		this.up.wrappers = [good];
		this.down.wrappers = [good];
		this.advance(QUIET_AFTER);
	}

	/** Over a good link both ends come to the same state, and data go both ways. @throws Error where they do not */
	mustAgree(): void {
		for (let tries = 1; tries <= MOST_TRIES; tries++) {
			if (this.agree()) return;
			// A UE that has followed many hints waits before it follows the next one.
			this.advance(tries < 3 ? 0 : 3_600_000);
		}
		throw new Error(`the ends do not come together: ${this.describe()}`);
	}

	/** One message each way. @returns false where there is no session, or its end has come in between */
	private agree(): boolean {
		if (this.ue.session?.state === "terminating") this.advance(QUIET_AFTER);
		this.start();
		this.advance(5000);
		const up = this.uplink();
		this.advance(1000);
		if (up === undefined || !this.arrived.has(up)) {
			// A 0A, a resume, another 0A that waits for its second, a new session.
			this.advance(20_000);
			return false;
		}
		const down = this.downlink();
		this.advance(1000);
		if (down === undefined) return false;
		if (!this.arrived.has(down)) this.hearAgain();
		const ue = this.ue.session;
		const hse = this.hse.sessionOf(IMSI);
		if (ue === undefined && hse === undefined) return false;
		const same =
			ue !== undefined &&
			hse !== undefined &&
			ue.context.parameters.sessionId === hse.sessionId &&
			ue.context.parameters.keyId === hse.context.parameters.keyId &&
			ue.easKey().join() === hse.easKey().join() &&
			ue.context.user.next === hse.context.user.received.last + 1 &&
			hse.context.user.next === ue.context.user.received.last + 1;
		if (!same) throw new Error(`the ends disagree: ${this.describe()}`);
		return true;
	}

	/** What BestClient.start does: goes on with what is stored, or asks for a session. */
	start(): void {
		if (this.ue.session?.state === "stale") this.ue.resume(this.now);
		else if (this.ue.session === undefined && !this.ue.isAttempting) this.ue.begin(this.now);
		this.drain();
	}

	/** @returns the payload, undefined where the UE cannot send now */
	uplink(octets = 0): string | undefined {
		const { session } = this.ue;
		if (session === undefined || !session.canSend) return undefined;
		const payload = this.payload("u", octets);
		const { sessionId, keyId } = session.context.parameters;
		this.sentUp.set(payload, { sessionId, keyId, number: this.number });
		this.ue.send(new TextEncoder().encode(payload));
		this.drain();
		return payload;
	}

	downlink(octets = 0): string | undefined {
		const session = this.hse.sessionOf(IMSI);
		if (!session?.isLive) return undefined;
		const payload = this.payload("d", octets);
		const { sessionId } = session;
		const { keyId } = session.context.parameters;
		this.sentDown.set(payload, { sessionId, keyId, number: this.number });
		this.hse.send(this.now, sessionId, new TextEncoder().encode(payload));
		this.drain();
		return payload;
	}

	load(isLoaded: boolean, isBusy: boolean): void {
		this.isLoaded = isLoaded;
		this.isBusy = isBusy;
	}

	/** Takes the outputs of both ends to the link. */
	drain(): void {
		this.drainUe();
		this.drainHse();
	}

	override drainUe(): void {
		try {
			super.drainUe();
		} finally {
			this.collect();
		}
	}

	override drainHse(): void {
		try {
			super.drainHse();
		} finally {
			this.collect();
		}
	}

	protected override passed(end: "UE" | "HSE"): void {
		this.places[end]++;
		this.cutAfter[end]--;
		if (this.cutAfter[end] > 0) return;
		this.cutAfter[end] = Number.POSITIVE_INFINITY;
		throw new PowerCut(end);
	}

	private next(): void {
		const { now } = this;
		if (this.up.nextAt <= now) this.deliverToHse(this.up.take());
		else if (this.down.nextAt <= now) this.deliverToUe(this.down.take());
		else {
			this.ue.handleTimeout(now);
			this.drainUe();
			this.hse.handleTimeout(now);
			this.drainHse();
		}
	}

	/** Where the power goes in the midst of it the end starts again; where an end refuses, that is its right. */
	private attempt(action: () => void): void {
		try {
			action();
		} catch (error) {
			if (error instanceof PowerCut) this.startAgain(error.end);
			else if (!(error instanceof ClientError || error instanceof HseError)) throw error;
		}
		this.check();
	}

	startAgain(end: "UE" | "HSE"): void {
		this.powerCuts++;
		this.recorder.restarted(end);
		if (end === "UE") this.cutPower();
		else this.restartHse();
	}

	private wrappers(model: LinkModel): Wrapper[] {
		const { faults } = this;
		return [
			limiting(model.mtu),
			losing(faults, model.lost),
			duplicating(faults, model.copied),
			delaying(faults, model.least, model.spread),
			reordering(faults, model.heldUp, model.heldUpFor),
			spoiling(faults, model.spoilt),
		];
	}

	private payload(direction: string, octets: number): string {
		this.number++;
		return `${MARK}${direction}${this.number}`.padEnd(octets, ".");
	}

	/** Looks at every datagram and hands it to the link. */
	private collect(): void {
		for (const datagram of this.toHse.splice(0)) {
			this.mustBeProtected(datagram);
			this.up.send(this.now, datagram);
		}
		for (const datagram of this.toUe.splice(0)) {
			this.mustBeProtected(datagram);
			this.down.send(this.now, datagram);
		}
	}

	private mustBeProtected(datagram: Uint8Array): void {
		this.recorder.sent(datagram);
		const keyId = (datagram[1] >> HEADER.keyIdShift) & HEADER.keyIdMask;
		if ((datagram[1] & HEADER.userPlane) !== 0 && keyId === 0) throw new Error("a payload goes out without protection");
		if (this.confidential && Buffer.from(datagram).includes(MARK)) throw new Error("a payload goes out in clear");
	}

	/** What must hold after every input. */
	private check(): void {
		const { violations } = this.recorder;
		if (violations.length > 0) throw new Error(violations[0]);
		for (; this.seenHse < this.hseEvents.length; this.seenHse++) {
			const event = this.hseEvents[this.seenHse];
			if (event.kind === "uplink") this.mustBeNew(this.sentUp, "up", event.payload);
		}
		for (; this.seenUe < this.ueEvents.length; this.seenUe++) {
			const event = this.ueEvents[this.seenUe];
			if (event.kind === "downlink") this.mustBeNew(this.sentDown, "down", event.payload);
		}
		if (new Set(this.sqns).size !== this.sqns.length) throw new Error("an SQN is used twice");
	}

	/** At most once, and in order: strictly with 3 bits of COUNT, else no more than 63 behind (profile section 2.1). */
	private mustBeNew(sent: Map<string, Sent>, direction: string, octets: Uint8Array): void {
		const payload = new TextDecoder().decode(octets);
		const origin = sent.get(payload);
		if (origin === undefined) throw new Error(`a payload arrives (${direction}) that nobody sent`);
		if (this.arrived.has(payload)) throw new Error(`"${payload}" arrives twice`);
		this.arrived.add(payload);
		const key = `${direction} ${origin.sessionId} ${origin.keyId}`;
		const highest = this.highest.get(key) ?? -1;
		if (!this.reorders && origin.number < highest) throw new Error(`"${payload}" arrives out of order`);
		this.highest.set(key, Math.max(highest, origin.number));
	}

	/** So many downlinks were lost that the trials of 3 bits do not bridge them: a resume tells the UE where they are. */
	private hearAgain(): void {
		const lost =
			(this.hse.sessionOf(IMSI)?.context.user.next ?? 0) - (this.ue.session?.context.user.received.last ?? 0);
		if (this.reorders || lost <= 8 * COUNT.trialsAtUe) throw new Error(`a downlink is not heard: ${this.describe()}`);
		this.ue.resume(this.now);
		this.drain();
		this.advance(1000);
		const down = this.downlink();
		this.advance(1000);
		if (!this.arrived.has(down ?? "")) throw new Error(`downlinks are not heard any more: ${this.describe()}`);
	}

	private describe(): string {
		const ue = this.ue.session;
		const hse = this.hse.sessionOf(IMSI);
		const of = (session: typeof ue | typeof hse) =>
			session === undefined
				? "no session"
				: `${session.state}, Key ID ${session.context.parameters.keyId}, UP ${session.context.user.next}/${session.context.user.received.last}, CP ${session.context.control.next}/${session.context.control.received.last}`;
		const attempting = this.ue.isAttempting ? ", an attempt under way" : "";
		return `UE ${of(ue)}${attempting}; HSE ${of(hse)}; verdicts ${JSON.stringify([this.ue.verdicts, this.hse.verdicts])}`;
	}
}

const METHODS = Object.values(REFRESH_METHOD);
const pick = <T>(list: readonly T[], value: number): T => list[value % list.length];

function sessionIdOf(world: World): number {
	return world.hse.sessionOf(IMSI)?.sessionId ?? 0;
}

/** All that can be done to the two ends. */
export const ACTIONS = {
	start: (world: World) => world.start(),
	"new session": (world: World) => {
		if (!world.ue.isAttempting) world.ue.begin(world.now);
		world.drain();
	},
	send: (world: World, value: number) => {
		// As BestClient does: a payload without a session asks for one.
		if (world.ue.session?.canSend) world.uplink(pick([0, 0, 20, 200, 1000], value));
		else world.start();
	},
	answer: (world: World, value: number) => void world.downlink(pick([0, 0, 20, 200, 1000], value)),
	"UE asks for new keys": (world: World, value: number) => {
		world.ue.refresh(world.now, pick(METHODS, value));
		world.drain();
	},
	"HSE offers new keys": (world: World, value: number) => {
		world.hse.refresh(world.now, sessionIdOf(world), pick([REFRESH_METHOD.aka, REFRESH_METHOD.chained], value));
		world.drain();
	},
	"UE resumes": (world: World) => {
		world.ue.resume(world.now);
		world.drain();
	},
	"UE ends the session": (world: World) => {
		world.ue.stop(world.now);
		world.drain();
	},
	"HSE ends the session": (world: World, value: number) => {
		world.hse.terminate(world.now, sessionIdOf(world), pick([CAUSE.normalRelease, CAUSE.keyLifetimeOver], value));
		world.drain();
	},
	"UE loses power": (world: World) => world.startAgain("UE"),
	"UE loses power soon": (world: World, value: number) => world.cutSoon("UE", 1 + (value % 12)),
	"HSE restarts": (world: World) => world.startAgain("HSE"),
	"HSE loses power soon": (world: World, value: number) => world.cutSoon("HSE", 1 + (value % 12)),
	"UE moves": (world: World, value: number) => {
		world.source = `ue ${value % 3}`;
	},
	load: (world: World, value: number) => world.load((value & 1) !== 0, (value & 6) === 6),
	wait: (world: World, value: number) => world.advance(pick([100, 1000, 5000, 40_000, 130_000, 1_000_000], value)),
} as const satisfies Record<string, (world: World, value: number) => void>;
