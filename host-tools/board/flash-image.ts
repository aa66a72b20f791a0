/**
 * The file behind the board's external memory: its emulated flash, and the random octets it is given. The format of the
 * flash is described in firmware/platform/board/log.h.
 */
import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { crc32 } from "./crc32.js";

/** QEMU takes a file of exactly this size; most of it is a hole. */
export const MEMORY_OCTETS = 16 << 20;
export const PAGE_OCTETS = 4096;
const RANDOM_OFFSET = 1 << 20;

const MAGIC = 0x54534542;
const PAGE_HEADER = 16;
const RECORD_HEADER = 8;
const VALUE = 1;

function recordOf(key: string, value: Uint8Array): Buffer {
	const name = Buffer.from(key, "latin1");
	const record = Buffer.alloc((RECORD_HEADER + name.length + value.length + 3) & ~3, 0xff);
	record.writeUInt16LE(value.length, 4);
	record[6] = name.length;
	record[7] = VALUE;
	name.copy(record, RECORD_HEADER);
	record.set(value, RECORD_HEADER + name.length);
	record.writeUInt32LE(crc32(record.subarray(4, RECORD_HEADER + name.length + value.length)), 0);
	return record;
}

/** Makes the file anew, with values in the first page. @throws Error if they do not fit */
export function writeFlash(path: string, values: Iterable<readonly [string, Uint8Array]>): void {
	const header = Buffer.alloc(PAGE_HEADER, 0xff);
	header.writeUInt32LE(MAGIC, 0);
	header.writeUInt32LE(1, 4);
	header.writeUInt32LE(~1 >>> 0, 8);
	const content = Buffer.concat([header, ...[...values].map(([key, value]) => recordOf(key, value))]);
	if (content.length > PAGE_OCTETS) throw new Error(`The values take ${content.length} octets of a flash page.`);
	const page = Buffer.alloc(2 * PAGE_OCTETS, 0xff);
	content.copy(page);
	const file = openSync(path, "w");
	ftruncateSync(file, MEMORY_OCTETS);
	writeSync(file, page, 0, page.length, 0);
	closeSync(file);
}

/** What the board's generator of random numbers gives from now on: for tests, since the emulated machine has none. */
export function giveRandom(path: string, octets: Uint8Array): void {
	const content = Buffer.alloc(8 + octets.length);
	content.writeUInt32LE(octets.length, 0);
	content.set(octets, 8);
	const file = openSync(path, "r+");
	writeSync(file, content, 0, content.length, RANDOM_OFFSET);
	closeSync(file);
}
