import { describe, expect, test } from "@jest/globals";
import {
	PACKED_SESSION_OCTETS,
	packSession,
	SESSION_KEY,
	unpackSession,
} from "../../firmware/client/packed-session.js";
import { HEADER } from "../../firmware/emsdp/profile.js";
import { flipped, IMSI, Pair, SeededRandom } from "../support/pair.js";

/** COUNT, plane and the octets, for every datagram that a UE has sent under one key. */
function sentBy(pair: Pair): Map<string, string> {
	const seen = new Map<string, string>();
	const { push } = pair.toHse;
	pair.toHse.push = (...datagrams) => {
		const user = pair.ue.session?.context.user.next ?? 0;
		const control = pair.ue.session?.context.control.next ?? 0;
		for (const datagram of datagrams) {
			const userPlane = (datagram[1] & HEADER.userPlane) !== 0;
			const session = datagram.subarray(2, 6).join(".");
			const key = `${session} ${datagram[1] & 0x38} ${userPlane ? `UP ${user - 1}` : `CP ${control - 1}`}`;
			if ((datagram[1] & 0x38) === 0) continue;
			const earlier = seen.get(key);
			if (earlier !== undefined && earlier !== datagram.join()) throw new Error(`${key} protects two messages`);
			seen.set(key, datagram.join());
		}
		return push.apply(pair.toHse, datagrams);
	};
	return seen;
}

describe("resume after a power cut", () => {
	for (const counterScheme of [0, 1, 2])
		test(`one round trip without AKA, counter scheme ${counterScheme}; data go on both ways`, () => {
			const pair = new Pair({ policy: { counterSchemes: [counterScheme] } }).connect();
			pair.send("before");
			pair.settle();
			pair.answerUe("before");
			pair.settle();
			pair.send("lost in the power cut");
			pair.toHse.length = 0;
			pair.cutPower();
			expect(() => pair.send("too early")).toThrow(/"stale" sends nothing/);
			pair.ue.resume(pair.now);
			pair.drainUe();
			expect(pair.toHse).toHaveLength(1);
			expect(pair.toHse[0]).toHaveLength(35);
			pair.deliverToHse();
			expect(pair.toUe[0]).toHaveLength(35);
			pair.deliverToUe();
			expect(pair.ue.session?.canSend).toBe(true);
			pair.send("after");
			pair.answerUe("after");
			pair.settle();
			expect(pair.uplinks).toEqual(["before", "after"]);
			expect(pair.downlinks).toEqual(["before", "after"]);
			expect(pair.usimRuns).toBe(1);
		});

	test("nothing is taken before the resume, nor what is older than it", () => {
		const pair = new Pair().connect();
		const late = pair.answerUe("late");
		pair.toUe.length = 0;
		pair.cutPower();
		expect(pair.deliverToUe(late)).toBe("not expected");
		pair.ue.resume(pair.now);
		pair.drainUe();
		pair.settle();
		expect(pair.deliverToUe(late)).toBe("wrong MAC or COUNT");
		expect(pair.downlinks).toEqual([]);
	});

	test("every bit of both messages counts", () => {
		const pair = new Pair().connect();
		pair.cutPower();
		pair.ue.resume(pair.now);
		pair.drainUe();
		const request = pair.toHse.shift() as Uint8Array;
		for (let bit = 0; bit < 8 * request.length; bit++)
			expect(pair.deliverToHse(flipped(request, bit >> 3, bit & 7), `forger ${bit >> 3}`)).not.toBe("accept");
		pair.toUe.length = 0;
		pair.now += 2000;
		expect(pair.deliverToHse(request)).toBe("accept");
		const answer = pair.toUe.shift() as Uint8Array;
		for (let bit = 0; bit < 8 * answer.length; bit++, pair.now += 64_000)
			expect(pair.deliverToUe(flipped(answer, bit >> 3, bit & 7))).not.toBe("accept");
		expect(pair.deliverToUe(answer)).toBe("accept");
		expect(pair.deliverToUe(answer)).toBe("not expected");
	});

	test("an old request is of no use to anybody", () => {
		const pair = new Pair().connect();
		pair.cutPower();
		pair.ue.resume(pair.now);
		pair.drainUe();
		const old = pair.toHse[0];
		pair.settle();
		pair.cutPower();
		pair.ue.resume(pair.now);
		pair.drainUe();
		pair.settle();
		expect(pair.deliverToHse(old, "somebody")).toBe("wrong MAC or COUNT");
		expect(pair.toUe).toHaveLength(0);
	});

	test("nobody answers: after five requests a new session is asked for", () => {
		const pair = new Pair().connect();
		pair.cutPower();
		pair.ue.resume(pair.now);
		pair.drainUe();
		for (let i = 0; i < 4; i++) pair.wait();
		expect(new Set(pair.toHse.map(String)).size).toBe(1);
		pair.wait();
		expect(pair.ue.isAttempting).toBe(true);
		pair.toHse.splice(0, pair.toHse.length - 1);
		pair.settle();
		pair.send("in a new session");
		pair.settle();
		expect(pair.uplinks).toEqual(["in a new session"]);
	});

	test("a resume mends what more messages were lost than the trials reach", () => {
		const pair = new Pair().connect();
		for (let i = 0; i < 60; i++) pair.answerUe(`lost ${i}`);
		pair.toUe.length = 0;
		pair.answerUe("not bridged");
		expect(pair.deliverToUe()).toBe("wrong MAC or COUNT");
		pair.ue.resume(pair.now);
		pair.drainUe();
		pair.settle();
		pair.answerUe("heard again");
		pair.settle();
		expect(pair.downlinks).toEqual(["heard again"]);
	});
});

describe("the record of a session", () => {
	test("has at most 128 octets and comes back as it was; every spoilt bit is told", () => {
		const pair = new Pair().connect();
		const record = pair.store.read(SESSION_KEY) as Uint8Array;
		expect(record).toHaveLength(PACKED_SESSION_OCTETS);
		expect(PACKED_SESSION_OCTETS).toBeLessThanOrEqual(128);
		const session = unpackSession(record);
		expect(session).toBeDefined();
		if (session !== undefined) expect(packSession(session)).toEqual(record);
		for (let bit = 0; bit < 8 * record.length; bit++)
			expect(unpackSession(flipped(record, bit >> 3, bit & 7))).toBeUndefined();
		expect(unpackSession(record.subarray(1))).toBeUndefined();
	});

	test("one write for 64 messages, and none left after the session is over", () => {
		const pair = new Pair().connect();
		const before = pair.store.writes.length;
		for (let i = 0; i < 128; i++) pair.send("x");
		expect(pair.store.writes.length - before).toBe(1);
		pair.toHse.length = 0;
		pair.stop();
		pair.settle();
		expect(pair.store.read(SESSION_KEY)).toBeUndefined();
	});

	for (const seed of [1, 2, 3, 4, 5])
		test(`no COUNT is used twice, wherever the power is cut (seed ${seed})`, () => {
			const pair = new Pair({ seed, policy: { counterSchemes: [1] } });
			const seen = sentBy(pair);
			pair.connect();
			const random = new SeededRandom(seed + 50);
			for (let i = 0; i < 400; i++) {
				const what = random.next() % 20;
				if (what === 0) {
					pair.cutPower();
					pair.ue.resume(pair.now);
					pair.drainUe();
				} else if (what === 1) pair.toHse.length = 0;
				else if (pair.ue.session?.canSend) pair.send(`message ${i}`);
				if (random.next() % 3 > 0) pair.settle();
				else if (random.next() % 10 === 0) pair.wait();
			}
			expect(seen.size).toBeGreaterThan(200);
			expect(new Set(pair.uplinks).size).toBe(pair.uplinks.length);
			expect(pair.hse.sessionOf(IMSI)).toBeDefined();
		});
});
