import { describe, expect, jest, test } from "@jest/globals";
import { writeHeader } from "../../firmware/emsdp/header.js";
import { ALGORITHM, CAUSE, COMMAND, HEADER, LIMITS, SERVICE, TAG } from "../../firmware/emsdp/profile.js";
import { writeTlv } from "../../firmware/emsdp/tlv.js";
import { SQN_STEP } from "../../firmware/keys/aka.js";
import type { VectorRequest } from "../../host-tools/hse/events.js";
import { LoadMeter } from "../../host-tools/hse/load.js";
import { choose, DEFAULT_POLICY } from "../../host-tools/hse/policy.js";
import { offerOf } from "../../host-tools/provision/provision.js";
import { DurablePair } from "../support/durable-pair.js";
import { flipped, IMSI, Pair } from "../support/pair.js";

/** A Session Request like the one given, with an ignored TLV that makes it another one. */
function variation(request: Uint8Array, number: number): Uint8Array {
	const datagram = new Uint8Array(request.length + 4);
	datagram.set(request);
	writeTlv(datagram, request.length, 0x90, Uint8Array.of(number >> 8, number));
	return datagram;
}

function unprotectedReject(sessionId: number, cause: number): Uint8Array {
	const datagram = new Uint8Array(10);
	const end = writeHeader(datagram, false, 0, sessionId, 0, 0);
	datagram[end] = COMMAND.messageReject;
	writeTlv(datagram, end + 1, TAG.cause, Uint8Array.of(cause));
	return datagram;
}

describe("what an attacker without keys brings about", () => {
	test("requests in a UE's name: four unconfirmed sessions at the most, the newest ones", () => {
		const pair = new Pair();
		pair.begin();
		const request = pair.toHse.shift() as Uint8Array;
		const sessionIds: number[] = [];
		for (let i = 0; i < 50; i++) {
			pair.deliverToHse(variation(request, i), "attacker");
			const started = pair.hseEvents.at(-1);
			if (started?.kind === "session started") sessionIds.push(started.sessionId);
		}
		expect(sessionIds).toHaveLength(50);
		expect(sessionIds.filter((id) => pair.hse.session(id) !== undefined)).toEqual(sessionIds.slice(-4));
		pair.toUe.length = 0;
		pair.deliverToHse(request);
		pair.settle();
		expect(pair.hse.sessionOf(IMSI)?.isLive).toBe(true);
	});

	test("80s with cause 0D from anywhere: the authentication centre is asked one at a time", () => {
		const pair = new Pair({ sqn: SQN_STEP, sqnMs: 2 ** 30 });
		pair.begin();
		pair.deliverToHse();
		pair.deliverToUe();
		const [reject] = pair.toHse.splice(0);
		const asked: VectorRequest[] = [];
		const take = () => {
			for (let next = pair.hse.outbox.takeVectorRequest(); next; next = pair.hse.outbox.takeVectorRequest())
				asked.push(next);
		};
		for (let i = 0; i < 100; i++) {
			pair.hse.handleDatagram(pair.now, `attacker ${i}`, reject, reject.length);
			take();
		}
		expect(asked).toHaveLength(1);
		// An AUTS that is wrong is not the last that is looked at.
		pair.hse.handleVector(pair.now, asked[0].number, undefined);
		pair.deliverToHse(reject);
		pair.settle();
		expect(pair.hse.sessionOf(IMSI)?.isLive).toBe(true);
	});

	test("failed verifications of an hour are not begun anew where a session goes to another HSE and comes back", () => {
		const pair = new DurablePair({ shared: true }).connect();
		const { sessionId } = pair.hse.sessionOf(IMSI) ?? { sessionId: 0 };
		const forged = pair.send("x");
		pair.toHse.length = 0;
		forged[forged.length - 1] ^= 1;
		let failures = 0;
		const flood = () => {
			for (let i = 0; i < 1100; i++)
				if (pair.deliverToHse(forged, `attacker ${i}`) === "wrong MAC or COUNT") failures++;
		};
		flood();
		expect(failures).toBe(LIMITS.failedVerificationsPerHour);
		expect(pair.hse.giveUp(pair.now, sessionId)).toBe(true);
		const [release] = pair.hse.takeBatch()?.releases ?? [];
		const octets = release.octets.slice();
		pair.hse.batchWritten();
		expect(pair.hse.takeUp(pair.now, octets)).toBe(true);
		flood();
		expect(failures).toBe(LIMITS.failedVerificationsPerHour);
	});

	test("a vector is erased where there is no Session ID for it", () => {
		const pair = new Pair();
		pair.begin();
		const [request] = pair.toHse;
		pair.hse.handleDatagram(pair.now, "ue", request, request.length);
		const { number = 0 } = pair.hse.outbox.takeVectorRequest() ?? {};
		const octets = (length: number) => pair.random.octets(length);
		const vector = { rand: octets(16), autn: octets(16), xres: octets(8), ck: octets(16), ik: octets(16) };
		const none = jest.spyOn(pair.random, "next").mockImplementation(() => {
			throw new Error("no Session ID");
		});
		expect(() => pair.hse.handleVector(pair.now, number, { imsi: IMSI, vector })).toThrow("no Session ID");
		none.mockRestore();
		for (const secret of [vector.xres, vector.ck, vector.ik]) expect(secret).toEqual(new Uint8Array(secret.length));
	});

	test("too many unconfirmed sessions: requests are put off", () => {
		let unconfirmed = 0;
		const pair = new Pair({
			load: {
				cookie: () => undefined,
				backOff: (_now, count) => {
					unconfirmed = count;
					return count >= 2 ? 30 : undefined;
				},
			},
		});
		pair.begin();
		const request = pair.toHse[0];
		for (let i = 0; i < 5; i++) pair.deliverToHse(variation(request, i));
		expect(unconfirmed).toBe(2);
		expect(pair.toUe.at(-1)?.subarray(-3)).toEqual(Uint8Array.of(CAUSE.congestion, 0, 30));
	});

	test("a repetition that arrives before the vector does makes no second session", () => {
		const pair = new Pair();
		pair.begin();
		const request = pair.toHse.shift() as Uint8Array;
		expect(pair.hse.handleDatagram(pair.now, "ue", request, request.length)).toBe("accept");
		expect(pair.hse.handleDatagram(pair.now, "ue", request, request.length)).toBe("being answered");
		pair.drainHse();
		expect(pair.vectorsFetched).toBe(1);
		expect(pair.toUe).toHaveLength(1);
	});

	test("65,536 sources and more: a new one still gets its 0A when a second has gone", () => {
		const pair = new Pair().connect();
		const datagram = flipped(pair.send("x"), HEADER.sessionId);
		for (let i = 0; i < 65_536; i++) pair.hse.handleDatagram(pair.now, `source ${i}`, datagram, datagram.length);
		pair.drainHse();
		expect(pair.deliverToHse(datagram, "one more")).toBe("rate limit");
		pair.now += 1001;
		expect(pair.deliverToHse(datagram, "one more")).toBe("reject");
	});

	test("neither an 80 nor a 21 of an unknown session is answered", () => {
		const pair = new Pair().connect();
		for (const command of [COMMAND.messageReject, COMMAND.sessionTerminateResponse]) {
			const datagram = new Uint8Array(11);
			writeHeader(datagram, false, 1, 0x12345678, 0, 0);
			datagram[HEADER.length] = command;
			expect(pair.deliverToHse(datagram, "somebody")).toBe("session or Key ID unknown");
			expect(pair.toUe).toHaveLength(0);
		}
	});

	test("a forged 0A and a forged back-off do not silence a live session", () => {
		const pair = new Pair().connect();
		const sessionId = pair.ue.session?.context.parameters.sessionId ?? 0;
		for (let i = 0; i < 2; i++) pair.deliverToUe(unprotectedReject(sessionId, CAUSE.sessionUnknown));
		pair.toHse.length = 0;
		pair.deliverToUe(Uint8Array.of(1, 0, 0, 0, 0, 0, 0x80, 0x18, 3, 0x0f, 0x0e, 0x10));
		expect(pair.ueEvents.at(-1)).toEqual({ kind: "back-off", seconds: 3600 });
		pair.send("goes on");
		pair.deliverToHse();
		expect(pair.uplinks).toEqual(["goes on"]);
	});

	test("a forged 0A while the UE ends its session brings up no new one", () => {
		const pair = new Pair().connect();
		const sessionId = pair.ue.session?.context.parameters.sessionId ?? 0;
		pair.stop();
		expect(pair.deliverToUe(unprotectedReject(sessionId, CAUSE.sessionUnknown))).toBe("unprotected reject");
		pair.settle();
		expect(pair.ue.session).toBeUndefined();
		expect(pair.ue.isAttempting).toBe(false);
	});

	test("a session that is over answers no more than a repeated 20", () => {
		const pair = new Pair();
		pair.begin();
		pair.deliverToHse();
		const start = pair.toUe[0];
		pair.settle();
		pair.stop();
		pair.settle();
		expect(pair.deliverToUe(start)).toBe("not expected");
		expect(pair.toHse).toHaveLength(0);
	});
});

describe("slow and failing neighbours", () => {
	test("12 lost and silence: the session waits 120 s for a UP message", () => {
		const pair = new Pair();
		pair.begin();
		pair.deliverToHse();
		pair.deliverToUe();
		pair.toHse.length = 0;
		while (pair.hse.deadline !== undefined && pair.hse.deadline < 1000 + 119_000) {
			pair.now = pair.hse.deadline;
			pair.hse.handleTimeout(pair.now);
			pair.drainHse();
		}
		pair.now = 1000 + 119_000;
		pair.send("late, but there");
		expect(pair.deliverToHse()).toBe("accept");
		expect(pair.uplinks).toEqual(["late, but there"]);
	});

	test("the USIM's answer to an earlier challenge is not taken for a later one", () => {
		const pair = new Pair();
		pair.begin();
		pair.deliverToHse();
		const start = pair.toUe.shift() as Uint8Array;
		pair.ue.handleDatagram(pair.now, start, start.length);
		const challenge = pair.ue.outbox.takeChallenge();
		if (challenge === undefined) throw new Error("no challenge");
		pair.ue.stop(pair.now);
		pair.begin();
		pair.deliverToHse();
		const next = pair.toUe.shift() as Uint8Array;
		pair.ue.handleDatagram(pair.now, next, next.length);
		const ck = new Uint8Array(16).fill(1);
		const ik = new Uint8Array(16).fill(2);
		const result = { status: "success", res: new Uint8Array(8), ck, ik } as const;
		expect(pair.ue.handleAuthentication(pair.now, challenge, result)).toBe("not expected");
		expect([...ck, ...ik].every((octet) => octet === 0)).toBe(true);
	});

	test("a USIM that says nothing is given up after a minute", () => {
		const pair = new Pair();
		pair.begin();
		pair.deliverToHse();
		const start = pair.toUe.shift() as Uint8Array;
		pair.ue.handleDatagram(pair.now, start, start.length);
		expect(pair.ue.outbox.takeChallenge()).toBeDefined();
		expect(pair.ue.deadline).toBe(pair.now + 60_000);
		pair.ue.handleTimeout(pair.now + 60_000);
		expect(pair.ue.outbox.takeEvent()).toEqual({ kind: "attempt over", cause: undefined });
	});

	test("damaged SQNs in the store are told, and not begun anew", () => {
		const pair = new Pair().connect();
		pair.store.values.set("sqn", new Uint8Array(5));
		expect(() => new Pair({ store: pair.store })).toThrow(/SQNs in the store are damaged/);
	});
});

describe("choosing", () => {
	test("null encryption is not chosen where the UE does not offer it", () => {
		const offer = { ...offerOf(2, SERVICE.integrity), encryptionAlgorithms: 1 << ALGORITHM.aes };
		expect(choose(DEFAULT_POLICY, offer, Uint8Array.of(0, 0, 0xf1, 0x10))).toBe(CAUSE.nothingInCommon);
	});

	test("the load is high from the 21st request in a tenth of a second on, and stays so for a second", () => {
		const meter = new LoadMeter();
		const answers = (now: number, count: number) => Array.from({ length: count }, () => meter.isHigh(now));
		for (let tenth = 0; tenth < 10; tenth++) expect(answers(1000 + 100 * tenth, 20)).not.toContain(true);
		expect(answers(2000, 21)).toEqual([...Array(20).fill(false), true]);
		expect(answers(2999, 1)).toEqual([true]);
		expect(answers(3000, 1)).toEqual([false]);
		expect(answers(9000, 1)).toEqual([false]);
	});

	test("the load is high for the first of 21 requests that wait together: a flood costs no vector", () => {
		const meter = new LoadMeter();
		meter.expect(1000, 20);
		expect(meter.isHigh(1000)).toBe(false);
		meter.expect(2000, 21);
		expect(meter.isHigh(2000)).toBe(true);
	});
});
