import { encodeImsi } from "../emsdp/imsi.js";
import { LONGEST_MESSAGE } from "../emsdp/profile.js";
import type { AuthenticationResult } from "../ports/usim.js";
import { AtEngine, type Outcome } from "./at-engine.js";
import type { CardAccess } from "./card-access.js";
import { DatagramQueue } from "./datagram-queue.js";
import type { Dialect } from "./dialect.js";
import { Pattern } from "./pattern.js";
import { IMSI_STEP, type ModemFailure, REGISTRATION_NEWS, STAGES, type Stage } from "./setup.js";
import { type ReadyStep, ready, readyAll } from "./step.js";
import { UsimProcedure } from "./usim-procedure.js";
import { Values } from "./values.js";

export interface ModemOptions {
	readonly dialect: Dialect;
	/** Empty or left out: the network's own. */
	readonly apn?: string;
	/** How its USIM is reached, where that is to be used. */
	readonly card?: CardAccess;
}

export type ModemEvent =
	| { readonly kind: "modem open" }
	| {
			readonly kind: "modem failed";
			readonly failure: ModemFailure;
			/** The command that failed, its places not filled in. */
			readonly command: string;
			/** Number of +CME ERROR and the like, undefined where none was given. */
			readonly error: number | undefined;
	  }
	| { readonly kind: "IMSI"; readonly imsi: Uint8Array | undefined }
	| { readonly kind: "authentication"; readonly result: AuthenticationResult };

/** Two datagrams of the longest kind, or many of the usual ones. */
const QUEUE_OCTETS = 2 * (LONGEST_MESSAGE + 2);
/** Commands for datagrams that fail in a row before the socket is opened anew. */
const MOST_FAILURES = 3;
/** Milliseconds from news of a network to the next question: the news may be an answer that came late, and asking at once would make it so again. */
const NEWS_PAUSE = 1000;
/** Milliseconds from one opening of the socket to the next where it is lost. */
const LEAST_LIFE = 5000;
const WAKE = 0;
const CARD = 1;

interface ReadyStage {
	readonly failure: ModemFailure;
	readonly steps: readonly ReadyStep[];
	readonly pause: number;
	readonly longestPause: number;
}

type Task = "none" | "stage" | "close" | "USIM" | "CIMI" | "receive" | "send";

/**
 * A modem that carries datagrams and holds a USIM, without any input or output of its own: time, octets of the serial line
 * and requests come in; octets, datagrams, events and a deadline go out. After every input drain {@link takeOutput},
 * {@link hasDatagram}, {@link takeEvent} until only {@link deadline} is left.
 */
export class Modem {
	private readonly options: ModemOptions;
	private readonly values = new Values(1500);
	/** What comes without being asked for; its data are the datagram that waits to be read. */
	private readonly news = new Values(LONGEST_MESSAGE);
	private readonly engine: AtEngine;
	private readonly queue = new DatagramQueue(QUEUE_OCTETS);
	/** The datagram that is being sent. */
	private readonly outgoing = new Uint8Array(LONGEST_MESSAGE);
	/** Whether that is still the first one in the queue. */
	private isQueued = false;
	private readonly procedure: UsimProcedure | undefined;
	private readonly stages: readonly ReadyStage[];
	private readonly send: ReadyStep;
	private readonly fetch: ReadyStep | undefined;
	private readonly closing: readonly ReadyStep[];
	private readonly cimi = ready(IMSI_STEP);
	private readonly patterns: Readonly<Record<"waiting" | "arrived" | "lost" | "restarted" | "registered", Pattern[]>>;
	private readonly events: ModemEvent[] = [];
	private task: Task = "none";
	private step: ReadyStep | undefined;
	private steps: readonly ReadyStep[] = [];
	private index = 0;
	private tries = 0;
	/** Stages that have been passed: all of them where the socket is open. */
	private passed = 0;
	private resumeAt = 0;
	private pause = 0;
	private isRegistered = false;
	private told: ModemFailure | undefined;
	private isWanted = false;
	private isClosing = false;
	private wantsImsi = false;
	private challenge: { readonly rand: Uint8Array; readonly autn: Uint8Array } | undefined;
	private isWaiting = false;
	private failures = 0;

	/** @throws Error for a mistake in the tables */
	constructor(options: ModemOptions) {
		const { dialect, apn = "", card } = options;
		this.options = options;
		this.engine = new AtEngine(this.values, (line, end) => this.handleNews(line, end));
		this.values.setText("apn", apn);
		this.procedure = card && new UsimProcedure(card);
		const { wake, card: sim, context, registration } = STAGES;
		const socket: Stage = { failure: "socket", steps: dialect.open, pause: 5000, longestPause: 300_000 };
		this.stages = [wake, sim, context, registration, socket].map((stage: Stage) => ({
			...stage,
			steps: stage.steps
				.filter(({ onlyWith }) => onlyWith === undefined || apn !== "")
				.map((step) => ready({ ...step, command: step.command.replace("{context}", dialect.context) })),
		}));
		this.send = ready(dialect.send);
		this.fetch = dialect.receive && ready(dialect.receive);
		this.closing = readyAll(dialect.close);
		const all = (texts: readonly string[] = []) => texts.map((text) => new Pattern(text));
		this.patterns = {
			waiting: all(dialect.waiting),
			arrived: all(dialect.arrived),
			lost: all(dialect.lost),
			restarted: all(dialect.restarted),
			registered: all(REGISTRATION_NEWS),
		};
	}

	/** What is to be sent on the line stands here. */
	get output(): Uint8Array {
		return this.engine.output;
	}

	/** @returns octets to send from {@link output}, 0 for none */
	takeOutput(): number {
		return this.engine.takeOutput();
	}

	takeEvent(): ModemEvent | undefined {
		return this.events.shift();
	}

	/** Whether a datagram waits to be read. */
	get hasDatagram(): boolean {
		return this.news.dataLength >= 0;
	}

	/** Copies the datagram that waits into `into` and removes it. @returns its length, uncut; −1 for none */
	readDatagram(now: number, into: Uint8Array): number {
		const { data, dataLength } = this.news;
		for (let i = 0; i < dataLength && i < data.length && i < into.length; i++) into[i] = data[i];
		this.news.dataLength = -1;
		this.advance(now);
		return dataLength;
	}

	/** When {@link handleTimeout} is to be called; undefined: not at all. */
	get deadline(): number | undefined {
		if (this.task !== "none") return this.engine.deadline;
		return this.hasWork && this.isPassing ? this.resumeAt : undefined;
	}

	/** Opens a way for datagrams, in place of an earlier one. It may take minutes; what is sent meanwhile waits. */
	open(now: number, address: string, port: number): void {
		this.values.setText("address", address);
		this.values.port = port;
		this.clearQueue();
		this.news.dataLength = -1;
		this.isWanted = true;
		this.isClosing = false;
		this.reopen();
		this.resumeAt = now;
		this.advance(now);
	}

	/** Closes it. What waits to be sent is lost. */
	close(now: number): void {
		this.isClosing = this.isWanted && this.passed === this.stages.length;
		this.isWanted = false;
		this.clearQueue();
		this.news.dataLength = -1;
		this.advance(now);
	}

	/** Sends a datagram, or loses it where too many wait already. */
	write(now: number, octets: Uint8Array, length: number): void {
		if (length > this.options.dialect.most || length > LONGEST_MESSAGE) this.fail("too long", this.send, -1);
		else if (this.isWanted) this.queue.push(octets, length);
		this.advance(now);
	}

	/** The event `IMSI` tells the outcome. */
	readImsi(now: number): void {
		this.wantsImsi = true;
		this.advance(now);
	}

	/** The event `authentication` tells the outcome, in place of that of an earlier challenge; none comes where the card fails. */
	authenticate(now: number, rand: Uint8Array, autn: Uint8Array): void {
		this.challenge = { rand: rand.slice(), autn: autn.slice() };
		this.advance(now);
	}

	/** Takes octets of the line, whatever they are. */
	receive(now: number, octets: Uint8Array, length: number): void {
		this.engine.receive(now, octets, length);
		this.advance(now);
	}

	/** To be called at {@link deadline}; too early does no harm. */
	handleTimeout(now: number): void {
		this.engine.handleTimeout(now);
		this.advance(now);
	}

	private get hasCardWork(): boolean {
		return this.wantsImsi || this.challenge !== undefined;
	}

	/** Whether a stage is still to be passed for what is asked for. */
	private get isPassing(): boolean {
		return this.passed < (this.isWanted ? this.stages.length : CARD + 1);
	}

	private get hasWork(): boolean {
		return this.isWanted || this.hasCardWork;
	}

	/** Takes the outcome of the command that ran, and begins what comes next. */
	private advance(now: number): void {
		const outcome = this.engine.takeOutcome();
		if (outcome !== undefined) this.handleOutcome(now, outcome);
		if (this.isRegistered) {
			this.isRegistered = false;
			this.resumeAt = Math.min(this.resumeAt, now + NEWS_PAUSE);
		}
		if (this.task === "none") this.choose(now);
	}

	private choose(now: number): void {
		if (!this.hasWork && !this.isClosing) return;
		if (this.passed > CARD && this.hasCardWork) this.beginCardWork(now);
		else if (this.isPassing && this.hasWork) {
			if (now >= this.resumeAt) this.run(now, "stage", this.stages[this.passed].steps);
		} else if (this.isClosing) this.run(now, "close", this.closing);
		else if (this.isWaiting && !this.hasDatagram && this.fetch) {
			// A line that comes from now on speaks of another datagram.
			this.isWaiting = false;
			this.runStep(now, "receive", this.fetch);
		} else if (!this.queue.isEmpty) this.sendNext(now);
	}

	private beginCardWork(now: number): void {
		const { procedure } = this;
		if (procedure === undefined) this.runStep(now, "CIMI", this.cimi);
		else {
			if (this.challenge !== undefined) procedure.beginAuthentication(this.challenge.rand, this.challenge.autn);
			else procedure.beginImsi();
			this.runStep(now, "USIM", procedure.step(this.values));
		}
	}

	private sendNext(now: number): void {
		const { values, outgoing } = this;
		values.payloadLength = this.queue.first(outgoing);
		values.payload = outgoing;
		this.isQueued = true;
		this.runStep(now, "send", this.send);
	}

	private run(now: number, task: Task, steps: readonly ReadyStep[]): void {
		this.steps = steps;
		this.index = 0;
		this.runStep(now, task, steps[0]);
	}

	private runStep(now: number, task: Task, step: ReadyStep): void {
		this.task = task;
		this.step = step;
		this.tries = 1;
		this.engine.begin(now, step);
	}

	private handleOutcome(now: number, outcome: Outcome): void {
		const { task, step } = this;
		if (step === undefined) return;
		if (outcome === "dead") this.die(now, step);
		else if (outcome === "silent" && this.tries < step.tries) {
			this.tries++;
			this.engine.begin(now, step);
		} else if (task === "stage" || task === "close") this.handleStep(now, step, outcome);
		else {
			this.task = "none";
			if (task === "receive") this.keepDatagram(outcome);
			else if (task === "send") this.endSending(outcome);
			else if (task === "CIMI") this.keepImsi(outcome);
			else this.handleCard(now, step, outcome);
		}
	}

	private handleStep(now: number, step: ReadyStep, outcome: Outcome): void {
		const isGood = outcome === "done" || step.mayFail;
		if (isGood && ++this.index < this.steps.length) {
			this.runStep(now, this.task, this.steps[this.index]);
			return;
		}
		const isStage = this.task === "stage";
		this.task = "none";
		if (!isStage) {
			this.isClosing = false;
			this.reopen();
		} else if (isGood) this.pass(now);
		else this.retry(now, step);
	}

	private pass(now: number): void {
		this.passed++;
		this.pause = 0;
		this.resumeAt = now;
		if (this.passed < this.stages.length) return;
		this.resumeAt = now + LEAST_LIFE;
		if (!this.isWanted) {
			this.isClosing = true;
			return;
		}
		this.news.socket = this.values.socket;
		this.failures = 0;
		// What came while nobody listened.
		this.isWaiting = this.fetch !== undefined;
		this.told = undefined;
		this.events.push({ kind: "modem open" });
	}

	private retry(now: number, step: ReadyStep): void {
		const { failure, pause, longestPause } = this.stages[this.passed];
		this.pause = this.pause === 0 ? pause : Math.min(2 * this.pause, longestPause);
		this.resumeAt = now + this.pause;
		this.fail(failure, step, this.values.error);
	}

	/** Nothing answers any more: from the beginning, after a while. */
	private die(now: number, step: ReadyStep): void {
		// A challenge is not run again: the card may have accepted its SQN.
		if (this.task === "USIM" && this.challenge !== undefined) this.endChallenge();
		this.task = "none";
		this.passed = WAKE;
		this.engine.erase();
		this.retry(now, step);
	}

	/** The socket is not open, or not any more. */
	private reopen(): void {
		this.passed = Math.min(this.passed, CARD + 1);
		this.isWaiting = false;
	}

	/** @param error −1 for none */
	private fail(failure: ModemFailure, { command }: ReadyStep, error: number): void {
		// Once for each reason, until it is open again.
		if (this.told === failure) return;
		this.told = failure;
		this.events.push({ kind: "modem failed", failure, command: command.text, error: error < 0 ? undefined : error });
	}

	/** The modem has taken the datagram, or refused it: it is not sent again. One that met a modem's death is. */
	private endSending(outcome: Outcome): void {
		if (this.isQueued) this.queue.shift();
		this.count(outcome);
	}

	private clearQueue(): void {
		this.queue.clear();
		this.isQueued = false;
	}

	private count(outcome: Outcome): void {
		this.failures = outcome === "done" ? 0 : this.failures + 1;
		if (this.failures < MOST_FAILURES) return;
		this.fail("socket", this.send, this.values.error);
		this.reopen();
	}

	/** A datagram was fetched; perhaps more wait. A refusal says that none does. */
	private keepDatagram(outcome: Outcome): void {
		const { values, news } = this;
		if (outcome === "silent") this.count(outcome);
		if (outcome !== "done" || values.dataLength <= 0) {
			this.isWaiting ||= outcome === "silent";
			return;
		}
		this.isWaiting = true;
		for (let i = 0; i < values.dataLength && i < news.data.length; i++) news.data[i] = values.data[i];
		news.dataLength = values.dataLength;
	}

	private keepImsi(outcome: Outcome): void {
		const { data, dataLength } = this.values;
		let digits = "";
		for (let i = 0; outcome === "done" && i < dataLength && i < data.length; i++)
			digits += String.fromCharCode(data[i]);
		this.tellImsi(encodeImsi(digits));
	}

	private tellImsi(imsi: Uint8Array | undefined): void {
		this.wantsImsi = false;
		this.events.push({ kind: "IMSI", imsi });
	}

	private handleCard(now: number, step: ReadyStep, outcome: Outcome): void {
		const { procedure, values, challenge } = this;
		if (procedure === undefined) return;
		procedure.handle(outcome === "done", values);
		if (!procedure.isOver) {
			this.runStep(now, "USIM", procedure.step(values));
			return;
		}
		this.engine.erase();
		const { result, imsi } = procedure;
		if (procedure.purpose === "select IMSI") {
			// An EF_IMSI that cannot be read: the modem knows its contents.
			if (imsi === undefined) this.runStep(now, "CIMI", this.cimi);
			else this.tellImsi(imsi);
		} else if (procedure.rand !== challenge?.rand) {
			// Another challenge has come meanwhile.
			if (result?.status === "success") for (const key of [result.ck, result.ik]) key.fill(0);
		} else {
			this.endChallenge();
			if (result === undefined) this.fail("USIM", step, -1);
			else this.events.push({ kind: "authentication", result });
		}
	}

	private endChallenge(): void {
		this.challenge = undefined;
	}

	/** A line that answers no command. */
	private handleNews(line: Uint8Array, end: number): void {
		const { patterns } = this;
		// There is room for one datagram, which is read at once as a rule; a further one is lost.
		const isOpen = this.passed === this.stages.length;
		if (isOpen && !this.hasDatagram && this.isOneOf(patterns.arrived, line, end)) return;
		if (this.isOneOf(patterns.registered, line, end)) this.isRegistered = true;
		else if (this.isOneOf(patterns.restarted, line, end)) this.startAnew();
		else if (!isOpen) return;
		else if (this.isOneOf(patterns.lost, line, end)) this.reopen();
		else if (this.isOneOf(patterns.waiting, line, end)) this.isWaiting = true;
	}

	private isOneOf(patterns: readonly Pattern[], line: Uint8Array, end: number): boolean {
		for (let i = 0; i < patterns.length; i++) if (patterns[i].matches(line, end, this.news)) return true;
		return false;
	}

	private startAnew(): void {
		if (this.task === "USIM" && this.challenge !== undefined) this.endChallenge();
		this.engine.abandon();
		this.engine.erase();
		this.task = "none";
		this.passed = WAKE;
		this.resumeAt = 0;
		this.pause = 0;
	}
}
