import { describe, expect, test } from "@jest/globals";
import { writeHeader } from "../../firmware/emsdp/header.js";
import { CAUSE, COMMAND, HEADER, TAG } from "../../firmware/emsdp/profile.js";
import { writeTlv } from "../../firmware/emsdp/tlv.js";
import { Cookies } from "../../host-tools/hse/load.js";
import { IMSI, Pair, SeededRandom } from "../support/pair.js";

/** An unprotected 80. */
function reject(sessionId: number, ...value: number[]): Uint8Array {
	const datagram = new Uint8Array(64);
	let end = writeHeader(datagram, false, 0, sessionId, 0, 0);
	datagram[end++] = COMMAND.messageReject;
	end = writeTlv(datagram, end, TAG.cause, Uint8Array.from(value));
	return datagram.slice(0, end);
}

describe("unprotected rejects", () => {
	test("no cause tears down a session with keys, at either end", () => {
		const pair = new Pair().connect();
		const sessionId = pair.ue.session?.context.parameters.sessionId ?? 0;
		for (let cause = 0; cause < 256; cause++) {
			if (cause === CAUSE.congestion) continue;
			pair.deliverToUe(reject(sessionId, cause));
			pair.deliverToHse(reject(sessionId, cause));
			pair.deliverToUe(reject(0, cause));
		}
		expect(pair.ue.session?.context.parameters.sessionId).toBe(sessionId);
		expect(pair.hse.sessionOf(IMSI)?.sessionId).toBe(sessionId);
	});

	test("0A on a live session: one resume, and the session goes on", () => {
		const pair = new Pair().connect();
		const { session } = pair.ue;
		const sessionId = session?.context.parameters.sessionId ?? 0;
		expect(pair.deliverToUe(reject(sessionId, CAUSE.sessionUnknown))).toBe("hint");
		expect(pair.ue.isAttempting).toBe(false);
		pair.settle();
		expect(pair.ueEvents.at(-1)).toEqual({ kind: "session resumed" });
		expect(pair.ue.session).toBe(session);
		pair.send("goes on");
		pair.settle();
		expect(pair.uplinks).toEqual(["goes on"]);
	});

	test("0A again: a new session, and the old keys stay until its 11 is verified", () => {
		const pair = new Pair().connect();
		const { session } = pair.ue;
		const sessionId = session?.context.parameters.sessionId ?? 0;
		pair.deliverToUe(reject(sessionId, CAUSE.sessionUnknown));
		pair.toHse.length = 0;
		expect(pair.deliverToUe(reject(sessionId, CAUSE.sessionUnknown))).toBe("hint");
		expect(pair.ue.isAttempting).toBe(true);
		expect(pair.ue.session).toBe(session);
		expect(pair.deliverToUe(reject(sessionId, CAUSE.sessionUnknown))).toBe("unprotected reject");
		pair.deliverToHse();
		expect(pair.ue.session).toBe(session);
		pair.deliverToUe();
		expect(pair.ue.session).not.toBe(session);
		expect(session?.state).toBe("over");
		pair.settle();
		pair.send("goes on");
		pair.settle();
		expect(pair.uplinks).toEqual(["goes on"]);
	});

	test("forged 0A after 0A costs the UE a resume a minute at first, one an hour in the end, and never the session", () => {
		const pair = new Pair().connect();
		const { session } = pair.ue;
		const sessionId = session?.context.parameters.sessionId ?? 0;
		const since = pair.now;
		const resumedAt: number[] = [];
		for (; pair.now - since < 6 * 3_600_000; pair.now += 10_000) {
			const verdict = pair.deliverToUe(reject(sessionId, CAUSE.sessionUnknown));
			if (verdict === "hint") resumedAt.push((pair.now - since) / 60_000);
			else expect(verdict).toBe("rate limit");
			pair.settle();
		}
		expect(resumedAt).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183, 243, 303]);
		expect(pair.ue.session).toBe(session);
		expect(pair.usimRuns).toBe(1);
		// When nobody has forged any for a while, the first one is acted on soon again.
		pair.now += 3 * 3_600_000;
		for (const [wait, verdict] of [
			[0, "hint"],
			[59_999, "rate limit"],
			[1, "hint"],
		] as const) {
			pair.now += wait;
			expect(pair.deliverToUe(reject(sessionId, CAUSE.sessionUnknown))).toBe(verdict);
			pair.settle();
		}
	});

	test("an HSE that has forgotten everything: 0A, a resume, 0A, a new session", () => {
		const pair = new Pair({ seed: 5 }).connect();
		const forgetful = new Pair({ seed: 5 });
		expect(forgetful.deliverToHse(pair.send("lost"))).toBe("reject");
		expect(pair.deliverToUe(forgetful.toUe.shift())).toBe("hint");
		expect(pair.ue.isAttempting).toBe(false);
		forgetful.now += 1000;
		expect(forgetful.deliverToHse(pair.toHse.at(-1))).toBe("reject");
		expect(pair.deliverToUe(forgetful.toUe.shift())).toBe("hint");
		expect(pair.ue.isAttempting).toBe(true);
	});

	test("a back-off is obeyed, up to the longest one, and the request goes out again by itself", () => {
		for (const [seconds, obeyed] of [
			[300, 300],
			[65_535, 3600],
		]) {
			const pair = new Pair();
			pair.begin();
			pair.toHse.shift();
			const before = pair.now;
			expect(pair.deliverToUe(reject(0, CAUSE.congestion, seconds >> 8, seconds & 0xff))).toBe("hint");
			expect(pair.toHse).toHaveLength(0);
			pair.wait();
			expect(pair.now - before).toBe(obeyed * 1000);
			expect(pair.toHse).toHaveLength(1);
			pair.settle();
			expect(pair.hse.sessionOf(IMSI)?.isLive).toBe(true);
		}
	});

	test("faulty contents are answered under the key of the message, and that COUNT is taken", () => {
		const pair = new Pair().connect();
		const session = pair.ue.session;
		session?.transmitControl(COMMAND.sessionTerminateRequest);
		pair.drainUe();
		expect(pair.deliverToHse()).toBe("reject");
		expect(pair.toUe[0][HEADER.length]).toBe(COMMAND.messageReject);
		pair.settle();
		expect(pair.ueEvents.at(-1)).toEqual({ kind: "rejected", cause: CAUSE.tlvUnknownOrMissing });
		expect(pair.hse.sessionOf(IMSI)?.isLive).toBe(true);
	});
});

test("an EAS Id is taken octet by octet: one with a byte order mark is another one", () => {
	const pair = new Pair({ easId: "\uFEFFeas.example", policy: { easIds: ["eas.example"] } });
	pair.begin();
	pair.deliverToHse();
	expect(pair.toUe[0].subarray(-1)).toEqual(Uint8Array.of(CAUSE.easUnknown));
});

describe("cookies", () => {
	function loaded(): Pair {
		const random = new SeededRandom(9);
		const cookies = new Cookies(() => random.octets(32), 0);
		return new Pair({
			load: {
				cookie: (now, source, identity, given) => cookies.demand(now, source, identity, given),
				backOff: () => undefined,
			},
		});
	}

	test("the request comes again with the cookie; no vector is fetched before", () => {
		const pair = loaded();
		pair.begin();
		expect(pair.deliverToHse()).toBe("reject");
		expect(pair.vectorsFetched).toBe(0);
		pair.settle();
		expect(pair.hse.sessionOf(IMSI)?.isLive).toBe(true);
		expect(pair.vectorsFetched).toBe(1);
	});

	test("a cookie of another source is of no use", () => {
		const pair = loaded();
		pair.begin();
		pair.deliverToHse();
		pair.deliverToUe();
		expect(pair.deliverToHse(undefined, "thief")).toBe("reject");
		expect(pair.vectorsFetched).toBe(0);
	});

	test("a cookie lives through the end of its time slot, and not much longer", () => {
		const pair = loaded();
		pair.now = 59_900;
		pair.begin();
		pair.deliverToHse();
		pair.deliverToUe();
		const request = pair.toHse[0];
		pair.now = 60_100;
		expect(pair.deliverToHse()).toBe("accept");
		pair.now = 200_000;
		pair.hse.handleTimeout(pair.now);
		expect(pair.deliverToHse(request)).toBe("reject");
	});

	test("a UE asked for cookies again and again gives up after two", () => {
		let n = 0;
		const pair = new Pair({ load: { cookie: () => Uint8Array.of(++n), backOff: () => undefined } });
		pair.connect();
		expect(n).toBe(3);
		expect(pair.ueEvents).toEqual([{ kind: "attempt over", cause: CAUSE.cookieNeeded }]);
	});
});
