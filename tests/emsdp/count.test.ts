import { describe, expect, test } from "@jest/globals";
import { NO_CANDIDATE, REPLAY, ReceivedCount, WRONG_MAC } from "../../firmware/emsdp/count.js";
import { COUNT } from "../../firmware/emsdp/profile.js";

const HIGHEST = 0xfffffffe;
const TRIALS_AT_UE = 4;
const TRIALS_AT_HSE = 8;

/** A receiver that has accepted these COUNTs. */
function receiverAfter(bits: number, trials: number, ...counts: number[]): ReceivedCount {
	const received = new ReceivedCount(bits, trials);
	for (const count of counts) received.accept(count);
	return received;
}

/** What a receiver makes of a message that was sent with a COUNT, and which candidates it tries. */
function arrival(received: ReceivedCount, sent: number, isGenuine = true) {
	const tried: number[] = [];
	const result = received.search(sent % 2 ** received.bits, (count) => {
		tried.push(count);
		return isGenuine && count === sent;
	});
	return { result, tried };
}

test("the numbers of trials and the end of COUNT are those of the profile", () => {
	expect([COUNT.trialsAtHse, COUNT.trialsAtUe, COUNT.window, COUNT.highest]).toEqual([8, 4, 64, HIGHEST]);
});

describe.each([TRIALS_AT_UE, TRIALS_AT_HSE])("3 bits, %d trials", (trials) => {
	test("the first COUNT is 0 and each next one is found at once", () => {
		const received = new ReceivedCount(3, trials);
		for (let count = 0; count < 40; count++) {
			expect(arrival(received, count)).toEqual({ result: count, tried: [count] });
			received.accept(count);
			expect(received.last).toBe(count);
		}
	});

	test("up to 8 × trials − 1 lost messages are bridged, candidates 8 apart and rising", () => {
		const furthest = 100 + 8 * trials;
		const { result, tried } = arrival(receiverAfter(3, trials, 100), furthest);
		expect(result).toBe(furthest);
		expect(tried).toEqual(Array.from({ length: trials }, (_, k) => 108 + 8 * k));
		expect(arrival(receiverAfter(3, trials, 100), furthest + 1).result).toBe(WRONG_MAC);
	});

	test("a replay is never a candidate: it shows as a wrong MAC", () => {
		const received = receiverAfter(3, trials, 20);
		for (let count = 0; count <= 20; count++) {
			const { result, tried } = arrival(received, count);
			expect(result).toBe(WRONG_MAC);
			expect(tried.length).toBe(trials);
			expect(Math.min(...tried)).toBeGreaterThan(20);
		}
	});

	test("a forged message costs so many verifications and moves nothing", () => {
		const received = receiverAfter(3, trials, 20);
		expect(arrival(received, 21, false).tried.length).toBe(trials);
		expect(received.last).toBe(20);
	});

	test("the last COUNT is taken, nothing after it is tried", () => {
		expect(arrival(receiverAfter(3, trials, HIGHEST - 1), HIGHEST)).toEqual({ result: HIGHEST, tried: [HIGHEST] });
		for (let bits = 0; bits < 8; bits++)
			expect(arrival(receiverAfter(3, trials, HIGHEST), bits)).toEqual({ result: NO_CANDIDATE, tried: [] });
		expect(arrival(receiverAfter(3, trials, HIGHEST - 10), HIGHEST - 8, false).tried).toEqual([HIGHEST - 8, HIGHEST]);
	});
});

describe.each([11, 19])("%d bits", (bits) => {
	const modulus = 2 ** bits;

	test("one candidate only, however many trials the end would make with 3 bits", () => {
		expect(arrival(receiverAfter(bits, TRIALS_AT_HSE, 100), 101, false)).toEqual({ result: WRONG_MAC, tried: [101] });
	});

	test("messages that overtake each other are taken once each, within 64", () => {
		const received = receiverAfter(bits, TRIALS_AT_UE, 200);
		for (const count of [150, 199, 137, 138]) {
			expect(arrival(received, count)).toEqual({ result: count, tried: [count] });
			received.accept(count);
			expect(received.last).toBe(200);
			expect(arrival(received, count)).toEqual({ result: REPLAY, tried: [] });
		}
	});

	test("a replay within the window is found before any MAC is computed", () => {
		const received = new ReceivedCount(bits, TRIALS_AT_UE);
		for (let count = 0; count < 64; count++) received.accept(count);
		for (let count = 0; count < 64; count++) expect(arrival(received, count)).toEqual({ result: REPLAY, tried: [] });
	});

	test("older than 64 is looked for 2^n further on, so its MAC is wrong", () => {
		const received = receiverAfter(bits, TRIALS_AT_UE, 200);
		expect(arrival(received, 136)).toEqual({ result: WRONG_MAC, tried: [136 + modulus] });
	});

	test("2^n − 64 lost messages are bridged, no more", () => {
		const furthest = 200 - 64 + modulus;
		expect(arrival(receiverAfter(bits, TRIALS_AT_UE, 200), furthest)).toEqual({ result: furthest, tried: [furthest] });
		expect(arrival(receiverAfter(bits, TRIALS_AT_UE, 200), furthest + 1)).toEqual({ result: WRONG_MAC, tried: [137] });
	});

	test("before the first message nothing below 0 is tried", () => {
		const fresh = new ReceivedCount(bits, TRIALS_AT_UE);
		expect(arrival(fresh, 0)).toEqual({ result: 0, tried: [0] });
		for (const sent of [modulus - 64, modulus - 1])
			expect(arrival(fresh, sent)).toEqual({ result: NO_CANDIDATE, tried: [] });
		expect(arrival(fresh, modulus - 65)).toEqual({ result: modulus - 65, tried: [modulus - 65] });
	});

	test("the last COUNT is taken, nothing after it is tried", () => {
		expect(arrival(receiverAfter(bits, TRIALS_AT_UE, HIGHEST - 1), HIGHEST)).toEqual({
			result: HIGHEST,
			tried: [HIGHEST],
		});
		const received = receiverAfter(bits, TRIALS_AT_UE, HIGHEST);
		expect(arrival(received, HIGHEST + 1)).toEqual({ result: NO_CANDIDATE, tried: [] });
		expect(arrival(received, HIGHEST + 2)).toEqual({ result: NO_CANDIDATE, tried: [] });
		expect(arrival(received, HIGHEST - 63)).toEqual({ result: HIGHEST - 63, tried: [HIGHEST - 63] });
	});

	test.each([1, 31, 32, 33, 63, 64, 65])(
		"after a jump of %d those of the last 64 that were taken are replays, and no others",
		(jump) => {
			const received = receiverAfter(bits, TRIALS_AT_UE, 100, 69, 68, 38, 37);
			received.accept(100 + jump);
			const found: number[] = [];
			const expected: number[] = [];
			for (let count = 100 + jump - 63; count < 100 + jump; count++) {
				found.push(arrival(received, count).result);
				expected.push([100, 69, 68, 38, 37].includes(count) ? REPLAY : count);
			}
			expect(found).toEqual(expected);
		},
	);

	test("a forged message moves nothing", () => {
		const received = receiverAfter(bits, TRIALS_AT_UE, 100, 98);
		arrival(received, 99, false);
		arrival(received, 140, false);
		expect([received.last, arrival(received, 99).result, arrival(received, 140).result]).toEqual([100, 99, 140]);
	});
});
