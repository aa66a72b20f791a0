import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { sqnOctets } from "../../firmware/keys/aka.js";
import { AcceptedSqns, isAcceptable, nextSqn } from "../../firmware/keys/sqn.js";
import { fromHex, toHex } from "../../host-tools/hex.js";
import { seeded } from "../emsdp/arbitraries.js";

/** TS 33.102 C.3.1: 5 bits of index, a jump of 2^28 at the most. */
const INDICES = 32;
const JUMP = 2 ** 28;
const sqn = (seq: number, index: number) => seq * INDICES + index;

describe("freshness (TS 33.102 C.2)", () => {
	test("an SQN is accepted once, and nothing lower at the same index afterwards", () => {
		const sqns = new AcceptedSqns();
		expect([sqns.accept(sqn(5, 3)), sqns.accept(sqn(5, 3)), sqns.accept(sqn(4, 3)), sqns.accept(sqn(6, 3))]).toEqual([
			true,
			false,
			false,
			true,
		]);
	});

	test("indices are apart: an older SQN at another index is still fresh", () => {
		const sqns = new AcceptedSqns();
		sqns.accept(sqn(100, 0));
		for (let index = 1; index < INDICES; index++) expect(sqns.accept(sqn(index, index))).toBe(true);
		for (let index = 1; index < INDICES; index++) expect(sqns.accept(sqn(index, index))).toBe(false);
	});

	test("SEQ 0 is never fresh", () => {
		for (let index = 0; index < INDICES; index++) expect(new AcceptedSqns().accept(sqn(0, index))).toBe(false);
	});

	test("a jump of 2^28 above the highest SEQ is taken, one more is not, at whatever index", () => {
		const sqns = new AcceptedSqns(sqn(10, 0));
		expect(sqns.accept(sqn(10 + JUMP + 1, 7))).toBe(false);
		expect(sqns.accept(sqn(10 + JUMP, 7))).toBe(true);
		expect(sqns.accept(sqn(10 + 2 * JUMP, 8))).toBe(true);
		expect(sqns.accept(sqn(10 + 3 * JUMP + 1, 0))).toBe(false);
	});

	test("what was refused changes nothing", () => {
		const sqns = new AcceptedSqns(sqn(10, 0));
		const before = toHex(sqns.encode());
		sqns.accept(sqn(10 + JUMP + 1, 7));
		sqns.accept(sqn(10, 5));
		expect(toHex(sqns.encode())).toBe(before);
	});

	test("the last SQN of 48 bits is taken where the jump allows it", () => {
		const last = 2 ** 48 - 1;
		const sqns = new AcceptedSqns(last - INDICES);
		expect([sqns.accept(last), sqns.accept(last), sqns.highest()]).toEqual([true, false, last]);
	});

	test("any SQNs: accepted as the rule says, over the history of all that were", () => {
		const arrivals = fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: INDICES - 1 })), {
			minLength: 1,
			maxLength: 60,
			size: "max",
		});
		fc.assert(
			fc.property(arrivals, (list) => {
				const sqns = new AcceptedSqns();
				const taken: (readonly [number, number])[] = [];
				for (const [seq, index] of list) {
					const isFresh = seq > 0 && taken.every(([other, at]) => at !== index || other < seq);
					expect(sqns.accept(sqn(seq, index))).toBe(isFresh);
					if (isFresh) taken.push([seq, index]);
				}
				if (taken.length > 0)
					expect(sqns.highest()).toBe(Math.max(...taken.map(([seq, index]) => sqn(seq, index)), 31));
			}),
			seeded(300),
		);
	});
});

describe("the limit against a wrap-around by force (TS 33.102 C.2.1)", () => {
	test("any state: only what is at most 2^28 above the highest SEQ anywhere, and a refusal names SQN_MS as it was", () => {
		const starts = fc.integer({ min: 0, max: 2 ** 42 });
		const others = fc.array(fc.tuple(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 0, max: INDICES - 1 })));
		const around = fc.integer({ min: -3, max: 3 });
		fc.assert(
			fc.property(starts, others, around, fc.integer({ min: 0, max: INDICES - 1 }), (start, list, over, index) => {
				const sqns = new AcceptedSqns(sqn(start, 0));
				for (const [more, at] of list) sqns.accept(sqn(start + more, at));
				const before = sqns.highest();
				const seq = Math.floor(before / INDICES) + JUMP + over;
				expect(sqns.accept(sqn(seq, index))).toBe(over <= 0);
				expect(sqns.highest()).toBe(over <= 0 ? sqn(seq, index) : before);
			}),
			seeded(500),
		);
	});

	test("whoever has the vectors of his choice made needs 2^15 of them to come to the last SEQ", () => {
		const sqns = new AcceptedSqns();
		const last = 2 ** 43 - 1;
		let challenges = 0;
		for (let seq = 0; seq < last; challenges++) {
			seq = Math.min(seq + JUMP, last);
			expect(sqns.accept(sqn(seq, challenges % INDICES))).toBe(true);
		}
		expect(challenges).toBe(2 ** 15);
		// SEQ does not wrap: what the authentication centre counts on to is not fresh any more.
		for (let index = 0; index < INDICES; index++) expect(sqns.accept(nextSqn(sqn(last, index)))).toBe(false);
	});
});

describe("the limit on age (TS 33.102 C.2.2)", () => {
	const AGE = 32;

	test("none unless it is set: any age is fresh at an index that has not seen it", () => {
		const sqns = new AcceptedSqns();
		sqns.accept(sqn(JUMP, 0));
		expect(sqns.accept(sqn(1, 1))).toBe(true);
	});

	test("SEQ_MS − SEQ < L: one below the limit is taken, the limit is not", () => {
		const sqns = new AcceptedSqns(0, AGE);
		sqns.accept(sqn(1000, 0));
		expect([sqns.accept(sqn(1000 - AGE, 1)), sqns.accept(sqn(1000 - AGE + 1, 1))]).toEqual([false, true]);
	});

	test("any arrivals: exactly the fresh ones that are neither too old nor too far ahead, also after a restart", () => {
		const arrivals = fc.array(fc.tuple(fc.integer({ min: 0, max: 120 }), fc.integer({ min: 0, max: 3 })), {
			minLength: 1,
			maxLength: 80,
			size: "max",
		});
		fc.assert(
			fc.property(arrivals, fc.integer({ min: 1, max: 60 }), (list, limit) => {
				let sqns = new AcceptedSqns(0, limit);
				const highestAt = new Map<number, number>();
				for (const [seq, index] of list) {
					const highest = Math.max(0, ...highestAt.values());
					const isFresh = seq > (highestAt.get(index) ?? 0) && highest - seq < limit;
					expect(sqns.accept(sqn(seq, index))).toBe(isFresh);
					if (isFresh) highestAt.set(index, seq);
					sqns = AcceptedSqns.decode(sqns.encode(), limit) ?? sqns;
				}
			}),
			seeded(300),
		);
	});
});

describe("what the authentication centre can tell (TS 33.102 6.3.5)", () => {
	test("any SQN_MS and SQN: what it takes for acceptable is accepted, at any index and whatever else was accepted", () => {
		const seqs = fc.integer({ min: 0, max: 2 ** 30 });
		const others = fc.array(fc.tuple(fc.integer({ min: 0, max: 2 ** 20 }), fc.integer({ min: 0, max: INDICES - 1 })));
		const index = fc.integer({ min: 0, max: INDICES - 1 });
		fc.assert(
			fc.property(seqs, others, seqs, index, (start, list, seq, at) => {
				const sqns = new AcceptedSqns(sqn(start, 0));
				for (const [more, other] of list) sqns.accept(sqn(start + more, other));
				const challenge = sqn(seq, at);
				if (isAcceptable(challenge, sqns.highest())) expect(sqns.accept(challenge)).toBe(true);
			}),
			seeded(500),
		);
	});

	test("the limits: one above SQN_MS and 2^28 above it", () => {
		const sqnMs = sqn(1000, 9);
		const answers = [0, 1, JUMP, JUMP + 1].map((ahead) => isAcceptable(sqn(1000 + ahead, 0), sqnMs));
		expect(answers).toEqual([false, true, true, false]);
	});
});

describe("the highest, for AUTS", () => {
	test("is the highest SQN accepted, not the last one", () => {
		const sqns = new AcceptedSqns();
		sqns.accept(sqn(9, 4));
		sqns.accept(sqn(7, 20));
		expect(sqns.highest()).toBe(sqn(9, 4));
	});

	test("makes the authentication centre's next challenge fresh", () => {
		fc.assert(
			fc.property(fc.integer({ min: 0, max: 2 ** 47 }), (start) => {
				const sqns = new AcceptedSqns(start);
				expect(sqns.accept(nextSqn(sqns.highest()))).toBe(true);
			}),
			seeded(300),
		);
	});
});

describe("the store", () => {
	test("32 SQNs, each at its index", () => {
		const octets = new AcceptedSqns(sqn(3, 17)).encode();
		expect(octets.length).toBe(192);
		for (let index = 0; index < INDICES; index++)
			expect(toHex(octets.subarray(6 * index, 6 * index + 6))).toBe(toHex(sqnOctets(sqn(3, index))));
	});

	test("what was stored is there again", () => {
		const seqs = fc.array(fc.integer({ min: 1, max: 2 ** 27 }), { minLength: INDICES, maxLength: INDICES });
		fc.assert(
			fc.property(seqs, (list) => {
				const sqns = new AcceptedSqns();
				list.forEach((seq, index) => {
					expect(sqns.accept(sqn(seq, index))).toBe(true);
				});
				const again = AcceptedSqns.decode(sqns.encode());
				expect(again && toHex(again.encode())).toBe(toHex(sqns.encode()));
				expect(again?.highest()).toBe(sqns.highest());
				list.forEach((seq, index) => {
					expect([again?.accept(sqn(seq, index)), again?.accept(sqn(seq + 1, index))]).toEqual([false, true]);
				});
			}),
			seeded(50),
		);
	});

	test("octets that are not such a record are refused", () => {
		const good = new AcceptedSqns(sqn(3, 0)).encode();
		expect(AcceptedSqns.decode(good)).toBeDefined();
		expect(AcceptedSqns.decode(good.subarray(1))).toBeUndefined();
		expect(AcceptedSqns.decode(new Uint8Array([...good, 0]))).toBeUndefined();
		expect(AcceptedSqns.decode(new Uint8Array(0))).toBeUndefined();
		expect(AcceptedSqns.decode(new Uint8Array(192))).toBeUndefined();
		const moved = good.slice();
		moved.set(good.subarray(0, 6), 6);
		expect(AcceptedSqns.decode(moved)).toBeUndefined();
	});
});

test("the next SQN: the same index, SEQ one up, wrapping at 48 bits", () => {
	expect(nextSqn(sqn(7, 13))).toBe(sqn(8, 13));
	expect(nextSqn(2 ** 48 - 1)).toBe(31);
	expect(toHex(sqnOctets(nextSqn(0xff9bb4d0b607)))).toBe(toHex(fromHex("ff9bb4d0b627")));
});
