import { HEADER } from "../../firmware/emsdp/profile.js";
import type { Verdict } from "../../firmware/emsdp/verdict.js";
import type { Kernel, KeySet } from "../../firmware/kernels/kernel.js";
import type { Restorer, SessionBatch, SessionStore } from "../../host-tools/hse/store.js";
import { loadKernel } from "../../host-tools/kernel.js";
import { Pair, type PairOptions } from "./pair.js";

/** A session store in memory: what a medium holds. */
export class MemorySessionStore implements SessionStore {
	readonly sessions = new Map<number, { readonly batch: number; readonly octets: Uint8Array }>();
	readonly journal = new Map<number, Uint8Array>();
	commits = 0;

	put({ number, puts, removals, counts, forgetBelow }: SessionBatch): void {
		this.commits++;
		for (const { sessionId, octets } of puts) this.sessions.set(sessionId, { batch: number, octets: octets.slice() });
		for (const sessionId of removals) this.sessions.delete(sessionId);
		if (counts.length > 0) this.journal.set(number, counts.slice());
		for (const batch of [...this.journal.keys()]) if (batch < forgetBelow) this.journal.delete(batch);
	}

	async commit(batch: SessionBatch): Promise<void> {
		this.put(batch);
	}

	restore(into: Restorer): void {
		// As a database gives them: many in one ArrayBuffer.
		for (const { batch, octets } of this.sessions.values()) into.session(batch, Buffer.from(octets));
		for (const [batch, counts] of this.journal) into.counts(batch, counts);
	}

	async load(into: Restorer): Promise<void> {
		this.restore(into);
	}

	async close(): Promise<void> {}
}

const hexOf = (octets: Uint8Array) => Buffer.from(octets).toString("hex");

/** A kernel that remembers under which key, COUNT, plane and direction it protected each message. */
class RecordingKernel implements Kernel {
	readonly name = "recording";
	readonly uses = new Map<string, string>();
	private readonly kernel = loadKernel();
	private readonly keys = new Map<KeySet, string>();

	get algorithms(): number {
		return this.kernel.algorithms;
	}

	get message(): Uint8Array {
		return this.kernel.message;
	}

	createKeySet(): KeySet {
		return this.kernel.createKeySet();
	}

	setKeys(...arguments_: Parameters<Kernel["setKeys"]>): void {
		const [keySet, encryptionKey, integrityKey] = arguments_;
		this.keys.set(keySet, hexOf(encryptionKey) + hexOf(integrityKey));
		this.kernel.setKeys(...arguments_);
	}

	eraseKeys(keySet: KeySet): void {
		this.keys.delete(keySet);
		this.kernel.eraseKeys(keySet);
	}

	protect(...arguments_: Parameters<Kernel["protect"]>): void {
		const [keySet, count, word, , length, macLength] = arguments_;
		this.kernel.protect(...arguments_);
		this.uses.set(hexOf(this.message.subarray(0, length + macLength)), `${this.keys.get(keySet)} ${count} ${word}`);
	}

	unprotect(...arguments_: Parameters<Kernel["unprotect"]>): boolean {
		return this.kernel.unprotect(...arguments_);
	}

	encryptBlocks(keySet: KeySet): void {
		this.kernel.encryptBlocks(keySet);
	}

	ctr(keySet: KeySet, bitLength: number): void {
		this.kernel.ctr(keySet, bitLength);
	}

	cmac(keySet: KeySet, bitLength: number): void {
		this.kernel.cmac(keySet, bitLength);
	}

	erase(): void {
		this.kernel.erase();
	}
}

/** A pair whose HSE stores its sessions, and can lose its power before or after any write. */
export class DurablePair extends Pair {
	readonly medium = new MemorySessionStore();
	/** Writes until the power is cut. */
	writesLeft = Number.POSITIVE_INFINITY;
	/** Whether the write at which the power is cut is done: then what depends on it is lost all the same. */
	isWritten = false;
	restarts = 0;
	/** COUNTs that have protected two different messages on their way to the UE. */
	readonly usedTwice: string[] = [];
	/** Every datagram that has come to the HSE. */
	readonly heard: Uint8Array[] = [];
	private readonly recording = new RecordingKernel();
	private readonly sent = new Map<string, string>();

	constructor(options: PairOptions = {}) {
		super(options);
		this.hse = this.bootHse(this.recording, true);
	}

	/** The HSE's process ends, at once, and another begins. */
	override restartHse(): void {
		this.restarts++;
		this.hse = this.bootHse(this.recording, true);
		this.medium.restore(this.hse.restorer(this.now));
	}

	override deliverToHse(datagram = this.toHse.shift(), source = this.source): Verdict {
		if (datagram !== undefined) this.heard.push(datagram);
		return super.deliverToHse(datagram, source);
	}

	protected override keepHse(): boolean {
		const batch = this.hse.takeBatch();
		if (batch === undefined) return true;
		this.writesLeft--;
		if (this.writesLeft !== 0) {
			this.medium.put(batch);
			return true;
		}
		if (this.isWritten) this.medium.put(batch);
		this.restartHse();
		// Somebody has kept what was sent.
		this.toHse.push(...this.heard.filter((datagram) => (datagram[1] & HEADER.userPlane) !== 0));
		return false;
	}

	protected override seeDatagram(datagram: Uint8Array): void {
		const octets = hexOf(datagram);
		const use = this.recording.uses.get(octets);
		// Not protected.
		if (use === undefined) return;
		const earlier = this.sent.get(use);
		if (earlier !== undefined && earlier !== octets) this.usedTwice.push(use.slice(64));
		this.sent.set(use, octets);
	}

	/** Lets everything arrive and all time pass that somebody waits for. */
	quiet(): void {
		for (let i = 0; i < 100; i++) {
			this.settle();
			if (!this.wait()) return;
		}
	}
}
