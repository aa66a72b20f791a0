/** Runs the measuring program (firmware/platform/board/measure.ts) and tells what it counted, in instructions. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Failure } from "../cli/errors.js";
import { builtProgram, startBoard } from "./board.js";
import { writeFlash } from "./flash-image.js";

/** An instruction takes 2^6 ns of the board's time, and a tick of its timer (25 MHz) 40 ns. */
const SHIFT = 6;
const INSTRUCTIONS_PER_TICK = 40 / 2 ** SHIFT;
/** Milliseconds. */
const PATIENCE = 60_000;

/** Executed instructions of each operation. */
export interface Instructions {
	/** From reset to the first line of the firmware. */
	readonly boot: number;
	/** One call of the native kernel, without the engine: both keys expanded, so many octets enciphered and a MAC of 4 octets. */
	readonly setKey: number;
	readonly protect20: number;
	readonly protect200: number;
	readonly protect1024: number;
	/** From client.start() to the event, both ends' waiting left out: what the device itself computes. */
	readonly newSession: number;
	/** From client.send() of 20 octets until the frame is with the Ethernet controller; a mean that includes collections. */
	readonly uplink20: number;
	/** From the datagram in memory to the end of its event. */
	readonly downlink20: number;
	/** A session packed for deep sleep. */
	readonly snapshot: number;
	/** From client.start() with a snapshot until it can send. */
	readonly wake: number;
	/** The uplink of 20 octets that follows. */
	readonly wakeUplink20: number;
	/** From nothing but the store to a session that goes on: what the device itself computes. */
	readonly resume: number;
}

export interface Measured {
	readonly instructions: Instructions;
	/** The longest of the messages measured: with a garbage collection, where one was needed. */
	readonly longest: { readonly uplink20: number; readonly downlink20: number };
	/** The most octets of slots and chunks that the engine hands out for one message. */
	readonly allocatedBytes: { readonly uplink20: number; readonly downlink20: number };
	/** The most of the engine's memory (slots, chunks, stack, tables) and of the C stack. */
	readonly heapPeakBytes: number;
	readonly stackPeakBytes: number;
}

/** @throws Failure if the program does not come to its end */
async function run(): Promise<Record<string, number>> {
	const folder = mkdtempSync(join(tmpdir(), "best-measure-"));
	const flash = join(folder, "flash.bin");
	writeFlash(flash, []);
	const board = startBoard({ flash, program: builtProgram("measure"), instructionShift: SHIFT });
	const figures: Record<string, number> = {};
	const errors: string[] = [];
	board.onLine((line) => Object.assign(figures, JSON.parse(line)));
	board.onErrorLine((line) => errors.push(line));
	const timer = setTimeout(() => board.cutPower(), PATIENCE);
	const status = await board.exited;
	clearTimeout(timer);
	rmSync(folder, { recursive: true });
	if (status !== 0) throw new Failure(`The measuring program ended with status ${status}: ${errors.join(" ")}`);
	return figures;
}

export async function measure(): Promise<Measured> {
	const ticks = await run();
	const { kernelNothing, nothing, stackPeakBytes, heapPeakBytes } = ticks;
	/** What taking the time costs is left out. */
	const count = (name: string, overhead: number) => Math.round((ticks[name] - overhead) * INSTRUCTIONS_PER_TICK);
	const loop = count("loopOf20000", kernelNothing);
	if (Math.abs(loop - 20_000) > 10) throw new Failure(`A loop of 20,000 instructions was counted as ${loop}.`);
	const allocated = (name: string) => ticks[`${name}Allocated`] - ticks.nothingAllocated;
	return {
		instructions: {
			boot: count("boot", 0),
			setKey: count("setKey", kernelNothing),
			protect20: count("protect20", kernelNothing),
			protect200: count("protect200", kernelNothing),
			protect1024: count("protect1024", kernelNothing),
			newSession: count("newSession", nothing),
			uplink20: count("uplink20", nothing),
			downlink20: count("downlink20", nothing),
			snapshot: count("snapshot", nothing),
			wake: count("wake", nothing),
			wakeUplink20: count("wakeUplink20", nothing),
			resume: count("resume", nothing),
		},
		longest: { uplink20: count("uplink20Most", nothing), downlink20: count("downlink20Most", nothing) },
		allocatedBytes: { uplink20: allocated("uplink20"), downlink20: allocated("downlink20") },
		heapPeakBytes,
		stackPeakBytes,
	};
}
