import { CR, LF, SPACE } from "./ascii.js";

/** Room for a datagram of the longest kind in hexadecimal, and what stands before it. */
export const LONGEST_LINE = 2560;

/** What an octet has completed. */
export const COMPLETED = { nothing: 0, line: 1, prompt: 2, octets: 3 } as const;

/**
 * Octets of a modem into lines, prompts and blocks of octets (V.250 5.7, TS 27.007 4.1). Whatever comes, it never throws
 * and never grows: a line that is too long is dropped whole.
 */
export class LineReader {
	/** The line, or the block of octets, that was completed last; the next octet may overwrite it. */
	readonly line = new Uint8Array(LONGEST_LINE);
	/** Where its text ends; it begins at 0. Spaces and CR around it are left out. */
	end = 0;
	/** The character that is a prompt where a line begins with it, 0 for none. */
	prompt = 0;
	private filled = 0;
	private tooLong = false;
	/** Octets of a block still to come. */
	private wanted = 0;

	/** Takes one octet. */
	push(octet: number): number {
		if (this.wanted > 0) return this.pushToBlock(octet);
		if (octet === LF) return this.endLine();
		if (this.filled === 0 && (octet === CR || octet === SPACE)) return COMPLETED.nothing;
		if (this.filled === 0 && this.prompt !== 0 && octet === this.prompt) {
			this.prompt = 0;
			return COMPLETED.prompt;
		}
		if (this.filled < LONGEST_LINE) this.line[this.filled++] = octet;
		else this.tooLong = true;
		return COMPLETED.nothing;
	}

	/** What comes next, right behind the line that was just completed, is a block of `count` octets. */
	expectOctets(count: number): void {
		this.wanted = count;
		this.filled = 0;
	}

	/** Octets of a block are no longer waited for. */
	forgetOctets(): void {
		if (this.wanted > 0) this.filled = 0;
		this.wanted = 0;
	}

	/** Fills what was read with zero. */
	erase(): void {
		this.line.fill(0);
		this.filled = 0;
	}

	private pushToBlock(octet: number): number {
		if (this.filled < LONGEST_LINE) this.line[this.filled++] = octet;
		this.wanted--;
		if (this.wanted > 0) return COMPLETED.nothing;
		this.end = this.filled;
		this.filled = 0;
		return COMPLETED.octets;
	}

	private endLine(): number {
		const { line, tooLong } = this;
		let end = this.filled;
		this.filled = 0;
		this.tooLong = false;
		while (end > 0 && (line[end - 1] === CR || line[end - 1] === SPACE)) end--;
		this.end = end;
		return end === 0 || tooLong ? COMPLETED.nothing : COMPLETED.line;
	}
}
