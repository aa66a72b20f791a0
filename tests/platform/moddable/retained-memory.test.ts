import { describe, expect, test } from "@jest/globals";
import { RetainedMemory } from "../../../firmware/platform/moddable/retained-memory.js";
import { RETAINED_OCTETS } from "../../../firmware/ports/power.js";

/** 32 words as an nRF52 gives them: with a sign. @param onWrite sees them after each write */
function memory(words: Int32Array<ArrayBuffer> = new Int32Array(32), onWrite?: () => void) {
	const slept: number[] = [];
	const open = () =>
		new RetainedMemory({
			words: {
				read: (index) => words[index],
				write: (index, word) => {
					words[index] = word;
					onWrite?.();
				},
			},
			longest: 5000,
			sleep: (milliseconds) => void slept.push(milliseconds),
		});
	return { words, slept, open };
}

const session = () => Uint8Array.from({ length: RETAINED_OCTETS }, (_, i) => (i * 37 + 200) & 255);

describe("memory that lives through deep sleep", () => {
	test("gives out once what it was given, and erases it on both sides", () => {
		const { words, slept, open } = memory();
		const octets = session();
		open().sleep(1000, octets);
		expect(octets).toEqual(new Uint8Array(RETAINED_OCTETS));
		expect(open().takeRetained()).toEqual(session());
		expect(words).toEqual(new Int32Array(32));
		expect(open().takeRetained()).toBeUndefined();
		expect(slept).toEqual([1000]);
	});

	test("forgets an older session where there is none to keep", () => {
		const { words, open } = memory();
		open().sleep(1000, session());
		open().sleep(1000, undefined);
		expect(words).toEqual(new Int32Array(32));
	});

	test("takes nothing for whole of which a bit has changed, nor what RAM happens to hold", () => {
		for (let bit = 0; bit < 32 * 32; bit += 31) {
			const { words, open } = memory();
			open().sleep(1000, session());
			words[bit >> 5] ^= 1 << (bit & 31);
			expect([bit, open().takeRetained()]).toEqual([bit, undefined]);
		}
		expect(memory(new Int32Array(32).fill(-1)).open().takeRetained()).toBeUndefined();
	});

	test("cannot be taken a second time, at whatever word of the erasure the power fails", () => {
		const first = memory();
		first.open().sleep(1000, session());
		const states: Int32Array<ArrayBuffer>[] = [];
		const cut = memory(first.words, () => states.push(first.words.slice()));
		cut.open().takeRetained();
		expect(states).toHaveLength(32);
		for (const words of states) expect(memory(words).open().takeRetained()).toBeUndefined();
	});

	test("sleeps no longer than the target can, and refuses what does not fit", () => {
		const { slept, open } = memory();
		open().sleep(86_400_000, undefined);
		expect(slept).toEqual([5000]);
		expect(() => open().sleep(1, new Uint8Array(RETAINED_OCTETS + 1))).toThrow(RangeError);
		expect(slept).toEqual([5000]);
	});
});
