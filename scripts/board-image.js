/**
 * The ROM image: what firmware/platform/board/preload.c has written, as assembler. The program was linked and run at two
 * places; a word that differs by the distance of the two is a pointer, into the preloaded memory or into the program.
 * Pointers into the program become names, so that the image can be linked with a program that lacks the parser and
 * whatever else nothing points to any more.
 */
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The parts of the file, by the numbers of preload.c. */
const PARTS = ["", "machine", "stack", "slots", "chunks", "names", "symbols", "keys", "code", "constants"];
const SLOT_OCTETS = 16;
const KIND_MASK = 0xff;

function partsOf(file) {
	const octets = readFileSync(file);
	const parts = [];
	for (let at = 0; at < octets.length; ) {
		const [what, address, length] = [0, 4, 8].map((offset) => octets.readUInt32LE(at + offset));
		// A copy, padded to whole words.
		const content = Buffer.alloc((length + 3) & ~3);
		octets.copy(content, 0, at + 12, at + 12 + length);
		parts.push({ name: PARTS[what], address, length, content });
		at += 12 + length;
	}
	return parts;
}

/** The symbols of a program, each with the file it comes from where it is local to it. */
async function symbolsOf(elf, prefix) {
	const { stdout } = await run(`${prefix}readelf`, ["-sW", elf], { maxBuffer: 1 << 28 });
	const symbols = [];
	let file = "";
	for (const line of stdout.split("\n")) {
		const [, value, size, type, bind, , , name] = line.trim().split(/\s+/);
		if (type === "FILE") file = name;
		if (type !== "FUNC" && type !== "OBJECT") continue;
		const address = Number.parseInt(value, 16);
		symbols.push({
			name,
			address: type === "FUNC" ? address & ~1 : address,
			size: Number(size),
			isFunction: type === "FUNC",
			isLocal: bind === "LOCAL",
			file,
		});
	}
	return symbols.sort((a, b) => a.address - b.address);
}

/** Reads constants out of a program: text that it has no name for. */
async function contentOf(elf, prefix, folder) {
	const file = join(folder, "flash.bin");
	await run(`${prefix}objcopy`, ["-O", "binary", "-j", ".text", "-j", ".rodata", elf, file]);
	const octets = readFileSync(file);
	rmSync(file);
	return octets;
}

/** An object of the image: what is moved as a whole. */
class Piece {
	label = "";
	isNeeded = false;
	/** In RAM, since the firmware may write to it. */
	isVariable = false;

	constructor(part, address, content, twin) {
		Object.assign(this, { part, address, content, twin });
	}
}

function piecesOf(part, twin) {
	const { name, address, content } = part;
	const pieces = [];
	const add = (from, to) =>
		pieces.push(new Piece(name, address + from, content.subarray(from, to), twin.content.subarray(from, to)));
	if (name === "slots") for (let at = 0; at < content.length; at += SLOT_OCTETS) add(at, at + SLOT_OCTETS);
	else if (name === "chunks")
		for (let at = 0; at < content.length; ) {
			const next = content.readUInt32LE(at + 4) - address;
			add(at, next);
			// The place of the next chunk: of no use in the image.
			content.writeUInt32LE(0, at + 4);
			twin.content.writeUInt32LE(0, at + 4);
			at = next;
		}
	else add(0, content.length);
	return pieces;
}

class Image {
	texts = new Map();
	exported = new Map();

	constructor(pieces, symbols, program, origin, distances) {
		Object.assign(this, { pieces, symbols, program, origin, distances });
		this.sorted = [...pieces].sort((a, b) => a.address - b.address);
	}

	/** The last of a sorted list that begins at or before an address. */
	static before(list, address) {
		let low = 0;
		let high = list.length;
		while (low < high) {
			const middle = (low + high) >> 1;
			if (list[middle].address <= address) low = middle + 1;
			else high = middle;
		}
		return list[low - 1];
	}

	pieceAt(address) {
		const piece = Image.before(this.sorted, address);
		return piece !== undefined && address < piece.address + piece.content.length ? piece : undefined;
	}

	/** The piece that a pointer is for: it points into it, or to its end. */
	targetOf(word) {
		return this.pieceAt(word) ?? this.pieceAt(word - 1);
	}

	/** The words of a piece: numbers, or where they point to. */
	*words({ content, twin, part }) {
		for (let at = 0; at < content.length; at += 4) {
			const word = content.readUInt32LE(at);
			const distance = (twin.readUInt32LE(at) - word) >>> 0;
			if (distance === 0) yield { at, word };
			else if (distance === this.distances.ram || distance === this.distances.code) yield { at, word, isPointer: true };
			else throw new Error(`A word of the image's ${part} differs by ${distance}: it is no pointer.`);
		}
	}

	/** Marks what can be reached. */
	need(piece, arrayBufferKind) {
		const waiting = [piece];
		while (waiting.length > 0) {
			const next = waiting.pop();
			if (next.isNeeded) continue;
			next.isNeeded = true;
			const isBuffer = next.part === "slots" && (next.content.readUInt32LE(4) & KIND_MASK) === arrayBufferKind;
			for (const { at, word, isPointer } of this.words(next)) {
				const target = isPointer ? this.targetOf(word) : undefined;
				if (target === undefined) continue;
				if (isBuffer && at === 8) target.isVariable = true;
				waiting.push(target);
			}
		}
	}

	/** An expression of the assembler for a pointer. */
	expression(word) {
		const piece = this.targetOf(word);
		if (piece !== undefined) return `${piece.label}+${word - piece.address}`;
		const symbol = Image.before(this.symbols, word);
		if (symbol !== undefined && word < symbol.address + symbol.size) {
			// A function's address has its lowest bit set (Thumb); the linker does so by itself.
			const offset = symbol.isFunction ? (word & ~1) - symbol.address : word - symbol.address;
			return offset === 0 ? this.export(symbol) : `${this.export(symbol)}+${offset}`;
		}
		const at = word - this.origin;
		if (at < 0 || at >= this.program.length) return undefined;
		const text = this.program.subarray(at, this.program.indexOf(0, at)).toString("latin1");
		if (!this.texts.has(text)) this.texts.set(text, `romText${this.texts.size}`);
		return this.texts.get(text);
	}

	export(symbol) {
		if (!symbol.isLocal) return symbol.name;
		const name = `rom_${symbol.file.replace(/\W/g, "_")}_${symbol.name}`;
		this.exported.set(name, symbol);
		return name;
	}

	assembler() {
		const sections = { constant: [], variable: [] };
		let unknown = 0;
		this.pieces.forEach((piece, index) => {
			piece.label = piece.part === "machine" ? "romMachine" : `rom${index}`;
		});
		for (const piece of this.pieces.filter(({ isNeeded }) => isNeeded)) {
			const lines = piece.isVariable ? sections.variable : sections.constant;
			if (piece.part === "slots" || piece.part === "stack") lines.push(".balign 16");
			else if (piece.part === "chunks") lines.push(".balign 8");
			lines.push(`${piece.label}:`);
			for (const { word, isPointer } of this.words(piece)) {
				const target = isPointer ? this.expression(word) : String(word);
				if (target === undefined) unknown++;
				lines.push(`.word ${target ?? 0}`);
			}
		}
		if (unknown > 0) throw new Error(`${unknown} pointers of the image lead nowhere.`);
		const texts = [...this.texts].map(
			([text, label]) => `${label}: .byte ${[...Buffer.from(text, "latin1"), 0].join()}`,
		);
		return [
			'.section .rom,"a",%progbits',
			".global romMachine",
			".balign 16",
			...sections.constant,
			...texts,
			'.section .data.rom,"aw",%progbits',
			".balign 16",
			...sections.variable,
			"",
		].join("\n");
	}
}

/** Copies of the objects whose local symbols the image names, with those made global under names of their own. */
async function exportSymbols(exported, objects, prefix, folder) {
	const place = join(folder, "exporting");
	rmSync(place, { recursive: true, force: true });
	mkdirSync(place, { recursive: true });
	return Promise.all(
		objects.map(async (object) => {
			const file = `${basename(object, ".o")}.c`;
			const options = [...exported]
				.filter(([, symbol]) => symbol.file === file)
				.flatMap(([name, symbol]) => [`--redefine-sym=${symbol.name}=${name}`, `--globalize-symbol=${name}`]);
			if (options.length === 0) return object;
			const copy = join(place, basename(object));
			// Two steps: symbols are made global before they are renamed.
			await run(`${prefix}objcopy`, [...options.filter((option) => option.startsWith("--redefine")), object, copy]);
			await run(`${prefix}objcopy`, [...options.filter((option) => option.startsWith("--globalize")), copy]);
			return copy;
		}),
	);
}

/**
 * @param dumps of the two places: {elf, file}
 * @returns the objects to link the image with, and figures of it
 */
export async function makeImage(dumps, outfile, prefix, objects, folder) {
	const [parts, twins] = dumps.map(({ file }) => partsOf(file));
	if (parts.length !== twins.length || parts.some((part, index) => part.length !== twins[index].length))
		throw new Error("The firmware was not preloaded twice alike: is something in it random?");
	const [symbols, otherSymbols] = await Promise.all(dumps.map(({ elf }) => symbolsOf(elf, prefix)));
	const placeOf = (list, name) => list.find((symbol) => symbol.name === name).address;
	const distances = {
		code: placeOf(otherSymbols, "main") - placeOf(symbols, "main"),
		ram: twins[1].address - parts[1].address,
	};
	const constants = parts.find(({ name }) => name === "constants").content;
	const pieces = parts.flatMap((part, index) => (part.name === "constants" ? [] : piecesOf(part, twins[index])));
	const { stdout } = await run(`${prefix}readelf`, ["-SW", dumps[0].elf]);
	const origin = Number.parseInt(/ \.text +PROGBITS +([0-9a-f]+)/.exec(stdout)[1], 16);
	const image = new Image(pieces, symbols, await contentOf(dumps[0].elf, prefix, folder), origin, distances);
	image.need(
		pieces.find(({ part }) => part === "machine"),
		constants.readUInt32LE(0),
	);
	writeFileSync(outfile, image.assembler());
	const count = (part) =>
		pieces
			.filter((piece) => piece.isNeeded && piece.part === part)
			.reduce((sum, { content }) => sum + content.length, 0);
	return {
		objects: await exportSymbols(image.exported, objects, prefix, folder),
		figures: Object.fromEntries(PARTS.slice(1, -1).map((part) => [part, count(part)])),
	};
}
