import { ALGORITHM } from "../emsdp/profile.js";
import type { Algorithm } from "./algorithm.js";
import { authenticateByWindows } from "./eia3.js";
import type { Generator } from "./generator.js";
import { LOADING, SUBSTITUTES } from "./zuc-tables.js";

/** ZUC (TS 35.222). **Not constant time**: octets of its state are looked up in tables. */
export class Zuc implements Generator {
	/** s0 … s15 of 31 bits each, s0 standing at `#first`. */
	readonly #cells: number[] = new Array(16).fill(0);
	#first = 0;
	#r1 = 0;
	#r2 = 0;

	/** TS 35.222 3.5, 3.6.1. */
	initialise(key: readonly number[], iv0: number, iv1: number, iv2: number, iv3: number): void {
		const cells = this.#cells;
		for (let i = 0; i < 16; i++) {
			const word = i < 8 ? (i < 4 ? iv0 : iv1) : i < 12 ? iv2 : iv3;
			const shift = 24 - ((i & 3) << 3);
			cells[i] = (((key[i >> 2] >> shift) & 255) << 23) | (LOADING[i] << 8) | ((word >> shift) & 255);
		}
		this.#first = 0;
		this.#r1 = 0;
		this.#r2 = 0;
		for (let i = 0; i < 32; i++) this.#shift(this.#nonlinear() >>> 1);
		this.#nonlinear();
		this.#shift(0);
	}

	next(): number {
		const cells = this.#cells;
		const first = this.#first;
		const x3 = (cells[(first + 2) & 15] << 16) | (cells[first] >> 15);
		const word = this.#nonlinear() ^ x3;
		this.#shift(0);
		return word;
	}

	erase(): void {
		this.#cells.fill(0);
		this.#r1 = 0;
		this.#r2 = 0;
	}

	/** Bit reorganisation and the function F (TS 35.222 3.3, 3.4). */
	#nonlinear(): number {
		const cells = this.#cells;
		const first = this.#first;
		const r1 = this.#r1;
		const r2 = this.#r2;
		const x0 = ((cells[(first + 15) & 15] & 0x7fff8000) << 1) | (cells[(first + 14) & 15] & 0xffff);
		const x1 = (cells[(first + 11) & 15] << 16) | (cells[(first + 9) & 15] >> 15);
		const x2 = (cells[(first + 7) & 15] << 16) | (cells[(first + 5) & 15] >> 15);
		const w1 = (r1 + x1) | 0;
		const w2 = r2 ^ x2;
		this.#r1 = substitute(spread1((w1 << 16) | (w2 >>> 16)));
		this.#r2 = substitute(spread2((w2 << 16) | (w1 >>> 16)));
		return ((x0 ^ r1) + r2) | 0;
	}

	/** Clocks the shift register over GF(2^31 − 1) (TS 35.222 3.2). @param input 31 bits, 0 but while it is initialised */
	#shift(input: number): void {
		const cells = this.#cells;
		const first = this.#first;
		const s0 = cells[first];
		let sum = add(s0, times(s0, 8));
		sum = add(sum, times(cells[(first + 4) & 15], 20));
		sum = add(sum, times(cells[(first + 10) & 15], 21));
		sum = add(sum, times(cells[(first + 13) & 15], 17));
		sum = add(sum, times(cells[(first + 15) & 15], 15));
		// A sum of cells that are not 0 is not 0 either: 2^31 − 1 stands for it.
		cells[first] = add(sum, input);
		this.#first = (first + 1) & 15;
	}
}

/** a + b in GF(2^31 − 1). */
function add(a: number, b: number): number {
	const sum = (a + b) | 0;
	return (sum & 0x7fffffff) + (sum >>> 31);
}

/** cell · 2^power in GF(2^31 − 1). */
function times(cell: number, power: number): number {
	return ((cell << power) | (cell >>> (31 - power))) & 0x7fffffff;
}

/** L1. */
function spread1(x: number): number {
	return x ^ ((x << 2) | (x >>> 30)) ^ ((x << 10) | (x >>> 22)) ^ ((x << 18) | (x >>> 14)) ^ ((x << 24) | (x >>> 8));
}

/** L2. */
function spread2(x: number): number {
	return x ^ ((x << 8) | (x >>> 24)) ^ ((x << 14) | (x >>> 18)) ^ ((x << 22) | (x >>> 10)) ^ ((x << 30) | (x >>> 2));
}

/** S: S0, S1, S0, S1. */
function substitute(word: number): number {
	return (
		(SUBSTITUTES[word >>> 24] << 24) |
		(SUBSTITUTES[256 + ((word >> 16) & 255)] << 16) |
		(SUBSTITUTES[(word >> 8) & 255] << 8) |
		SUBSTITUTES[256 + (word & 255)]
	);
}

/** 128-EEA3 and 128-EIA3 (TS 35.221). */
export function zuc(): Algorithm {
	return { identity: ALGORITHM.zuc, name: "ZUC", generator: new Zuc(), mac: authenticateByWindows };
}
