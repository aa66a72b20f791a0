import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import Database from "libsql";
import { HseDatabase } from "../../host-tools/hse/database.js";
import { best } from "../support/best.js";

const K = "2b7e151628aed2a6abf7158809cf4f3c";
const OPC = "9f1c2d3e4b5a69788796a5b4c3d2e1f0";
const IMSI = "901700000000001";

let folder: string;
beforeAll(() => {
	folder = mkdtempSync(join(tmpdir(), "best-test-"));
});
afterAll(() => {
	rmSync(folder, { recursive: true });
});

let files = 0;
function file(contents?: string): string {
	const path = join(folder, `file-${files++}`);
	if (contents !== undefined) writeFileSync(path, contents);
	return path;
}

function subscriber(database: string, imsi = IMSI) {
	const opened = new HseDatabase(database);
	const found = opened.subscriber(imsi);
	opened.close();
	const hex = (octets: Uint8Array | undefined) => Buffer.from(octets ?? []).toString("hex");
	return { k: hex(found?.k), opc: hex(found?.opc), amf: hex(found?.amf), sqn: found?.sqn, enabled: found?.enabled };
}

const given = { k: K, opc: OPC, amf: "8000", sqn: 0x1234 + 32, enabled: true };

describe("best subscriber", () => {
	test("add, list, show, disable, enable, policy: and no key in any output", () => {
		const database = file();
		const run = (words: string[], input = "") =>
			best(["subscriber", ...words, "--database", database, "--json"], input);
		const keys = JSON.stringify({ k: K, opc: OPC, sqn: "000000001234" });
		expect(run(["add", "--imsi", IMSI, "--keys", "-"], keys)).toMatchObject({ status: 0, stderr: "" });
		expect(subscriber(database)).toEqual(given);
		expect(run(["add", "--imsi", "901700000000002"]).status).toBe(0);
		expect(run(["add", "--imsi", "901700000000003", "--keys", "-"], JSON.stringify({ psk: `${K}${OPC}` })).status).toBe(
			0,
		);
		const summary = { imsi: IMSI, algorithm: "milenage", enabled: true, easKey: "deny", amf: "8000", sqn: given.sqn };
		const listed = run(["list"]);
		expect(
			listed.stdout
				.trim()
				.split("\n")
				.map((line) => JSON.parse(line)),
		).toMatchObject([
			summary,
			{ imsi: "901700000000002", algorithm: "milenage" },
			{ imsi: "901700000000003", algorithm: "pre-shared key" },
		]);
		expect(JSON.parse(run(["show", "--imsi", IMSI]).stdout)).toEqual(summary);
		expect(JSON.parse(run(["disable", "--imsi", IMSI]).stdout)).toEqual({ ...summary, enabled: false });
		expect(subscriber(database).enabled).toBe(false);
		expect(JSON.parse(run(["enable", "--imsi", "901700000000003"]).stdout)).toMatchObject({ enabled: true });
		expect(JSON.parse(run(["policy", "--imsi", IMSI, "--eas-key", "escrow"]).stdout).easKey).toBe("escrow");
		for (const { stdout } of [listed, best(["subscriber", "list", "--database", database])]) {
			expect(stdout).not.toContain(K);
			expect(stdout).not.toContain(OPC);
		}
		for (const words of [["show"], ["add"], ["policy", "--imsi", IMSI, "--eas-key", "maybe"], ["frob"]])
			expect(run(words).status).toBe(2);
		expect(run(["show", "--imsi", "901700000000099"])).toMatchObject({
			status: 1,
			stderr: expect.stringMatching(/no subscriber/),
		});
		expect(run(["add", "--imsi", IMSI])).toMatchObject({ status: 1, stderr: expect.stringMatching(/already/) });
	});

	test.each(["list", "show", "enable", "disable", "policy", "export"])(
		"%s makes no database where a wrong one is named",
		(verb) => {
			const database = file();
			const words = ["subscriber", verb, "--imsi", IMSI, "--format", "best", "--database", database];
			const { status, stderr } = best(words);
			expect(status).toBe(1);
			expect(stderr).toMatch(/^There is no database .*: name the HSE's with --database.*\n$/);
			expect(existsSync(database)).toBe(false);
		},
	);

	test("test networks and keys that everybody knows are refused without --test", () => {
		const database = file();
		const run = (imsi: string, keys: object, more: string[] = []) =>
			best(["subscriber", "add", "--imsi", imsi, "--keys", "-", "--database", database, ...more], JSON.stringify(keys));
		expect(run("001010000000001", { k: K, opc: OPC })).toMatchObject({
			status: 2,
			stderr: expect.stringMatching(/--test/),
		});
		const known = run(IMSI, { k: "465b5ce8b199b49faa5f0a2ee238a6bc", opc: OPC });
		expect(known).toMatchObject({ status: 2, stderr: expect.stringMatching(/everybody knows/) });
		expect(known.stderr).not.toContain("465b5ce8");
		expect(run(IMSI, { k: "00".repeat(16), opc: OPC }).status).toBe(2);
		expect(run("001010000000001", { k: "00".repeat(16), opc: OPC }, ["--test"]).status).toBe(0);
	});
});

/** One subscriber in each form, as its program writes it. */
const FOREIGN: readonly [string, string, Partial<typeof given>][] = [
	[
		"open5gs",
		`{"_id":{"$oid":"65"},"imsi":"${IMSI}","security":{"k":"2B7E1516 28AED2A6 ABF71588 09CF4F3C","amf":"8000","op":null,"opc":"${OPC.toUpperCase()}","sqn":{"$numberLong":"4660"}}}\n`,
		{},
	],
	["open5gs", `[{"imsi":"${IMSI}","security":{"k":"${K}","amf":"8000","opc":"${OPC}","sqn":4660}}]`, {}],
	["open5gs-dbctl", `#!/bin/sh\nopen5gs-dbctl add ${IMSI} ${K} ${OPC}\n`, { sqn: 32 }],
	["open5gs-dbctl", `open5gs-dbctl --db_uri=mongodb://localhost add ${IMSI} 10.45.0.9 ${K} ${OPC}\n`, { sqn: 32 }],
	[
		"free5gc",
		`{"ueId":"imsi-${IMSI}","authenticationMethod":"5G_AKA","permanentKey":{"permanentKeyValue":"${K}"},"sequenceNumber":"000000001234","authenticationManagementField":"8000","opc":{"opcValue":"${OPC}"}}`,
		{},
	],
	[
		"free5gc",
		`{\n"ueId":"imsi-${IMSI}",\n"plmnID":"90170","AuthenticationSubscription":{"encPermanentKey":"${K}","sequenceNumber":{"sqn":"000000001234"},"authenticationManagementField":"8000","encOpcKey":"${OPC}"}}`,
		{},
	],
	["osmo-hlr", `imsi,k,op,opc,sqn\n${IMSI},${K},,${OPC},4660\n`, {}],
	["pysim", `name,iccid,mcc,mnc,imsi,smsp,ki,opc\nMagic,8988,901,70,${IMSI},ff,${K},${OPC}\n`, { sqn: 32 }],
	["best", `{"imsi":"${IMSI}","k":"${K}","opc":"${OPC}","sqn":"000000001234"}\n`, {}],
];

describe("subscribers of other programs", () => {
	test.each(FOREIGN)("%s comes in (%#)", (format, contents, other) => {
		const database = file();
		const words = ["subscriber", "import", "--format", format, "--file", file(contents), "--database", database];
		expect(best(words)).toMatchObject({ status: 0, stderr: "", stdout: "1 added, 0 refused\n" });
		expect(subscriber(database)).toEqual({ ...given, ...other });
	});

	test("OP in place of OPc", () => {
		// TS 35.208 4.3.1: OP_C of test set 1.
		const [k, op, opc] = [
			"465b5ce8b199b49faa5f0a2ee238a6bc",
			"cdc202d5123e20f62b6d676ac72cb318",
			"cd63cb71954a9f4e48a5994e37a02baf",
		];
		const contents = `{"imsi":"${IMSI}","security":{"k":"${k}","op":"${op}","opc":null,"amf":"b9b9"}}`;
		const database = file();
		const words = ["subscriber", "import", "--format", "open5gs", "--file", file(contents), "--database", database];
		expect(best(words)).toMatchObject({ status: 1, stderr: expect.stringMatching(/everybody knows/) });
		expect(best([...words, "--test"]).status).toBe(0);
		expect(subscriber(database)).toMatchObject({ k, opc, amf: "b9b9" });
	});

	test("the database of osmo-hlr itself, and SQL for it", () => {
		const hlr = file();
		const open = new Database(hlr);
		open.exec(`CREATE TABLE subscriber (id INTEGER PRIMARY KEY, imsi VARCHAR(15) UNIQUE NOT NULL);
			CREATE TABLE auc_3g (subscriber_id INTEGER PRIMARY KEY, algo_id_3g INTEGER NOT NULL, k VARCHAR(32) NOT NULL,
				op VARCHAR(32), opc VARCHAR(32), sqn INTEGER NOT NULL DEFAULT 0, ind_bitlen INTEGER NOT NULL DEFAULT 5);`);
		const database = file();
		best(
			["subscriber", "add", "--imsi", IMSI, "--keys", "-", "--database", database],
			JSON.stringify({ k: K, opc: OPC }),
		);
		const sql = file();
		const words = ["subscriber", "export", "--format", "osmo-hlr", "--database", database, "--file", sql];
		expect(best(words)).toMatchObject({ status: 0, stdout: "", stderr: "1 exported, 0 left out\n" });
		expect(statSync(sql).mode & 0o777).toBe(0o600);
		expect(best(words)).toMatchObject({ status: 1, stderr: expect.stringMatching(/EEXIST/) });
		open.exec(readFileSync(sql, "utf8"));
		open.close();
		const other = file();
		const back = best(["subscriber", "import", "--format", "osmo-hlr", "--file", hlr, "--database", other]);
		expect(back).toMatchObject({ status: 0, stdout: "1 added, 0 refused\n" });
		expect(subscriber(other)).toEqual({ ...given, sqn: 64 });
	});

	test.each(["open5gs", "free5gc", "pysim"])("%s goes out and comes back", (format) => {
		const database = file();
		best(
			["subscriber", "add", "--imsi", IMSI, "--keys", "-", "--database", database],
			JSON.stringify({ k: K, opc: OPC }),
		);
		const { stdout } = best(["subscriber", "export", "--format", format, "--database", database]);
		const other = file();
		const words = ["subscriber", "import", "--format", format, "--file", file(stdout), "--database", other];
		expect(best(words)).toMatchObject({ status: 0, stdout: "1 added, 0 refused\n" });
		expect(subscriber(other)).toMatchObject({ k: K, opc: OPC });
	});

	test("what no format has a place for is left out, and counted", () => {
		const database = file();
		const [tuak, shared, none] = [2, 3, 99].map((number) => String(BigInt(IMSI) + BigInt(number - 1)));
		const add = (imsi: string, ...more: string[]) =>
			best(
				["subscriber", "add", "--imsi", imsi, "--database", database, ...more],
				JSON.stringify({ psk: `${K}${OPC}` }),
			);
		add(IMSI);
		add(tuak, "--aka-algorithm", "tuak");
		add(shared, "--keys", "-");
		const words = ["subscriber", "export", "--format", "open5gs", "--database", database];
		const all = best(words);
		expect(all).toMatchObject({
			status: 0,
			stderr: "1 exported, 2 left out: 1 with TUAK, 1 with a pre-shared key\n",
		});
		expect(all.stdout.trim().split("\n")).toHaveLength(1);
		expect(best([...words, "--imsi", IMSI])).toMatchObject({ status: 0, stderr: "1 exported, 0 left out\n" });
		for (const [imsi, why] of [
			[tuak, /one with TUAK: only those with MILENAGE/],
			[shared, /one with a pre-shared key: only those with MILENAGE/],
			[none, /There is no subscriber/],
		] as const) {
			const output = file();
			const { status, stdout, stderr } = best([...words, "--imsi", imsi, "--file", output]);
			expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
			expect(stderr).toMatch(why);
			expect(existsSync(output)).toBe(false);
		}
	});

	test("commands for osmo-hlr's control interface", () => {
		const database = file();
		best(
			["subscriber", "add", "--imsi", IMSI, "--keys", "-", "--database", database],
			JSON.stringify({ k: K, opc: OPC }),
		);
		expect(best(["subscriber", "export", "--format", "osmo-hlr-ctrl", "--database", database]).stdout).toBe(
			`SET 1 subscriber.by-imsi-${IMSI}.aud3g milenage,${K},OPC,${OPC}\n`,
		);
	});

	test("what is not of the format is refused, row by row", () => {
		const contents = `imsi,ki,opc\n${IMSI},${K},${OPC}\n${IMSI.slice(0, -1)}2,short,${OPC}\n`;
		const database = file();
		const words = ["subscriber", "import", "--format", "pysim", "--file", file(contents), "--database", database];
		const { status, stdout, stderr } = best(words);
		expect(status).toBe(1);
		expect(stdout).toBe("1 added, 1 refused\n");
		expect(stderr).toBe(`Subscriber 2 (IMSI "${IMSI.slice(0, -1)}2"): k must have 32 hex digits.\n`);
	});
});

test("a key in the wrong place is not shown: a file without a header, columns exchanged", () => {
	const database = file();
	for (const contents of [`${K},${OPC},${IMSI}\n${K},${OPC},${IMSI}\n`, `imsi,k,opc\n${K},${IMSI},${OPC}\n`]) {
		const words = ["subscriber", "import", "--format", "best", "--file", file(contents), "--database", database];
		const { status, stderr } = best(words);
		expect(status).toBe(1);
		expect(stderr).toMatch(/not shown/);
		for (const secret of [K, OPC]) expect(stderr).not.toContain(secret.slice(0, 8));
	}
});

describe("best keygen", () => {
	test("keys for a range, each its own, in a file for its owner; a batch takes them", () => {
		const out = file();
		const words = ["keygen", "--imsi", IMSI, "--count", "20", "--out", out];
		expect(best(words)).toMatchObject({ status: 0, stdout: "", stderr: "" });
		expect(statSync(out).mode & 0o777).toBe(0o600);
		const lines = readFileSync(out, "utf8")
			.trim()
			.split("\n")
			.map((line) => JSON.parse(line));
		expect(lines.map(({ imsi }) => imsi)).toEqual(
			Array.from({ length: 20 }, (_, i) => String(BigInt(IMSI) + BigInt(i))),
		);
		expect(new Set(lines.flatMap(({ k, opc }) => [k, opc])).size).toBe(40);
		const more = ["--port", "p", "--unchecked", "--hse-address", "192.0.2.1", "--eas-id", "x"];
		expect(best(["provision", "--batch", out, "--dry-run", ...more])).toMatchObject({ status: 0 });
		expect(best(words).status).toBe(1);
	});

	test("OPc from OP: the database derives the same", () => {
		const op = file("f0e1d2c3b4a5968778695a4b3c2d1e77\n");
		const [line] = best(["keygen", "--op", op]).stdout.split("\n");
		const { k, opc } = JSON.parse(line);
		const database = file();
		const keys = JSON.stringify({ k, op: "f0e1d2c3b4a5968778695a4b3c2d1e77" });
		best(["subscriber", "add", "--imsi", IMSI, "--keys", "-", "--database", database], keys);
		expect(subscriber(database)).toMatchObject({ k, opc });
	});

	test("pre-shared keys, TUAK, home network keys", () => {
		expect(JSON.parse(best(["keygen", "--kind", "psk"]).stdout).psk).toMatch(/^[0-9a-f]{64}$/);
		const tuak = JSON.parse(best(["keygen", "--kind", "tuak", "--key-bits", "256"]).stdout);
		expect(tuak).toMatchObject({
			k: expect.stringMatching(/^[0-9a-f]{64}$/),
			topc: expect.stringMatching(/^[0-9a-f]{64}$/),
		});
		const path = file();
		const { stdout, status } = best(["keygen", "--kind", "home-network-a", "--out", path]);
		expect(status).toBe(0);
		expect(JSON.parse(stdout)).toMatchObject({ profile: "a", "public-key": expect.stringMatching(/^[0-9a-f]{64}$/) });
		expect(readFileSync(path, "utf8")).toMatch(/BEGIN PRIVATE KEY/);
	});

	test("test networks and an OP that everybody knows are refused without --test", () => {
		expect(best(["keygen", "--imsi", "001010000000001"])).toMatchObject({
			status: 2,
			stderr: expect.stringMatching(/--test/),
		});
		const op = file("cdc202d5123e20f62b6d676ac72cb318");
		expect(best(["keygen", "--op", op])).toMatchObject({ status: 2, stderr: expect.stringMatching(/--test/) });
		expect(best(["keygen", "--op", op, "--test"]).status).toBe(0);
		expect(best(["keygen", "--imsi", "901709999999999", "--count", "2"]).status).toBe(2);
	});
});
