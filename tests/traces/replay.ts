/**
 * What a UE is given, and what it does: recorded with a whole world around it (record.ts), replayed without one on any
 * engine. Plain functions over strings, no test framework and no Node API, since an XS machine has neither.
 */
import type { UeEvent } from "../../firmware/client/events.js";
import { SESSION_KEY } from "../../firmware/client/packed-session.js";
import { restoreSession } from "../../firmware/client/restore.js";
import { Ue } from "../../firmware/client/ue.js";
import { readUeConfiguration } from "../../firmware/emsdp/configuration.js";
import { RETRANSMISSION, TAG } from "../../firmware/emsdp/profile.js";
import type { Kernel } from "../../firmware/kernels/kernel.js";
import { Milenage } from "../../firmware/keys/milenage.js";
import { SoftUsim } from "../../firmware/platform/common/soft-usim.js";
import { SeededRandom } from "../support/seeded-random.js";

/** One input: its name, the time in milliseconds, and an argument: hexadecimal digits, or a number. */
export type Input = readonly [name: string, now: number, argument?: string];

/** All that a UE hangs on. Octets are hexadecimal digits. */
export interface Trace {
	readonly name: string;
	/** Of the UE's randomness. */
	readonly seed: number;
	readonly k: string;
	readonly opc: string;
	readonly imsi: string;
	/** Values of tags 03, 04 and 05. */
	readonly offer: string;
	readonly easId: string;
	readonly servingNetwork: string;
	readonly longestBackOff: number;
	readonly inputs: readonly Input[];
}

const DIGITS = "0123456789abcdef";

export function hexOf(octets: Uint8Array): string {
	let digits = "";
	for (let i = 0; i < octets.length; i++) digits += DIGITS[octets[i] >> 4] + DIGITS[octets[i] & 15];
	return digits;
}

function octetsOf(digits = ""): Uint8Array {
	const octets = new Uint8Array(digits.length >> 1);
	for (let i = 0; i < octets.length; i++)
		octets[i] = (DIGITS.indexOf(digits[2 * i]) << 4) | DIGITS.indexOf(digits[2 * i + 1]);
	return octets;
}

/** A UE with its soft USIM and its store, and what comes out of it. */
class Device {
	private readonly values = new Map<string, Uint8Array>();
	private readonly random: SeededRandom;
	private readonly kernel: Kernel;
	private readonly trace: Trace;
	private ue: Ue;
	private usim: SoftUsim;
	private out: string[] = [];
	private readonly store = {
		read: (key: string) => this.values.get(key)?.slice(),
		write: (key: string, value: Uint8Array) => {
			this.values.set(key, value.slice());
			this.out.push(`store ${key} ${hexOf(value)}`);
		},
		delete: (key: string) => {
			this.values.delete(key);
			this.out.push(`delete ${key}`);
		},
	};

	constructor(kernel: Kernel, trace: Trace) {
		this.kernel = kernel;
		this.trace = trace;
		this.random = new SeededRandom(trace.seed);
		this.usim = this.makeUsim();
		this.ue = this.makeUe();
	}

	/** Gives an input. @returns what comes of it, in one line */
	take([name, now, argument]: Input): string {
		this.out = [];
		try {
			this.give(name, now, argument);
		} catch (error) {
			// Secrets stand in no error, so it may be compared.
			this.out.push(String(error));
		}
		this.drain(now);
		this.out.push(`deadline ${this.ue.deadline}`);
		return this.out.join("; ");
	}

	private give(name: string, now: number, argument: string | undefined): void {
		const { ue } = this;
		if (name === "datagram") {
			const octets = octetsOf(argument);
			this.out.push(ue.handleDatagram(now, octets, octets.length));
		} else if (name === "timeout") ue.handleTimeout(now);
		else if (name === "send") ue.send(octetsOf(argument));
		else if (name === "begin") ue.begin(now);
		else if (name === "resume") ue.resume(now);
		else if (name === "refresh") ue.refresh(now, Number(argument));
		else if (name === "stop") ue.stop(now);
		else if (name === "power cut") this.startAgain();
		else throw new Error(`There is no input "${name}".`);
	}

	private startAgain(): void {
		this.usim = this.makeUsim();
		this.ue = this.makeUe();
		const record = this.store.read(SESSION_KEY);
		if (record !== undefined) this.ue.adopt((options, outbox) => restoreSession(record, options, outbox));
	}

	private drain(now: number): void {
		const { ue, out } = this;
		for (;;) {
			const record = ue.outbox.takeRecord();
			if (record?.length === 0) this.store.delete(SESSION_KEY);
			else if (record !== undefined) this.store.write(SESSION_KEY, record);
			const octets = ue.outbox.takeDatagram();
			if (octets > 0) out.push(`datagram ${hexOf(this.kernel.message.slice(0, octets))}`);
			const challenge = ue.outbox.takeChallenge();
			if (challenge === undefined) break;
			this.usim.authenticate(challenge.rand, challenge.autn, (result) => {
				out.push(`USIM ${result.status}`);
				ue.handleAuthentication(now, challenge, result);
			});
		}
		for (let event = ue.outbox.takeEvent(); event !== undefined; event = ue.outbox.takeEvent()) out.push(words(event));
	}

	private makeUsim(): SoftUsim {
		const { k, opc, imsi } = this.trace;
		return new SoftUsim(new Milenage(this.kernel, octetsOf(k), octetsOf(opc)), octetsOf(imsi), this.store, 0);
	}

	private makeUe(): Ue {
		const { imsi, offer, easId, servingNetwork, longestBackOff } = this.trace;
		return new Ue({
			kernel: this.kernel,
			random: this.random,
			identity: { tag: TAG.imsi, value: octetsOf(imsi) },
			sharedKey: undefined,
			offer: readUeConfiguration(octetsOf(offer), 0),
			easId: octetsOf(easId),
			servingNetwork: octetsOf(servingNetwork),
			retransmission: RETRANSMISSION,
			longestBackOff,
		});
	}
}

function words(event: UeEvent): string {
	return event.kind === "downlink" ? `downlink ${hexOf(event.payload)}` : JSON.stringify(event);
}

/** Replays a trace. @param print is given one line for each input */
export function replay(kernel: Kernel, trace: Trace, print: (line: string) => void): void {
	const device = new Device(kernel, trace);
	for (const input of trace.inputs) print(device.take(input));
}

/** Replays a trace. @returns one line for each input */
export function linesOf(kernel: Kernel, trace: Trace): string[] {
	const lines: string[] = [];
	replay(kernel, trace, (line) => lines.push(line));
	return lines;
}
