import { CAUSE, FIRST_IGNORED_TAG, TAG } from "./profile.js";

const KNOWN_TAGS = TAG.counters + 1;
const NO_NUMBERS: number[] = [];
const NO_OCTETS = new Uint8Array(0);

/**
 * Where the TLVs of one message lie. One object is filled again for each message; it refers to the octets it was given
 * and is valid as long as they are.
 */
export class TlvScan {
	octets: Uint8Array = NO_OCTETS;
	/** Offset of each known tag's value, −1 where the tag does not appear. Made by the first {@link scan}. */
	offsets: number[] = NO_NUMBERS;
	lengths: number[] = NO_NUMBERS;
	/** The lowest tag that was found and is neither known nor to be ignored, −1 where there is none. */
	unknownTag = -1;
	/** One bit for each of the 256 tags. */
	private seen: number[] = NO_NUMBERS;

	/**
	 * Walks the TLVs in `octets[start .. end)` once.
	 * @returns 0, or cause 01 where a TLV runs past the end or a tag appears twice
	 */
	scan(octets: Uint8Array, start: number, end: number): number {
		this.octets = octets;
		if (this.offsets === NO_NUMBERS) this.make();
		this.offsets.fill(-1);
		this.seen.fill(0);
		this.unknownTag = -1;
		let at = start;
		while (at < end) {
			if (end - at < 2) return CAUSE.malformed;
			const tag = octets[at];
			const length = octets[at + 1];
			at += 2;
			if (length > end - at) return CAUSE.malformed;
			const bit = 1 << (tag & 31);
			if ((this.seen[tag >> 5] & bit) !== 0) return CAUSE.malformed;
			this.seen[tag >> 5] |= bit;
			if (tag < KNOWN_TAGS) {
				this.offsets[tag] = at;
				this.lengths[tag] = length;
			} else if (tag < FIRST_IGNORED_TAG && this.unknownTag < 0) this.unknownTag = tag;
			at += length;
		}
		return 0;
	}

	/** Not before it is needed: a device that wakes, sends and sleeps does without. */
	private make(): void {
		this.offsets = new Array(KNOWN_TAGS).fill(-1);
		this.lengths = new Array(KNOWN_TAGS).fill(0);
		this.seen = [0, 0, 0, 0, 0, 0, 0, 0];
	}

	has(tag: number): boolean {
		return this.offsets[tag] >= 0;
	}

	/** A copy of the value. The tag must be there. */
	value(tag: number): Uint8Array {
		const offset = this.offsets[tag];
		return this.octets.slice(offset, offset + this.lengths[tag]);
	}
}

/** Appends a TLV at `offset`. @returns the offset behind it */
export function writeTlv(octets: Uint8Array, offset: number, tag: number, value: Uint8Array): number {
	octets[offset] = tag;
	octets[offset + 1] = value.length;
	octets.set(value, offset + 2);
	return offset + 2 + value.length;
}
