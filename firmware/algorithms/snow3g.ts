import { ALGORITHM } from "../emsdp/profile.js";
import type { Algorithm } from "./algorithm.js";
import { authenticateByEvaluation } from "./eia1.js";
import type { Generator } from "./generator.js";
import { DIVIDE_ALPHA, MULTIPLY_ALPHA, S1, S2 } from "./snow3g-tables.js";

/** SNOW 3G (TS 35.216). **Not constant time**: octets of its state are looked up in tables. */
export class Snow3g implements Generator {
	/** s0 … s15, s0 standing at `#first`. */
	readonly #cells: number[] = new Array(16).fill(0);
	#first = 0;
	#r1 = 0;
	#r2 = 0;
	#r3 = 0;

	/** TS 35.216 4.1. */
	initialise(key: readonly number[], iv0: number, iv1: number, iv2: number, iv3: number): void {
		const cells = this.#cells;
		for (let i = 0; i < 4; i++) {
			const word = key[3 - i];
			cells[i] = ~word;
			cells[4 + i] = word;
			cells[8 + i] = ~word;
			cells[12 + i] = word;
		}
		cells[15] ^= iv3;
		cells[12] ^= iv2;
		cells[10] ^= iv1;
		cells[9] ^= iv0;
		this.#first = 0;
		this.#r1 = 0;
		this.#r2 = 0;
		this.#r3 = 0;
		for (let i = 0; i < 32; i++) this.#clock(-1);
		this.#clock(0);
	}

	next(): number {
		return this.#clock(0);
	}

	erase(): void {
		this.#cells.fill(0);
		this.#r1 = 0;
		this.#r2 = 0;
		this.#r3 = 0;
	}

	/**
	 * Clocks the finite state machine and the shift register (TS 35.216 3.4).
	 * @param feedback −1 where the output of the former goes into the latter, which is so while it is initialised, else 0
	 * @returns a word of key stream
	 */
	#clock(feedback: number): number {
		const cells = this.#cells;
		const first = this.#first;
		const s0 = cells[first];
		const s11 = cells[(first + 11) & 15];
		const r1 = this.#r1;
		const r2 = this.#r2;
		const f = (cells[(first + 15) & 15] + r1) ^ r2;
		this.#r1 = (r2 + (this.#r3 ^ cells[(first + 5) & 15])) | 0;
		this.#r2 = substitute(S1, r1);
		this.#r3 = substitute(S2, r2);
		cells[first] =
			(s0 << 8) ^
			MULTIPLY_ALPHA[s0 >>> 24] ^
			cells[(first + 2) & 15] ^
			(s11 >>> 8) ^
			DIVIDE_ALPHA[s11 & 255] ^
			(f & feedback);
		this.#first = (first + 1) & 15;
		return f ^ s0;
	}
}

/** S1 or S2 (TS 35.216 3.3): the column of each octet, rotated to its place. */
function substitute(table: Int32Array, word: number): number {
	let sum = table[word >>> 24];
	sum = ((sum << 8) | (sum >>> 24)) ^ table[(word >> 16) & 255];
	sum = ((sum << 8) | (sum >>> 24)) ^ table[(word >> 8) & 255];
	return ((sum << 8) | (sum >>> 24)) ^ table[word & 255];
}

/** 128-EEA1 and 128-EIA1 (TS 35.215, TS 33.401 B.1.2, B.2.2). */
export function snow3g(): Algorithm {
	return { identity: ALGORITHM.snow3g, name: "SNOW 3G", generator: new Snow3g(), mac: authenticateByEvaluation };
}
