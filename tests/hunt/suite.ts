import { describe, expect, test } from "@jest/globals";
import { hunt } from "./scenario.js";
import { TIMES } from "./times.js";

/** Scenarios of one file: two files, since they run side by side, make 10,000. */
const SCENARIOS = 5000;
const BATCHES = 10;

/** The random scenarios of one test file. @param first seed */
export function huntFrom(first: number): void {
	describe("random scenarios over a bad link, with power cuts at both ends", () => {
		const batch = (SCENARIOS / BATCHES) * TIMES;
		for (let i = 0; i < BATCHES; i++) {
			const from = first * TIMES + i * batch;
			test(`seeds ${from} to ${from + batch - 1}: everything arrives once at most, and both ends agree in the end`, () => {
				const { protectedMessages, powerCuts } = hunt(from, from + batch);
				// Or the hunt has hunted nothing.
				expect(protectedMessages).toBeGreaterThan(15 * batch);
				expect(powerCuts).toBeGreaterThan(batch);
			});
		}
	});
}
