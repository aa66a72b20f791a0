/** docs/conformance.md, made of the requirements. */
import { ATTACKS, REQUIREMENTS, type Requirement } from "./requirements.js";

/** `file > part of a title` in its parts. */
export function partsOf(test: string): { readonly file: string; readonly title: string } {
	const at = test.indexOf(" > ");
	return { file: `tests/${test.slice(0, at)}`, title: test.slice(at + 3) };
}

/** Files whose tests stand in a module that several of them share. */
const MODULES: readonly string[] = ["tests/hunt/suite"];

/** The file that a test's title stands in. */
export function sourceOf(test: string): string {
	const { file } = partsOf(test);
	return MODULES.includes(file) ? `${file}.ts` : `${file}.test.ts`;
}

function statusOf({ tests, open }: Requirement): string {
	if (tests.length === 0) return `open: ${open}`;
	return open === undefined ? "shown" : `shown; open: ${open}`;
}

function cell(test: string): string {
	const { title } = partsOf(test);
	return `[${title.replace(/[[\]|$<>*_\\]/g, "\\$&")}](../${sourceOf(test)})`;
}

const table = (heads: readonly string[], rows: readonly (readonly string[])[]) =>
	[heads, heads.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

/** The whole document. */
export function conformanceDocument(): string {
	const shown = REQUIREMENTS.filter(({ tests }) => tests.length > 0).length;
	return `# Conformance

What this project's EMSDP wire profile 1 asks for, clause by clause, and the tests that show it. Made by \`npm run conformance\`
from \`tests/conformance/requirements.ts\`; a test fails where this file is not up to date or a test that it names is not there.

Marks: **S** fixed by 3GPP TS 33.163, **G** by another standard that governs the point, **P** chosen by the profile, because
the whole text of TS 33.163 was not at hand. So this table says how far the code follows the profile; it does not say that the
profile is TS 33.163.

${shown} of ${REQUIREMENTS.length} requirements are shown by tests.

${table(
	["clause", "requirement", "mark", "shown by", "status"],
	REQUIREMENTS.map((requirement) => [
		requirement.clause,
		requirement.requirement,
		requirement.marks.join(", "),
		requirement.tests.map(cell).join("; ") || "–",
		statusOf(requirement),
	]),
)}

## What an attacker tries

${table(
	["attack", "tried by"],
	ATTACKS.map(([attack, test]) => [attack, cell(test)]),
)}

## Tests that hunt

- **Random scenarios** (\`tests/hunt/random-*.test.ts\`): UE and HSE over a link that loses, copies, delays, reorders and spoils
  datagrams and has an MTU, with random commands, power cuts at both ends in the midst of an output or a write, changes of
  address, load and lifetime: 10,000 in every run. Every payload arrives once at most and in the order that its counter scheme
  allows, never without protection; no end spins or waits for ever; over a good link both come to the same state. A failure
  prints its seed and the smallest case: the steps and the faults of the link that are needed for it.
- **A recorder** sees every key stream and every MAC of these runs, at both ends and over all restarts: no key, COUNT, BEARER
  and DIRECTION protect two messages, no end opens a message twice, no erased key is used, no SQN goes out twice.
- **Power cuts** (\`tests/hunt/power-cuts.test.ts\`) at every output and before, in and after every write of each procedure, and
  again while the end starts anew.
- **Changed messages** (\`tests/hunt/mutations.test.ts\`): 50,000 made of all vectors and of a live run, against the decoders and
  against both ends in seven situations.
- **Traces** (\`tests/traces/\`): what the UE was given in random scenarios, replayed on XS on this machine, and some of them on
  the emulated board: it must give the same octets as in Node.

\`npm run test:nightly\` hunts 20 times as long: 200,000 scenarios, 1,000,000 changed messages.
`;
}
