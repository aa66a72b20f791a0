/** Where the firmware's flash and static RAM go, from the linker's map of build/board. */
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { projectRoot } from "../device/project-root.js";

/** The sections of the image in flash; .data is there as well, to be copied into RAM. */
const IN_FLASH = [".vectors", ".text", ".rodata", ".ARM.exidx", ".rom", ".data"];
const IN_RAM = [".data", ".bss"];

export interface Footprint {
	readonly flashBytes: number;
	readonly flashByPart: Readonly<Record<string, number>>;
	/** Variables of C and what the image keeps in RAM; not the heap, nor the stack. */
	readonly ramStaticBytes: number;
}

function partOf(object: string): string {
	const name = basename(object);
	if (name === "image.o") return "objects";
	if (object.includes("/build/board/kernel/")) return "kernel";
	// Copies with exported symbols stand in another folder.
	if (object.includes("/build/board/engine") || /^xs\w*\.o$/.test(name)) return "engine";
	if (object.includes("/build/board/")) return "board";
	return "library";
}

/** @throws Error if the firmware has not been built for the board */
export function footprint(program: string): Footprint {
	const folder = join(projectRoot(), "build/board", program);
	const map = readFileSync(join(folder, `${program}.map`), "utf8");
	const sections = map.slice(map.indexOf("Linker script and memory map"));
	const sizeOf = (section: string) => {
		const escaped = section.replaceAll(".", "\\.");
		const found = new RegExp(`^${escaped}\\s+0x[0-9a-f]+\\s+0x([0-9a-f]+)`, "m").exec(sections);
		return found === null ? 0 : Number.parseInt(found[1], 16);
	};
	const sum = (names: readonly string[]) => names.reduce((total, name) => total + sizeOf(name), 0);
	const flashBytes = sum(IN_FLASH);
	const flashByPart: Record<string, number> = { engine: 0, bytecode: 0, objects: 0, kernel: 0, board: 0, library: 0 };
	// A line for each piece of a section: its name, perhaps on a line of its own, address, size, object.
	for (const [, , size, object] of sections.matchAll(
		/^ (\.(?:vectors|text|rodata|ARM\.exidx|rom|data)\S*)\s+0x[0-9a-f]+\s+0x([0-9a-f]+) (\S.*)$/gm,
	))
		flashByPart[partOf(object)] += Number.parseInt(size, 16);
	const { code } = JSON.parse(readFileSync(join(folder, "image.json"), "utf8"));
	flashByPart.objects -= code;
	flashByPart.bytecode = code;
	// Text that several files share is there once, and alignment is nobody's: some hundred octets, put down to the engine.
	flashByPart.engine += flashBytes - Object.values(flashByPart).reduce((total, size) => total + size, 0);
	return { flashBytes, flashByPart, ramStaticBytes: sum(IN_RAM) };
}
