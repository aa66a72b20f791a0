import { describe, expect, test } from "@jest/globals";
import { CAUSE, COUNT } from "../../firmware/emsdp/profile.js";
import { IMSI, Pair } from "../support/pair.js";

describe("termination", () => {
	test("by the UE: both ends erase their keys", () => {
		const pair = new Pair().connect();
		const { session } = pair.ue;
		const late = pair.send("late");
		pair.toHse.shift();
		pair.stop();
		pair.settle();
		expect(pair.ue.session).toBeUndefined();
		expect(session?.easKey()).toEqual(new Uint8Array(32));
		expect(pair.hse.sessionOf(IMSI)).toBeUndefined();
		expect(pair.ueEvents.at(-1)).toEqual({ kind: "session over", cause: CAUSE.normalRelease, by: "UE" });
		expect(pair.deliverToHse(late)).toBe("reject");
		expect(() => pair.ue.send(new Uint8Array(1))).toThrow(/There is no session/);
	});

	test("by the HSE, with its cause", () => {
		const pair = new Pair().connect();
		pair.terminate(CAUSE.restrictedByRegulation);
		pair.settle();
		expect(pair.ueEvents.at(-1)).toEqual({ kind: "session over", cause: CAUSE.restrictedByRegulation, by: "HSE" });
		expect(pair.hse.sessionOf(IMSI)).toBeUndefined();
		expect(pair.hse.deadline).toBeUndefined();
	});

	test("by the HSE with no COUNT left for its 20: nothing goes out, and its keys are erased all the same", () => {
		const pair = new Pair().connect();
		const session = pair.hse.sessionOf(IMSI);
		if (session !== undefined) session.context.control.next = COUNT.highest + 1;
		pair.hse.terminate(pair.now, session?.sessionId ?? 0, CAUSE.normalRelease);
		pair.drainHse();
		while (pair.hse.deadline !== undefined && pair.hse.sessionCount > 0) {
			pair.now = pair.hse.deadline;
			pair.hse.handleTimeout(pair.now);
			pair.drainHse();
		}
		expect([pair.toUe, pair.hse.sessionCount]).toEqual([[], 0]);
	});

	test("not with cause 0F, which means more than one octet", () => {
		const pair = new Pair().connect();
		expect(() => pair.terminate(CAUSE.congestion)).toThrow("Congestion is a cause of an 80 only");
		pair.send("still there");
		pair.settle();
		expect(pair.hseEvents.at(-1)).toMatchObject({ kind: "uplink" });
	});

	test("by the HSE when the lifetime of tag 10 is over: cause 11, and the next session is a new one", () => {
		const pair = new Pair({ policy: { lifetime: 3600 } }).connect();
		const since = pair.now;
		pair.send("within");
		pair.settle();
		// The UE sleeps through the time in which it would agree a new one.
		pair.now = since + 3_599_999;
		pair.hse.handleTimeout(pair.now);
		expect(pair.hse.deadline).toBe(since + 3_600_000);
		pair.now++;
		pair.hse.handleTimeout(pair.now);
		pair.drainHse();
		pair.settle();
		expect(pair.ueEvents.at(-1)).toEqual({ kind: "session over", cause: CAUSE.keyLifetimeOver, by: "HSE" });
		pair.connect();
		pair.send("in a new one");
		pair.settle();
		expect(pair.uplinks).toEqual(["within", "in a new one"]);
	});

	test("by the HSE when the lifetime is over and the UE does not know how much of it has gone", () => {
		const pair = new Pair({ policy: { lifetime: 3600 } }).connect();
		pair.cutPower();
		pair.ue.resume(pair.now);
		pair.drainUe();
		pair.settle();
		expect(pair.ue.deadline).toBeUndefined();
		while (pair.hse.sessionOf(IMSI)?.isLive) pair.wait();
		pair.settle();
		expect(pair.ueEvents.at(-1)).toEqual({ kind: "session over", cause: CAUSE.keyLifetimeOver, by: "HSE" });
	});

	test("never, where the UE knows: it agrees a new session before the lifetime is over, and nothing is lost", () => {
		const pair = new Pair({ policy: { lifetime: 3600 } }).connect();
		const since = pair.now;
		const earlier = pair.ue.session;
		expect(pair.ue.deadline).toBe(since + 3_150_000);
		while (pair.now < since + 3_150_000) pair.wait();
		pair.send("while it is agreed");
		pair.settle();
		expect(pair.ueEvents.filter(({ kind }) => kind === "session started")).toHaveLength(2);
		expect(earlier?.state).toBe("over");
		pair.send("in the new one");
		pair.settle();
		expect(pair.uplinks).toEqual(["while it is agreed", "in the new one"]);
		expect(pair.ue.deadline).toBe(pair.now + 3_150_000);
	});

	describe("while a renewal waits for a message", () => {
		/** A session of an hour whose renewal waits since `since` + 2,700,000, and has to be at `since` + 3,150,000. */
		const renewed = (pair: Pair) => pair.ueEvents.filter(({ kind }) => kind === "session started").length - 1;

		test("one that goes out takes it along", () => {
			const pair = new Pair({ policy: { lifetime: 3600 } }).connect();
			const since = pair.now;
			pair.now = since + 2_699_999;
			pair.send("too early");
			pair.settle();
			expect([renewed(pair), pair.ue.deadline]).toEqual([0, since + 3_150_000]);
			pair.now = since + 2_700_000;
			pair.send("with the renewal");
			pair.settle();
			expect(renewed(pair)).toBe(1);
			expect(pair.ue.deadline).toBe(pair.now + 3_150_000);
			expect(pair.uplinks).toEqual(["too early", "with the renewal"]);
		});

		test("where that fails a message some time later does, and the wake-up for it alone stays where it was", () => {
			const pair = new Pair({ policy: { lifetime: 3600 } }).connect();
			const since = pair.now;
			pair.now = since + 2_700_000;
			pair.send("with a renewal that is lost");
			pair.toHse.length = 0;
			while ((pair.ue.deadline ?? 0) < since + 3_150_000) {
				pair.wait();
				pair.toHse.length = 0;
			}
			expect(pair.ue.isAttempting).toBe(false);
			pair.now = since + 2_812_499;
			pair.send("too early");
			expect(pair.toHse).toHaveLength(1);
			pair.now = since + 2_812_500;
			pair.send("with the next");
			pair.settle();
			expect(renewed(pair)).toBe(1);
		});

		test("nothing is taken along twice, nor while something else is under way", () => {
			const pair = new Pair({ policy: { lifetime: 3600 } }).connect();
			pair.now += 2_700_000;
			pair.ue.refresh(pair.now, 0);
			pair.drainUe();
			pair.toHse.length = 0;
			pair.send("while keys are asked for");
			expect(pair.toHse).toHaveLength(1);
		});
	});

	test("an HSE that cannot renew it is asked again while there is time", () => {
		const pair = new Pair({ policy: { lifetime: 3600 } }).connect();
		const since = pair.now;
		const askedAt: number[] = [];
		while (pair.now - since < 3_590_000) {
			if (pair.toHse.length > 0) askedAt.push(pair.now - since);
			pair.toHse.length = 0;
			pair.wait();
		}
		// Five datagrams each time, 112.5 s from one attempt to the next.
		expect(askedAt.filter((_, i) => i % 5 === 0)).toEqual([3_150_000, 3_262_500, 3_375_000, 3_487_500]);
		expect(pair.ue.session?.canSend).toBe(true);
	});

	for (const state of ["lost", "late"])
		test(`by the HSE while the UE resumes, its 20 ${state}: the same request goes out again above the resume`, () => {
			const pair = new Pair().connect();
			pair.cutPower();
			pair.terminate(CAUSE.restrictedByRegulation);
			const overtaken = pair.toUe.shift() as Uint8Array;
			pair.ue.resume(pair.now);
			pair.drainUe();
			pair.deliverToHse();
			pair.deliverToUe();
			if (state === "late") expect(pair.deliverToUe(overtaken)).toBe("wrong MAC or COUNT");
			pair.settle();
			expect(pair.ueEvents.at(-1)).toEqual({ kind: "session over", cause: CAUSE.restrictedByRegulation, by: "HSE" });
			expect(pair.hse.sessionOf(IMSI)).toBeUndefined();
		});

	test("both at once: both sessions are over and the link falls silent", () => {
		const pair = new Pair().connect();
		pair.stop();
		pair.terminate();
		pair.settle();
		expect(pair.ue.session).toBeUndefined();
		expect(pair.hse.sessionOf(IMSI)).toBeUndefined();
		expect(pair.ue.deadline).toBeUndefined();
	});

	for (const [who, by] of [
		["UE", "stop"],
		["HSE", "terminate"],
	] as const) {
		test(`21 lost: the 20 of the ${who} sent again gets the same answer, without keys`, () => {
			const pair = new Pair().connect();
			pair[by]();
			const [there, back] = by === "stop" ? [pair.toHse, pair.toUe] : [pair.toUe, pair.toHse];
			const deliver = () => (by === "stop" ? pair.deliverToHse() : pair.deliverToUe());
			const request = there[0];
			deliver();
			const answer = back.shift();
			pair.wait();
			expect(there[0]).toEqual(request);
			expect(deliver()).toBe("repetition");
			expect(back[0]).toEqual(answer);
			pair.settle();
			expect(pair.ue.session).toBeUndefined();
			expect(pair.hse.sessionOf(IMSI)).toBeUndefined();
		});

		test(`the 20 of the ${who} is never answered: the keys are erased all the same`, () => {
			const pair = new Pair().connect();
			pair[by]();
			const sent = by === "stop" ? pair.toHse : pair.toUe;
			for (let i = 0; i < 10; i++) pair.wait();
			expect(sent).toHaveLength(5);
			expect(new Set(sent.map(String)).size).toBe(1);
			expect(by === "stop" ? pair.ue.session : pair.hse.sessionOf(IMSI)).toBeUndefined();
		});
	}

	test("the cached 21 goes out eight times and for 120 s", () => {
		const pair = new Pair().connect();
		pair.stop();
		const request = pair.toHse[0];
		pair.deliverToHse();
		for (let i = 0; i < 8; i++) expect(pair.deliverToHse(request)).toBe("repetition");
		expect(pair.deliverToHse(request)).toBe("cached answer used up");
		const other = new Pair().connect();
		other.stop();
		const again = other.toHse[0];
		other.deliverToHse();
		other.now += 120_001;
		other.hse.handleTimeout(other.now);
		expect(other.deliverToHse(again)).toBe("reject");
	});

	test("stop() during an attempt gives it up", () => {
		const pair = new Pair();
		pair.begin();
		pair.deliverToHse();
		pair.stop();
		expect(pair.ue.isAttempting).toBe(false);
		expect(pair.deliverToUe()).toBe("not expected");
		expect(pair.ue.deadline).toBeUndefined();
	});
});
