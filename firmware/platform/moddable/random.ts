import type { Random } from "../../ports/random.js";

const fill: (into: Uint8Array) => void = native("xs_best_random_fill");

/** The operating system's cryptographic source; it throws on a target that has none (random.c). */
export class SystemRandom implements Random {
	fill(into: Uint8Array): void {
		fill(into);
	}
}
