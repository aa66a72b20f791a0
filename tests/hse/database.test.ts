import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import Database from "libsql";
import { encodeImsi } from "../../firmware/emsdp/imsi.js";
import { CAUSE, TAG } from "../../firmware/emsdp/profile.js";
import { type AkaFunctions, makeAuts, SQN_STEP, verifyAutn } from "../../firmware/keys/aka.js";
import { Milenage } from "../../firmware/keys/milenage.js";
import { Tuak } from "../../firmware/keys/tuak.js";
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

const WITH_TUAK = "001010000000009";
const LONG_K = new Uint8Array(32).fill(3);
const TOPC = new Uint8Array(32).fill(4);

function addWithTuak(database: HseDatabase): void {
	const tuak = { resOctets: 16, iterations: 3 } as const;
	const amf = Uint8Array.of(0x80, 0);
	database.addSubscriber({ imsi: WITH_TUAK, k: LONG_K, opc: TOPC, tuak, amf, sqn: SQN_STEP, enabled: true });
}

const identity = { tag: TAG.imsi, value: encodeImsi(IMSI) ?? new Uint8Array(8) };
const request = { number: 1, identity, keyReference: undefined, resynchronisation: undefined };

/** The vector of an answer. */
function vectorOf(answer: VectorAnswer) {
	if (typeof answer !== "object" || !("vector" in answer)) throw new Error("no vector");
	return answer.vector;
}

/** What a USIM with these functions finds in an answer. */
function verifyAnswer(answer: VectorAnswer, functions: AkaFunctions) {
	const { rand, autn } = vectorOf(answer);
	return verifyAutn(functions, rand, autn);
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

describe("a file of an older version", () => {
	test("opens: its subscribers are there as they were, with MILENAGE, and one with TUAK can be added", () => {
		const old = new Database(path);
		// As version 1 made it.
		old.exec(`CREATE TABLE subscriber (imsi TEXT PRIMARY KEY, k BLOB NOT NULL, opc BLOB NOT NULL, amf BLOB NOT NULL,
			sqn INTEGER NOT NULL, enabled INTEGER NOT NULL) STRICT, WITHOUT ROWID;
			PRAGMA application_id = ${0x42455354}; PRAGMA user_version = 1`);
		old
			.prepare("INSERT INTO subscriber VALUES (?, ?, ?, ?, ?, ?)")
			.run([IMSI, Buffer.from(K), Buffer.from(OPC), Buffer.from([0x80, 0]), 7 * SQN_STEP, 1]);
		old.close();
		const database = open();
		const amf = Uint8Array.of(0x80, 0);
		expect(database.subscriber(IMSI)).toEqual({ imsi: IMSI, k: K, opc: OPC, amf, sqn: 7 * SQN_STEP, enabled: true });
		const centre = new AuthenticationCentre(loadKernel(), database, () => new Uint8Array(16));
		expect(verifyAnswer(centre.answer(request), new Milenage(loadKernel(), K, OPC))?.sqn).toBe(7 * SQN_STEP);
		addWithTuak(database);
		database.close();
		const again = open();
		expect(again.subscriber(WITH_TUAK)).toEqual({
			imsi: WITH_TUAK,
			k: LONG_K,
			opc: TOPC,
			tuak: { resOctets: 16, iterations: 3 },
			amf,
			sqn: SQN_STEP,
			enabled: true,
		});
		expect(again.subscriber(IMSI)?.tuak).toBeUndefined();
		again.close();
	});
});

describe("the authentication centre", () => {
	test("makes vectors by each subscriber's algorithm, and takes the AUTS of either", () => {
		const database = open();
		add(database);
		addWithTuak(database);
		const kernel = loadKernel();
		const centre = new AuthenticationCentre(kernel, database, () => new Uint8Array(16).fill(5));
		const milenage = new Milenage(kernel, K, OPC);
		const tuak = new Tuak(LONG_K, TOPC, { resOctets: 16, iterations: 3 });
		const withTuak = { ...request, identity: { tag: TAG.imsi, value: encodeImsi(WITH_TUAK) ?? new Uint8Array(8) } };
		const byTuak = verifyAnswer(centre.answer(withTuak), tuak);
		expect([byTuak?.sqn, byTuak?.vectors.res.length]).toEqual([SQN_STEP, 16]);
		expect(verifyAnswer(centre.answer(request), milenage)?.vectors.res).toHaveLength(8);
		expect(verifyAnswer(centre.answer(withTuak), milenage)).toBeUndefined();
		const rand = new Uint8Array(16).fill(9);
		const resynchronisation = { rand, auts: makeAuts(tuak, rand, 700 * SQN_STEP) };
		expect(verifyAnswer(centre.answer({ ...withTuak, resynchronisation }), tuak)?.sqn).toBe(701 * SQN_STEP);
		// The AUTS of one subscriber says nothing about another.
		expect(centre.answer({ ...request, resynchronisation })).toBeUndefined();
		database.close();
	});

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
