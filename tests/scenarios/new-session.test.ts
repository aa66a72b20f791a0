import { describe, expect, test } from "@jest/globals";
import { AGREEMENT, CAUSE, COMMAND, HEADER, SERVICE } from "../../firmware/emsdp/profile.js";
import { flipped, IMSI, Pair } from "../support/pair.js";

describe("a new session", () => {
	const services = [
		["integrity", SERVICE.integrity],
		["confidential", SERVICE.confidential],
	] as const;
	const agreements = [
		["UMTS AKA", AGREEMENT.umtsAka],
		["EPS AKA", AGREEMENT.epsAka],
	] as const;

	for (const [agreementName, agreement] of agreements)
		for (const [serviceName, service] of services)
			for (const counterScheme of [0, 1, 2])
				for (const macLength of [4, 8])
					test(`${agreementName}, ${serviceName}, counter scheme ${counterScheme}, M = ${macLength}: data both ways`, () => {
						const policy = { counterSchemes: [counterScheme], macLengths: [macLength] };
						const pair = new Pair({ service, agreement, policy }).connect();
						const datagram = pair.send("reading");
						expect(datagram.length).toBe(6 + counterScheme + "reading".length + macLength);
						const inClear = new TextDecoder().decode(datagram).includes("reading");
						expect(inClear).toBe(service === SERVICE.integrity);
						pair.settle();
						pair.answerUe("answer");
						pair.settle();
						expect(pair.uplinks).toEqual(["reading"]);
						expect(pair.downlinks).toEqual(["answer"]);
					});

	test("takes three messages and one round trip", () => {
		const pair = new Pair();
		pair.begin();
		expect(pair.toHse).toHaveLength(1);
		pair.deliverToHse();
		expect(pair.toUe).toHaveLength(1);
		pair.deliverToUe();
		expect(pair.ue.session).toBeDefined();
		expect(pair.toHse).toHaveLength(1);
		pair.deliverToHse();
		expect(pair.toUe).toHaveLength(0);
		expect(pair.hse.sessionOf(IMSI)?.isLive).toBe(true);
	});

	test("both ends derive the same K_EAS_PSK, and give copies of it", () => {
		const pair = new Pair().connect();
		const ue = pair.ue.session?.easKey();
		expect(ue).toEqual(pair.hse.sessionOf(IMSI)?.easKey());
		ue?.fill(0);
		expect(pair.ue.session?.easKey()).not.toEqual(ue);
	});

	for (const lost of ["10", "11", "12"])
		test(`${lost} lost: sent again, octet-identical`, () => {
			const pair = new Pair();
			pair.begin();
			const request = pair.toHse[0];
			if (lost === "10") pair.toHse.shift();
			else pair.deliverToHse();
			const start = pair.toUe[0];
			if (lost === "11") pair.toUe.shift();
			if (lost === "12") {
				pair.deliverToUe();
				pair.toHse.shift();
			}
			expect(pair.wait()).toBe(true);
			if (lost === "10") expect(pair.toHse[0]).toEqual(request);
			if (lost === "12") expect(pair.toUe[0]).toEqual(start);
			pair.settle();
			expect(pair.hse.sessionOf(IMSI)?.isLive).toBe(true);
			expect(pair.usimRuns).toBe(1);
			expect(pair.vectorsFetched).toBe(1);
		});

	test("12 lost: the first UP message confirms the session", () => {
		const pair = new Pair();
		pair.begin();
		pair.deliverToHse();
		pair.deliverToUe();
		pair.toHse.shift();
		pair.send("reading");
		pair.settle();
		expect(pair.uplinks).toEqual(["reading"]);
		expect(pair.hse.sessionOf(IMSI)?.isLive).toBe(true);
	});

	test("the HSE sends no UP message before the session is confirmed", () => {
		const pair = new Pair();
		pair.begin();
		pair.deliverToHse();
		const started = pair.hseEvents.find((event) => event.kind === "session started");
		if (started?.kind !== "session started") throw new Error("no session was started");
		expect(() => pair.hse.send(pair.now, started.sessionId, new Uint8Array(1))).toThrow(/only a live one/);
	});

	test("nobody answers: five requests with doubling gaps, then the attempt is over", () => {
		const pair = new Pair();
		pair.begin();
		const at = [pair.now];
		while (pair.wait()) at.push(pair.now);
		const gaps = at.slice(1).map((time, i) => time - at[i]);
		expect(pair.toHse).toHaveLength(5);
		expect(new Set(pair.toHse.map(String)).size).toBe(1);
		expect(gaps[0]).toBeGreaterThanOrEqual(2000);
		expect(gaps[0]).toBeLessThanOrEqual(3000);
		for (let i = 1; i < gaps.length; i++) expect(gaps[i]).toBeCloseTo(2 * gaps[i - 1], 3);
		expect(pair.ueEvents).toEqual([{ kind: "attempt over", cause: undefined }]);
	});

	test("a spoilt copy of 11 does no harm, and the USIM runs once", () => {
		const pair = new Pair();
		pair.begin();
		pair.deliverToHse();
		const start = pair.toUe.shift() as Uint8Array;
		expect(pair.deliverToUe(flipped(start, -1))).toBe("accept");
		expect(pair.ue.session).toBeUndefined();
		expect(pair.toHse).toHaveLength(0);
		pair.deliverToUe(start);
		expect(pair.ue.session).toBeDefined();
		expect(pair.usimRuns).toBe(1);
	});

	test("the HSE takes nothing but what the UE offers", () => {
		const pair = new Pair({ agreement: AGREEMENT.umtsAka, policy: { agreements: [AGREEMENT.epsAka] } });
		pair.begin();
		expect(pair.deliverToHse()).toBe("reject");
		pair.settle();
		expect(pair.ueEvents).toEqual([{ kind: "attempt over", cause: CAUSE.nothingInCommon }]);
	});

	test("a replayed Session Request of a live session changes nothing", () => {
		const pair = new Pair();
		pair.begin();
		const request = pair.toHse[0];
		pair.settle();
		const sessionId = pair.hse.sessionOf(IMSI)?.sessionId;
		pair.deliverToHse(request, "somebody");
		expect(pair.deliverToUe()).toBe("not expected");
		expect(pair.hse.sessionOf(IMSI)?.sessionId).toBe(sessionId);
		pair.send("still there");
		pair.settle();
		expect(pair.uplinks).toEqual(["still there"]);
	});

	test("an existing session stays until the new one is confirmed, then its keys are gone", () => {
		const pair = new Pair().connect();
		const earlier = pair.hse.sessionOf(IMSI)?.sessionId ?? 0;
		pair.begin();
		pair.deliverToHse();
		expect(pair.hse.sessionOf(IMSI)?.sessionId).toBe(earlier);
		const late = pair.send("under the old keys");
		pair.deliverToHse();
		expect(pair.uplinks).toEqual(["under the old keys"]);
		pair.settle();
		expect(pair.hse.sessionOf(IMSI)?.isLive).toBe(true);
		expect(pair.hse.session(earlier)).toBeUndefined();
		expect(pair.deliverToHse(late)).toBe("reject");
		expect(pair.uplinks).toHaveLength(1);
	});

	test("a 12 of an attempt that the UE has given up ends no later session", () => {
		const pair = new Pair();
		pair.begin();
		pair.deliverToHse();
		pair.deliverToUe();
		const [late] = pair.toHse.splice(0);
		// The same UE, for another EAS.
		const again = new Pair({ easId: "other.example", store: pair.store });
		again.begin();
		while (again.toHse.length > 0) {
			pair.deliverToHse(again.toHse.shift());
			again.toUe.push(...pair.toUe.splice(0));
			while (again.toUe.length > 0) again.deliverToUe();
		}
		const { sessionId } = pair.hse.sessionOf(IMSI) ?? {};
		expect(again.ue.session?.context.parameters.sessionId).toBe(sessionId);
		expect(pair.deliverToHse(late)).toBe("reject");
		expect(pair.hse.sessionOf(IMSI)?.sessionId).toBe(sessionId);
	});

	test("an unconfirmed session is forgotten after 120 s", () => {
		const pair = new Pair();
		pair.begin();
		pair.deliverToHse();
		const started = pair.hseEvents.find((event) => event.kind === "session started");
		if (started?.kind !== "session started") throw new Error("no session was started");
		pair.ue.stop(pair.now);
		while (pair.wait());
		expect(pair.hse.session(started.sessionId)).toBeUndefined();
		expect(pair.now).toBeGreaterThanOrEqual(60_000);
	});

	test("malformed requests are answered, and never with a session", () => {
		const pair = new Pair();
		pair.begin();
		const request = pair.toHse.shift() as Uint8Array;
		expect(pair.deliverToHse(request.subarray(0, request.length - 1))).toBe("reject");
		const reject = pair.toUe.shift() as Uint8Array;
		expect(reject[HEADER.length]).toBe(COMMAND.messageReject);
		expect(reject.at(-1)).toBe(CAUSE.malformed);
	});
});
