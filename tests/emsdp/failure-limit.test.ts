import { describe, expect, test } from "@jest/globals";
import { FailureLimit } from "../../firmware/emsdp/failure-limit.js";
import { flipped, Pair } from "../support/pair.js";

function fail(limit: FailureLimit, now: number, source: string, times: number): void {
	for (let i = 0; i < times; i++) limit.failed(now, source);
}

describe("the limit on forged messages", () => {
	test("16 failures in a row block a source for 1 s, then one more for 2 s, doubling up to 64 s", () => {
		const limit = new FailureLimit();
		fail(limit, 0, "a", 15);
		expect(limit.isBlocked(0, "a", false)).toBe(false);
		let now = 0;
		for (const seconds of [1, 2, 4, 8, 16, 32, 64, 64]) {
			limit.failed(now, "a");
			expect(limit.isBlocked(now + seconds * 1000 - 1, "a", true)).toBe(true);
			now += seconds * 1000;
			expect(limit.isBlocked(now, "a", true)).toBe(false);
		}
	});

	test("a good message ends the count; other sources are not touched", () => {
		const limit = new FailureLimit();
		fail(limit, 0, "a", 15);
		limit.succeeded("a");
		fail(limit, 0, "a", 15);
		expect(limit.isBlocked(0, "a", false)).toBe(false);
		fail(limit, 0, "a", 1);
		expect(limit.isBlocked(0, "a", false)).toBe(true);
		expect(limit.isBlocked(0, "b", false)).toBe(false);
	});

	test("1,000 failures in an hour: only the source of the newest valid message is looked at, until the hour is over", () => {
		const limit = new FailureLimit();
		for (let i = 0; i < 1000; i++) limit.failed(i, `source ${i}`);
		expect(limit.isBlocked(1000, "anybody", false)).toBe(true);
		expect(limit.isBlocked(1000, "the UE", true)).toBe(false);
		expect(limit.isBlocked(3_600_000, "anybody", false)).toBe(false);
	});

	test("at the HSE: a forger is dropped unseen, the UE elsewhere is heard", () => {
		const pair = new Pair({ policy: { counterSchemes: [1] } }).connect();
		const genuine = pair.send("genuine");
		pair.toHse.length = 0;
		for (let i = 0; i < 16; i++)
			expect(pair.deliverToHse(flipped(genuine, -1, i & 7), "forger")).toBe("wrong MAC or COUNT");
		expect(pair.deliverToHse(genuine, "forger")).toBe("rate limit");
		expect(pair.deliverToHse(genuine)).toBe("accept");
		pair.now += 1000;
		expect(pair.deliverToHse(flipped(genuine, -1), "forger")).toBe("replay");
	});

	test("at the UE: after 16 forged messages it is deaf for a second, no longer", () => {
		const pair = new Pair().connect();
		const genuine = pair.answerUe("genuine");
		pair.toUe.length = 0;
		for (let i = 0; i < 16; i++) pair.deliverToUe(flipped(genuine, -1, i & 7));
		expect(pair.deliverToUe(genuine)).toBe("rate limit");
		pair.now += 1000;
		expect(pair.deliverToUe(genuine)).toBe("accept");
	});
});
