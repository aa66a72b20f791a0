import { describe, expect, test } from "@jest/globals";
import { encodeImsi } from "../../firmware/emsdp/imsi.js";
import { CAUSE, TAG } from "../../firmware/emsdp/profile.js";
import type { VectorRequest } from "../../host-tools/hse/events.js";
import type { VectorAnswer } from "../../host-tools/hse/hse.js";
import { packAnswers, packRequest, unpackAnswers } from "../../host-tools/hse/packed-answers.js";
import { IMSI, SeededRandom } from "../support/pair.js";

const random = new SeededRandom(5);

describe("what goes to the authentication centre's thread and back", () => {
	test("a request for the vector of an IMSI is its digits; any other is as it was", () => {
		const usual: VectorRequest = {
			number: 7,
			identity: { tag: TAG.imsi, value: encodeImsi(IMSI) ?? new Uint8Array(0) },
			keyReference: undefined,
			resynchronisation: undefined,
		};
		expect(packRequest(usual)).toBe(IMSI);
		const others: VectorRequest[] = [
			{ ...usual, keyReference: Uint8Array.of(1) },
			{ ...usual, resynchronisation: { rand: random.octets(16), auts: random.octets(14) } },
			{ ...usual, identity: { tag: TAG.suci, value: usual.identity.value } },
			{ ...usual, identity: { tag: TAG.imsi, value: new Uint8Array(8) } },
		];
		for (const other of others) expect(packRequest(other)).toBe(other);
	});

	test("answers come back as they were, in order, and no vector is left behind on the way", () => {
		const make = () => {
			const seeded = new SeededRandom(9);
			const vector = (xresOctets: number) => ({
				rand: seeded.octets(16),
				autn: seeded.octets(16),
				xres: seeded.octets(xresOctets),
				ck: seeded.octets(16),
				ik: seeded.octets(16),
			});
			const answers: (VectorAnswer | { failure: string })[] = [
				{ imsi: IMSI, vector: vector(4) },
				undefined,
				CAUSE.ueUnknown,
				{ imsi: IMSI, sharedKey: seeded.octets(32) },
				{ imsi: "001010000000002", vector: vector(16) },
				{ failure: "stuck" },
				{ imsi: "001010000000003", vector: vector(8) },
			];
			return answers;
		};
		const given = make();
		const packed = packAnswers(given);
		for (const answer of given)
			if (typeof answer === "object" && "vector" in answer) {
				const { xres, ck, ik } = answer.vector;
				expect([...xres, ...ck, ...ik].every((octet) => octet === 0)).toBe(true);
			}
		expect(unpackAnswers(packed)).toEqual(make());
		expect(packed.vectors.every((octet) => octet === 0)).toBe(true);
	});
});
