import { beginsWith, CR, isText, octetsOf, readDecimal, readHexadecimal, SPACE } from "./ascii.js";
import { COMPLETED, LineReader, LONGEST_LINE } from "./line-reader.js";
import { Pattern } from "./pattern.js";
import type { ReadyStep } from "./step.js";
import type { Values } from "./values.js";

/**
 * How a command ended. `refused`: a final result that is no success, no line of information where one is needed, or bad
 * news later. `silent`: no final result in time, but the modem answers other commands. `dead`: it answers nothing.
 */
export type Outcome = "done" | "refused" | "silent" | "dead";

type State = "idle" | "final" | "prompt" | "pause" | "later" | "settling";

const OK = octetsOf("OK");
/** Final results that are no success (V.250 5.7.1, TS 27.007 9.2, TS 27.005 3.2.5); a number may follow the colon. */
const FAILURES = [
	"ERROR",
	"+CME ERROR:",
	"+CMS ERROR:",
	"NO CARRIER",
	"NO DIALTONE",
	"NO ANSWER",
	"BUSY",
	"COMMAND NOT SUPPORT",
].map(octetsOf);

/**
 * A question whose answer begins like no other: behind it nothing can belong to an earlier command (TS 27.007 9.1). The
 * CR before it ends what is left of a spoilt line.
 */
const MARKER = octetsOf("\rAT+CMEE?\r");
const MARKER_PATIENCE = 2000;
/** For the answers to further markers, once one has come. */
const MARKER_GRACE = 1000;
const MARKER_TRIES = 4;

/**
 * One AT command at a time, without any input or output of its own: time and octets come in, octets, an outcome and a
 * deadline go out. After every input send what {@link takeOutput} gives, look at {@link takeOutcome}, and wait for octets
 * until {@link deadline}.
 */
export class AtEngine {
	/** What is to be sent stands here. */
	readonly output = new Uint8Array(LONGEST_LINE);
	/** When {@link handleTimeout} is to be called. */
	deadline: number | undefined;
	private readonly values: Values;
	private readonly unsolicited: (line: Uint8Array, end: number) => void;
	private readonly reader = new LineReader();
	private readonly markerReply = new Pattern("+CMEE: *");
	private state: State = "idle";
	private step: ReadyStep | undefined;
	private outputLength = 0;
	private outcome: Outcome | undefined;
	private hasReply = false;
	/** The line of information has announced octets in hexadecimal, which are still to come. */
	private awaitsHexadecimal = false;
	/** What came early of the news that follow the final result. */
	private news: "good" | "bad" | undefined;
	/** Whether a marker's own line has come, and how many have been answered to the end. */
	private hasMarker = false;
	private markersAnswered = 0;
	private markersSent = 0;

	/** @param unsolicited is given each line that answers no command, the echo of one included; it is valid during the call */
	constructor(values: Values, unsolicited: (line: Uint8Array, end: number) => void) {
		this.values = values;
		this.unsolicited = unsolicited;
	}

	get isIdle(): boolean {
		return this.state === "idle" && this.outcome === undefined;
	}

	/** @returns octets to send from {@link output}, 0 for none */
	takeOutput(): number {
		const length = this.outputLength;
		this.outputLength = 0;
		return length;
	}

	/** How the command ended, once. */
	takeOutcome(): Outcome | undefined {
		const { outcome } = this;
		this.outcome = undefined;
		return outcome;
	}

	/** Sends a command; the places of it are filled in now, its payload perhaps later. */
	begin(now: number, step: ReadyStep): void {
		const { values, output } = this;
		this.step = step;
		this.hasReply = step.reply.length === 0;
		this.awaitsHexadecimal = false;
		this.news = undefined;
		values.dataLength = -1;
		values.error = -1;
		const length = step.command.write(output, values);
		output[length] = CR;
		this.outputLength = length + 1;
		this.reader.prompt = step.prompt;
		this.wait(step.prompt === 0 ? "final" : "prompt", now + step.within);
	}

	/** Forgets the command; what the modem still says about it is taken for something else. */
	abandon(): void {
		this.outcome = undefined;
		this.finish(undefined);
	}

	/** Fills with zero what was read and what it was decoded to. */
	erase(): void {
		this.reader.erase();
		this.values.data.fill(0);
	}

	/** Takes octets of the modem, whatever they are. */
	receive(now: number, octets: Uint8Array, length: number): void {
		const { reader } = this;
		for (let i = 0; i < length; i++) {
			const completed = reader.push(octets[i]);
			if (completed === COMPLETED.nothing) continue;
			if (completed === COMPLETED.line) this.handleLine(now);
			else if (completed === COMPLETED.prompt) this.handlePrompt(now);
			else this.keepOctets();
		}
	}

	/** To be called at {@link deadline}; too early does no harm. */
	handleTimeout(now: number): void {
		if (this.deadline === undefined || now < this.deadline) return;
		if (this.state === "pause") this.sendPayload(now);
		else if (this.state === "later") this.finish("refused");
		else if (this.state === "settling" && this.markersAnswered > 0) this.finish("silent");
		else if (this.state === "settling") this.sendMarker(now);
		else {
			this.reader.forgetOctets();
			this.hasMarker = false;
			this.markersAnswered = 0;
			this.markersSent = 0;
			this.sendMarker(now);
		}
	}

	private wait(state: State, deadline: number | undefined): void {
		this.state = state;
		this.deadline = deadline;
	}

	private finish(outcome: Outcome | undefined): void {
		this.reader.prompt = 0;
		this.reader.forgetOctets();
		this.outcome = outcome;
		this.wait("idle", undefined);
	}

	private handlePrompt(now: number): void {
		const pause = this.step?.pause ?? 0;
		if (pause === 0) this.sendPayload(now);
		else this.wait("pause", now + pause);
	}

	private sendPayload(now: number): void {
		const { values, output } = this;
		for (let i = 0; i < values.payloadLength; i++) output[i] = values.payload[i];
		this.outputLength = values.payloadLength;
		this.wait("final", now + (this.step?.within ?? 0));
	}

	/**
	 * Asks for a sign of life. A modem whose prompt was lost waits for the payload, and takes the question for it: from
	 * the second time on as many spaces come before the question, which a modem that waits for a command passes over.
	 */
	private sendMarker(now: number): void {
		if (this.markersSent === MARKER_TRIES) {
			this.finish("dead");
			return;
		}
		const { output } = this;
		const spaces = this.markersSent > 0 && this.step?.prompt !== 0 ? this.values.payloadLength : 0;
		output.fill(SPACE, 0, spaces);
		output.set(MARKER, spaces);
		this.outputLength = spaces + MARKER.length;
		this.markersSent++;
		this.reader.prompt = 0;
		this.wait("settling", now + MARKER_PATIENCE);
	}

	private handleLine(now: number): void {
		const { line, end } = this.reader;
		if (this.state === "idle") this.unsolicited(line, end);
		else if (this.state === "settling") this.settle(now, line, end);
		else if (!this.takeInformation(line, end) && !this.takeFinal(now, line, end)) this.unsolicited(line, end);
	}

	/** Late answers are passed over until the markers': all of them, or those that come soon after the first. */
	private settle(now: number, line: Uint8Array, end: number): void {
		if (this.markerReply.matches(line, end, this.values)) this.hasMarker = true;
		else if (!this.isFinal(line, end)) this.unsolicited(line, end);
		else if (this.hasMarker) {
			this.hasMarker = false;
			this.markersAnswered++;
			if (this.markersAnswered === this.markersSent) this.finish("silent");
			else this.deadline = now + MARKER_GRACE;
		}
	}

	private isFinal(line: Uint8Array, end: number): boolean {
		return isText(line, 0, end, OK) || this.isFailure(line, end);
	}

	private isFailure(line: Uint8Array, end: number): boolean {
		const failure = this.step?.failure;
		if (failure !== undefined && beginsWith(line, 0, end, failure)) return true;
		for (let i = 0; i < FAILURES.length; i++) {
			const text = FAILURES[i];
			if (!beginsWith(line, 0, end, text)) continue;
			let at = text.length;
			while (at < end && line[at] === SPACE) at++;
			// Words where +CMEE is 2.
			this.values.error = readDecimal(line, at, end);
			return true;
		}
		return false;
	}

	private takeInformation(line: Uint8Array, end: number): boolean {
		const { step, values } = this;
		if (step === undefined) return false;
		if (this.awaitsHexadecimal && end === 2 * values.count) {
			const length = readHexadecimal(line, 0, end, values.data);
			if (length >= 0) {
				values.dataLength = length;
				this.awaitsHexadecimal = false;
				return true;
			}
		}
		for (let i = 0; i < step.reply.length && !this.hasReply; i++) {
			if (!step.reply[i].matches(line, end, values)) continue;
			this.hasReply = true;
			if (step.data === "octets" && values.count > 0) this.reader.expectOctets(values.count);
			this.awaitsHexadecimal = step.data === "hexadecimal" && values.count > 0;
			return true;
		}
		if (step.good?.matches(line, end, values)) this.news = "good";
		else if (step.bad?.matches(line, end, values)) this.news = "bad";
		else return false;
		if (this.state === "later") this.finish(this.news === "good" ? "done" : "refused");
		return true;
	}

	private takeFinal(now: number, line: Uint8Array, end: number): boolean {
		if (this.state === "later") return this.isFinal(line, end);
		if (this.isFailure(line, end)) {
			this.finish("refused");
			return true;
		}
		const isOk = isText(line, 0, end, OK);
		// Before the prompt nothing has been sent that could have gone well.
		if (this.state !== "final") return isOk;
		const { step } = this;
		const final = step?.final;
		if (final === undefined ? !isOk : !isText(line, 0, end, final)) return isOk;
		if (step?.good === undefined) this.finish(this.hasReply && !this.awaitsHexadecimal ? "done" : "refused");
		else if (this.news !== undefined) this.finish(this.news === "good" ? "done" : "refused");
		else this.wait("later", now + step.within);
		return true;
	}

	private keepOctets(): void {
		const { reader, values } = this;
		const { data } = values;
		for (let i = 0; i < reader.end && i < data.length; i++) data[i] = reader.line[i];
		values.dataLength = values.count;
	}
}
