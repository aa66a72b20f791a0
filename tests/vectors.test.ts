import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "@jest/globals";
import { loadKernel } from "../host-tools/kernel.js";
import { checkFile } from "../host-tools/vectors/check.js";
import type { VectorCase } from "../host-tools/vectors/vector-case.js";

const FOLDER = new URL("vectors/emsdp/", import.meta.url).pathname;
const FORMATS = ["count", "header", "invalid", "keys", "messages", "tlv", "transcripts"];

const casesOf = (format: string): VectorCase[] =>
	JSON.parse(readFileSync(join(FOLDER, `${format}.json`), "utf8")).cases;

const kernel = loadKernel();

test("there is one file for each format", () => {
	const files = readdirSync(FOLDER).filter((name) => name.endsWith(".json"));
	expect(files.sort()).toEqual(FORMATS.map((format) => `${format}.json`));
});

describe.each(FORMATS)("%s.json", (format) => {
	const report = checkFile(kernel, join(FOLDER, `${format}.json`));

	test("every case is checked", () => {
		expect(report?.format).toBe(format);
		expect(casesOf(format).length).toBeGreaterThan(20);
		expect((report?.passed ?? 0) + (report?.failures.length ?? 0)).toBe(casesOf(format).length);
	});

	test("every case passes", () => {
		expect(report?.failures).toEqual([]);
	});
});

describe("the checker finds a wrong octet", () => {
	const folder = mkdtempSync(join(tmpdir(), "best-vectors-"));
	afterAll(() => rmSync(folder, { recursive: true }));

	/** Other octets of the same length: the digit at `at` is another one. */
	const spoilt = (text: string, at = -1) => {
		const digits = [...text];
		const index = (at + digits.length) % digits.length;
		digits[index] = digits[index] === "0" ? "1" : "0";
		return digits.join("");
	};

	const answered = (vector: VectorCase) => vector.steps.find(({ result }: VectorCase) => result?.answer);
	const delivering = (vector: VectorCase) => vector.steps.find(({ result }: VectorCase) => result?.payload);
	const keying = (vector: VectorCase) => vector.steps.find(({ new_keys }: VectorCase) => new_keys?.length);

	/** Format, what is spoilt, which case is taken, and how it is spoilt. */
	const SPOILT: readonly (readonly [
		string,
		string,
		(vector: VectorCase) => unknown,
		(vector: VectorCase) => unknown,
	])[] = [
		["header", "the header", () => true, (v) => (v.header = spoilt(v.header))],
		["header", "the counter received", () => true, (v) => v.received_counter++],
		["count", "the COUNT accepted", (v) => v.steps[0].result === "accept", ({ steps }) => steps[0].accepted_count++],
		["count", "last", () => true, ({ steps }) => steps[0].last_after++],
		["count", "a candidate", (v) => v.steps[0].candidates_tried.length, ({ steps }) => steps[0].candidates_tried[0]++],
		["count", "a replay", (v) => v.steps.at(-1).result === "replay", ({ steps }) => (steps.at(-1).result = "reject")],
		[
			"count",
			"the window",
			(v) => v.steps[0].window_after,
			({ steps }) => (steps[0].window_after = spoilt(steps[0].window_after, 3)),
		],
		...["imsi", "serving network", "UE configuration", "HSE configuration", "value"].map(
			(kind) =>
				[
					"tlv",
					`the TLV of kind "${kind}"`,
					(v: VectorCase) => v.kind === kind,
					(v: VectorCase) => (v.tlv = spoilt(v.tlv)),
				] as const,
		),
		["tlv", "a cause", (v) => v.cause, (v) => (v.cause = v.cause === "01" ? "02" : "01")],
		[
			"tlv",
			"a run that is taken",
			(v) => v.accepted?.length,
			({ accepted }) => (accepted[0].value = spoilt(accepted[0].value)),
		],
		[
			"keys",
			"a derived key",
			() => true,
			({ derivations }) => (derivations.at(-1).result = spoilt(derivations.at(-1).result)),
		],
		["keys", "an input of the KDF", () => true, ({ derivations }) => (derivations[0].s = spoilt(derivations[0].s))],
		["keys", "K_base", () => true, (v) => (v.k_base = spoilt(v.k_base))],
		["keys", "AUTN", (v) => v.milenage, ({ milenage }) => (milenage.autn = spoilt(milenage.autn))],
		["keys", "the response", (v) => v.aka_response, (v) => (v.aka_response = spoilt(v.aka_response))],
		["messages", "the MAC", (v) => v.session, (v) => (v.datagram = spoilt(v.datagram))],
		["messages", "the header", (v) => v.session, (v) => (v.datagram = spoilt(v.datagram, 11))],
		["messages", "an unprotected datagram", (v) => !v.session, (v) => (v.datagram = spoilt(v.datagram))],
		[
			"messages",
			"the contents",
			(v) => v.session?.encryption === 2 && v.content,
			(v) => (v.content = spoilt(v.content)),
		],
		["messages", "a derived key", (v) => v.session, ({ session }) => (session.k_e2e_int = spoilt(session.k_e2e_int))],
		["transcripts", "an answer", answered, (v) => (answered(v).result.answer = spoilt(answered(v).result.answer))],
		["transcripts", "a datagram", () => true, ({ steps }) => (steps[0].datagram = spoilt(steps[0].datagram))],
		["transcripts", "an outcome", () => true, ({ steps }) => (steps[0].result.outcome = "drop")],
		[
			"transcripts",
			"a payload",
			delivering,
			(v) => (delivering(v).result.payload = spoilt(delivering(v).result.payload)),
		],
		[
			"transcripts",
			"K_EAS_PSK",
			keying,
			(v) => (keying(v).new_keys[0].k_eas_psk = spoilt(keying(v).new_keys[0].k_eas_psk)),
		],
		["invalid", "a reply", (v) => v.expected.reply, ({ expected }) => (expected.reply = spoilt(expected.reply))],
		["invalid", "a drop", (v) => v.expected.action === "drop silently", ({ expected }) => (expected.action = "reject")],
		[
			"invalid",
			"whether a reply is protected",
			(v) => v.expected.reply,
			({ expected }) => (expected.reply_protected = !expected.reply_protected),
		],
		[
			"invalid",
			"what the receiver knows",
			(v) => v.expected.reply_protected,
			({ state }) => (state.sessions[0].k_base = spoilt(state.sessions[0].k_base)),
		],
	];

	test.each(SPOILT)("%s.json: %s", (format, _what, isWanted, spoil) => {
		const good = casesOf(format).find(isWanted);
		const bad = structuredClone(good);
		spoil(bad);
		bad.description = "spoilt";
		expect(bad).not.toEqual({ ...good, description: "spoilt" });
		// The case that the format is recognised by stands first.
		const path = join(folder, "vectors.json");
		writeFileSync(path, JSON.stringify({ cases: [casesOf(format)[0], good, bad] }));
		const report = checkFile(kernel, path);
		expect(report?.format).toBe(format);
		expect(report?.failures.map(({ description }) => description)).toEqual(["spoilt"]);
	});
});
