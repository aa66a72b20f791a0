import { describe, expect, test } from "@jest/globals";
import { REFRESH_METHOD } from "../../firmware/emsdp/contents.js";
import { CAUSE, COMMAND, COUNT, HEADER, LIMITS, MODE, SERVICE } from "../../firmware/emsdp/profile.js";
import { MOST_UNANSWERED } from "../../host-tools/eas/eas-session.js";
import type { EscrowCopy } from "../../host-tools/hse/escrow-file.js";
import { EAS_ID, EasPair } from "../support/eas-pair.js";
import { flipped, IMSI, Pair } from "../support/pair.js";

const UE_ID = `imsi-${IMSI}`;
const kinds = (events: readonly { readonly kind: string }[]) => events.map(({ kind }) => kind);

/** Readings one to `count`, all the way. */
function sendAll(pair: EasPair, count: number): string[] {
	const texts = Array.from({ length: count }, (_, i) => `reading ${i}`);
	for (const text of texts) {
		pair.send(text);
		pair.settle();
	}
	return texts;
}

describe("UE-to-EAS mode", () => {
	for (const [name, service] of [
		["integrity", SERVICE.integrity],
		["confidential", SERVICE.confidential],
	] as const)
		for (const counterScheme of [0, 1, 2])
			for (const macLength of [4, 8])
				test(`${name}, counter scheme ${counterScheme}, M = ${macLength}: data both ways, unmodified through the HSE`, () => {
					const policy = { counterSchemes: [counterScheme], macLengths: [macLength] };
					const pair = new EasPair({ service, policy }).connect();
					const uplink = pair.send("reading").slice();
					pair.settle();
					pair.answerFromEas("answer");
					const downlink = pair.toUe[0].slice();
					pair.settle();
					expect(pair.readings).toEqual(["reading"]);
					expect(pair.downlinks).toEqual(["answer"]);
					expect(pair.forwarded).toEqual([{ count: 0, datagram: uplink }]);
					expect(pair.downlinksOfEas[0].downlink.datagram).toEqual(downlink);
					// The HSE has no payload to tell of.
					expect(pair.uplinks).toEqual([]);
					const isInClear = (octets: Uint8Array, text: string) => new TextDecoder().decode(octets).includes(text);
					expect(isInClear(uplink, "reading")).toBe(service === SERVICE.integrity);
					expect(isInClear(downlink, "answer")).toBe(service === SERVICE.integrity);
				});

	for (const algorithm of [1, 3])
		test(`with algorithms of id ${algorithm}`, async () => {
			const { loadKernelFor } = await import("../../host-tools/kernel.js");
			const algorithms = [algorithm];
			const pair = new EasPair({
				kernel: loadKernelFor(algorithms),
				offer: { encryptionAlgorithms: 1 << algorithm, integrityAlgorithms: 1 << algorithm, macLengths: 1 << 4 },
				policy: { encryptionAlgorithms: algorithms, integrityAlgorithms: algorithms },
			}).connect();
			const texts = sendAll(pair, 3);
			pair.answerFromEas("answer");
			pair.settle();
			expect(pair.readings).toEqual(texts);
			expect(pair.downlinks).toEqual(["answer"]);
		});

	test("key agreement only: the application has K_EAS_PSK at both ends, and UP messages are dropped", () => {
		for (const mode of [MODE.ueToHse, MODE.ueToEas]) {
			const pair = new EasPair({ service: SERVICE.keyAgreementOnly, offer: { mode } }).connect();
			expect(pair.eas.easKey(pair.sessionId)).toEqual(pair.ue.session?.easKey());
			expect(pair.easEvents).toEqual([{ kind: "session", ueId: UE_ID, sessionId: pair.sessionId, keyId: 1 }]);
			expect(() => pair.send("reading")).toThrow();
			expect(() => pair.answerFromEas("answer")).toThrow("not in UE-to-EAS mode");
		}
	});

	test("in UE-to-HSE mode an EAS is given nothing and can send nothing", () => {
		const pair = new EasPair({ offer: { mode: MODE.ueToHse } }).connect();
		pair.send("reading");
		pair.settle();
		expect(pair.uplinks).toEqual(["reading"]);
		expect(pair.easEvents).toEqual([]);
		expect(pair.pull(pair.sessionId, 1)).toBe(CAUSE.serviceNotSupported);
		const datagram = pair.toUe[0] ?? pair.send("another");
		expect(pair.relay({ sessionId: pair.sessionId, keyId: 1, count: 0, datagram })).toBe("service");
	});

	test("the HSE itself sends nothing on the user plane", () => {
		const pair = new EasPair().connect();
		expect(() => pair.answerUe("answer")).toThrow("its EAS protects what goes to the UE");
		expect(pair.toUe).toEqual([]);
	});

	test("a lost 12: the UP message that confirms brings the key first, and is taken", () => {
		const pair = new EasPair();
		pair.begin();
		pair.deliverToHse();
		pair.deliverToUe();
		pair.toHse.length = 0;
		pair.send("reading");
		pair.deliverToHse();
		expect(kinds(pair.easEvents)).toEqual(["session", "uplink"]);
	});

	test("no key leaves the HSE before the UE has shown that it has the keys", () => {
		const pair = new EasPair();
		pair.begin();
		pair.deliverToHse();
		const [datagram] = pair.toUe;
		const sessionId = new DataView(datagram.buffer).getUint32(datagram.byteOffset + HEADER.sessionId);
		expect(pair.pull(sessionId, 1)).toBe(CAUSE.sessionUnknown);
		expect(pair.audit).toEqual([]);
	});
});

describe("what the HSE checks in UE-to-EAS mode", () => {
	test("a replayed or forged uplink goes to no EAS", () => {
		for (const counterScheme of [0, 1, 2]) {
			const pair = new EasPair({ policy: { counterSchemes: [counterScheme] } }).connect();
			const datagram = pair.send("reading").slice();
			pair.settle();
			const replayed = pair.deliverToHse(datagram);
			expect(replayed).toBe(counterScheme === 0 ? "wrong MAC or COUNT" : "replay");
			const next = pair.send("another").slice();
			pair.toHse.length = 0;
			expect(pair.deliverToHse(flipped(next, -1))).toBe("wrong MAC or COUNT");
			expect(pair.deliverToHse(flipped(next, -5))).toBe("wrong MAC or COUNT");
			expect(pair.forwarded).toHaveLength(1);
		}
	});

	test("a flood of forged uplinks is limited as in UE-to-HSE mode", () => {
		const pair = new EasPair().connect();
		const forged = flipped(pair.send("reading"), -1);
		pair.toHse.length = 0;
		for (let i = 0; i < LIMITS.macFailures; i++) expect(pair.deliverToHse(forged, "forger")).toBe("wrong MAC or COUNT");
		expect(pair.deliverToHse(forged, "forger")).toBe("rate limit");
		sendAll(pair, 1);
		expect(pair.readings).toEqual(["reading 0"]);
	});

	test("a replayed or forged downlink, or one that is no UP message, goes to no UE", () => {
		for (const counterScheme of [0, 1, 2]) {
			const pair = new EasPair({ policy: { counterSchemes: [counterScheme] } }).connect();
			pair.answerFromEas("answer");
			pair.settle();
			const { downlink } = pair.downlinksOfEas[0];
			const again = (datagram: Uint8Array) => pair.relay({ ...downlink, datagram });
			expect(["replay", "wrong MAC or COUNT"]).toContain(again(downlink.datagram));
			expect(again(flipped(downlink.datagram, -1))).toBe("wrong MAC or COUNT");
			expect(again(Uint8Array.of(1, 0x08, ...downlink.datagram.subarray(2)))).toBe("command");
			expect(again(downlink.datagram.subarray(0, 5))).toBe("length");
			expect(again(flipped(downlink.datagram, 5))).toBe("session or Key ID unknown");
			expect(again(flipped(downlink.datagram, 1, HEADER.keyIdShift + 1))).toBe("session or Key ID unknown");
			expect(pair.toUe).toEqual([]);
			expect(pair.downlinks).toEqual(["answer"]);
		}
	});

	test("an EAS sends to no session of another", () => {
		const pair = new EasPair().connect();
		pair.eas.send(pair.sessionId, new Uint8Array(3));
		const downlink = pair.eas.outbox.takeDownlink();
		if (downlink === undefined) throw new Error("the EAS sends nothing");
		expect(pair.relay(downlink, "another.example")).toBe("session or Key ID unknown");
		expect(pair.toUe).toEqual([]);
		expect(pair.pull(pair.sessionId, 1, undefined, "another.example")).toBe(CAUSE.sessionUnknown);
	});

	test("cut and paste between planes, directions and modes fails at the HSE and at the EAS", () => {
		const pair = new EasPair({ service: SERVICE.integrity, policy: { counterSchemes: [0] } }).connect();
		// An uplink as a downlink.
		const uplink = pair.send("reading").slice();
		pair.settle();
		const downlink = { sessionId: pair.sessionId, keyId: 1, count: 0, datagram: uplink };
		expect(pair.relay(downlink)).toBe("wrong MAC or COUNT");
		// A downlink as an uplink: COUNT 0 is taken, so the next one.
		pair.answerFromEas("a");
		pair.answerFromEas("b");
		const { datagram } = pair.downlinksOfEas[2].downlink;
		expect(pair.deliverToHse(datagram)).toBe("wrong MAC or COUNT");
		expect(pair.eas.handleDatagram(pair.now, { count: 1, datagram })).toBe("wrong MAC or COUNT");
		// A message under the K_E2M keys of the same session, which a UE in UE-to-HSE mode would send.
		const other = new Pair({ service: SERVICE.integrity, policy: { counterSchemes: [0] } }).connect();
		other.send("x");
		other.settle();
		const foreign = other.send("reading").slice();
		foreign.set(uplink.subarray(HEADER.sessionId, HEADER.length), HEADER.sessionId);
		expect(pair.deliverToHse(foreign)).toBe("wrong MAC or COUNT");
		expect(pair.eas.handleDatagram(pair.now, { count: 1, datagram: foreign })).toBe("wrong MAC or COUNT");
		expect(pair.readings).toEqual(["reading"]);
	});
});

describe("what the EAS checks by itself", () => {
	test("a forged MAC, a wrong COUNT, a replay, a command and any other octets are dropped and change nothing", () => {
		for (const counterScheme of [0, 1, 2]) {
			const pair = new EasPair({ policy: { counterSchemes: [counterScheme] } }).connect();
			sendAll(pair, 2);
			const [first, second] = pair.forwarded;
			const handle = (count: number, datagram: Uint8Array) => pair.eas.handleDatagram(pair.now, { count, datagram });
			expect(handle(first.count, first.datagram)).toBe("replay");
			expect(handle(second.count, second.datagram)).toBe("replay");
			const third = pair.send("third").slice();
			pair.toHse.length = 0;
			expect(handle(2, flipped(third, -1))).toBe("wrong MAC or COUNT");
			expect(handle(3, third)).toBe("wrong MAC or COUNT");
			expect(handle(0xffffffff, third)).toBe("wrong MAC or COUNT");
			expect(handle(2 + 2 ** 19, third)).toBe("wrong MAC or COUNT");
			expect(handle(2, third.subarray(0, 9))).toBe("length");
			expect(handle(2, Uint8Array.of(1, 8, ...third.subarray(2, 6), COMMAND.sessionTerminateRequest, 0, 0, 0, 0))).toBe(
				"command",
			);
			expect(handle(2, third)).toBe("accept");
			pair.drainEas();
			expect(pair.readings).toEqual(["reading 0", "reading 1", "third"]);
		}
	});

	test("sixteen forged messages in a row block for a second", () => {
		const pair = new EasPair().connect();
		const datagram = pair.send("reading").slice();
		pair.toHse.length = 0;
		const forged = { count: 0, datagram: flipped(datagram, -1) };
		for (let i = 0; i < LIMITS.macFailures; i++)
			expect(pair.eas.handleDatagram(pair.now, forged)).toBe("wrong MAC or COUNT");
		expect(pair.eas.handleDatagram(pair.now, { count: 0, datagram })).toBe("rate limit");
		expect(pair.eas.handleDatagram(pair.now + LIMITS.firstBlock, { count: 0, datagram })).toBe("accept");
	});

	test("messages out of order are taken within the window, once", () => {
		const pair = new EasPair({ policy: { counterSchemes: [1] } }).connect();
		const datagrams = ["a", "b", "c"].map((text) => pair.send(text).slice());
		pair.toHse.length = 0;
		for (const i of [2, 0, 1]) expect(pair.deliverToHse(datagrams[i])).toBe("accept");
		expect(pair.readings).toEqual(["c", "a", "b"]);
		expect(pair.eas.handleDatagram(pair.now, { count: 1, datagram: datagrams[1] })).toBe("replay");
	});
});

describe("an EAS without keys", () => {
	test("asks for the key of a message that comes, and opens what waited", () => {
		const pair = new EasPair();
		pair.easIsUp = false;
		pair.connect();
		pair.easIsUp = true;
		const texts = sendAll(pair, 3);
		expect(pair.readings).toEqual(texts);
		expect(pair.audit.map(({ way, cause }) => [way, cause])).toEqual([
			["push", 0],
			["pull", 0],
		]);
	});

	test("gives messages up for which the HSE has no key, and asks again only after a while", () => {
		const pair = new EasPair().connect();
		const datagram = pair.send("reading").slice();
		pair.toHse.length = 0;
		const unknown = { count: 0, datagram: flipped(datagram, 5) };
		expect(pair.eas.handleDatagram(pair.now, unknown)).toBe("being answered");
		pair.drainEas();
		expect(pair.easEvents.at(-1)).toMatchObject({ kind: "no key", cause: CAUSE.sessionUnknown });
		expect(pair.eas.handleDatagram(pair.now, unknown)).toBe("session or Key ID unknown");
		expect(pair.eas.outbox.takeKeyRequest()).toBeUndefined();
		pair.now = pair.eas.deadline ?? 0;
		pair.eas.handleTimeout(pair.now);
		expect(pair.eas.handleDatagram(pair.now, unknown)).toBe("being answered");
		expect(pair.eas.outbox.takeKeyRequest()).toBeDefined();
	});

	test("keeps few messages for few keys", () => {
		const { eas } = new EasPair();
		const message = (sessionId: number, octet: number) => {
			const datagram = Uint8Array.of(1, 0x88, 0, 0, 0, 0, octet, 1, 2, 3, 4, 5);
			new DataView(datagram.buffer).setUint32(2, sessionId);
			return { count: 0, datagram };
		};
		for (let i = 0; i < 16; i++) expect(eas.handleDatagram(0, message(1, i))).toBe("being answered");
		expect(eas.handleDatagram(0, message(1, 16))).toBe("rate limit");
		for (let i = 2; i <= 1024; i++) expect(eas.handleDatagram(0, message(i, 0))).toBe("being answered");
		expect(eas.handleDatagram(0, message(1025, 0))).toBe("rate limit");
	});

	test("that has lost all its state takes no message twice and uses no COUNT twice", () => {
		for (const counterScheme of [0, 1, 2]) {
			const pair = new EasPair({ policy: { counterSchemes: [counterScheme] } }).connect();
			const texts = sendAll(pair, 3);
			for (let i = 0; i < 3; i++) pair.answerFromEas(`before ${i}`);
			// Sealed, and lost with the EAS: the HSE has not seen them.
			for (let i = 0; i < MOST_UNANSWERED; i++) pair.eas.send(pair.sessionId, Uint8Array.of(i));
			const used = pair.downlinksOfEas.map(({ downlink }) => downlink.count);
			for (let lost = pair.eas.outbox.takeDownlink(); lost !== undefined; lost = pair.eas.outbox.takeDownlink())
				used.push(lost.count);
			expect(() => pair.answerFromEas("one more")).toThrow("16 downlinks");
			const old = pair.forwarded.slice();
			pair.settle();
			pair.restartEas();
			sendAll(pair, 1);
			// The HSE forwards none of them again; if it did:
			for (const message of old) expect(pair.eas.handleDatagram(pair.now, message)).toBe("replay");
			pair.answerFromEas("after");
			pair.settle();
			expect(pair.downlinksOfEas.at(-1)?.verdict).toBe("accept");
			expect(used).not.toContain(pair.downlinksOfEas.at(-1)?.downlink.count);
			expect(new Set(used).size).toBe(used.length);
			expect(pair.readings).toEqual([...texts, "reading 0"]);
			expect(pair.downlinks).toEqual(["before 0", "before 1", "before 2", "after"]);
		}
	});

	test("of another than the one that a message was for is told nothing of the session", () => {
		const pair = new EasPair().connect();
		expect(pair.pull(pair.sessionId, 1, "imsi-001019999999999")).toBe(CAUSE.ueUnknown);
		expect(pair.pull(pair.sessionId, 2)).toBe(CAUSE.keyIdUnknown);
		expect(pair.pull(pair.sessionId ^ 1, 1)).toBe(CAUSE.sessionUnknown);
		const key = pair.pull(pair.sessionId, 1, UE_ID);
		expect(key).toMatchObject({ key: pair.ue.session?.easKey(), uplinkCount: 0, downlinkCount: 0 });
	});

	test("that is full refuses, and the HSE ends the session with 09", () => {
		const pair = new EasPair();
		pair.eas.handleKey = () => CAUSE.congestion;
		pair.connect();
		expect(pair.ue.session).toBeUndefined();
		expect(pair.ueEvents.at(-1)).toMatchObject({
			kind: "session over",
			cause: CAUSE.easRefusedOrOutOfReach,
			by: "HSE",
		});
	});
});

describe("key refresh in UE-to-EAS mode", () => {
	for (const [name, method] of [
		["AKA", REFRESH_METHOD.aka],
		["chained", REFRESH_METHOD.chained],
	] as const)
		for (const by of ["UE", "HSE"])
			test(`${name}, by the ${by}: the EAS has the next key when the UE uses it`, () => {
				const pair = new EasPair().connect();
				sendAll(pair, 2);
				const before = pair.eas.easKey(pair.sessionId);
				if (by === "UE") {
					pair.ue.refresh(pair.now, method);
					pair.drainUe();
				} else {
					pair.hse.refresh(pair.now, pair.sessionId, method);
					pair.drainHse();
				}
				pair.settle();
				expect(pair.eas.easKey(pair.sessionId)).toEqual(pair.ue.session?.easKey());
				expect(pair.eas.easKey(pair.sessionId)).not.toEqual(before);
				sendAll(pair, 2);
				pair.answerFromEas("answer");
				pair.settle();
				expect(pair.readings).toEqual(["reading 0", "reading 1", "reading 0", "reading 1"]);
				expect(pair.downlinks).toEqual(["answer"]);
				expect(pair.forwarded.map(({ count }) => count)).toEqual([0, 1, 0, 1]);
				expect(pair.downlinksOfEas[0].downlink).toMatchObject({ keyId: 2, count: 0 });
			});

	/** New keys are on offer, and the UE's 31 is on its way. */
	function offered(counterScheme = 1): { pair: EasPair; late: Uint8Array } {
		const pair = new EasPair({ policy: { counterSchemes: [counterScheme] } }).connect();
		const late = pair.send("late").slice();
		pair.toHse.length = 0;
		pair.hse.refresh(pair.now, pair.sessionId, REFRESH_METHOD.chained);
		pair.drainHse();
		pair.deliverToUe();
		return { pair, late };
	}

	test("until the UE uses the new key the EAS has the old one, and its downlinks go through", () => {
		const { pair } = offered();
		expect(pair.pull(pair.sessionId, 2)).toBe(CAUSE.keyIdUnknown);
		pair.answerFromEas("old key");
		expect(pair.downlinksOfEas[0]).toMatchObject({ verdict: "accept", downlink: { keyId: 1 } });
		pair.settle();
		expect(pair.downlinks).toEqual(["old key"]);
	});

	test("old keys open what was on its way, for 30 s", () => {
		for (const wait of [0, LIMITS.oldKeys]) {
			const { pair, late } = offered();
			pair.settle();
			// As the HSE would forward it to an EAS whose clock is behind.
			pair.now += wait;
			pair.eas.handleTimeout(pair.now);
			pair.hse.handleTimeout(pair.now);
			const verdict = pair.eas.handleDatagram(pair.now, { count: 0, datagram: late });
			expect(verdict).toBe(wait === 0 ? "accept" : "being answered");
			expect(pair.deliverToHse(late)).toBe(wait === 0 ? "accept" : "reject");
			if (wait === 0) expect(pair.easVerdicts.at(-1)).toBe("replay");
		}
	});

	test("a lost 31: the first UP message under the new key brings the key first, and is taken", () => {
		const { pair } = offered();
		pair.toHse.length = 0;
		pair.send("new");
		expect(pair.deliverToHse()).toBe("accept");
		expect(kinds(pair.easEvents)).toEqual(["session", "session", "uplink"]);
		expect(pair.readings).toEqual(["new"]);
	});

	test("a downlink that crosses the change of keys arrives under the old ones", () => {
		const { pair } = offered();
		pair.eas.send(pair.sessionId, new TextEncoder().encode("crossing"));
		const downlink = pair.eas.outbox.takeDownlink();
		if (downlink === undefined) throw new Error("the EAS sends nothing");
		pair.settle();
		expect(pair.relay(downlink)).toBe("accept");
		pair.settle();
		expect(pair.downlinks).toEqual(["crossing"]);
		// The COUNTs of the new key are not touched by it.
		pair.answerFromEas("new key");
		pair.settle();
		expect(pair.downlinksOfEas.at(-1)?.downlink).toMatchObject({ keyId: 2, count: 0 });
		expect(pair.downlinks).toEqual(["crossing", "new key"]);
	});

	test("an answer that comes late brings no old key back", () => {
		const pair = new EasPair().connect();
		const late = pair.pull(pair.sessionId, 1);
		if (typeof late === "number") throw new Error("the HSE gives no key");
		pair.hse.refresh(pair.now, pair.sessionId, REFRESH_METHOD.chained);
		pair.drainHse();
		pair.settle();
		pair.eas.handleKey(pair.now, late, false);
		pair.answerFromEas("answer");
		expect(pair.downlinksOfEas[0]).toMatchObject({ verdict: "accept", downlink: { keyId: 2, count: 0 } });
	});

	test("a COUNT of downlinks past rekeyAt: the HSE offers new keys by itself", () => {
		const pair = new EasPair().connect();
		pair.send("up");
		pair.settle();
		const session = pair.hse.session(pair.sessionId);
		if (session !== undefined) session.context.user.next = COUNT.rekeyAt;
		pair.ue.session?.context.user.received.raise(COUNT.rekeyAt - 1);
		// It goes on with the COUNT that the HSE tells it.
		pair.restartEas();
		pair.send("again");
		pair.settle();
		pair.answerFromEas("down");
		expect(pair.hse.session(pair.sessionId)?.state).toBe("refreshing");
		pair.settle();
		expect(pair.hse.session(pair.sessionId)?.context.parameters.keyId).toBe(2);
		expect(pair.downlinks).toEqual(["down"]);
	});

	test("seven changes and more: Key IDs come round", () => {
		const pair = new EasPair().connect();
		for (let i = 0; i < 9; i++) {
			pair.hse.refresh(pair.now, pair.sessionId, REFRESH_METHOD.chained);
			pair.drainHse();
			pair.settle();
			sendAll(pair, 1);
			pair.answerFromEas(`${i}`);
			pair.settle();
		}
		expect(pair.readings).toHaveLength(9);
		expect(pair.downlinks).toEqual(Array.from({ length: 9 }, (_, i) => `${i}`));
	});
});

describe("resume in UE-to-EAS mode", () => {
	for (const counterScheme of [0, 1, 2])
		test(`counter scheme ${counterScheme}: COUNTs go on both ways, and nothing is taken twice`, () => {
			const pair = new EasPair({ policy: { counterSchemes: [counterScheme] } }).connect();
			sendAll(pair, 3);
			for (let i = 0; i < 5; i++) pair.answerFromEas(`${i}`);
			pair.settle();
			const old = pair.downlinksOfEas.map(({ downlink }) => downlink.datagram);
			// Lost on the way to the UE.
			pair.answerFromEas("lost");
			pair.toUe.length = 0;
			pair.cutPower();
			pair.ue.resume(pair.now);
			pair.drainUe();
			pair.settle();
			const texts = sendAll(pair, 2);
			pair.answerFromEas("after");
			pair.settle();
			expect(pair.readings).toEqual(["reading 0", "reading 1", "reading 2", ...texts]);
			expect(pair.downlinks).toEqual(["0", "1", "2", "3", "4", "after"]);
			for (const datagram of old) pair.deliverToUe(datagram);
			expect(pair.downlinks).toHaveLength(6);
			// The UE skipped its reserved block; the EAS was told the COUNT of the next message by the message itself.
			expect(pair.forwarded[3].count).toBe(64);
		});

	test("while the EAS is out of reach: it goes on with the COUNT that the HSE has verified", () => {
		const pair = new EasPair({ policy: { counterSchemes: [0] } }).connect();
		sendAll(pair, 1);
		pair.easIsUp = false;
		sendAll(pair, 100);
		pair.easIsUp = true;
		pair.send("after");
		pair.settle();
		expect(pair.readings).toEqual(["reading 0", "after"]);
	});
});

describe("an HSE that begins anew", () => {
	for (const counterScheme of [0, 1, 2])
		test(`counter scheme ${counterScheme}: goes on forwarding, and takes nothing twice either way`, () => {
			const pair = new EasPair({ isDurable: true, policy: { counterSchemes: [counterScheme] } }).connect();
			const texts = sendAll(pair, 3);
			pair.answerFromEas("before");
			pair.settle();
			const uplinks = pair.forwarded.map(({ datagram }) => datagram);
			const { downlink } = pair.downlinksOfEas[0];
			pair.restartHse();
			for (const datagram of uplinks) expect(pair.deliverToHse(datagram)).not.toBe("accept");
			expect(pair.relay(downlink)).not.toBe("accept");
			sendAll(pair, 2);
			pair.answerFromEas("after");
			pair.settle();
			expect(pair.readings).toEqual([...texts, "reading 0", "reading 1"]);
			expect(pair.downlinks).toEqual(["before", "after"]);
		});

	test("without its sessions: the EAS learns that they are over when it sends", () => {
		const pair = new EasPair().connect();
		const { sessionId } = pair;
		pair.hse.erase();
		pair.eas.send(sessionId, Uint8Array.of(1));
		pair.drainEas();
		expect(pair.downlinksOfEas[0].verdict).toBe("session or Key ID unknown");
		pair.drainEas();
		expect(kinds(pair.easEvents)).toEqual(["session", "downlink refused", "session over"]);
		expect(pair.eas.sessionIds).toEqual([]);
	});
});

describe("the end of a session in UE-to-EAS mode", () => {
	for (const by of ["UE", "HSE"])
		test(`by the ${by}: the EAS erases its keys`, () => {
			const pair = new EasPair().connect();
			const { sessionId } = pair;
			sendAll(pair, 1);
			if (by === "UE") pair.stop();
			else pair.terminate();
			pair.settle();
			expect(pair.easEvents.at(-1)).toEqual({
				kind: "session over",
				ueId: UE_ID,
				sessionId,
				cause: CAUSE.normalRelease,
			});
			expect(pair.eas.sessionIds).toEqual([]);
			expect(pair.eas.easKey(sessionId)).toBeUndefined();
			expect(() => pair.eas.send(sessionId, new Uint8Array(1))).toThrow("There is no session");
			expect(pair.pull(sessionId, 1)).toBe(CAUSE.sessionUnknown);
		});

	test("a new session of the same UE ends the one before at the EAS too", () => {
		const pair = new EasPair().connect();
		const first = pair.sessionId;
		pair.store.values.clear();
		pair.cutPower();
		pair.connect();
		expect(pair.sessionId).not.toBe(first);
		expect(pair.eas.sessionIds).toEqual([pair.sessionId]);
		sendAll(pair, 1);
		expect(pair.readings).toEqual(["reading 0"]);
	});

	test("the lifetime of the session ends it at the EAS even where the HSE cannot say so", () => {
		const pair = new EasPair({ policy: { lifetime: 60 } }).connect();
		pair.easIsUp = false;
		expect(pair.eas.deadline).toBe(pair.now + 60_000);
		pair.eas.handleTimeout(pair.now + 60_000);
		expect(pair.eas.sessionIds).toEqual([]);
	});

	test("terminating: no downlink goes through any more", () => {
		const pair = new EasPair().connect();
		pair.eas.send(pair.sessionId, new Uint8Array(1));
		const downlink = pair.eas.outbox.takeDownlink();
		if (downlink === undefined) throw new Error("the EAS sends nothing");
		pair.terminate();
		expect(pair.relay(downlink)).toBe("not expected");
		expect(pair.downlinks).toEqual([]);
	});
});

describe("policy", () => {
	/** The cause with which an attempt ends. */
	const causeOf = (pair: EasPair) => {
		pair.connect();
		const over = pair.ueEvents.findLast(({ kind }) => kind === "attempt over");
		return over?.kind === "attempt over" ? over.cause : undefined;
	};

	test("an EAS that the policy does not name is refused with 08 in either mode", () => {
		for (const mode of [MODE.ueToHse, MODE.ueToEas]) {
			expect(causeOf(new EasPair({ offer: { mode }, policy: { easIds: ["another.example"] } }))).toBe(CAUSE.easUnknown);
			expect(causeOf(new EasPair({ offer: { mode }, policy: { easIds: [EAS_ID] } }))).toBeUndefined();
		}
	});

	test("an EAS out of reach is refused with 09, before a vector is fetched, and in UE-to-EAS mode only", () => {
		const eas = { isReachable: () => false };
		const pair = new EasPair({ eas });
		expect(causeOf(pair)).toBe(CAUSE.easRefusedOrOutOfReach);
		expect(pair.vectorsFetched).toBe(0);
		expect(causeOf(new EasPair({ eas, offer: { mode: MODE.ueToHse } }))).toBeUndefined();
	});

	test("a mode that the policy does not name is refused with 06", () => {
		expect(causeOf(new EasPair({ policy: { modes: [MODE.ueToHse] } }))).toBe(CAUSE.serviceNotSupported);
	});

	test("deny: no key leaves the HSE; what needs it is refused with 12, the rest goes on", () => {
		for (const service of [SERVICE.integrity, SERVICE.keyAgreementOnly]) {
			const pair = new EasPair({ disclosure: "deny", service });
			expect(causeOf(pair)).toBe(CAUSE.restrictedByRegulation);
			expect(pair.easEvents).toEqual([]);
		}
		const pair = new EasPair({ disclosure: "deny", offer: { mode: MODE.ueToHse } });
		expect(causeOf(pair)).toBeUndefined();
		expect(pair.ue.session).toBeDefined();
	});

	test("deny, decided while the session lives: the next key ends it", () => {
		const pair = new EasPair({ eas: { easKeyPolicy: () => "allow" }, disclosure: "deny" }).connect();
		expect(pair.audit).toMatchObject([{ cause: CAUSE.restrictedByRegulation, escrowed: false }]);
		expect(pair.easEvents).toEqual([]);
		expect(pair.ueEvents.at(-1)).toMatchObject({ kind: "session over", cause: CAUSE.restrictedByRegulation });
	});

	test("escrow: the copy is there before the EAS has the key", () => {
		const copies: string[] = [];
		const escrow = {
			put: ({ easId, key, sessionId }: EscrowCopy) => {
				expect(pair.easEvents).toEqual([]);
				copies.push(`${easId} ${sessionId} ${Buffer.from(key).toString("hex")}`);
			},
		};
		const pair: EasPair = new EasPair({ disclosure: "escrow", escrow });
		pair.connect();
		const key = Buffer.from(pair.eas.easKey(pair.sessionId) ?? []).toString("hex");
		expect(copies).toEqual([`${EAS_ID} ${pair.sessionId} ${key}`]);
		expect(pair.audit).toMatchObject([{ way: "push", cause: 0, escrowed: true, imsi: IMSI, easId: EAS_ID }]);
	});

	test("escrow that fails, or that there is none of: no key leaves the HSE", () => {
		const failing = {
			put: () => {
				throw new Error("full");
			},
		};
		for (const escrow of [failing, undefined]) {
			const pair = new EasPair({ disclosure: "escrow", ...(escrow === undefined ? {} : { escrow }) }).connect();
			expect(pair.easEvents).toEqual([]);
			expect(pair.ueEvents.at(-1)).toMatchObject({ kind: "session over", cause: CAUSE.restrictedByRegulation });
		}
	});

	test("nothing that is told, audited or forwarded holds a key", () => {
		const pair = new EasPair().connect();
		sendAll(pair, 2);
		pair.hse.refresh(pair.now, pair.sessionId, REFRESH_METHOD.chained);
		pair.drainHse();
		pair.settle();
		const key = Buffer.from(pair.ue.session?.easKey() ?? []).toString("hex");
		expect(key).toHaveLength(64);
		const told = JSON.stringify([pair.hseEvents, pair.easEvents, pair.audit, pair.forwarded], (_, value) =>
			value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value,
		);
		expect(told).not.toContain(key);
	});
});
