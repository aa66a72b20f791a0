import { describe, expect, test } from "@jest/globals";
import { SESSION_KEY } from "../../firmware/client/packed-session.js";
import { REFRESH_METHOD } from "../../firmware/emsdp/contents.js";
import { ALGORITHM, LIMITS, SERVICE } from "../../firmware/emsdp/profile.js";
import { DurablePair } from "../support/durable-pair.js";
import { IMSI } from "../support/pair.js";

/** Where a stored session has its encryption algorithm. */
const ENCRYPTION = 7;

/** Sends a reading, with a session that is made where there is none. */
function report(pair: DurablePair, text: string): void {
	if (pair.ue.session === undefined) {
		pair.begin();
		pair.quiet();
	}
	if (pair.ue.session === undefined) return;
	pair.send(text);
	pair.settle();
}

function answer(pair: DurablePair, text: string): void {
	if (pair.hse.sessionOf(IMSI)?.isLive) pair.answerUe(text);
	pair.settle();
}

/** Every procedure once. */
function live(pair: DurablePair): void {
	pair.begin();
	pair.quiet();
	report(pair, "one");
	report(pair, "two");
	answer(pair, "down one");
	for (const method of [2, 1]) {
		const session = pair.hse.sessionOf(IMSI);
		if (session?.canRefresh) pair.hse.refresh(pair.now, session.sessionId, method);
		pair.drainHse();
		pair.settle();
		report(pair, `under the keys of method ${method}`);
		answer(pair, `answer under the keys of method ${method}`);
		pair.quiet();
	}
	if (pair.ue.session !== undefined) {
		pair.cutPower();
		pair.ue.resume(pair.now);
		pair.drainUe();
		pair.quiet();
	}
	report(pair, "after the resume");
	answer(pair, "down two");
	if (pair.hse.sessionOf(IMSI) !== undefined) pair.terminate();
	pair.quiet();
}

const writes = (() => {
	const pair = new DurablePair();
	live(pair);
	return pair.medium.commits;
})();

describe("an HSE whose process ends at any write", () => {
	test("the scenario has enough writes, and all its readings arrive where nothing is cut", () => {
		const pair = new DurablePair();
		live(pair);
		expect(pair.uplinks).toEqual([
			"one",
			"two",
			"under the keys of method 2",
			"under the keys of method 1",
			"after the resume",
		]);
		expect(pair.downlinks).toHaveLength(4);
		expect(writes).toBeGreaterThan(15);
		expect(pair.medium.sessions.size).toBe(0);
	});

	for (const service of [SERVICE.confidential, SERVICE.integrity])
		for (const isWritten of [false, true])
			test(`${isWritten ? "after" : "before"} it, service ${service}: no COUNT twice, no reading twice, and it goes on`, () => {
				for (let cut = 1; cut <= writes; cut++) {
					const pair = new DurablePair({ service });
					pair.writesLeft = cut;
					pair.isWritten = isWritten;
					live(pair);
					expect(pair.restarts).toBe(1);
					report(pair, "at the end");
					// A UE whose session the HSE has lost is told so, and then has another.
					if (!pair.uplinks.includes("at the end")) {
						pair.quiet();
						report(pair, "at the very end");
						expect(pair.uplinks.at(-1)).toBe("at the very end");
					}
					for (const datagram of [...pair.heard]) pair.deliverToHse(datagram, "somebody");
					expect(pair.usedTwice).toEqual([]);
					expect(new Set(pair.uplinks).size).toBe(pair.uplinks.length);
					expect(new Set(pair.downlinks).size).toBe(pair.downlinks.length);
				}
			});
});

test("a session whose UE has a later one is over for good: a restart does not find it", () => {
	for (const shared of [false, true]) {
		const pair = new DurablePair({ shared });
		pair.connect();
		pair.quiet();
		pair.send("on its way for long");
		const [late] = pair.toHse.splice(0);
		pair.store.delete(SESSION_KEY);
		pair.cutPower();
		pair.connect();
		pair.quiet();
		const [sessionId] = pair.medium.sessions.keys();
		expect([pair.medium.sessions.size, sessionId]).toEqual([1, pair.hse.sessionOf(IMSI)?.sessionId]);
		expect(pair.deliverToHse(late)).not.toBe("accept");
		pair.restartHse();
		expect(pair.deliverToHse(late)).not.toBe("accept");
		expect(pair.hse.sessionCount).toBe(1);
	}
});

test("a Session Start does not wait for the store: what confirms it is in no store before", () => {
	for (const shared of [false, true]) {
		const pair = new DurablePair({ shared });
		pair.begin();
		const atOnce: boolean[] = [];
		const { outbox } = pair.hse;
		const transmit = outbox.transmit.bind(outbox);
		outbox.transmit = (to, octets, isAtOnce = false) => {
			atOnce.push(isAtOnce);
			return transmit(to, octets, isAtOnce);
		};
		pair.settle();
		pair.answerUe("down");
		expect(atOnce).toEqual([!shared, false]);
	}
});

test("looking at a session stores nothing, and keeps nothing", () => {
	const pair = new DurablePair().connect();
	pair.quiet();
	pair.send("a reading");
	pair.settle();
	const { sessionId } = pair.hse.sessionOf(IMSI) ?? { sessionId: 0 };
	pair.drainHse();
	pair.quiet();
	const { commits } = pair.medium;
	for (let i = 0; i < 3; i++) {
		expect(pair.hse.session(sessionId)).toBeDefined();
		pair.hse.handleTimeout(pair.now);
		pair.drainHse();
	}
	expect(pair.medium.commits).toBe(commits);
	pair.send("another");
	pair.settle();
	expect(pair.uplinks).toEqual(["a reading", "another"]);
});

describe("an HSE that begins again", () => {
	test("takes the next uplink of the UE, refuses what it had taken, and answers under the next COUNT", () => {
		const pair = new DurablePair().connect();
		const first = pair.send("before");
		pair.settle();
		pair.answerUe("before");
		pair.settle();
		pair.restartHse();
		expect(pair.deliverToHse(first)).toBe("wrong MAC or COUNT");
		pair.send("after");
		pair.settle();
		pair.answerUe("after");
		pair.settle();
		expect(pair.uplinks).toEqual(["before", "after"]);
		expect(pair.downlinks).toEqual(["before", "after"]);
		expect(pair.vectorsFetched).toBe(1);
		expect(pair.usedTwice).toEqual([]);
	});

	test("with a window of COUNTs: neither what was taken nor what the window has lost is taken again", () => {
		const pair = new DurablePair({ policy: { counterSchemes: [2] } }).connect();
		const sent = Array.from({ length: 80 }, (_, i) => pair.send(`${i}`));
		pair.toHse.length = 0;
		for (const [i, datagram] of sent.entries()) if (i % 3 === 0) pair.deliverToHse(datagram);
		pair.restartHse();
		for (const datagram of sent) pair.deliverToHse(datagram);
		expect(new Set(pair.uplinks).size).toBe(pair.uplinks.length);
		// 78 is the newest that came before; of the 64 up to it those that had not come are taken, and what is newer.
		const late = sent.map((_, i) => i).filter((i) => i % 3 !== 0 && i > 78 - 64);
		expect(pair.uplinks.slice(27).map(Number)).toEqual(late);
	});

	test("in mid-refresh it takes the UE's answer under the new keys", () => {
		for (const method of [1, 2]) {
			const pair = new DurablePair().connect();
			pair.hse.refresh(pair.now, pair.hse.sessionOf(IMSI)?.sessionId ?? 0, method);
			pair.drainHse();
			pair.deliverToUe();
			pair.restartHse();
			pair.settle();
			pair.send("under the new keys");
			pair.settle();
			expect(pair.uplinks).toEqual(["under the new keys"]);
			expect(pair.hse.sessionOf(IMSI)?.context.parameters.keyId).toBe(2);
			expect(pair.hse.sessionOf(IMSI)?.easKey()).toEqual(pair.ue.session?.easKey());
			expect(pair.usedTwice).toEqual([]);
		}
	});

	test("answers a resume again whose answer was lost with the process", () => {
		const pair = new DurablePair().connect();
		pair.cutPower();
		pair.ue.resume(pair.now);
		pair.drainUe();
		const request = pair.toHse[0];
		pair.deliverToHse();
		const reply = pair.toUe.shift();
		pair.restartHse();
		expect(pair.deliverToHse(request)).toBe("repetition");
		expect(pair.toUe).toEqual([reply]);
	});

	test("keeps answers for 120 s, also where its clock was set back meanwhile", () => {
		const pair = new DurablePair();
		pair.now = 1e9;
		pair.connect();
		pair.ue.resume(pair.now);
		pair.drainUe();
		const [request] = pair.toHse;
		pair.settle();
		pair.now -= 86_400_000;
		pair.restartHse();
		expect(pair.deliverToHse(request)).toBe("repetition");
		expect(pair.hse.deadline).toBe(pair.now + LIMITS.keepAnswer);
		pair.now += LIMITS.keepAnswer;
		pair.hse.handleTimeout(pair.now);
		expect(pair.deliverToHse(request)).not.toBe("repetition");
	});

	test("ends a session whose lifetime was over meanwhile", () => {
		const pair = new DurablePair({ policy: { lifetime: 100 } }).connect();
		pair.restartHse();
		expect(pair.hse.deadline).toBeDefined();
		// A UE that is awake renews it before.
		pair.now += 100_000;
		pair.hse.handleTimeout(pair.now);
		pair.drainHse();
		pair.settle();
		expect(pair.hse.sessionOf(IMSI)).toBeUndefined();
		expect(pair.medium.sessions.size).toBe(0);
		expect(pair.ue.session).toBeUndefined();
	});

	test("ends it too where the UE's 31 is missing: its first message under the new keys stood for it", () => {
		const pair = new DurablePair({ policy: { lifetime: 3600 } }).connect();
		pair.hse.refresh(pair.now, pair.hse.sessionOf(IMSI)?.sessionId ?? 0, REFRESH_METHOD.aka);
		pair.drainHse();
		pair.deliverToUe();
		pair.toHse.length = 0;
		pair.send("under the new keys");
		pair.deliverToHse();
		pair.now += 31_000;
		pair.hse.handleTimeout(pair.now);
		pair.drainHse();
		const { deadline } = pair.hse;
		expect(deadline).toBeGreaterThan(pair.now);
		pair.restartHse();
		expect(pair.hse.deadline).toBe(deadline);
	});

	test("forgets a session whose algorithms it does not have any more, and the UE agrees another", () => {
		const pair = new DurablePair().connect();
		for (const { octets } of pair.medium.sessions.values()) octets[ENCRYPTION] = ALGORITHM.zuc;
		pair.restartHse();
		expect(pair.hse.sessionOf(IMSI)).toBeUndefined();
		pair.send("to nobody");
		pair.quiet();
		pair.send("to the new session");
		pair.settle();
		expect(pair.uplinks).toEqual(["to the new session"]);
		expect(pair.medium.sessions.size).toBe(1);
	});

	test("sends its 20 again", () => {
		const pair = new DurablePair().connect();
		pair.terminate();
		const request = pair.toUe.shift();
		pair.restartHse();
		expect(pair.hse.sessionOf(IMSI)?.state).toBe("terminating");
		pair.wait();
		expect(pair.toUe).toEqual([request]);
		pair.quiet();
		expect(pair.medium.sessions.size).toBe(0);
	});
});
