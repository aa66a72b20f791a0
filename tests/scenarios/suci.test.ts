import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { REFRESH_METHOD } from "../../firmware/emsdp/contents.js";
import { CAUSE, COMMAND, HEADER, TAG } from "../../firmware/emsdp/profile.js";
import { TlvScan } from "../../firmware/emsdp/tlv.js";
import { SQN_STEP } from "../../firmware/keys/aka.js";
import type { Concealment } from "../../firmware/keys/suci.js";
import { AuthenticationCentre } from "../../host-tools/hse/authentication-centre.js";
import { HseDatabase } from "../../host-tools/hse/database.js";
import type { HomeNetworkKeys } from "../../host-tools/hse/home-network-key.js";
import { IMSI, Pair, type PairOptions, SeededRandom } from "../support/pair.js";
import { concealments, PUBLISHED_KEYS } from "../support/suci.js";

let folder: string;
let database: HseDatabase;
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "best-test-"));
	database = new HseDatabase(join(folder, "hse.db"));
});
afterEach(() => {
	database.close();
	rmSync(folder, { recursive: true });
});

/** A UE that conceals its IMSI, and an HSE with a real authentication centre. */
function pairWith(concealment: Concealment, options: PairOptions = {}, keys: HomeNetworkKeys = PUBLISHED_KEYS): Pair {
	return new Pair({
		...options,
		concealment,
		centre: (kernel, subscriber) => {
			if (database.subscriber(subscriber.imsi) === undefined) database.addSubscriber(subscriber);
			const random = new SeededRandom(9);
			const centre = new AuthenticationCentre(kernel, database, () => random.octets(16), keys);
			return (request) => centre.answer(request);
		},
	});
}

/** Value of tag 02 in a Session Request, and the octets of the digits of the MSIN in it. */
function suciIn(request: Uint8Array): Uint8Array {
	const tlvs = new TlvScan();
	expect(tlvs.scan(request, HEADER.length + 1, request.length)).toBe(0);
	expect(tlvs.has(TAG.imsi)).toBe(false);
	return tlvs.value(TAG.suci);
}

/** A request with another SUCI of the same length, from an offset on. */
function withSuciChanged(request: Uint8Array, at: number, ...octets: number[]): Uint8Array {
	const copy = request.slice();
	// Tag 02 comes first: behind the command, its own octet and its length.
	copy.set(octets, HEADER.length + 3 + at);
	return copy;
}

/** IMSI, SQN and sessions: what a request that is refused must not change. */
function stateOf(pair: Pair) {
	const sqn = database.subscriber(IMSI)?.sqn;
	const session = pair.hse.sessionOf(IMSI);
	return { sqn, sessionId: session?.sessionId, last: session?.context.user.received.last, deadline: pair.hse.deadline };
}

const SCHEMES = concealments(2);
const [, [, PROFILE_A], [, PROFILE_B]] = SCHEMES;

describe.each(SCHEMES)("%s", (name, concealment) => {
	test("a new session, data both ways, new keys by AKA, a resume after a power cut, a new session again", () => {
		const pair = pairWith(concealment);
		pair.begin();
		const suci = suciIn(pair.toHse[0]);
		pair.settle();
		const session = pair.hse.sessionOf(IMSI);
		expect(session?.isLive).toBe(true);
		pair.send("up");
		pair.settle();
		pair.answerUe("down");
		pair.settle();
		pair.ue.refresh(pair.now, REFRESH_METHOD.aka);
		pair.drainUe();
		pair.settle();
		expect(pair.hseEvents.map(({ kind }) => kind)).toContain("new keys");
		pair.cutPower();
		pair.ue.resume(pair.now);
		pair.drainUe();
		pair.settle();
		pair.send("after");
		pair.settle();
		expect([pair.uplinks, pair.downlinks]).toEqual([["up", "after"], ["down"]]);
		pair.begin();
		const next = suciIn(pair.toHse[0]);
		expect(next.length).toBe(suci.length);
		if (name !== "null scheme") expect(next).not.toEqual(suci);
		pair.settle();
		expect(pair.hse.sessionOf(IMSI)?.sessionId).not.toBe(session?.sessionId);
	});

	test.each([
		["MILENAGE", undefined],
		["TUAK", { resOctets: 8, iterations: 1 } as const],
	])("resynchronisation with %s", (_algorithm, tuak) => {
		const pair = pairWith(concealment, { sqn: 5 * SQN_STEP, sqnMs: 900 * SQN_STEP, ...(tuak && { tuak }) }).connect();
		expect(pair.hseEvents.map(({ kind }) => kind)).toContain("resynchronised");
		expect(pair.hse.sessionOf(IMSI)?.isLive).toBe(true);
		// 901 was the challenge; the index is that of SQN_MS, the last one.
		expect(database.subscriber(IMSI)?.sqn).toBe(903 * SQN_STEP - 1);
	});

	test("under load: the request with the cookie has the same SUCI, and is taken", () => {
		const cookie = Uint8Array.of(1, 2, 3);
		const asked: Uint8Array[] = [];
		const pair = pairWith(concealment, {
			load: {
				cookie: (_now, _source, identity, given) => {
					asked.push(identity.slice());
					return given === undefined ? cookie : undefined;
				},
				backOff: () => undefined,
			},
		}).connect();
		expect(pair.hse.sessionOf(IMSI)?.isLive).toBe(true);
		expect(asked).toHaveLength(2);
		expect(asked[1]).toEqual(asked[0]);
	});

	test("an unknown subscriber: 03", () => {
		const pair = new Pair({
			concealment,
			centre: (kernel) => {
				const centre = new AuthenticationCentre(kernel, database, () => new Uint8Array(16), PUBLISHED_KEYS);
				return (request) => centre.answer(request);
			},
		}).connect();
		expect(pair.ueEvents).toEqual([{ kind: "attempt over", cause: CAUSE.ueUnknown }]);
	});
});

describe("profiles A and B", () => {
	test.each([
		["A", PROFILE_A],
		["B", PROFILE_B],
	] as const)("%s: the digits of the IMSI behind MCC and MNC go nowhere in clear", (_profile, concealment) => {
		const pair = pairWith(concealment);
		const sent: Uint8Array[] = [];
		pair.begin();
		sent.push(...pair.toHse);
		while (pair.toHse.length + pair.toUe.length > 0) {
			while (pair.toHse.length > 0) pair.deliverToHse();
			sent.push(...pair.toUe);
			while (pair.toUe.length > 0) pair.deliverToUe();
			sent.push(...pair.toHse);
		}
		expect(sent.length).toBeGreaterThanOrEqual(3);
		// MSIN 0000000001 in BCD, as the null scheme would have it, and the octets of EF_IMSI.
		for (const text of sent.map((datagram) => Buffer.from(datagram.subarray(HEADER.length + 1)).toString("hex"))) {
			expect(text).not.toContain("0000000010");
			expect(text).not.toContain("0910100000000010");
		}
	});

	test("a request repeated has the same octets", () => {
		const pair = pairWith(PROFILE_A);
		pair.begin();
		const first = pair.toHse.shift();
		pair.wait();
		expect(pair.toHse.shift()).toEqual(first);
	});
});

describe("a SUCI that somebody else sends", () => {
	test("repeated while the UE has its session: a challenge that only the UE can answer, and the session goes on", () => {
		const pair = pairWith(PROFILE_A);
		pair.begin();
		const recorded = pair.toHse[0];
		pair.settle();
		const sessionId = pair.hse.sessionOf(IMSI)?.sessionId;
		pair.now += 200_000;
		pair.hse.handleTimeout(pair.now);
		// Octet for octet, from another address: an 11 goes there, and no more than that.
		expect(pair.deliverToHse(recorded, "somebody")).toBe("accept");
		expect(pair.lastDestination).toBe("somebody");
		expect(pair.toUe.splice(0).map((datagram) => datagram[HEADER.length])).toEqual([COMMAND.sessionStart]);
		// His guess at a response fails its MAC.
		const guess = Uint8Array.of(1, 0x08, 0, 0, 0, 0, COMMAND.sessionStartConfirmation, 0, 0, 0, 0);
		expect(pair.deliverToHse(guess, "somebody")).not.toBe("accept");
		pair.toUe.splice(0);
		expect(pair.hse.sessionOf(IMSI)?.sessionId).toBe(sessionId);
		pair.send("still here");
		pair.settle();
		expect(pair.uplinks).toEqual(["still here"]);
		for (let i = 0; i < 20 && pair.wait(); i++) pair.toUe.splice(0);
		expect(pair.hse.sessionOf(IMSI)?.sessionId).toBe(sessionId);
		pair.begin();
		pair.settle();
		expect(pair.hse.sessionOf(IMSI)?.isLive).toBe(true);
	});

	test("the 11 that answers it shown to a UE that did not send it: dropped without a word, whoever's it is", () => {
		const pair = pairWith(PROFILE_A);
		pair.begin();
		pair.deliverToHse();
		const [recorded] = pair.toUe;
		const others = [new Pair({ concealment: PROFILE_A, seed: 2 }), pairWith(PROFILE_A)];
		// The second has the same K, but its SUCI is a new one.
		others[1].random.next();
		for (const other of others) {
			other.begin();
			expect(other.deliverToUe(recorded)).toBe("contents");
			expect([other.toHse.length, other.usimRuns]).toEqual([1, 0]);
		}
	});

	test.each([
		["a wrong MAC tag", PROFILE_A, 52, [0], CAUSE.ueUnknown],
		["another ciphertext", PROFILE_B, 42, [0], CAUSE.ueUnknown],
		["an unknown key", PROFILE_A, 7, [99], CAUSE.ueUnknown],
		["the key of the other profile", PROFILE_B, 7, [27], CAUSE.ueUnknown],
		["an unknown scheme", PROFILE_A, 6, [7], CAUSE.ueUnknown],
		["a point that is not on the curve", PROFILE_B, 8, [2, ...new Uint8Array(31), 1], CAUSE.ueUnknown],
		["a point of small order", PROFILE_A, 8, [...new Uint8Array(32)], CAUSE.ueUnknown],
		["a scheme whose output is of another length", PROFILE_A, 6, [2], CAUSE.ueUnknown],
		["the null scheme over an output too long", PROFILE_A, 6, [0, 0], CAUSE.malformed],
		["no SUCI", PROFILE_A, 0, [0xff], CAUSE.malformed],
	] as const)(
		"%s: an unprotected 80 with the cause, and nothing has changed",
		(_name, concealment, at, octets, cause) => {
			const pair = pairWith(concealment).connect();
			pair.send("before");
			pair.settle();
			pair.begin();
			const good = pair.toHse[0];
			const before = stateOf(pair);
			expect(before.sessionId).toBeDefined();
			pair.deliverToHse(withSuciChanged(good, at, ...octets), "somebody");
			const [answer, ...more] = pair.toUe.splice(0);
			expect(more).toEqual([]);
			expect(Array.from(answer.subarray(HEADER.length))).toEqual([COMMAND.messageReject, TAG.cause, 1, cause]);
			expect(stateOf(pair)).toEqual(before);
			// The request as it was made is still taken.
			pair.settle();
			expect(pair.hse.sessionOf(IMSI)?.sessionId).not.toBe(before.sessionId);
		},
	);

	test("without keys the HSE refuses profiles A and B, and the UE does not fall back to its IMSI", () => {
		const pair = pairWith(PROFILE_B, {}, new Map()).connect();
		expect(pair.ueEvents).toEqual([{ kind: "attempt over", cause: CAUSE.ueUnknown }]);
		expect(pair.toHse).toEqual([]);
		expect(pair.ue.isAttempting).toBe(false);
	});

	test("random octets: 1,000 requests, no challenge, no state", () => {
		const pair = pairWith(PROFILE_A).connect();
		pair.begin();
		const [good] = pair.toHse;
		const before = stateOf(pair);
		const random = new SeededRandom(17);
		for (let i = 0; i < 1000; i++) {
			// Half of them with a good header, so that the output is looked at.
			const at = i % 2 === 0 ? 0 : 8;
			const octets = random.octets(suciIn(good).length - at);
			pair.deliverToHse(withSuciChanged(good, at, ...octets), `somebody ${i}`);
			expect(pair.toUe.splice(0).map((datagram) => datagram[HEADER.length])).toEqual([COMMAND.messageReject]);
		}
		expect(stateOf(pair)).toEqual(before);
	});
});

test("octets of a new session with each scheme", () => {
	const octets = SCHEMES.map(([, concealment]) => {
		database.close();
		database = new HseDatabase(join(folder, `${concealment.scheme}.db`));
		const pair = pairWith(concealment);
		pair.begin();
		return pair.toHse[0].length;
	});
	const plain = new Pair();
	plain.begin();
	// IMSI 8; SUCI 8 and the MSIN 5; with profile A 32 + 8 more, with profile B 33 + 8.
	expect(octets.map((length) => length - plain.toHse[0].length)).toEqual([5, 45, 46]);
});
