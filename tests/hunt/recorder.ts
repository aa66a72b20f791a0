import type { Kernel, KeySet } from "../../firmware/kernels/kernel.js";

/** The octets behind COUNT: BEARER and DIRECTION (TS 33.401 B.1.3, B.2.3). */
type Word = number;

function sameOctets(a: Uint8Array, b: Uint8Array): boolean {
	if (a.length !== b.length) return false;
	for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
	return true;
}

const textOf = (key: Uint8Array) => String.fromCharCode(...key);

/** What one (key, COUNT, BEARER, DIRECTION) has protected. */
interface Use {
	readonly end: End;
	/** How often its end had started before. */
	readonly start: number;
	readonly message: Uint8Array;
	wasSent: boolean;
}

/** Every use of one key, by COUNT, BEARER and DIRECTION. */
type KeyUses = Map<number, Use>;
type End = "UE" | "HSE";

/**
 * Sees every key stream and every MAC of a whole run, at both ends and over all restarts: no (key, COUNT, BEARER,
 * DIRECTION) may protect two different messages, and no end may open one twice. What was protected but had not left the
 * device when its power went is nobody's: the next message may use that COUNT.
 */
export class Recorder {
	/** What must not have happened, in words without any key. */
	readonly violations: string[] = [];
	/** How many messages were protected. */
	protectedMessages = 0;
	private readonly keystreams = new Map<string, KeyUses>();
	private readonly macs = new Map<string, KeyUses>();
	private readonly opened = new Set<string>();
	private readonly starts: Record<End, number> = { UE: 0, HSE: 0 };
	/** Messages that have not left their device, as they go out, with their uses. */
	private unsent: { readonly covered: Uint8Array; readonly uses: readonly (Use | undefined)[] }[] = [];

	/** A datagram leaves its device. */
	sent(datagram: Uint8Array): void {
		this.unsent = this.unsent.filter(({ covered, uses }) => {
			if (!sameOctets(covered, datagram.subarray(0, covered.length))) return true;
			for (const use of uses) if (use !== undefined) use.wasSent = true;
			return false;
		});
	}

	/** An end starts again: what it had not sent is gone. */
	restarted(end: End): void {
		this.starts[end]++;
		this.unsent = this.unsent.filter(({ uses }) => uses[0]?.end !== end);
	}

	/** A kernel that does what `kernel` does, and tells this recorder. */
	watch(kernel: Kernel, end: End): Kernel {
		const keys = new WeakMap<object, { readonly encryption: string; readonly integrity: string }>();
		const keysOf = (keySet: KeySet) => keys.get(keySet) ?? { encryption: "", integrity: "" };
		return {
			name: kernel.name,
			algorithms: kernel.algorithms,
			message: kernel.message,
			createKeySet: () => kernel.createKeySet(),
			setKeys: (keySet, encryption, integrity, ...algorithms) => {
				keys.set(keySet, { encryption: textOf(encryption), integrity: textOf(integrity) });
				kernel.setKeys(keySet, encryption, integrity, ...algorithms);
			},
			eraseKeys: (keySet) => {
				keys.delete(keySet);
				kernel.eraseKeys(keySet);
			},
			protect: (keySet, count, word, cipherStart, length, macLength) => {
				const { encryption, integrity } = keysOf(keySet);
				this.protectedMessages++;
				if (integrity === "") this.violations.push(`the ${end} protects a message with keys that are erased`);
				const where = `COUNT ${count}, BEARER ${word >> 3}, DIRECTION ${(word >> 2) & 1}`;
				const keystream =
					cipherStart < length
						? this.add(this.keystreams, encryption, count, word, end, kernel.message.slice(0, length))
						: undefined;
				if (cipherStart < length && keystream === undefined)
					this.violations.push(`the ${end} enciphers two messages with one key stream: ${where}`);
				kernel.protect(keySet, count, word, cipherStart, length, macLength);
				const covered = kernel.message.slice(0, length);
				const mac = this.add(this.macs, integrity, count, word, end, covered);
				if (mac === undefined)
					this.violations.push(`the ${end} makes the MACs of two messages with one COUNT: ${where}`);
				this.unsent.push({ covered, uses: [mac, keystream] });
			},
			unprotect: (keySet, count, word, cipherStart, length, macLength) => {
				const isGood = kernel.unprotect(keySet, count, word, cipherStart, length, macLength);
				if (!isGood) return false;
				const { integrity } = keysOf(keySet);
				if (integrity === "") this.violations.push(`the ${end} opens a message with keys that are erased`);
				const use = `${end} ${count} ${word} ${integrity}`;
				if (this.opened.has(use))
					this.violations.push(`the ${end} opens a message twice: COUNT ${count}, BEARER ${word >> 3}`);
				this.opened.add(use);
				return true;
			},
			encryptBlocks: (keySet) => kernel.encryptBlocks(keySet),
			ctr: (keySet, bitLength) => kernel.ctr(keySet, bitLength),
			cmac: (keySet, bitLength) => kernel.cmac(keySet, bitLength),
			erase: () => kernel.erase(),
		};
	}

	/** @returns undefined where the same input protects another message already */
	private add(
		uses: Map<string, KeyUses>,
		key: string,
		count: number,
		word: Word,
		end: End,
		message: Uint8Array,
	): Use | undefined {
		let ofKey = uses.get(key);
		if (ofKey === undefined) {
			ofKey = new Map();
			uses.set(key, ofKey);
		}
		const at = count * 256 + word;
		const earlier = ofKey.get(at);
		const stands = earlier !== undefined && (earlier.wasSent || earlier.start === this.starts[end]);
		if (stands) return sameOctets(earlier.message, message) ? earlier : undefined;
		const use = { end, start: this.starts[end], message, wasSent: false };
		ofKey.set(at, use);
		return use;
	}
}
