import { describe, expect, test } from "@jest/globals";
import { type Algorithm, authenticate, encipher } from "../../firmware/algorithms/algorithm.js";
import { withAllAlgorithms } from "../../firmware/algorithms/all.js";
import { readKey } from "../../firmware/algorithms/generator.js";
import { snow3g } from "../../firmware/algorithms/snow3g.js";
import { zuc } from "../../firmware/algorithms/zuc.js";
import { SESSION_KEY, unpackSession } from "../../firmware/client/packed-session.js";
import { REFRESH_METHOD } from "../../firmware/emsdp/contents.js";
import { ALGORITHM, CAUSE, HEADER, SERVICE, TAG } from "../../firmware/emsdp/profile.js";
import { TlvScan } from "../../firmware/emsdp/tlv.js";
import { e2mKeys } from "../../firmware/keys/hierarchy.js";
import { choose, DEFAULT_POLICY } from "../../host-tools/hse/policy.js";
import { loadKernel } from "../../host-tools/kernel.js";
import { offerOf } from "../../host-tools/provision/provision.js";
import { IMSI, Pair, type PairOptions } from "../support/pair.js";

const { aes } = ALGORITHM;
const ALL = [ALGORITHM.zuc, ALGORITHM.snow3g, aes];
const NETWORK = Uint8Array.of(0, 0, 0xf1, 0x10);

function setOf(...identities: number[]): number {
	return identities.reduce((set, identity) => set | (1 << identity), 0);
}

const OFFER_OF_ALL = { encryptionAlgorithms: setOf(0, ...ALL), integrityAlgorithms: setOf(...ALL) };
const POLICY_OF_ALL = { encryptionAlgorithms: ALL, integrityAlgorithms: ALL };

/** Both ends have all algorithms; a kernel of its own for each, so that neither can lean on the other. */
function pairOf(options: PairOptions = {}): Pair {
	const kernel = withAllAlgorithms(loadKernel());
	const hseKernel = withAllAlgorithms(loadKernel());
	return new Pair({ kernel, hseKernel, offer: OFFER_OF_ALL, ...options });
}

function chosen(pair: Pair): (number | undefined)[] {
	const { encryption, integrity } = pair.ue.session?.context.parameters ?? {};
	return [encryption, integrity];
}

/** Offset of the value of a TLV in a command that is not enciphered. */
function offsetOf(datagram: Uint8Array, tag: number, end = datagram.length): number {
	const tlvs = new TlvScan();
	expect(tlvs.scan(datagram, HEADER.length + 1, end)).toBe(0);
	return tlvs.offsets[tag];
}

/** What a UP message of the UE must be, from K_base and the definitions: header of 6 octets, ciphertext, MAC. */
function uplinkByDefinition(pair: Pair, cipher: Algorithm, mac: Algorithm, count: number, text: string): Uint8Array {
	const record = unpackSession(pair.store.read(SESSION_KEY) ?? new Uint8Array());
	if (record === undefined) throw new Error("there is no stored session");
	const { encryption, integrity, keyId } = record.configuration;
	const { sessionId } = record;
	const keys = e2mKeys(record.baseKey, { encryption, integrity, sessionId, keyId });
	const words = (key: Uint8Array) => {
		const result = [0, 0, 0, 0];
		readKey(result, key);
		return result;
	};
	const payload = new TextEncoder().encode(text);
	const end = HEADER.length + payload.length;
	const datagram = new Uint8Array(end + 4);
	const view = new DataView(datagram.buffer);
	datagram.set([1, 0x80 | (keyId << 3) | (count & 7)]);
	view.setUint32(2, sessionId);
	datagram.set(payload, HEADER.length);
	// BEARER 1 on the user plane, DIRECTION 0 from the UE.
	encipher(cipher, words(keys.encryption), count, 1 << 3, datagram, HEADER.length, 8 * payload.length);
	view.setUint32(end, authenticate(mac, words(keys.integrity), count, 1 << 27, 0, datagram, 8 * end));
	return datagram;
}

describe("a whole session", () => {
	for (const encryption of ALL)
		for (const integrity of ALL) {
			const policy = { encryptionAlgorithms: [encryption], integrityAlgorithms: [integrity] };
			const connected = () => pairOf({ policy }).connect();

			describe(`128-EEA${encryption} with 128-EIA${integrity}`, () => {
				test("new session, data both ways, termination", () => {
					const pair = connected();
					expect(chosen(pair)).toEqual([encryption, integrity]);
					for (const text of ["", "x", "a reading of some length, which is more than two blocks"]) {
						const datagram = pair.send(text);
						expect(datagram).toHaveLength(10 + text.length);
						pair.settle();
						pair.answerUe(text);
						pair.settle();
						expect(pair.uplinks.at(-1)).toBe(text);
						expect(pair.downlinks.at(-1)).toBe(text);
					}
					pair.stop();
					pair.settle();
					expect(pair.ue.session).toBeUndefined();
					expect(pair.hse.sessionOf(IMSI)).toBeUndefined();
				});

				test("resume after a power cut", () => {
					const pair = connected();
					pair.send("before");
					pair.settle();
					pair.cutPower();
					pair.ue.resume(pair.now);
					pair.drainUe();
					pair.settle();
					expect(chosen(pair)).toEqual([encryption, integrity]);
					pair.send("after");
					pair.answerUe("answer");
					pair.settle();
					expect(pair.uplinks).toEqual(["before", "after"]);
					expect(pair.downlinks).toEqual(["answer"]);
					expect(pair.usimRuns).toBe(1);
				});

				test.each([
					["AKA", REFRESH_METHOD.aka],
					["chained", REFRESH_METHOD.chained],
				])("new keys, %s", (_, method) => {
					const pair = connected();
					pair.ue.refresh(pair.now, method);
					pair.drainUe();
					pair.settle();
					expect(pair.ue.session?.context.parameters.keyId).toBe(2);
					expect(chosen(pair)).toEqual([encryption, integrity]);
					pair.send("under the new keys");
					pair.answerUe("so is this");
					pair.settle();
					expect(pair.uplinks).toEqual(["under the new keys"]);
					expect(pair.downlinks).toEqual(["so is this"]);
				});

				test("a changed octet and a repetition are refused", () => {
					const pair = connected();
					const datagram = pair.send("reading").slice();
					pair.toHse.length = 0;
					for (let octet = 6; octet < datagram.length; octet++) {
						const changed = datagram.slice();
						changed[octet] ^= 1;
						expect(pair.deliverToHse(changed, `from ${octet}`)).toBe("wrong MAC or COUNT");
					}
					expect(pair.deliverToHse(datagram)).toBe("accept");
					expect(pair.deliverToHse(datagram)).toBe("wrong MAC or COUNT");
					expect(pair.uplinks).toEqual(["reading"]);
				});
			});
		}

	test.each([
		["128-EEA1 with 128-EIA1", snow3g(), snow3g()],
		["128-EEA3 with 128-EIA3", zuc(), zuc()],
		["128-EEA1 with 128-EIA3", snow3g(), zuc()],
		["128-EEA3 with 128-EIA1", zuc(), snow3g()],
	])("%s is on the wire as it is defined, with the session's keys", (_, cipher, mac) => {
		const policy = { encryptionAlgorithms: [cipher.identity], integrityAlgorithms: [mac.identity] };
		const pair = pairOf({ policy }).connect();
		for (const [count, text] of ["first", "the second one"].entries())
			expect(pair.send(text)).toEqual(uplinkByDefinition(pair, cipher, mac, count, text));
	});

	for (const integrity of ALL)
		test(`128-EIA${integrity} without ciphering in the integrity service`, () => {
			const policy = { ...POLICY_OF_ALL, integrityAlgorithms: [integrity] };
			const pair = pairOf({ policy, service: SERVICE.integrity }).connect();
			expect(chosen(pair)).toEqual([ALGORITHM.null, integrity]);
			expect(new TextDecoder().decode(pair.send("in clear"))).toContain("in clear");
			pair.settle();
			expect(pair.uplinks).toEqual(["in clear"]);
		});
});

describe("choosing", () => {
	test("the HSE's order of preference decides", () => {
		for (const order of [ALL, [...ALL].reverse()]) {
			const policy = { encryptionAlgorithms: order, integrityAlgorithms: [...order].reverse() };
			expect(chosen(pairOf({ policy }).connect())).toEqual([order[0], order[2]]);
		}
	});

	test("a UE without them and an HSE that prefers them: AES, and nothing else was offered", () => {
		const pair = pairOf({ kernel: loadKernel(), policy: POLICY_OF_ALL });
		pair.begin();
		const at = offsetOf(pair.toHse[0], TAG.ueConfiguration);
		expect([...pair.toHse[0].subarray(at + 2, at + 4)]).toEqual([setOf(0, aes), setOf(aes)]);
		pair.settle();
		expect(chosen(pair)).toEqual([aes, aes]);
		pair.send("reading");
		pair.settle();
		expect(pair.uplinks).toEqual(["reading"]);
	});

	test("a UE that has them and an HSE without: AES", () => {
		expect(chosen(pairOf({ hseKernel: loadKernel() }).connect())).toEqual([aes, aes]);
	});

	test("nothing in common: cause 07, and the UE says so", () => {
		for (const offer of [
			{ ...OFFER_OF_ALL, integrityAlgorithms: setOf(ALGORITHM.zuc) },
			{ ...OFFER_OF_ALL, encryptionAlgorithms: setOf(ALGORITHM.null, ALGORITHM.snow3g) },
		]) {
			const pair = pairOf({ offer });
			pair.begin();
			pair.settle();
			expect(pair.ue.session).toBeUndefined();
			expect(pair.ueEvents).toEqual([{ kind: "attempt over", cause: CAUSE.nothingInCommon }]);
			expect(pair.vectorsFetched).toBe(0);
		}
	});

	test("a UE that can do nothing of what it is to offer does not begin", () => {
		const nothing = /has none of the algorithms that it is to offer/;
		const kernel = loadKernel();
		for (const offer of [
			{ ...OFFER_OF_ALL, integrityAlgorithms: setOf(ALGORITHM.zuc) },
			{ ...OFFER_OF_ALL, encryptionAlgorithms: setOf(ALGORITHM.null, ALGORITHM.zuc) },
		])
			expect(() => pairOf({ kernel, offer })).toThrow(nothing);
		const offer = { ...OFFER_OF_ALL, encryptionAlgorithms: setOf(ALGORITHM.null) };
		expect(() => pairOf({ kernel, offer, service: SERVICE.integrity })).not.toThrow();
	});

	test("an HSE does not grant what its kernel does not have, nor null integrity", () => {
		const hseKernel = loadKernel();
		for (const policy of [POLICY_OF_ALL, { integrityAlgorithms: [ALGORITHM.zuc] }])
			expect(() => pairOf({ hseKernel, policy })).toThrow(/grants algorithm 3, which the kernel best-ct does not have/);
		expect(() => pairOf({ policy: { integrityAlgorithms: [ALGORITHM.null] } })).toThrow(/grants algorithm 0/);
		expect(() => pairOf({ hseKernel, policy: { encryptionAlgorithms: [ALGORITHM.null, aes] } })).not.toThrow();
	});

	test("M = 8 needs AES integrity, so it is chosen where only that goes", () => {
		const offer = { ...offerOf(2, SERVICE.confidential, ALL), macLengths: setOf(8) };
		const policy = { ...DEFAULT_POLICY, ...POLICY_OF_ALL };
		expect(choose(policy, offer, NETWORK)).toMatchObject({ encryption: ALGORITHM.zuc, integrity: aes, macLength: 8 });
		const both = { ...offer, macLengths: setOf(4, 8) };
		expect(choose(policy, both, NETWORK)).toMatchObject({ integrity: ALGORITHM.zuc, macLength: 4 });
		const preferring8 = { ...policy, macLengths: [8, 4] };
		expect(choose(preferring8, both, NETWORK)).toMatchObject({ integrity: ALGORITHM.zuc, macLength: 4 });
		const withoutAes = { ...offer, integrityAlgorithms: setOf(ALGORITHM.snow3g, ALGORITHM.zuc) };
		expect(choose(policy, withoutAes, NETWORK)).toBe(CAUSE.nothingInCommon);
	});
});

describe("bidding down", () => {
	const field = { encryption: 2, integrity: 3 };

	for (const [name, at] of Object.entries(field))
		test(`an offer of ${name} that was cut on its way is found out`, () => {
			const pair = pairOf({ policy: POLICY_OF_ALL });
			pair.begin();
			const request = (pair.toHse.shift() as Uint8Array).slice();
			request[offsetOf(request, TAG.ueConfiguration) + at] &= setOf(0, aes);
			pair.deliverToHse(request);
			expect(pair.deliverToUe()).toBe("contents");
			expect(pair.ue.session).toBeUndefined();
			expect(pair.usimRuns).toBe(0);
		});

	for (const [name, at] of Object.entries(field))
		for (const other of [ALGORITHM.snow3g, aes])
			test(`another choice of ${name}, ${other}, though it was offered, does not verify`, () => {
				const pair = pairOf({ policy: POLICY_OF_ALL });
				pair.begin();
				pair.deliverToHse();
				const start = pair.toUe[0].slice();
				start[offsetOf(start, TAG.hseConfiguration, start.length - 4) + at] = other;
				expect(start).not.toEqual(pair.toUe[0]);
				pair.deliverToUe(start);
				expect(pair.ue.session).toBeUndefined();
				// The real one is waited for still.
				pair.settle();
				expect(chosen(pair)).toEqual([ALGORITHM.zuc, ALGORITHM.zuc]);
			});

	for (const [name, at] of Object.entries(field))
		test(`a choice of ${name} that was not offered is refused before AKA`, () => {
			const offer = { encryptionAlgorithms: setOf(0, aes), integrityAlgorithms: setOf(aes) };
			const pair = pairOf({ offer });
			pair.begin();
			pair.deliverToHse();
			const start = pair.toUe[0].slice();
			start[offsetOf(start, TAG.hseConfiguration, start.length - 4) + at] = ALGORITHM.zuc;
			expect(pair.deliverToUe(start)).toBe("contents");
			expect(pair.usimRuns).toBe(0);
		});
});

test("an image without the algorithms of the stored session agrees a new one", () => {
	const before = pairOf({ policy: POLICY_OF_ALL }).connect();
	const pair = new Pair({ store: before.store, offer: OFFER_OF_ALL, sqn: 4096 });
	pair.cutPower();
	expect(pair.ue.session).toBeUndefined();
	pair.connect();
	expect(chosen(pair)).toEqual([aes, aes]);
	pair.send("reading");
	pair.settle();
	expect(pair.uplinks).toEqual(["reading"]);
});
