import { beforeAll, expect, test } from "@jest/globals";
import { builtProgram } from "../../../host-tools/board/board.js";
import { committedFigures, type Figures, growth, takeFigures } from "../../../host-tools/board/figures.js";
import { runBoard } from "../../../host-tools/board/run.js";
import { loadKernel } from "../../../host-tools/kernel.js";
import { build } from "../../../scripts/build.js";
import { buildBoardPrograms } from "../../../scripts/build-board.js";
import { record } from "../../traces/record.js";
import { linesOf } from "../../traces/replay.js";
import { describeBoard, newFlash, runProgram } from "./support.js";

const MINUTES = 60_000;
const entries = ["natives", "hungry", "deep"];
/** Of the random scenarios, some in which sessions are agreed, resumed, given new keys and ended. */
const traces = [1010, 1017, 1026, 1030].map((seed) => record(seed).trace);

// One file for all: two at a time would build into the same folder.
describeBoard("the emulated board", () => {
	beforeAll(async () => {
		await build("board");
		await buildBoardPrograms([
			...entries.map((name) => ({
				name: `test-${name}`,
				main: `tests/platform/board/${name}.entry.ts`,
				preloaded: [],
			})),
			{
				name: "test-traces",
				main: "tests/traces/traces.entry.ts",
				preloaded: ["tests/traces/replay.ts"],
				define: { TRACES: JSON.stringify(traces) },
			},
		]);
	}, 5 * MINUTES);

	test(
		"the firmware keeps a session with an HSE, over a power cut",
		async () => {
			const summary = await runBoard({ uplinks: 20, print: () => {} });
			expect(summary).toMatchObject({
				sent: 20,
				delivered: 20,
				answered: 5,
				downlinks: 5,
				sessions: 1,
				resumed: 1,
				powerCuts: 1,
				terminated: true,
			});
		},
		2 * MINUTES,
	);

	test(
		"the firmware counts the same in three runs, and stays within its targets",
		async () => {
			const figures = await takeFigures();
			expect(figures.flashBytes).toBeLessThanOrEqual(400 * 1024);
			expect(figures.heapPeakBytes).toBeLessThanOrEqual(40 * 1024);
			expect(figures.ramStaticBytes).toBeLessThanOrEqual(16 * 1024);
			expect(figures.stackPeakBytes).toBeLessThanOrEqual(6 * 1024);
			expect(figures.instructions.uplink20).toBeLessThanOrEqual(60_000);
			expect(figures.allocatedBytes.uplink20).toBe(0);
			const parts = Object.values(figures.flashByPart).reduce((sum, octets) => sum + octets, 0);
			expect(parts).toBe(figures.flashBytes);
		},
		2 * MINUTES,
	);

	test("growth by more than 3 % is told", () => {
		const committed = committedFigures() as Figures;
		expect(growth(committed, committed)).toEqual([]);
		const flashBytes = Math.ceil(committed.flashBytes * 1.031);
		expect(growth({ ...committed, flashBytes }, committed)).toEqual([
			`flashBytes has grown from ${committed.flashBytes} to ${flashBytes}, by more than 3 %.`,
		]);
	});

	test("the natives work and check what they are given", async () => {
		const flash = newFlash([["given", Uint8Array.of(1, 2, 3)]]);
		const random = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);
		const program = builtProgram("test-natives");
		const { status, lines, errors } = await runProgram(program, flash, random);
		expect(errors).toEqual([]);
		expect(lines).toEqual([
			"random 1 2 3 4",
			"random 5 6 7 8",
			"Error: The host has given too few random octets.",
			"given 1 2 3",
			"unknown nothing",
			"given 9 8",
			"given nothing",
			"kept 7 208",
			'RangeError: A key has 1 to 32 characters of a-z, 0-9 and "-".',
			"RangeError: A value has at most 1024 octets.",
			'Error: "::1" is no IPv4 address, and this board knows no other.',
			"RangeError: port must not be 0.",
			"RangeError: length must be an integer from 0 to 4.",
			"the alarm, in time",
		]);
		expect(status).toBe(0);
		// What was written is there after a restart.
		const again = await runProgram(program, flash, random);
		expect(again.lines[3]).toBe("given nothing");
	});

	test(
		"recorded scenarios give the same as in Node, octet by octet",
		async () => {
			const kernel = loadKernel();
			const { status, lines, errors } = await runProgram(builtProgram("test-traces"));
			expect(errors).toEqual([]);
			const wanted = traces.flatMap((trace) => linesOf(kernel, trace));
			for (const what of ["session started", "session resumed", "new keys", "session over", "downlink"])
				expect(wanted.join()).toContain(what);
			// The board's own last word follows.
			expect(lines.slice(0, -1)).toEqual(wanted);
			expect(status).toBe(0);
		},
		2 * MINUTES,
	);

	test("a clear line and a reset when memory is exhausted", async () => {
		const { status, lines, errors } = await runProgram(builtProgram("test-hungry"));
		expect(lines).toEqual([]);
		expect(errors).toHaveLength(1);
		expect(errors[0]).toMatch(
			/^board: memory is exhausted: no room for (slots|chunks) \(slots in use \d+ octets, chunks in use \d+ octets, taken \d+ octets\)\.$/,
		);
		expect(status).toBe(1);
	});

	test("a clear line and a reset when calls are nested too deep", async () => {
		const { status, errors } = await runProgram(builtProgram("test-deep"));
		expect(errors).toEqual(["board: the stack is exhausted: calls are nested too deep."]);
		expect(status).toBe(1);
	});
});
