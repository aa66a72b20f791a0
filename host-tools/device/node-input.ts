import { octetsArgument } from "./node-arguments.js";

const PREFIX = 2;
/** Beyond this, the rest stays in the pipe. */
const WAITING_LIMIT = 2 * 65537;

/** `host.inputRead`: frames from standard input, two octets of length (big-endian) before each. */
export class NodeInput {
	readonly #onArrival: () => void;
	#waiting: Buffer = Buffer.alloc(0);
	#started = false;
	#ended = false;
	#told = false;

	constructor(onArrival: () => void) {
		this.#onArrival = onArrival;
	}

	/** Whether standard input is read, and keeps the program running. */
	hold(needed: boolean): void {
		if (needed && !this.#started) this.#start();
		if (!this.#started || this.#ended) return;
		if (needed && this.#waiting.length < WAITING_LIMIT) process.stdin.resume();
		else process.stdin.pause();
	}

	/** A whole frame waits, or the end has been reached and not yet been told. */
	get waits(): boolean {
		return this.#frameWaits || (this.#ended && !this.#told);
	}

	/** Called when the bundle is about to be told: the end is told once. */
	isTold(): void {
		this.#told = this.#ended && !this.#frameWaits;
	}

	read(into: unknown): number {
		const target = octetsArgument(into, "into");
		if (!this.#frameWaits) {
			this.#told = this.#ended;
			return this.#ended ? -2 : -1;
		}
		const end = PREFIX + this.#waiting.readUInt16BE(0);
		const frame = this.#waiting.subarray(PREFIX, end);
		target.set(frame.subarray(0, target.length));
		this.#waiting = this.#waiting.subarray(end);
		return frame.length;
	}

	get #frameWaits(): boolean {
		const { length } = this.#waiting;
		return length >= PREFIX && length >= PREFIX + this.#waiting.readUInt16BE(0);
	}

	#start(): void {
		this.#started = true;
		const end = () => {
			this.#ended = true;
			this.#onArrival();
		};
		process.stdin.on("data", (octets: Buffer) => {
			this.#waiting = Buffer.concat([this.#waiting, octets]);
			this.#onArrival();
		});
		process.stdin.on("end", end).on("error", end);
	}
}
