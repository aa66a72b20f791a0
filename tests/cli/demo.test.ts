import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { hasXsHost } from "../../host-tools/device/device.js";
import { best } from "../support/best.js";

let folder: string;
beforeAll(() => {
	folder = mkdtempSync(join(tmpdir(), "best-test-"));
});
afterAll(() => {
	rmSync(folder, { recursive: true });
});

describe("the main job", () => {
	test("prints one JSON object with the figures of the run", () => {
		const { status, stdout } = best(["demo", "--json", "--count", "4"]);
		expect(status).toBe(0);
		const summary = JSON.parse(stdout);
		expect(Object.keys(summary)).toEqual([
			"sent",
			"delivered",
			"payloadOctets",
			"wireOctets",
			"overheadPerMessage",
			"setupOctets",
			"setupRoundTrips",
			"usPerUplink",
			"heapPeakBytes",
			"engine",
			"kernel",
		]);
		expect(summary).toMatchObject({ sent: 4, delivered: 4, overheadPerMessage: 10, setupRoundTrips: 1 });
		expect(summary.wireOctets).toBe(summary.payloadOctets + 40);
		if (hasXsHost()) expect(summary).toMatchObject({ engine: "XS 13.3.0", kernel: "best-ct (native)" });
	});

	test("sends lines as they stand: empty ones, octets of any value, a last one without an end", () => {
		const path = join(folder, "lines");
		const lines = [Buffer.from("first"), Buffer.alloc(0), Buffer.from([0, 255, 1, 13, 128]), Buffer.from("ü")];
		writeFileSync(path, Buffer.concat(lines.flatMap((line, i) => (i === 0 ? [line] : [Buffer.from("\n"), line]))));
		const { status, stdout } = best(["demo", "--json", "--input", path]);
		expect(status).toBe(0);
		expect(JSON.parse(stdout)).toMatchObject({ sent: 4, delivered: 4, payloadOctets: 5 + 0 + 5 + 2 });
	});

	test("reads standard input", () => {
		const { status, stdout } = best(["demo", "--json", "--input", "-"], "a\r\nbc\n");
		expect(status).toBe(0);
		expect(JSON.parse(stdout)).toMatchObject({ sent: 2, delivered: 2, payloadOctets: 3 });
	});

	test("a line that does not fit is told, the others are delivered, and the status is 1", () => {
		const input = ["short", "x".repeat(1222), "y".repeat(1223), "z".repeat(5000), "after"].join("\n");
		const { status, stdout, stderr } = best(["demo", "--input", "-"], input);
		expect(status).toBe(1);
		expect(stdout).toContain("A payload of 1223 octets does not fit: this session takes 1222 at the most.");
		expect(stdout).toContain("A payload of 5000 octets does not fit");
		expect(stdout).toContain("5 / 3");
		expect(stderr).toContain("2 of 5 readings were not delivered intact");
	});

	test.each(["integrity", "confidential"])("shows each message on the ladder, %s service", (service) => {
		const { stdout } = best(["demo", "--count", "1", "--service", service]);
		const at = (text: string) => stdout.indexOf(text);
		const order = ["10 Session Request", "11 Session Start", "UP message", '"ok 1"', "20 Session Terminate Request"];
		for (let i = 1; i < order.length; i++) expect(at(order[i])).toBeGreaterThan(at(order[i - 1]));
		expect(at(order[0])).toBeGreaterThan(-1);
	});

	test.each([
		[[], "128-EEA2 and 128-EIA2", "AES alone"],
		[["--algorithms", "aes,zuc"], "128-EEA2 and 128-EIA2", "the HSE prefers the first"],
		[["--algorithms", "zuc,snow3g,aes"], "128-EEA3 and 128-EIA3", "ZUC first"],
		[["--algorithms", "snow3g", "--service", "integrity"], "128-EEA0 and 128-EIA1", "no ciphering"],
	])("%j: %s", (words, choice) => {
		const { status, stdout } = best(["demo", "--count", "1", ...words]);
		expect(status).toBe(0);
		expect(stdout).toContain(`HSE: has chosen ${choice}`);
		expect(stdout).toContain("1 / 1");
		expect(stdout.includes("SNOW 3G, ZUC")).toBe(words.some((word) => word.includes("zuc") || word.includes("snow3g")));
	});

	test("writes a capture with every datagram", () => {
		const path = join(folder, "demo.pcap");
		expect(best(["demo", "--json", "--count", "2", "--pcap", path]).status).toBe(0);
		const capture = readFileSync(path);
		expect(capture.readUInt32BE(0)).toBe(0xa1b2c3d4);
		let packets = 0;
		for (let at = 24; at < capture.length; at += 16 + capture.readUInt32BE(at + 8)) packets++;
		expect(packets).toBe(3 + 4 + 2);
	});

	test("keeps its database, and makes another subscriber the next time", () => {
		const path = join(folder, "kept.db");
		for (let run = 0; run < 2; run++)
			expect(best(["demo", "--json", "--count", "1", "--database", path]).status).toBe(0);
	});

	test("shows no key: neither K nor OPc nor anything derived is among the output or the words of a process", () => {
		const { stdout, stderr } = best(["demo", "--count", "1"]);
		// Keys have 16 octets: no run of 32 hex digits is printed.
		expect(stdout + stderr).not.toMatch(/[0-9a-f]{32}/i);
	});
});
