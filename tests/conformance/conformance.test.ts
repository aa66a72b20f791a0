import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { ROOT } from "../support/best.js";
import { conformanceDocument, partsOf, sourceOf } from "./document.js";
import { ATTACKS, REQUIREMENTS } from "./requirements.js";

const NAMED = [...new Set([...REQUIREMENTS.flatMap(({ tests }) => tests), ...ATTACKS.map(([, name]) => name)])];

/** The titles in a test file, as they stand in its source, and its other texts. */
function textsOf(file: string): string[] {
	return [...readFileSync(join(ROOT, file), "utf8").matchAll(/"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`/g)].map(
		([, plain, template]) => plain ?? template,
	);
}

describe("docs/conformance.md", () => {
	test("is up to date; npm run conformance makes it", () => {
		expect(readFileSync(join(ROOT, "docs/conformance.md"), "utf8")).toBe(conformanceDocument());
	});

	test.each(NAMED)("names a test that is there: %s", (name) => {
		const file = sourceOf(name);
		expect(existsSync(join(ROOT, file))).toBe(true);
		expect(textsOf(file).filter((text) => text.includes(partsOf(name).title))).not.toEqual([]);
	});

	test("has each clause once, in order, and says what is open", () => {
		const clauses = REQUIREMENTS.map(({ clause }) => clause);
		expect(new Set(clauses).size).toBe(clauses.length);
		const numbers = clauses.map((clause) =>
			clause
				.replace(/[a-z]$/, "")
				.split(".")
				.map(Number),
		);
		for (let i = 1; i < numbers.length; i++) {
			const [[section, part = 0], [before, partBefore = 0]] = [numbers[i], numbers[i - 1]];
			expect(section > before || (section === before && part >= partBefore)).toBe(true);
		}
		for (const { tests, open } of REQUIREMENTS) if (tests.length === 0) expect(open).toBeTruthy();
	});
});
