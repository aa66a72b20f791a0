import { AttachedModem } from "../../firmware/modem/attached-modem.js";
import { modemOptions } from "../../firmware/modem/configuration.js";
import { SharedClock } from "../../firmware/modem/shared-clock.js";
import type { Clock } from "../../firmware/ports/clock.js";
import type { Serial } from "../../firmware/ports/serial.js";
import { SeededRandom } from "../support/pair.js";
import type { ScriptedCard } from "./scripted-card.js";
import { type Family, ScriptedModem, type ScriptedModemOptions } from "./scripted-modem.js";

interface Due {
	readonly at: number;
	readonly action: () => void;
}

/** Time that passes only when a test says so: what is due happens in order. */
export class VirtualTime {
	now = 0;
	private due: Due[] = [];

	later(milliseconds: number, action: () => void): void {
		const at = this.now + milliseconds;
		const behind = this.due.findIndex((other) => other.at > at);
		this.due.splice(behind < 0 ? this.due.length : behind, 0, { at, action });
	}

	/** Lets time pass until something is so, or throws after an hour, or where time hardly passes for all that goes on. */
	until(isSo: () => boolean, what = "what the test waits for", patience = 3_600_000): void {
		const end = this.now + patience;
		for (let i = 0; !isSo(); i++) {
			if (i === 100_000) throw new Error(`In vain: ${what}, and there is no end of things to do`);
			const next = this.due.shift();
			if (next === undefined || next.at > end)
				throw new Error(`In vain: ${what}, ${next ? "an hour long" : "nothing is due"}`);
			this.now = next.at;
			next.action();
		}
	}

	/** Lets time pass. */
	pass(milliseconds: number): void {
		let isOver = false;
		this.later(milliseconds, () => {
			isOver = true;
		});
		this.until(() => isOver, "time to pass", milliseconds);
	}

	clock(): Clock {
		const time = this;
		let number = 0;
		return {
			onDeadline: undefined,
			now: () => time.now,
			setDeadline(at) {
				const mine = ++number;
				if (at === undefined) return;
				time.later(Math.max(0, at - time.now), () => {
					if (mine === number) this.onDeadline?.();
				});
			},
		};
	}
}

/** A serial line of which the test holds the other end. */
export class TestSerial implements Serial {
	onReadable: ((count: number) => void) | undefined;
	private waiting: number[] = [];
	private readonly onWrite: (octets: Uint8Array) => void;

	constructor(onWrite: (octets: Uint8Array) => void) {
		this.onWrite = onWrite;
	}

	/** Octets to the device. */
	deliver(octets: Uint8Array): void {
		this.waiting.push(...octets);
		this.onReadable?.(this.waiting.length);
	}

	read(into: Uint8Array): number {
		const octets = this.waiting.splice(0, into.length);
		into.set(octets);
		return octets.length;
	}

	write(octets: Uint8Array, length: number): void {
		this.onWrite(octets.slice(0, length));
	}

	close(): void {}
}

export interface WorldOptions extends Partial<Omit<ScriptedModemOptions, "random" | "later" | "toDevice" | "family">> {
	readonly family: Family;
	readonly seed?: number;
	readonly apn?: string;
	readonly card?: ScriptedCard;
	readonly usim?: string;
}

/** The device's modem code and a scripted modem on one serial line, in virtual time. */
export class World {
	readonly time = new VirtualTime();
	readonly random: SeededRandom;
	readonly modem: ScriptedModem;
	readonly attached: AttachedModem;
	readonly serial: TestSerial;
	readonly shared = new SharedClock(this.time.clock());
	readonly uplinks: { datagram: string; address: string; port: number }[] = [];
	readonly lines: { event: string; failure?: string; error?: number; command?: string }[] = [];
	/** All that went to the modem and came from it. */
	readonly transcript: string[] = [];

	constructor(options: WorldOptions) {
		const { family, seed = 1, apn, usim } = options;
		this.random = new SeededRandom(seed);
		this.serial = new TestSerial((octets) => {
			this.transcript.push(Buffer.from(octets).toString("latin1"));
			// Never at once: a line takes time.
			this.time.later(0, () => this.modem.receive(octets));
		});
		this.modem = new ScriptedModem({
			onUplink: (datagram, address, port) =>
				this.uplinks.push({ datagram: Buffer.from(datagram).toString("hex"), address, port }),
			...options,
			random: this.random,
			later: (milliseconds, action) => this.time.later(milliseconds, action),
			toDevice: (octets) => this.serial.deliver(octets),
		});
		this.attached = new AttachedModem({
			...modemOptions({ dialect: family, ...(apn !== undefined && { apn }), ...(usim !== undefined && { usim }) }),
			serial: this.serial,
			clock: this.shared.share(),
			print: (text) => this.lines.push(JSON.parse(text)),
		});
	}

	/** A datagram port to an HSE, and what it has read. */
	open(): { datagram: ReturnType<AttachedModem["openDatagram"]>; received: string[] } {
		const datagram = this.attached.openDatagram("192.0.2.1", 33163);
		const received: string[] = [];
		const into = new Uint8Array(1500);
		datagram.onReadable = () => {
			for (let length = datagram.read(into); length >= 0; length = datagram.read(into))
				received.push(Buffer.from(into.subarray(0, length)).toString("hex"));
		};
		return { datagram, received };
	}
}
