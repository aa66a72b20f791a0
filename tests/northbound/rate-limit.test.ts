import { expect, test } from "@jest/globals";
import { RateLimit } from "../../host-tools/northbound/security/rate-limit.js";

const SLOW = { perSecond: 0.01, burst: 2 };

test("a bucket is forgotten once it is full again, and not before", () => {
	const limit = new RateLimit();
	expect([0, 1, 2].map(() => limit.take("slow", SLOW, 0))).toEqual([0, 0, 100]);
	limit.tidy(60_000);
	expect(limit.take("slow", SLOW, 60_000)).toBe(40);
	limit.tidy(200_000);
	expect(limit.size).toBe(0);
	expect(limit.take("slow", SLOW, 200_000)).toBe(0);
});
