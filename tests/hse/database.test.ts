import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { encodeImsi } from "../../firmware/emsdp/imsi.js";
import { CAUSE, TAG } from "../../firmware/emsdp/profile.js";
import { makeAuts, SQN_STEP, verifyAutn } from "../../firmware/keys/aka.js";
import { Milenage } from "../../firmware/keys/milenage.js";
import { AuthenticationCentre } from "../../host-tools/hse/authentication-centre.js";
import { HseDatabase } from "../../host-tools/hse/database.js";
import type { VectorAnswer } from "../../host-tools/hse/hse.js";
import { loadKernel } from "../../host-tools/kernel.js";
import { IMSI, SeededRandom } from "../support/pair.js";

const K = new Uint8Array(16).fill(1);
const OPC = new Uint8Array(16).fill(2);
let folder: string;
let path: string;

beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "best-test-"));
	path = join(folder, "hse.db");
});
afterEach(() => {
	rmSync(folder, { recursive: true });
});

function open(): HseDatabase {
	return new HseDatabase(path);
}

function add(database: HseDatabase, enabled = true): void {
	database.addSubscriber({ imsi: IMSI, k: K, opc: OPC, amf: Uint8Array.of(0x80, 0), sqn: SQN_STEP, enabled });
}

describe("the HSE's database", () => {
	test("keeps subscribers, for its owner only", () => {
		const database = open();
		add(database);
		database.close();
		expect(statSync(path).mode & 0o777).toBe(0o600);
		const again = open();
		expect(again.subscriber(IMSI)).toEqual({
			imsi: IMSI,
			k: K,
			opc: OPC,
			amf: Uint8Array.of(0x80, 0),
			sqn: SQN_STEP,
			enabled: true,
		});
		expect(again.subscriber("001010000000002")).toBeUndefined();
		again.close();
	});

	test("holds an SQN of 48 bits", () => {
		const database = open();
		add(database);
		database.setSqn(IMSI, 2 ** 48 - 1);
		expect(database.subscriber(IMSI)?.sqn).toBe(2 ** 48 - 1);
		database.close();
	});
});

describe("the authentication centre", () => {
	const identity = { tag: TAG.imsi, value: encodeImsi(IMSI) ?? new Uint8Array(8) };
	const request = { number: 1, identity, keyReference: undefined, resynchronisation: undefined };

	/** The vector of an answer. */
	function vectorOf(answer: VectorAnswer) {
		if (typeof answer !== "object" || !("vector" in answer)) throw new Error("no vector");
		return answer.vector;
	}

	test("no SQN goes out twice, even without a chance to close the file", () => {
		const kernel = loadKernel();
		const random = new SeededRandom(3);
		const milenage = new Milenage(kernel, K, OPC);
		const first = open();
		add(first);
		const seen = new Set<number>();
		for (let run = 0; run < 3; run++) {
			// Left open: what the next one finds is what was on the medium.
			const centre = new AuthenticationCentre(kernel, open(), () => random.octets(16));
			for (let i = 0; i < 5; i++) {
				const vector = vectorOf(centre.answer(request));
				const sqn = verifyAutn(milenage, vector.rand, vector.autn)?.sqn;
				expect(sqn).toBeDefined();
				expect(seen.has(sqn ?? 0)).toBe(false);
				seen.add(sqn ?? 0);
			}
		}
		expect(seen.size).toBe(15);
		expect(Math.max(...seen)).toBe(15 * SQN_STEP);
	});

	test("refuses whom it does not know, and whom it may not serve", () => {
		const kernel = loadKernel();
		const database = open();
		const centre = new AuthenticationCentre(kernel, database, () => new Uint8Array(16));
		expect(centre.answer(request)).toBe(CAUSE.ueUnknown);
		add(database, false);
		expect(centre.answer(request)).toBe(CAUSE.ueNotAuthorised);
		database.close();
	});

	test("an AUTS sets the SQN only where the USIM would not take the next one: it never goes back", () => {
		const kernel = loadKernel();
		const milenage = new Milenage(kernel, K, OPC);
		const database = open();
		add(database);
		database.setSqn(IMSI, 500 * SQN_STEP);
		const centre = new AuthenticationCentre(kernel, database, () => new Uint8Array(16));
		const resynchronise = (sqnMs: number) => {
			const rand = new Uint8Array(16).fill(7);
			const resynchronisation = { rand, auts: makeAuts(milenage, rand, sqnMs) };
			const vector = vectorOf(centre.answer({ ...request, resynchronisation }));
			return verifyAutn(milenage, vector.rand, vector.autn)?.sqn;
		};
		expect(resynchronise(400 * SQN_STEP)).toBe(500 * SQN_STEP);
		expect(resynchronise(900 * SQN_STEP)).toBe(901 * SQN_STEP);
		expect(database.subscriber(IMSI)?.sqn).toBe(902 * SQN_STEP);
		database.close();
	});

	test("ignores an AUTS that is wrong, and leaves the SQN as it is", () => {
		const database = open();
		add(database);
		const centre = new AuthenticationCentre(loadKernel(), database, () => new Uint8Array(16));
		const resynchronisation = { rand: new Uint8Array(16), auts: new Uint8Array(14) };
		expect(centre.answer({ ...request, resynchronisation })).toBeUndefined();
		expect(database.subscriber(IMSI)?.sqn).toBe(SQN_STEP);
		database.close();
	});
});
