/** Lines for standard output, written together at the end of a turn of the event loop: each write is a call of the system. */
export class LineBuffer {
	private readonly write: (text: string) => void;
	private text = "";

	/** @param write takes whole lines, each with its end */
	constructor(write: (text: string) => void) {
		this.write = write;
	}

	add(line: string): void {
		if (this.text === "") setImmediate(() => this.flush());
		this.text += `${line}\n`;
	}

	/** Writes what there is: before the end of the process. */
	flush(): void {
		const { text } = this;
		this.text = "";
		if (text !== "") this.write(text);
	}
}
