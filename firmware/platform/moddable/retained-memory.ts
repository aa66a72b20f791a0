import { crc32 } from "../../client/crc32.js";
import { readUint32, writeUint32 } from "../../emsdp/octets.js";
import { type Power, RETAINED_OCTETS } from "../../ports/power.js";

/** Memory that lives through deep sleep, by the word. What it holds after any other start is unknown. */
export interface RetainedWords {
	/** @param index below 32 @returns 32 bits, with or without a sign */
	read(index: number): number;
	write(index: number, word: number): void;
}

export interface RetainedMemoryOptions {
	readonly words: RetainedWords;
	/** The longest deep sleep of the target, in milliseconds. A longer one is cut short: the device wakes earlier. */
	readonly longest: number;
	/** Does not return where the target can sleep. */
	readonly sleep: (milliseconds: number) => void;
}

/** Words of the session; the one behind them is its CRC-32, which is not 0 for zeros. */
const WORDS = RETAINED_OCTETS / 4;

/** Deep sleep of a board. */
export class RetainedMemory implements Power {
	readonly #options: RetainedMemoryOptions;

	constructor(options: RetainedMemoryOptions) {
		this.#options = options;
	}

	takeRetained(): Uint8Array | undefined {
		const { words } = this.#options;
		const octets = new Uint8Array(RETAINED_OCTETS);
		for (let i = 0; i < WORDS; i++) writeUint32(octets, 4 * i, words.read(i) >>> 0);
		const isWhole = words.read(WORDS) >>> 0 === crc32(octets, RETAINED_OCTETS);
		this.#erase();
		return isWhole ? octets : undefined;
	}

	sleep(milliseconds: number, retained: Uint8Array | undefined): void {
		const { words, longest, sleep } = this.#options;
		if (retained === undefined) this.#erase();
		else {
			if (retained.length !== RETAINED_OCTETS) throw new RangeError(`Retained are ${RETAINED_OCTETS} octets.`);
			const checksum = crc32(retained, RETAINED_OCTETS);
			for (let i = 0; i < WORDS; i++) words.write(i, readUint32(retained, 4 * i));
			words.write(WORDS, checksum);
			retained.fill(0);
		}
		sleep(Math.min(milliseconds, longest));
	}

	/** The checksum first: what is left of the octets then does not count. */
	#erase(): void {
		for (let i = WORDS; i >= 0; i--) this.#options.words.write(i, 0);
	}
}
