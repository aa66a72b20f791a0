import { describe, expect, test } from "@jest/globals";
import { REFRESH_METHOD } from "../../firmware/emsdp/contents.js";
import { CAUSE, COMMAND, COUNT, HEADER, RETRANSMISSION } from "../../firmware/emsdp/profile.js";
import { IMSI, Pair } from "../support/pair.js";

/** Lets the HSE offer new keys. */
function offer(pair: Pair, method: number): void {
	pair.hse.refresh(pair.now, pair.hse.sessionOf(IMSI)?.sessionId ?? 0, method);
	pair.drainHse();
}

function keyIds(pair: Pair): (number | undefined)[] {
	return [pair.ue.session?.context.parameters.keyId, pair.hse.sessionOf(IMSI)?.context.parameters.keyId];
}

function keysAgree(pair: Pair): void {
	expect(pair.ue.session?.easKey()).toEqual(pair.hse.sessionOf(IMSI)?.easKey());
}

describe("key refresh", () => {
	for (const [name, method] of [
		["AKA", REFRESH_METHOD.aka],
		["chained", REFRESH_METHOD.chained],
	] as const) {
		test(`${name}, by the HSE: COUNTs begin anew under the next Key ID`, () => {
			const pair = new Pair().connect();
			const before = pair.ue.session?.easKey();
			pair.send("old");
			pair.settle();
			offer(pair, method);
			pair.settle();
			expect(keyIds(pair)).toEqual([2, 2]);
			keysAgree(pair);
			expect(pair.ue.session?.easKey()).not.toEqual(before);
			expect(pair.ue.session?.context.user.next).toBe(0);
			pair.send("new");
			pair.answerUe("answer");
			pair.settle();
			expect(pair.uplinks).toEqual(["old", "new"]);
			expect(pair.downlinks).toEqual(["answer"]);
		});

		test(`${name}, asked for by the UE`, () => {
			const pair = new Pair().connect();
			pair.ue.refresh(pair.now, method);
			pair.drainUe();
			pair.settle();
			expect(keyIds(pair)).toEqual([2, 2]);
			keysAgree(pair);
			expect(pair.ue.session?.state).toBe("live");
			expect(pair.ueEvents.at(-1)).toEqual({ kind: "new keys", keyId: 2 });
		});
	}

	test("Key IDs go round: 1 to 7, then 1 again", () => {
		const pair = new Pair().connect();
		for (const keyId of [2, 3, 4, 5, 6, 7, 1, 2]) {
			offer(pair, REFRESH_METHOD.chained);
			pair.settle();
			expect(keyIds(pair)).toEqual([keyId, keyId]);
			pair.answerUe("under the new key");
			pair.settle();
		}
		keysAgree(pair);
	});

	test("what is on its way under the old key is taken until the first message under the new one", () => {
		const pair = new Pair({ policy: { counterSchemes: [1] } }).connect();
		const late = [pair.answerUe("late 1"), pair.answerUe("late 2")];
		pair.toUe.length = 0;
		offer(pair, REFRESH_METHOD.chained);
		pair.settle();
		expect(pair.deliverToUe(late[0])).toBe("accept");
		pair.answerUe("new");
		pair.settle();
		expect(pair.deliverToUe(late[1])).toBe("session or Key ID unknown");
		expect(pair.downlinks).toEqual(["late 1", "new"]);
	});

	test("old keys are erased after 30 s at both ends", () => {
		const pair = new Pair().connect();
		const late = pair.answerUe("late");
		pair.toUe.length = 0;
		offer(pair, REFRESH_METHOD.chained);
		pair.settle();
		const since = pair.now;
		while (pair.wait());
		expect(pair.now - since).toBe(30_000);
		expect(pair.deliverToUe(late)).toBe("session or Key ID unknown");
	});

	test("31 lost: the first UP message under the new key completes the refresh", () => {
		const pair = new Pair().connect();
		offer(pair, REFRESH_METHOD.chained);
		pair.deliverToUe();
		pair.toHse.length = 0;
		expect(keyIds(pair)).toEqual([2, 1]);
		pair.send("under the new key");
		pair.settle();
		expect(keyIds(pair)).toEqual([2, 2]);
		expect(pair.uplinks).toEqual(["under the new key"]);
	});

	test("31 of an AKA refresh lost for good: a chained refresh after it is taken all the same", () => {
		const pair = new Pair().connect();
		offer(pair, REFRESH_METHOD.aka);
		pair.deliverToUe();
		pair.toHse.length = 0;
		pair.send("completes the first");
		pair.settle();
		offer(pair, REFRESH_METHOD.chained);
		pair.deliverToUe();
		expect(pair.deliverToHse()).toBe("accept");
		expect(keyIds(pair)).toEqual([3, 3]);
	});

	test("30 lost: sent again; the HSE goes on under the old key until then", () => {
		const pair = new Pair().connect();
		offer(pair, REFRESH_METHOD.chained);
		const request = pair.toUe.shift();
		pair.answerUe("old key");
		pair.settle();
		expect(pair.downlinks).toEqual(["old key"]);
		pair.wait();
		expect(pair.toUe[0]).toEqual(request);
		// Under 3 bits the 30 is older than nothing on its plane: it is taken.
		pair.settle();
		expect(keyIds(pair)).toEqual([2, 2]);
	});

	test("30 never answered: the HSE erases the new keys and goes on", () => {
		const pair = new Pair().connect();
		offer(pair, REFRESH_METHOD.chained);
		const first = pair.toUe[0];
		for (let i = 0; i < 5; i++) pair.wait();
		pair.toUe.length = 0;
		expect(pair.hse.sessionOf(IMSI)?.state).toBe("live");
		pair.send("goes on");
		pair.settle();
		expect(pair.uplinks).toEqual(["goes on"]);
		// The UE that hears of it late changes over all the same; the HSE does not know that key any more.
		expect(pair.deliverToUe(first)).toBe("accept");
		expect(pair.deliverToHse()).toBe("reject");
	});

	test("a power cut after the 31: the UE goes on under the new key", () => {
		const pair = new Pair().connect();
		offer(pair, REFRESH_METHOD.chained);
		pair.deliverToUe();
		pair.toHse.length = 0;
		pair.cutPower();
		pair.ue.resume(pair.now);
		pair.drainUe();
		pair.settle();
		expect(keyIds(pair)).toEqual([2, 2]);
		pair.send("after the power cut");
		pair.settle();
		expect(pair.uplinks).toEqual(["after the power cut"]);
	});

	test("a power cut before the 30 arrives: the UE resumes under the old key, and the HSE offers the same keys again", () => {
		const pair = new Pair().connect();
		offer(pair, REFRESH_METHOD.chained);
		pair.toUe.length = 0;
		pair.cutPower();
		pair.ue.resume(pair.now);
		pair.drainUe();
		pair.deliverToHse();
		expect(pair.deliverToUe()).toBe("accept");
		expect(keyIds(pair)).toEqual([1, 1]);
		pair.send("old key");
		pair.deliverToHse();
		expect(pair.uplinks).toEqual(["old key"]);
		pair.settle();
		expect(keyIds(pair)).toEqual([2, 2]);
		keysAgree(pair);
	});

	for (const [name, method] of [
		["AKA", REFRESH_METHOD.aka],
		["chained", REFRESH_METHOD.chained],
	] as const) {
		test(`${name}: a resume that overtakes the 30 does not hold the refresh up`, () => {
			const pair = new Pair().connect();
			offer(pair, method);
			const overtaken = pair.toUe.shift() as Uint8Array;
			pair.ue.resume(pair.now);
			pair.drainUe();
			pair.deliverToHse();
			pair.deliverToUe();
			expect(pair.deliverToUe(overtaken)).toBe("wrong MAC or COUNT");
			pair.settle();
			expect(keyIds(pair)).toEqual([2, 2]);
			keysAgree(pair);
		});

		test(`${name}: a resume that crosses the 30 is over when the new keys are there`, () => {
			const pair = new Pair().connect();
			offer(pair, method);
			pair.ue.resume(pair.now);
			pair.drainUe();
			pair.deliverToUe();
			expect(pair.ue.session?.state).toBe("live");
			pair.settle();
			while (pair.wait()) pair.settle();
			expect(keyIds(pair)).toEqual([2, 2]);
			keysAgree(pair);
			expect(pair.ueEvents.filter(({ kind }) => kind === "session started")).toHaveLength(1);
			pair.send("in the same session");
			pair.settle();
			expect(pair.uplinks).toEqual(["in the same session"]);
		});
	}

	describe("what comes under the old key when the new one is in use", () => {
		const changed = (pair: Pair) => {
			pair.hse.refresh(pair.now, pair.hse.sessionOf(IMSI)?.sessionId ?? 0, REFRESH_METHOD.chained);
			pair.drainHse();
			pair.settle();
			expect(pair.hse.sessionOf(IMSI)?.context.parameters.keyId).toBe(2);
		};

		test("a 30 of the UE begins no second change", () => {
			const pair = new Pair().connect();
			pair.ue.refresh(pair.now, REFRESH_METHOD.chained);
			pair.drainUe();
			const [late] = pair.toHse.splice(0);
			changed(pair);
			expect(pair.deliverToHse(late)).toBe("not expected");
			expect([pair.hse.sessionOf(IMSI)?.state, pair.toUe]).toEqual(["live", []]);
		});

		test("a resume is not answered, and moves no address", () => {
			const pair = new Pair().connect();
			pair.ue.resume(pair.now);
			pair.drainUe();
			const [late] = pair.toHse.splice(0);
			changed(pair);
			const { address } = pair.hse.sessionOf(IMSI) ?? {};
			expect(pair.deliverToHse(late, "somebody")).toBe("not expected");
			expect([pair.hse.sessionOf(IMSI)?.address, pair.toUe]).toEqual([address, []]);
		});

		test("an uplink is taken, and moves no address", () => {
			const pair = new Pair().connect();
			const late = pair.send("late");
			pair.toHse.length = 0;
			changed(pair);
			const { address } = pair.hse.sessionOf(IMSI) ?? {};
			expect(pair.deliverToHse(late, "somebody")).toBe("accept");
			expect([pair.uplinks, pair.hse.sessionOf(IMSI)?.address]).toEqual([["late"], address]);
		});
	});

	test("a wrong RES in 31 ends the session", () => {
		const pair = new Pair().connect();
		offer(pair, REFRESH_METHOD.aka);
		pair.deliverToUe();
		pair.toHse.length = 0;
		pair.ue.session?.transmitControl(COMMAND.manageKeysResponse, 0x12, new Uint8Array(8));
		pair.drainUe();
		expect(pair.deliverToHse()).toBe("reject");
		expect(pair.toUe[0][HEADER.length]).toBe(COMMAND.messageReject);
		expect(pair.hse.sessionOf(IMSI)).toBeUndefined();
		pair.settle();
		expect(pair.ueEvents.at(-1)).toEqual({ kind: "session over", cause: CAUSE.wrongRes, by: "HSE" });
	});

	test("two at once: the UE's 30 is answered with the 30 that is open", () => {
		const pair = new Pair().connect();
		offer(pair, REFRESH_METHOD.chained);
		const open = pair.toUe[0];
		pair.ue.refresh(pair.now, REFRESH_METHOD.chained);
		pair.drainUe();
		pair.deliverToHse();
		expect(pair.toUe).toEqual([open, open]);
		pair.settle();
		expect(keyIds(pair)).toEqual([2, 2]);
		expect(pair.ue.session?.state).toBe("live");
	});
});

describe("a COUNT past rekeyAt", () => {
	function high(pair: Pair) {
		const context = pair.ue.session?.context;
		const hse = pair.hse.sessionOf(IMSI)?.context;
		if (context === undefined || hse === undefined) throw new Error("no session");
		return { context, hse };
	}

	test("to the HSE: the UE asks for new keys by itself, and goes on sending", () => {
		const pair = new Pair().connect();
		const { context, hse } = high(pair);
		context.user.next = COUNT.rekeyAt - 1;
		hse.user.received.raise(COUNT.rekeyAt - 2);
		expect(pair.ue.deadline).toBeUndefined();
		pair.send("the last before");
		expect(pair.toHse).toHaveLength(2);
		pair.send("while it asks");
		expect(pair.toHse).toHaveLength(3);
		pair.settle();
		expect(keyIds(pair)).toEqual([2, 2]);
		expect(pair.uplinks).toEqual(["the last before", "while it asks"]);
		expect(pair.ue.session?.context.user.next).toBeLessThan(2);
	});

	test("and an HSE that gives none is asked again an hour later, with a message, and no wake-up is for that alone", () => {
		const pair = new Pair().connect();
		high(pair).context.user.next = COUNT.rekeyAt;
		const since = pair.now;
		pair.send("a reading");
		while (pair.ue.deadline !== undefined) pair.wait();
		// The reading, and five times the request.
		expect(pair.toHse).toHaveLength(6);
		expect(pair.ue.session?.state).toBe("live");
		pair.toHse.length = 0;
		pair.now = since + 3_599_999;
		pair.send("another");
		expect(pair.toHse).toHaveLength(1);
		pair.now = since + 3_600_000;
		pair.send("and another");
		expect(pair.toHse).toHaveLength(3);
	});

	test("to the UE: the HSE offers new keys by itself", () => {
		const pair = new Pair().connect();
		const { context, hse } = high(pair);
		hse.user.next = COUNT.rekeyAt - 1;
		context.user.received.raise(COUNT.rekeyAt - 2);
		pair.answerUe("the last before");
		pair.settle();
		expect(keyIds(pair)).toEqual([2, 2]);
		expect(pair.downlinks).toEqual(["the last before"]);
	});

	test("to the UE after an hour of silence: the 30 is due again some seconds later, not at once", () => {
		const pair = new Pair().connect();
		high(pair).hse.user.next = COUNT.rekeyAt;
		pair.now += 3_600_000;
		pair.answerUe("good morning");
		expect(pair.toUe).toHaveLength(2);
		expect(pair.hse.deadline).toBe(pair.now + RETRANSMISSION.firstAfter);
	});
});
