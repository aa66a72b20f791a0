/**
 * Frames on a serial line: contents ‖ CRC-16, made free of zero octets by COBS (Cheshire and Baker, 1999), between two
 * zero octets. What stood on the line before a frame ends at its first zero, so noise spoils one frame at most.
 */
import { readUint16, writeUint16 } from "../emsdp/octets.js";
import { crc16 } from "./crc16.js";

/** The most octets that a frame contains. */
export const LONGEST_CONTENTS = 512;
const CRC_OCTETS = 2;
const CAPACITY = LONGEST_CONTENTS + CRC_OCTETS;
/** Octets of a code block of COBS, its code included. */
const LONGEST_BLOCK = 255;
/** Octets on the line for {@link LONGEST_CONTENTS}. */
export const LONGEST_FRAME = CAPACITY + Math.ceil(CAPACITY / (LONGEST_BLOCK - 1)) + 2;

/** Takes a line octet by octet: constant memory and time for each, whatever the octets. */
export class FrameReader {
	/** The contents of the frame that ended last, valid until the next octet. */
	readonly contents = new Uint8Array(CAPACITY);
	private length = 0;
	/** Octets that the block still has, and whether a zero stands behind it. */
	private left = 0;
	private endsInZero = false;
	private isSpoilt = false;

	/** @returns the length of the contents where a whole frame has ended and its CRC is right, else −1 */
	take(octet: number): number {
		if (octet === 0) return this.end();
		if (this.left > 0) {
			this.left--;
			this.put(octet);
		} else {
			if (this.endsInZero) this.put(0);
			this.left = octet - 1;
			this.endsInZero = octet !== LONGEST_BLOCK;
		}
		return -1;
	}

	/** Forgets what has been read, contents included. */
	erase(): void {
		this.contents.fill(0);
		this.reset();
	}

	private end(): number {
		const length = this.length - CRC_OCTETS;
		const isGood =
			!this.isSpoilt &&
			this.left === 0 &&
			length >= 0 &&
			crc16(this.contents, length) === readUint16(this.contents, length);
		this.reset();
		return isGood ? length : -1;
	}

	private reset(): void {
		this.length = 0;
		this.left = 0;
		this.endsInZero = false;
		this.isSpoilt = false;
	}

	private put(octet: number): void {
		if (this.length < CAPACITY) this.contents[this.length++] = octet;
		else this.isSpoilt = true;
	}
}

/**
 * Writes a frame.
 * @param contents with room for the CRC behind `length`, which is written there
 * @param length at most {@link LONGEST_CONTENTS}
 * @param out at least {@link LONGEST_FRAME} octets
 * @returns the octets of the frame
 */
export function writeFrame(out: Uint8Array, contents: Uint8Array, length: number): number {
	writeUint16(contents, length, crc16(contents, length));
	out[0] = 0;
	let code = 1;
	let at = 2;
	for (let i = 0; i < length + CRC_OCTETS; i++) {
		if (contents[i] !== 0) out[at++] = contents[i];
		if (contents[i] === 0 || at - code === LONGEST_BLOCK) {
			out[code] = at - code;
			code = at++;
		}
	}
	out[code] = at - code;
	out[at++] = 0;
	return at;
}
