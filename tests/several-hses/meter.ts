import { createSocket, type Socket } from "node:dgram";
import { SESSION_KEY } from "../../firmware/client/packed-session.js";
import { restoreSession } from "../../firmware/client/restore.js";
import { Ue } from "../../firmware/client/ue.js";
import { REFRESH_METHOD } from "../../firmware/emsdp/contents.js";
import { encodeImsi } from "../../firmware/emsdp/imsi.js";
import { AGREEMENT, LIMITS, RETRANSMISSION, SERVICE, TAG } from "../../firmware/emsdp/profile.js";
import { plmnForm } from "../../firmware/emsdp/serving-network.js";
import type { Kernel } from "../../firmware/kernels/kernel.js";
import { Milenage } from "../../firmware/keys/milenage.js";
import { SoftUsim } from "../../firmware/platform/common/soft-usim.js";
import { toHex } from "../../host-tools/hex.js";
import { loadKernel } from "../../host-tools/kernel.js";
import { offerOf } from "../../host-tools/provision/provision.js";
import { MemoryStore } from "../support/pair.js";
import type { SeededRandom } from "../support/seeded-random.js";
import { pause } from "./waiting.js";
import type { TrafficKeyPair } from "./wire-check.js";

export const CREDENTIALS = { k: new Uint8Array(16).fill(0x4b), opc: new Uint8Array(16).fill(0x6f) } as const;
const ADDRESS = "127.0.0.1";
const NETWORK = plmnForm("901", "70");

/** Milliseconds after which the next reading is sent, answered or not. */
const PATIENCE = 200;
/** Readings without an answer after which a device resumes its session, as after any long silence. */
const MOST_UNANSWERED = 20;

/** A UE whose datagrams go to any of several HSEs, as a spreader of UDP does it, with all that it sees on record. */
export class Meter {
	readonly imsi: string;
	readonly keys: TrafficKeyPair[] = [];
	readonly fromUe: Uint8Array[] = [];
	readonly toUe: Uint8Array[] = [];
	/** SQNs of challenges, by RAND. */
	readonly sqns = new Map<string, string>();
	readonly sent = new Set<string>();
	answers = 0;
	sessions = 0;
	resumes = 0;
	private readonly kernel: Kernel;
	private readonly random: SeededRandom;
	private readonly ports: readonly number[];
	private readonly store = new MemoryStore();
	private readonly centre: Milenage;
	private ue: Ue;
	private usim: SoftUsim;
	private readonly socket: Socket = createSocket("udp4");
	/** Which HSE the spreader sends to. */
	private target = 0;
	/** The only one that it sends to, where it is to. */
	aim: number | undefined;
	private unanswered = 0;
	private wake: () => void = () => {};
	private isStopped = false;

	constructor(imsi: string, random: SeededRandom, ports: readonly number[]) {
		this.imsi = imsi;
		this.random = random;
		this.ports = ports;
		const kernel = loadKernel();
		this.kernel = {
			...delegate(kernel),
			setKeys: (keySet, encryption, integrity, ...algorithms) => {
				this.keys.push({ encryption: encryption.slice(), integrity: integrity.slice() });
				kernel.setKeys(keySet, encryption, integrity, ...algorithms);
			},
		};
		this.centre = new Milenage(loadKernel(), CREDENTIALS.k, CREDENTIALS.opc);
		[this.ue, this.usim] = this.boot();
		this.socket.on("message", (datagram) => this.receive(datagram));
	}

	/** Sends readings until {@link stop}, and now and then does something else. */
	async run(): Promise<void> {
		await new Promise<void>((resolve) => this.socket.bind(0, ADDRESS, resolve));
		while (!this.isStopped) {
			this.act();
			await this.answered(PATIENCE);
		}
	}

	/** Sends readings until one is answered. @returns whether one was */
	async reachesHse(milliseconds: number): Promise<boolean> {
		const before = this.answers;
		for (const end = Date.now() + milliseconds; Date.now() < end && this.answers === before; ) {
			this.report();
			await this.answered(PATIENCE);
		}
		return this.answers > before;
	}

	stop(): void {
		this.isStopped = true;
	}

	close(): void {
		this.socket.close();
	}

	private chance(perMille: number): boolean {
		return (this.random.next() >>> 8) % 1000 < perMille;
	}

	private act(): void {
		const now = performance.now();
		const { session } = this.ue;
		const isLive = session?.state === "live";
		const draw = (this.random.next() >>> 8) % 1000;
		if (session?.canSend && draw < 30) this.cutPower();
		else if (isLive && draw < 50) this.ue.refresh(now, REFRESH_METHOD.chained);
		else if (isLive && draw < 60) this.ue.refresh(now, REFRESH_METHOD.aka);
		else if (isLive && draw < 70) this.ue.stop(now);
		else if (isLive && draw < 80 && !this.ue.isAttempting) this.ue.begin(now);
		else this.report();
		this.drain();
	}

	/** A reading, or what has to be done before one can be sent. */
	private report(): void {
		const now = performance.now();
		const { session } = this.ue;
		if ((this.ue.deadline ?? Number.POSITIVE_INFINITY) <= now) this.ue.handleTimeout(now);
		else if (session?.canSend && this.unanswered < MOST_UNANSWERED) {
			const reading = `${this.imsi} ${this.sent.size}`;
			this.sent.add(reading);
			this.unanswered++;
			this.ue.send(new TextEncoder().encode(reading));
		} else if (session?.state === "live") {
			this.unanswered = 0;
			this.resumes++;
			this.ue.resume(now);
		} else if (session === undefined && !this.ue.isAttempting) this.ue.begin(now);
		this.drain();
	}

	private boot(): [Ue, SoftUsim] {
		const value = encodeImsi(this.imsi) ?? new Uint8Array(8);
		const ue = new Ue({
			kernel: this.kernel,
			random: this.random,
			identity: { tag: TAG.imsi, value },
			sharedKey: undefined,
			offer: offerOf(AGREEMENT.epsAka, SERVICE.confidential),
			easId: new TextEncoder().encode("meter.test"),
			servingNetwork: NETWORK,
			// A test has no time for the profile's seconds between two tries.
			retransmission: { ...RETRANSMISSION, firstAfter: 500 },
			longestBackOff: LIMITS.longestBackOff,
		});
		const functions = new Milenage(loadKernel(), CREDENTIALS.k, CREDENTIALS.opc);
		return [ue, new SoftUsim(functions, value, this.store)];
	}

	private cutPower(): void {
		[this.ue, this.usim] = this.boot();
		const record = this.store.read(SESSION_KEY);
		if (record !== undefined) this.ue.adopt((options, outbox) => restoreSession(record, options, outbox));
		if (this.ue.session !== undefined) this.ue.resume(performance.now());
	}

	private receive(datagram: Uint8Array): void {
		this.toUe.push(datagram);
		this.ue.handleDatagram(performance.now(), datagram, datagram.length);
		this.drain();
	}

	private drain(): void {
		const { outbox } = this.ue;
		for (;;) {
			const record = outbox.takeRecord();
			if (record?.length === 0) this.store.delete(SESSION_KEY);
			else if (record !== undefined) this.store.write(SESSION_KEY, record);
			const octets = outbox.takeDatagram();
			if (octets > 0) this.transmit(this.kernel.message.slice(0, octets));
			const challenge = outbox.takeChallenge();
			if (challenge === undefined) break;
			this.note(challenge.rand, challenge.autn);
			this.usim.authenticate(challenge.rand, challenge.autn, (result) =>
				this.ue.handleAuthentication(performance.now(), challenge, result),
			);
		}
		for (let event = outbox.takeEvent(); event !== undefined; event = outbox.takeEvent()) {
			if (event.kind === "session started") this.sessions++;
			if (event.kind !== "downlink") continue;
			this.answers++;
			this.unanswered = 0;
			this.wake();
		}
	}

	private note(rand: Uint8Array, autn: Uint8Array): void {
		const { ak } = this.centre.f2345(rand);
		this.sqns.set(toHex(rand), toHex(autn.slice(0, 6).map((octet, i) => octet ^ ak[i])));
	}

	private transmit(datagram: Uint8Array): void {
		this.fromUe.push(datagram);
		if (this.chance(300)) this.target = (this.random.next() >>> 8) % this.ports.length;
		if (this.aim !== undefined) this.target = this.aim;
		this.replay();
		this.socket.send(datagram, this.ports[this.target], ADDRESS);
		// A copy comes to another HSE at the same time.
		if (this.chance(50)) this.socket.send(datagram, this.ports[(this.target + 1) % this.ports.length], ADDRESS);
	}

	/** Somebody sends again what was sent before, ahead of what is new. */
	private replay(): void {
		if (!this.chance(250)) return;
		const old = this.fromUe.at(-2 - ((this.random.next() >>> 8) % 16));
		if (old !== undefined) this.socket.send(old, this.ports[this.target], ADDRESS);
	}

	private async answered(milliseconds: number): Promise<void> {
		await Promise.race([
			new Promise<void>((resolve) => {
				this.wake = resolve;
			}),
			pause(milliseconds),
		]);
	}
}

function delegate(kernel: Kernel): Kernel {
	return {
		name: kernel.name,
		algorithms: kernel.algorithms,
		message: kernel.message,
		createKeySet: () => kernel.createKeySet(),
		setKeys: (...words) => kernel.setKeys(...words),
		eraseKeys: (...words) => kernel.eraseKeys(...words),
		protect: (...words) => kernel.protect(...words),
		unprotect: (...words) => kernel.unprotect(...words),
		encryptBlocks: (...words) => kernel.encryptBlocks(...words),
		ctr: (...words) => kernel.ctr(...words),
		cmac: (...words) => kernel.cmac(...words),
		erase: () => kernel.erase(),
	};
}
