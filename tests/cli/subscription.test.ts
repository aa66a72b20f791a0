import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { decodeIdentity, IDENTITY_KEY } from "../../firmware/client/identity.js";
import { deriveTopc } from "../../firmware/keys/tuak.js";
import { startDevice } from "../../host-tools/device/device.js";
import { NodeStore } from "../../host-tools/device/node-store.js";
import { fromHex, toHex } from "../../host-tools/hex.js";
import { HseDatabase } from "../../host-tools/hse/database.js";
import type { HseEvent } from "../../host-tools/hse/events.js";
import { generateHomeNetworkKey, readHomeNetworkKeys } from "../../host-tools/hse/home-network-key.js";
import { HseServer } from "../../host-tools/hse/server.js";
import { loadKernel } from "../../host-tools/kernel.js";
import { best } from "../support/best.js";
import { IMSI } from "../support/pair.js";

let folder: string;
let store: string;
let databasePath: string;
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "best-test-"));
	store = join(folder, "store");
	databasePath = join(folder, "hse.db");
});
afterEach(() => {
	rmSync(folder, { recursive: true });
});

function provision(...words: string[]) {
	return best(["provision", "--store", store, "--database", databasePath, ...words]);
}

/** Runs the device against an HSE: a session, one reading, the end. @returns what the HSE told */
async function run(port: (server: HseServer) => void, homeNetworkKeys: string | undefined) {
	const database = new HseDatabase(databasePath);
	const events: HseEvent[] = [];
	const server = new HseServer({
		kernel: loadKernel(),
		database,
		homeNetworkKeys: homeNetworkKeys === undefined ? undefined : readHomeNetworkKeys(homeNetworkKeys),
		address: "127.0.0.1",
		port: 0,
		onEvent: (event) => events.push(event),
	});
	await server.listen();
	port(server);
	const device = startDevice({ storeDirectory: store, isComplete: true });
	const lines: string[] = [];
	device.onLine((line) => lines.push(line));
	device.sendReading(Buffer.from("reading"));
	device.end();
	const status = await device.exited;
	await server.close();
	database.close();
	return { status, lines, events };
}

const SUBSCRIPTIONS: readonly (readonly [string, readonly string[], "a" | "b" | undefined])[] = [
	["TUAK, K of 256 bits, RES of 128", ["--aka-algorithm", "tuak", "--key-bits", "256", "--res-bits", "128"], undefined],
	["TUAK, K of 128 bits, two iterations", ["--aka-algorithm", "tuak", "--keccak-iterations", "2"], undefined],
	["MILENAGE and a SUCI of the null scheme", ["--suci", "null"], undefined],
	["MILENAGE and a SUCI of profile A", [], "a"],
	["TUAK and a SUCI of profile B", ["--aka-algorithm", "tuak"], "b"],
];

test.each(SUBSCRIPTIONS)("the firmware with %s: a session, and a reading arrives", async (_name, words, profile) => {
	const path = join(folder, "hn.pem");
	if (profile !== undefined) generateHomeNetworkKey(path, profile);
	const suci = profile === undefined ? [] : ["--suci", `9=${path}`];
	const provisioned = (server: HseServer) => {
		expect(provision("--hse-port", String(server.port), ...words, ...suci)).toMatchObject({ status: 0, stderr: "" });
	};
	const { status, lines, events } = await run(provisioned, profile === undefined ? undefined : `9=${path}`);
	expect([status, lines.filter((line) => line.includes("failed"))]).toEqual([0, []]);
	const concealed = profile !== undefined || words.includes("--suci");
	expect(events[0]).toMatchObject({ kind: "session asked for", imsi: concealed ? "" : IMSI });
	const uplinks = events.flatMap((event) => (event.kind === "uplink" ? [event] : []));
	expect(uplinks.map(({ imsi, payload }) => [imsi, Buffer.from(payload).toString()])).toEqual([[IMSI, "reading"]]);
});

test.each([
	["TUAK", ["--aka-algorithm", "tuak"]],
	["a SUCI", ["--suci", "null"]],
] as const)("a firmware built without %s says so and ends: it does not send the IMSI instead", async (_what, words) => {
	expect(provision(...words)).toMatchObject({ status: 0 });
	const device = startDevice({ storeDirectory: store });
	const lines: string[] = [];
	device.onLine((line) => lines.push(line));
	expect(await device.exited).toBe(1);
	expect(lines.map((line) => JSON.parse(line))).toEqual([
		{ event: "failed", why: expect.stringMatching(/built without the algorithm or the SUCI/) },
	]);
});

test("TOP of the operator comes from a file, and TOPc stands at both ends", () => {
	const top = "5a".repeat(32);
	writeFileSync(join(folder, "top"), `${top}\n`);
	expect(provision("--aka-algorithm", "tuak", "--top", join(folder, "top"))).toMatchObject({ status: 0 });
	const database = new HseDatabase(databasePath);
	const subscriber = database.subscriber(IMSI);
	database.close();
	if (subscriber === undefined) throw new Error("no subscriber");
	const topc = toHex(deriveTopc(subscriber.k, fromHex(top)));
	expect(toHex(subscriber.opc)).toBe(topc);
	const { credentials } = decodeIdentity(new NodeStore(store).read(IDENTITY_KEY) ?? new Uint8Array(0));
	expect(toHex(credentials)).toBe(`0801${topc}${toHex(subscriber.k)}`);
});

describe("wrong use makes no subscriber, and says what is allowed", () => {
	const cases: readonly (readonly [string, readonly string[], number, RegExp])[] = [
		["an algorithm that is none", ["--aka-algorithm", "comp128"], 2, /"comp128".*milenage, tuak/],
		["K of 256 bits with MILENAGE", ["--key-bits", "256"], 2, /MILENAGE takes 128; add --aka-algorithm tuak/],
		["K of another length", ["--aka-algorithm", "tuak", "--key-bits", "192"], 2, /"192".*128, 256/],
		["a RES that AKA does not take", ["--aka-algorithm", "tuak", "--res-bits", "256"], 2, /"256".*32, 64, 128/],
		["a length of RES with MILENAGE", ["--res-bits", "64"], 2, /--res-bits goes with TUAK only/],
		["no iteration", ["--aka-algorithm", "tuak", "--keccak-iterations", "0"], 2, /from 1 to 255/],
		["a TOP that is not there", ["--aka-algorithm", "tuak", "--top", "/nowhere"], 1, /cannot be read.*64 hex digits/],
		["a TOP that is none", ["--aka-algorithm", "tuak", "--top", "package.json"], 1, /does not hold TOP/],
		["a SUCI without a file", ["--suci", "9"], 2, /"9".*ID=FILE/],
		["a SUCI with a file that is no key", ["--suci", "9=package.json"], 1, /There is no key in package.json/],
	];
	test.each(cases)("%s", (_name, words, status, sentence) => {
		const result = provision(...words);
		expect([result.status, result.stdout]).toEqual([status, ""]);
		expect(result.stderr).toMatch(sentence);
		expect(result.stderr.trim().split("\n")).toHaveLength(1);
		expect(provision().status).toBe(0);
	});

	test("best hse with a key that is none", () => {
		const result = best(["hse", "--database", databasePath, "--home-network-keys", "1=package.json"]);
		expect([result.status, result.stdout]).toEqual([1, ""]);
		expect(result.stderr).toMatch(/package.json/);
	});
});
