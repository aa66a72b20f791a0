import { createSocket } from "node:dgram";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { columns } from "../../host-tools/cli/bench.js";
import { best } from "../support/best.js";

let folder: string;
beforeAll(() => {
	folder = mkdtempSync(join(tmpdir(), "best-test-"));
});
afterAll(() => {
	rmSync(folder, { recursive: true });
});

function oneLine(text: string): string {
	expect(text.trim().split("\n")).toHaveLength(1);
	return text.trim();
}

describe("wrong use: one line that says which and what is allowed, status 2", () => {
	const cases: readonly [string, readonly string[], RegExp][] = [
		[
			"an unknown command",
			["frobnicate"],
			/"frobnicate".*demo, hse, eas, ca, device, provision, keygen, subscriber, vectors, bench, board, doctor/,
		],
		["an unknown option", ["demo", "--frobnicate"], /--frobnicate.*allowed: --input FILE\|-/],
		["an operand too many", ["demo", "extra"], /"extra" is too much/],
		["an option without its value", ["demo", "--port"], /--port.*allowed/],
		["a port that is none", ["demo", "--port", "65536"], /"65536".*from 1 to 65535/],
		["a count that is none", ["demo", "--count", "-1"], /--count/],
		["a service that is none", ["demo", "--service", "all"], /"all".*confidential, integrity/],
		["an algorithm that is none", ["demo", "--algorithms", "aes,null"], /"aes,null".*aes, snow3g, zuc, each once/],
		["an algorithm given twice", ["hse", "--algorithms", "zuc,zuc"], /"zuc,zuc".*each once/],
		["an IMSI that is none", ["demo", "--imsi", "12a"], /"12a".*6 to 15 digits/],
		["an option of the other benchmark", ["bench", "--sessions", "5"], /--sessions goes with --hse only/],
		["the same, another one", ["bench", "--soak", "5"], /--soak goes with --hse only/],
		["a flag without a meaning", ["keygen", "--json"], /--json/],
		[
			"EAS Ids with one missing",
			["hse", "--eas-ids", "a,,b"],
			/--eas-ids is "a,,b": names are allowed, none of them empty/,
		],
		["help on what is no command", ["help", "frobnicate"], /no command "frobnicate"/],
		["vectors without a folder", ["vectors", "check"], /DIR is missing/],
		["vectors with another verb", ["vectors", "frob", "x"], /"frob".*check/],
		["an address that is none", ["provision", "--store", "none", "--hse-address", "localhost"], /"localhost".*numeric/],
	];
	test.each(cases)("%s", (_, words, expected) => {
		const { status, stderr, stdout } = best(words);
		expect(status).toBe(2);
		expect(stdout).toBe("");
		expect(oneLine(stderr)).toMatch(expected);
	});
});

describe("what failed: one line with the cause and the way out, status 1, nothing overwritten", () => {
	test("an input that is not there", () => {
		const { status, stderr } = best(["demo", "--json", "--input", join(folder, "none")]);
		expect(status).toBe(1);
		expect(oneLine(stderr)).toMatch(/cannot be read \(ENOENT\): name a file/);
	});

	test("an input that is a folder", () => {
		const { status, stderr } = best(["demo", "--json", "--input", folder]);
		expect(status).toBe(1);
		expect(oneLine(stderr)).toMatch(/EISDIR/);
	});

	for (const command of ["demo", "hse", "provision"])
		test(`${command}: a corrupt database`, () => {
			const path = join(folder, `corrupt-${command}.db`);
			const octets = Buffer.from("no database, but long enough to look at. ".repeat(200));
			writeFileSync(path, octets);
			const more: Record<string, string[]> = { demo: ["--json"], provision: ["--store", join(folder, "device")] };
			const { status, stderr } = best([command, "--database", path, ...(more[command] ?? [])]);
			expect(status).toBe(1);
			expect(oneLine(stderr)).toMatch(/not usable.*it was left as it is; name another file/);
			expect(readFileSync(path)).toEqual(octets);
		});

	test.each(["hse", "provision"])("%s: a database that is a folder", (command) => {
		const more = command === "provision" ? ["--store", join(folder, "device-of-none")] : [];
		const { status, stderr } = best([command, "--database", folder, ...more]);
		expect(status).toBe(1);
		expect(oneLine(stderr)).toMatch(/cannot be opened \(EISDIR\): name another file with --database/);
	});

	test("a batch without a row", () => {
		const empty = join(folder, "empty.csv");
		const words = ["provision", "--hse-address", "192.0.2.1", "--eas-id", "meter.test", "--batch"];
		for (const contents of ["", "\n", "imsi,k,opc,port\n"]) {
			writeFileSync(empty, contents);
			for (const [source, where] of [
				[empty, "in "],
				["-", "on standard input"],
			]) {
				const { status, stderr } = best([...words, source], contents);
				expect(status).toBe(1);
				expect(oneLine(stderr)).toMatch(new RegExp(`^There are no rows ${where}`));
			}
		}
	});

	test("a field that is none: all that there are, those of a batch too", () => {
		const row = JSON.stringify({ imsi: "901700000000001", ports: "x" });
		const { status, stderr } = best(["provision", "--batch", "-"], row);
		expect(status).toBe(2);
		expect(oneLine(stderr)).toMatch(/no field "ports"; there are imsi, .*; in a batch also port and fingerprint\./);
	});

	test("a database in a folder that is not there", () => {
		const { status, stderr } = best(["hse", "--database", join(folder, "none/hse.db")]);
		expect(status).toBe(1);
		expect(oneLine(stderr)).toMatch(/cannot be opened \(ENOENT\)/);
	});

	test("a port in use", async () => {
		const socket = createSocket("udp4").unref();
		await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
		const { port } = socket.address();
		for (const words of [
			["demo", "--json", "--port", String(port)],
			["hse", "--port", String(port), "--database", join(folder, "port.db")],
		]) {
			const { status, stderr } = best(words);
			expect(status).toBe(1);
			expect(oneLine(stderr)).toMatch(new RegExp(`port ${port} cannot be had \\(EADDRINUSE\\).*--port`));
		}
		socket.close();
	});

	test("an address of another machine", () => {
		const { status, stderr } = best(["hse", "--address", "192.0.2.1", "--database", join(folder, "address.db")]);
		expect(status).toBe(1);
		expect(oneLine(stderr)).toMatch(/192\.0\.2\.1 is no address of this machine.*--address/);
	});

	test("a subscriber that is there already: neither it nor the device's identity is overwritten", () => {
		const words = ["provision", "--database", join(folder, "twice.db"), "--store", join(folder, "store")];
		expect(best(words).status).toBe(0);
		const identity = readFileSync(join(folder, "store/identity"));
		const elsewhere = best([...words.slice(0, -1), join(folder, "other")]);
		expect(elsewhere.status).toBe(1);
		expect(oneLine(elsewhere.stderr)).toMatch(/in the database already.*--imsi/);
		const { status, stderr } = best([...words, "--imsi", "001010000000002"]);
		expect(status).toBe(1);
		expect(oneLine(stderr)).toMatch(/has an identity already: name another --store/);
		expect(readFileSync(join(folder, "store/identity"))).toEqual(identity);
	});

	test("a device's store that is a file, or below one: no database is made for it", () => {
		const file = join(folder, "no-store");
		writeFileSync(file, "text");
		const database = join(folder, "no-store.db");
		for (const store of [file, join(file, "below")]) {
			const { status, stderr } = best(["provision", "--store", store, "--database", database]);
			expect(status).toBe(1);
			expect(oneLine(stderr)).toMatch(/no-store.* cannot be used \(ENOTDIR\): name a folder.* --store/);
		}
		expect(readFileSync(file, "utf8")).toBe("text");
		expect(existsSync(database)).toBe(false);
	});

	test("what fails leaves no folder for the device", () => {
		const database = join(folder, "taken.db");
		expect(best(["provision", "--database", database, "--store", join(folder, "taken")]).status).toBe(0);
		const { status, stderr } = best(["provision", "--database", database, "--store", join(folder, "parent/child")]);
		expect(status).toBe(1);
		expect(oneLine(stderr)).toMatch(/in the database already/);
		expect(existsSync(join(folder, "parent"))).toBe(false);
	});

	test("a report that is a folder, or in none", () => {
		const file = join(folder, "report-batch.jsonl");
		writeFileSync(file, `{"imsi":"901700000000001"}\n`);
		const database = join(folder, "report.db");
		const words = ["provision", "--batch", file, "--database", database, "--unchecked", "--port", "none"];
		for (const [report, why] of [
			[folder, "EISDIR"],
			[join(folder, "none/report"), "ENOENT"],
		]) {
			const fields = ["--hse-address", "192.0.2.1", "--eas-id", "meter.test", "--report", report];
			const { status, stderr } = best([...words, ...fields]);
			expect(status).toBe(1);
			expect(oneLine(stderr)).toMatch(new RegExp(`cannot be used \\(${why}\\): name a file.* --report`));
		}
		expect(existsSync(database)).toBe(false);
	});

	test("a folder without vectors", () => {
		const { status, stderr } = best(["vectors", "check", folder]);
		expect(status).toBe(1);
		expect(oneLine(stderr)).toMatch(/no vector file/);
	});
});

test("best help COMMAND is best COMMAND --help", () => {
	expect(best(["help", "demo"])).toEqual(best(["demo", "--help"]));
});

test("in the help the text of an option that is longer than its column stands below it", () => {
	expect(best(["subscriber", "--help"]).stdout).toContain(`osmo-hlr-ctrl|pysim\n${" ".repeat(36)}import and export`);
});

test("columns do not run together", () => {
	expect(
		columns([
			["a", "1 B"],
			["long and longer", "200 B"],
		]),
	).toEqual(["a                  1 B", "long and longer  200 B"]);
});

test("help is given, with an example, for every command", () => {
	const { stdout, status } = best(["--help"]);
	expect(status).toBe(0);
	for (const name of ["demo", "hse", "device", "provision", "keygen", "subscriber", "vectors", "bench", "board"]) {
		expect(stdout).toContain(`  ${name}`);
		const { stdout: help, status: helpStatus } = best([name, "--help"]);
		expect(helpStatus).toBe(0);
		expect(help).toContain(`Example: best ${name}`);
	}
});
