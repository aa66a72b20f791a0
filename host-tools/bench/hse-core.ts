import { encodeImsi } from "../../firmware/emsdp/imsi.js";
import {
	AGREEMENT,
	ALGORITHM,
	DIRECTION,
	LONGEST_MESSAGE,
	MODE,
	RELEASE,
	RETRANSMISSION,
	SERVICE,
} from "../../firmware/emsdp/profile.js";
import { SecurityContext, type SecurityParameters } from "../../firmware/emsdp/security-context.js";
import type { Kernel } from "../../firmware/kernels/kernel.js";
import { Hse } from "../hse/hse.js";
import { HseKeys } from "../hse/hse-keys.js";
import { UNLOADED } from "../hse/load.js";
import { DEFAULT_POLICY } from "../hse/policy.js";
import { HseSession } from "../hse/session.js";
import { SqliteSessionStore } from "../hse/session-store.js";
import { loadKernel } from "../kernel.js";

export const PAYLOAD_OCTETS = 64;
const COUNTER_SCHEME = 0;

/** What an HSE does in one second of one core, over its interface without input and output. */
export interface HseCoreFigures {
	/** Protected uplinks of 64 octets in a second, all of one session. */
	readonly coreUplinksPerSecond: number;
	/** The same over many sessions: in turn, and at random where most need their keys expanded. */
	readonly rows: readonly { readonly sessions: number; readonly order: string; readonly uplinksPerSecond: number }[];
	readonly idleSessions: number;
	/** Growth of the process's memory by these sessions, for one. Undefined where they are too few to be seen in it. */
	readonly bytesPerIdleSession: number | undefined;
	readonly kernel: string;
}

/**
 * Session IDs and keys come from numbers, so that neither end keeps what the other one costs. As those that are drawn, the
 * IDs are spread over all 32 bits in no order (Fibonacci hashing): a store has them all over its file.
 */
const sessionIdOf = (number: number) => Math.imul(number + 1, 0x9e3779b1) >>> 0;
export const imsiOf = (number: number) => `00101${String(number).padStart(10, "0")}`;
const addressOf = (number: number) => `10.${number >> 16}.${(number >> 8) & 0xff}.${number & 0xff} 33163`;

function baseKeyOf(number: number): Uint8Array {
	const key = new Uint8Array(32);
	for (let i = 0; i < key.length; i++) key[i] = Math.imul(number + 1, 0x85ebca6b + i) >>> 24;
	return key;
}

/** @param kinds sessions of how many kinds take turns: of the second kind are those that are not ciphered */
function parametersOf(number: number, kinds: number): SecurityParameters {
	const isCiphered = number % kinds === 0;
	return {
		sessionId: sessionIdOf(number),
		keyId: 1,
		agreement: AGREEMENT.epsAka,
		encryption: isCiphered ? ALGORITHM.aes : ALGORITHM.null,
		integrity: ALGORITHM.aes,
		counterScheme: COUNTER_SCHEME,
		macLength: 4,
		service: isCiphered ? SERVICE.confidential : SERVICE.integrity,
		mode: MODE.ueToHse,
	};
}

/** Sessions from which on what they take can be told from what else a process takes and gives back. */
const FEWEST_MEASURED = 100_000;
/** Sessions that are stored in one transaction. */
const SESSIONS_PER_BATCH = 10_000;

/** An HSE with sessions 0 .. n−1. Deriving a million keys is not what is measured: all have traffic keys of their own number. */
export class Fleet {
	readonly hse: Hse;
	readonly kernel: Kernel;
	sessions = 0;
	private readonly kinds: number;

	constructor(kernel: Kernel, kinds: number, hotSessions?: number, durable = false) {
		this.kernel = kernel;
		this.kinds = kinds;
		this.hse = new Hse({
			kernel,
			policy: DEFAULT_POLICY,
			retransmission: RETRANSMISSION,
			load: UNLOADED,
			drawSessionId: () => 1,
			drawNonce: () => new Uint8Array(8),
			fraction: () => 0,
			...(hotSessions === undefined ? {} : { hotSessions }),
			durable,
		});
	}

	grow(to: number): void {
		const { kernel, kinds } = this;
		const easId = new TextEncoder().encode("eas.example");
		const network = Uint8Array.of(0x00, 0xf1, 0x10);
		for (; this.sessions < to; this.sessions++) {
			const number = this.sessions;
			const parameters = parametersOf(number, kinds);
			const configuration = { ...parameters, release: RELEASE, lifetime: 0, largestMessage: LONGEST_MESSAGE };
			const identity = { imsi: imsiOf(number), easId, configuration, network, largestMessage: LONGEST_MESSAGE };
			const { trafficKeys, context } = contextOf(kernel, number, kinds, DIRECTION.toUe);
			const keys = new HseKeys(baseKeyOf(number), trafficKeys, context);
			this.hse.adopt(
				(surroundings) => new HseSession(surroundings, identity, keys, undefined, addressOf(number), "live"),
			);
			this.hse.handleTimeout(0);
		}
	}
}

export function contextOf(kernel: Kernel, number: number, kinds: number, direction: number) {
	const trafficKeys = new Uint8Array(64);
	trafficKeys.set(baseKeyOf(number));
	const key = (index: number) => trafficKeys.subarray(16 * index, 16 * (index + 1));
	const keys = { e2mEncryption: key(0), e2mIntegrity: key(1), e2eEncryption: key(2), e2eIntegrity: key(3) };
	return { trafficKeys, context: new SecurityContext(kernel, parametersOf(number, kinds), keys, direction) };
}

/** Datagrams of UEs, made beforehand, end to end, with the session each is of. */
interface Uplinks {
	readonly numbers: Uint32Array;
	readonly octets: Uint8Array;
	readonly length: number;
}

/** @param next the COUNT each session goes on with */
function makeUplinks(kernel: Kernel, numbers: Uint32Array, kinds: number, next: Uint32Array): Uplinks {
	const length = 6 + PAYLOAD_OCTETS + 4;
	const octets = new Uint8Array(numbers.length * length);
	const contexts = new Map<number, SecurityContext>();
	for (let i = 0; i < numbers.length; i++) {
		const number = numbers[i];
		let context = contexts.get(number);
		if (context === undefined) {
			context = contextOf(kernel, number, kinds, DIRECTION.fromUe).context;
			if (contexts.size < 1000) contexts.set(number, context);
		}
		context.user.next = next[number]++;
		kernel.message.fill(i, 6, 6 + PAYLOAD_OCTETS);
		octets.set(kernel.message.subarray(0, context.user.seal(PAYLOAD_OCTETS)), i * length);
	}
	return { numbers, octets, length };
}

/** Hands the uplinks to the HSE as a server does: octets into the kernel's buffer, then the uplink taken. @returns seconds of one core */
function receive({ hse, kernel }: Fleet, { numbers, octets, length }: Uplinks, addresses: readonly string[]): number {
	const { message } = kernel;
	const { outbox } = hse;
	const start = process.cpuUsage();
	for (let i = 0; i < numbers.length; i++) {
		const at = i * length;
		for (let j = 0; j < length; j++) message[j] = octets[at + j];
		hse.handleDatagram(0, addresses[i], message, length);
		if (outbox.takeUplink()?.end !== 6 + PAYLOAD_OCTETS) throw new Error("An uplink of the benchmark was not taken.");
	}
	const { user, system } = process.cpuUsage(start);
	return (user + system) / 1e6;
}

function residentOctets(): number {
	globalThis.gc?.();
	globalThis.gc?.();
	return process.memoryUsage.rss();
}

export interface HseCoreOptions {
	/** Sessions that the memory and the last row are measured with. */
	readonly idleSessions?: number;
	/** Uplinks for each row. */
	readonly uplinks?: number;
	readonly hotSessions?: number;
	readonly kinds?: number;
}

export function hseCoreFigures(options: HseCoreOptions = {}): HseCoreFigures {
	const { idleSessions = 1_000_000, uplinks = 400_000, hotSessions, kinds = 1 } = options;
	if (encodeImsi(imsiOf(idleSessions)) === undefined) throw new RangeError("There are too many sessions.");
	const fleet = new Fleet(loadKernel(), kinds, hotSessions);
	const ues = loadKernel();
	const next = new Uint32Array(idleSessions);
	const run = (sessions: number, order: (i: number) => number) => {
		fleet.grow(sessions);
		const numbers = Uint32Array.from({ length: uplinks }, (_, i) => order(i));
		const made = makeUplinks(ues, numbers, kinds, next);
		const addresses = Array.from(numbers, addressOf);
		return Math.round(uplinks / receive(fleet, made, addresses));
	};
	let state = 1;
	const random = () => {
		state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9;
		return (state ^ (state >>> 13)) >>> 0;
	};
	run(1, () => 0);
	const coreUplinksPerSecond = run(1, () => 0);
	const few = Math.min(10_000, idleSessions);
	const inTurn = run(few, (i) => i % few);
	const before = residentOctets();
	const grown = fleet.sessions;
	fleet.grow(idleSessions);
	const more = idleSessions - grown;
	const bytesPerIdleSession = more < FEWEST_MEASURED ? undefined : Math.round((residentOctets() - before) / more);
	const atRandom = run(idleSessions, () => random() % idleSessions);
	return {
		coreUplinksPerSecond,
		rows: [
			{ sessions: few, order: "in turn", uplinksPerSecond: inTurn },
			{ sessions: idleSessions, order: "at random", uplinksPerSecond: atRandom },
		],
		idleSessions,
		bytesPerIdleSession,
		kernel: fleet.kernel.name,
	};
}

/** Stores sessions 0 .. n−1 in a database. */
export async function storeFleet(path: string, sessions: number): Promise<void> {
	const store = new SqliteSessionStore(path);
	const fleet = new Fleet(loadKernel(), 1, undefined, true);
	while (fleet.sessions < sessions) {
		fleet.grow(Math.min(sessions, fleet.sessions + SESSIONS_PER_BATCH));
		const batch = fleet.hse.takeBatch();
		if (batch !== undefined) await store.commit(batch);
	}
	fleet.hse.erase();
	await store.close();
}
