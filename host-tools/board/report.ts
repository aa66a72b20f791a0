/** docs/footprint.md and its picture, from the figures. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../device/project-root.js";
import { type Bar, barsOf } from "./bars.js";
import type { Figures } from "./figures.js";

/** What a part of the flash is. */
const PARTS: Readonly<Record<string, readonly [title: string, colour: string]>> = {
	engine: ["XS engine", "#4e79a7"],
	bytecode: ["bytecode", "#f28e2b"],
	objects: ["preloaded objects", "#ffbe7d"],
	kernel: ["AES kernel", "#e15759"],
	board: ["drivers, natives", "#76b7b2"],
	library: ["C library", "#9c9ede"],
};
const RAM_COLOURS = { heap: "#59a14f", stack: "#edc948", variables: "#b07aa1" };

const K = 1024;
/** C stack that the board reserves; what was used is in the table. */
const STACK_RESERVED = 8 * K;
/** Flash and RAM of the chips, by their data sheets. The ESP32-C3 has its flash beside it: 4 MB is usual. */
const CHIPS = { nrf: { flash: 1024 * K, ram: 256 * K }, esp: { flash: 4096 * K, ram: 400 * K } };

/** Targets of the project. */
const TARGETS = { flash: 400 * K, heap: 40 * K, variables: 16 * K, stack: 6 * K, uplink: 60_000 };

/**
 * Instructions of others' C code on the same emulated board, for two AES-128 passes over a message (CTR and CMAC), keys
 * expanded before: measured when the project was planned, with GCC 12.2 -O2.
 */
const PEERS: readonly (readonly [name: string, ...counts: number[]])[] = [
	["mbedTLS 3.6, best configuration (tables)", 660, 4_681, 20_717, 96_553],
	["Moddable SDK's C AES (tables)", 1_823, 3_237, 20_116, 99_388],
	["tiny-AES-c", 5_429, 17_644, 114_594, 568_671],
	["TinyCrypt", 7_759, 24_200, 154_807, 766_353],
	["fixslicing in assembly, with modes", 6_148, 4_919, 31_663, 158_121],
];

const grouped = (number: number) => number.toLocaleString("en-GB");

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] {
	const line = (cells: readonly (string | number)[]) =>
		`| ${cells.map((cell) => (typeof cell === "number" ? grouped(cell) : cell)).join(" | ")} |`;
	return [line(head), `|${head.map((_, index) => (index === 0 ? "---|" : "---:|")).join("")}`, ...rows.map(line)];
}

function picture(figures: Figures): string {
	const flash = Object.entries(figures.flashByPart).map(([part, octets]) => {
		const [label, colour] = PARTS[part];
		return { label, octets, colour };
	});
	const ram = [
		{ label: "engine's memory", octets: figures.heapPeakBytes, colour: RAM_COLOURS.heap },
		{ label: "C stack (reserved)", octets: STACK_RESERVED, colour: RAM_COLOURS.stack },
		{ label: "variables", octets: figures.ramStaticBytes, colour: RAM_COLOURS.variables },
	];
	const bars: Bar[] = [
		{ label: "flash, nRF52840", capacity: CHIPS.nrf.flash, parts: flash },
		{ label: "RAM, nRF52840", capacity: CHIPS.nrf.ram, parts: ram },
		{ label: "RAM, ESP32-C3", capacity: CHIPS.esp.ram, parts: ram },
	];
	return barsOf("The firmware with one live session, against two chips", bars);
}

function met(value: number, target: number): string {
	return value <= target ? "yes" : "**no**";
}

function text(figures: Figures): string {
	const { flashBytes, flashByPart, ramStaticBytes, heapPeakBytes, stackPeakBytes, instructions } = figures;
	const { longest, allocatedBytes } = figures;
	const milliseconds = (count: number) => `${(count / 64_000).toFixed(count < 640_000 ? 2 : 0)} ms`;
	return [
		"# Footprint on a Cortex-M4",
		"",
		"Made by `npm run board -- --report`; not to be edited by hand. The firmware runs whole on QEMU's `mps2-an386`: the XS",
		"engine without its parser, the native constant-time kernel, the client, and a network link to a real HSE. All counts",
		"are executed instructions and are the same in every run. A chip takes about as many cycles and some more: flash with",
		"wait states is not modelled. Random octets come from the host, since the emulated machine has no source of its own: the",
		"board is for tests and figures. The ESP32-C3 has a RISC-V core, so its bar shows RAM only, with figures of this board.",
		"",
		"![Flash and RAM](footprint.svg)",
		"",
		"## Memory",
		"",
		...table(
			["", "octets", "target", "met"],
			[
				["Flash, whole image", flashBytes, TARGETS.flash, met(flashBytes, TARGETS.flash)],
				[
					"RAM of the engine, one live session (slots, chunks, engine's stack, tables)",
					heapPeakBytes,
					TARGETS.heap,
					met(heapPeakBytes, TARGETS.heap),
				],
				["Static RAM (variables)", ramStaticBytes, TARGETS.variables, met(ramStaticBytes, TARGETS.variables)],
				["C stack, deepest", stackPeakBytes, TARGETS.stack, met(stackPeakBytes, TARGETS.stack)],
			],
		),
		"",
		"Where the flash goes:",
		"",
		...table(
			["part", "octets"],
			Object.entries(flashByPart).map(([part, octets]) => [PARTS[part][0], octets]),
		),
		"",
		"## Instructions",
		"",
		...table(
			["operation", "instructions", "at 64 MHz, one cycle each"],
			[
				["boot: reset to the first line of the firmware", instructions.boot, milliseconds(instructions.boot)],
				["new session: everything the device computes", instructions.newSession, milliseconds(instructions.newSession)],
				["uplink of 20 octets: `client.send` to the frame", instructions.uplink20, milliseconds(instructions.uplink20)],
				["downlink of 20 octets: datagram to event", instructions.downlink20, milliseconds(instructions.downlink20)],
				["deep sleep: the session into its snapshot", instructions.snapshot, milliseconds(instructions.snapshot)],
				["waking: `client.start` with the snapshot", instructions.wake, milliseconds(instructions.wake)],
				["the uplink of 20 octets after it", instructions.wakeUplink20, milliseconds(instructions.wakeUplink20)],
				[
					"resume after a restart: everything the device computes",
					instructions.resume,
					milliseconds(instructions.resume),
				],
			],
		),
		"",
		`Target for the uplink: ${grouped(TARGETS.uplink)}; met: ${met(instructions.uplink20, TARGETS.uplink)}. The mean of 20 messages; the`,
		`longest took ${grouped(longest.uplink20)} (uplink) and ${grouped(longest.downlink20)} (downlink, with a garbage collection if there was one).`,
		`The engine hands out ${allocatedBytes.uplink20} octets for an uplink and ${allocatedBytes.downlink20} for a downlink.`,
		"",
		"The native kernel alone, beside others on the same emulated board:",
		"",
		...table(
			["", "set keys", "protect 20", "200", "1,024 octets"],
			[
				[
					"**this project, constant time**",
					instructions.setKey,
					instructions.protect20,
					instructions.protect200,
					instructions.protect1024,
				],
				...PEERS,
			],
		),
		"",
		"This project's counts are of one call with everything behind it: checks, copying, both passes. Those of the others",
		"were taken once, with GCC 12.2 at -O2, and are not part of the build.",
		"",
		"## How it is made",
		"",
		"`npm run board` compiles the engine of the npm package `@agoric/xsnap` for the board, as it is. A first program, with",
		"the parser, runs while building: it evaluates the firmware's modules, deletes the built-ins that the firmware never",
		"names, freezes what is left, and hands out its memory. That becomes assembler whose pointers are names, so the final",
		"program holds only engine code that something still points to. `--check` compares with `docs/footprint.json`.",
		"",
	].join("\n");
}

export function writeReport(figures: Figures): void {
	const docs = join(projectRoot(), "docs");
	writeFileSync(join(docs, "footprint.md"), text(figures));
	writeFileSync(join(docs, "footprint.svg"), picture(figures));
}
