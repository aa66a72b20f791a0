import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { sqnOctets } from "../../firmware/keys/aka.js";
import { AcceptedSqns, nextSqn } from "../../firmware/keys/sqn.js";
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
