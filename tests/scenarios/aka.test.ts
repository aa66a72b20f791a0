import { describe, expect, test } from "@jest/globals";
import { REFRESH_METHOD } from "../../firmware/emsdp/contents.js";
import { CAUSE, COMMAND, HEADER, TAG } from "../../firmware/emsdp/profile.js";
import { SQN_STEP } from "../../firmware/keys/aka.js";
import { flipped, IMSI, Pair } from "../support/pair.js";

describe("authentication and key agreement", () => {
	test("the USIM is ahead: AUTS, resynchronisation, the session", () => {
		const pair = new Pair({ sqn: 5 * SQN_STEP, sqnMs: 900 * SQN_STEP }).connect();
		expect(pair.hseEvents.map(({ kind }) => kind)).toContain("resynchronised");
		expect(pair.hse.sessionOf(IMSI)?.isLive).toBe(true);
		expect(pair.usimRuns).toBe(2);
	});

	test.each([4, 8, 16] as const)(
		"TUAK with a RES of %d octets: resynchronisation, the session, new keys by AKA",
		(resOctets) => {
			const tuak = { resOctets, iterations: 2 };
			const pair = new Pair({ tuak, sqn: 5 * SQN_STEP, sqnMs: 900 * SQN_STEP }).connect();
			expect(pair.hseEvents.map(({ kind }) => kind)).toContain("resynchronised");
			expect(pair.usimRuns).toBe(2);
			pair.send("by TUAK");
			pair.settle();
			expect(pair.uplinks).toEqual(["by TUAK"]);
			pair.ue.refresh(pair.now, REFRESH_METHOD.aka);
			pair.drainUe();
			pair.settle();
			expect(pair.usimRuns).toBe(3);
			expect(pair.hseEvents.map(({ kind }) => kind)).toContain("new keys");
		},
	);

	test("TUAK at one end and MILENAGE at the other: 0C", () => {
		const milenage = new Pair();
		const pair = new Pair({ tuak: { resOctets: 8, iterations: 1 } });
		pair.begin();
		milenage.begin();
		milenage.deliverToHse(pair.toHse[0]);
		pair.deliverToUe(milenage.toUe[0]);
		expect(pair.ueEvents).toEqual([{ kind: "attempt over", cause: CAUSE.akaMacFailure }]);
	});

	test("80 with AUTS lost: the repeated 10 brings the same AUTS without another run of the USIM", () => {
		const pair = new Pair({ sqn: 5 * SQN_STEP, sqnMs: 900 * SQN_STEP });
		pair.begin();
		pair.deliverToHse();
		pair.deliverToUe();
		const auts = pair.toHse.shift() as Uint8Array;
		pair.wait();
		while (pair.toHse.length > 0 && pair.toUe.length === 0) pair.deliverToHse();
		pair.deliverToUe();
		expect(pair.usimRuns).toBe(1);
		expect(pair.toHse[0]).toEqual(auts);
		pair.settle();
		expect(pair.hse.sessionOf(IMSI)?.isLive).toBe(true);
	});

	test("a forged AUTS is ignored, and the right one still works", () => {
		const pair = new Pair({ sqn: 5 * SQN_STEP, sqnMs: 900 * SQN_STEP });
		pair.begin();
		pair.deliverToHse();
		pair.deliverToUe();
		const auts = pair.toHse.shift() as Uint8Array;
		pair.deliverToHse(flipped(auts, HEADER.length + 5), "somebody");
		expect(pair.toUe).toHaveLength(0);
		pair.deliverToHse(auts);
		pair.settle();
		expect(pair.hse.sessionOf(IMSI)?.isLive).toBe(true);
	});

	test("the authentication centre holds another K: 0C, and the attempt ends at both ends", () => {
		const pair = new Pair({ wrongK: true }).connect();
		expect(pair.ueEvents).toEqual([{ kind: "attempt over", cause: CAUSE.akaMacFailure }]);
		expect(pair.hseEvents.at(-1)).toMatchObject({ kind: "attempt over", cause: CAUSE.akaMacFailure });
		expect(pair.ue.deadline).toBeUndefined();
		expect(pair.hse.deadline).toBeUndefined();
	});

	test("a wrong RES ends the session even where a UP message has confirmed it before", () => {
		const pair = new Pair();
		pair.begin();
		pair.deliverToHse();
		pair.deliverToUe();
		pair.toHse.shift();
		pair.send("confirms");
		pair.deliverToHse();
		const session = pair.ue.session;
		if (session === undefined) throw new Error("no session");
		session.transmitControl(0x12, TAG.akaResponse, new Uint8Array(8));
		pair.drainUe();
		expect(pair.deliverToHse()).toBe("reject");
		expect(pair.hse.sessionOf(IMSI)).toBeUndefined();
		pair.settle();
		expect(pair.ueEvents.at(-1)).toEqual({ kind: "session over", cause: CAUSE.wrongRes, by: "HSE" });
		expect(pair.ue.session).toBeUndefined();
	});

	test("the SQN is stored before RES leaves the device: with the power cut in between no RES goes out", () => {
		const pair = new Pair();
		pair.begin();
		pair.deliverToHse();
		pair.store.powerIsCut = true;
		expect(() => pair.deliverToUe()).toThrow("power cut");
		expect(pair.toHse).toHaveLength(0);
	});

	test("after a restart the USIM refuses the SQN that it has accepted before", () => {
		const pair = new Pair();
		const challenges: Uint8Array[] = [];
		pair.begin();
		pair.deliverToHse();
		challenges.push(pair.toUe[0]);
		pair.settle();
		expect(pair.store.writes).toEqual(["sqn", "session"]);
		const restarted = new Pair({ store: pair.store });
		restarted.begin();
		restarted.deliverToHse();
		expect(restarted.toUe[0]).toEqual(challenges[0]);
		restarted.deliverToUe();
		// The same randomness gives the same challenge: it is out of range now.
		expect(restarted.toHse[0][HEADER.length]).toBe(COMMAND.messageReject);
		expect(restarted.toHse[0].at(-1)).toBe(CAUSE.akaSynchronisationFailure);
	});
});
