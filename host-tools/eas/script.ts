/**
 * What an EAS for trying things answers: the lines of a text, one for each uplink, from the beginning again after the
 * last. An empty line is no answer.
 */
export class AnswerScript {
	private readonly lines: readonly string[];
	private next = 0;

	constructor(text: string) {
		const lines = text.split(/\r?\n/);
		// What ends the last line begins no other.
		if (lines.at(-1) === "") lines.pop();
		this.lines = lines;
	}

	/** The answer to the next uplink. */
	take(): Uint8Array | undefined {
		const line = this.lines[this.next] ?? "";
		this.next = (this.next + 1) % Math.max(1, this.lines.length);
		return line === "" ? undefined : new TextEncoder().encode(line);
	}
}
