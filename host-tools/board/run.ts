/** The main job on the emulated board: a session with an HSE, readings and answers, a power cut, and the end. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { IDENTITY_KEY } from "../../firmware/client/identity.js";
import { Failure } from "../cli/errors.js";
import { remark, rung } from "../demo/ladder.js";
import type { Device } from "../device/device.js";
import { NodeStore } from "../device/node-store.js";
import { HseDatabase } from "../hse/database.js";
import type { HseEvent } from "../hse/events.js";
import { HseServer } from "../hse/server.js";
import { loadKernel } from "../kernel.js";
import { AGREEMENTS, provision, SERVICES, TEST_IMSI } from "../provision/provision.js";
import { startBoard } from "./board.js";
import { writeFlash } from "./flash-image.js";
import { BoardLink } from "./link.js";

const ADDRESS = "127.0.0.1";
/** Milliseconds that any one thing may take: the emulated board is slower than a real one. */
const PATIENCE = 20_000;
/** Every so many readings the application answers. */
const ANSWER_EVERY = 4;

export interface BoardRunOptions {
	readonly uplinks: number;
	print(line: string): void;
}

export interface BoardRunSummary {
	readonly sent: number;
	readonly delivered: number;
	readonly answered: number;
	readonly downlinks: number;
	readonly sessions: number;
	readonly resumed: number;
	readonly powerCuts: number;
	readonly terminated: boolean;
	/** The most of the engine's memory and of the C stack. */
	readonly heapPeakBytes: number;
	readonly stackPeakBytes: number;
	readonly engine: string;
	readonly kernel: string;
}

interface BoardLine {
	readonly event: string;
	readonly payload?: string;
	readonly why?: string;
	readonly heapPeakBytes?: number;
	readonly stackPeakBytes?: number;
	readonly engine?: string;
	readonly kernel?: string;
}

class BoardRun {
	private readonly folder = mkdtempSync(join(tmpdir(), "best-board-"));
	private readonly flash = join(this.folder, "flash.bin");
	private readonly link = new BoardLink();
	private server: HseServer | undefined;
	private expected = "";
	private sent = 0;
	private delivered = 0;
	private answered = 0;
	private downlinks = 0;
	private sessions = 0;
	private resumed = 0;
	private powerCuts = 0;
	/** The last words of the firmware and of the board under it. */
	private end: BoardLine | undefined;
	private peaks: BoardLine | undefined;
	private isOver = false;
	private exitStatus: number | undefined;
	private wake: () => void = () => {};

	constructor(private readonly options: BoardRunOptions) {}

	async run(): Promise<BoardRunSummary> {
		let database: HseDatabase | undefined;
		try {
			database = new HseDatabase(join(this.folder, "hse.db"));
			this.server = new HseServer({
				kernel: loadKernel(),
				database,
				address: ADDRESS,
				port: 0,
				onEvent: (event) => this.hear(event),
				onTraffic: (traffic) => this.options.print(rung(traffic)),
			});
			await this.provision(database, await this.server.listen());
			return await this.play(await this.link.open());
		} finally {
			this.link.close();
			await this.server?.close();
			database?.close();
			rmSync(this.folder, { recursive: true });
		}
	}

	/** The identity that a device on this PC would have, in the board's flash. */
	private async provision(database: HseDatabase, hsePort: number): Promise<void> {
		const storeDirectory = join(this.folder, "device");
		await provision({
			database,
			storeDirectory,
			imsi: TEST_IMSI,
			hseAddress: ADDRESS,
			hsePort,
			easId: "meter.board",
			service: SERVICES.confidential,
			agreement: AGREEMENTS["eps-aka"],
		});
		const identity = new NodeStore(storeDirectory).read(IDENTITY_KEY);
		if (identity === undefined) throw new Error("provisioning wrote no identity");
		writeFlash(this.flash, [[IDENTITY_KEY, identity]]);
	}

	private async play(linkPort: number): Promise<BoardRunSummary> {
		const { uplinks, print } = this.options;
		const half = Math.ceil(uplinks / 2);
		let board = this.start(linkPort);
		try {
			print(`Firmware on ${board.engineDescription}.`);
			await this.until("the first session", () => this.sessions === 1);
			for (let i = 0; i < half; i++) await this.deliver(board, i);
			board.cutPower();
			await this.until("the power cut", () => this.exitStatus !== undefined);
			this.powerCuts++;
			print(remark("power cut; the board starts again with the flash as it was"));
			board = this.start(linkPort);
			await this.until("the session after the power cut", () => this.sessions + this.resumed === 2);
			for (let i = half; i < uplinks; i++) await this.deliver(board, i);
			board.end();
			await this.until("the end", () => this.exitStatus !== undefined);
		} finally {
			board.cutPower();
			await board.exited;
		}
		const { sent, delivered, answered, downlinks, sessions, resumed, powerCuts, isOver, end, peaks } = this;
		return {
			sent,
			delivered,
			answered,
			downlinks,
			sessions,
			resumed,
			powerCuts,
			terminated: isOver && this.exitStatus === 0,
			heapPeakBytes: peaks?.heapPeakBytes ?? 0,
			stackPeakBytes: peaks?.stackPeakBytes ?? 0,
			engine: end?.engine ?? "unknown",
			kernel: end?.kernel ?? "unknown",
		};
	}

	private start(linkPort: number): Device {
		const board = startBoard({ flash: this.flash, linkPort });
		this.exitStatus = undefined;
		board.onLine((line) => this.read(line));
		board.onErrorLine((line) => this.options.print(remark(line)));
		board.exited.then((status) => {
			this.exitStatus = status;
			this.wake();
		});
		return board;
	}

	private async deliver(board: Device, index: number): Promise<void> {
		this.expected = `reading ${String(index + 1).padStart(3, "0")} 21.5 C`;
		this.sent++;
		const { delivered, downlinks } = this;
		const answers = this.sent % ANSWER_EVERY === 0 ? 1 : 0;
		board.sendReading(new TextEncoder().encode(this.expected));
		await this.until(
			`reading ${index + 1}`,
			() => this.delivered === delivered + 1 && this.downlinks === downlinks + answers,
		);
	}

	/** The application side takes each reading and answers every fourth. */
	private hear(event: HseEvent): void {
		if (event.kind !== "uplink") return;
		const text = new TextDecoder().decode(event.payload);
		if (text === this.expected) this.delivered++;
		this.options.print(`  HSE: application has ${JSON.stringify(text)}`);
		if (this.sent % ANSWER_EVERY === 0) {
			this.answered++;
			this.server?.send(event.sessionId, new TextEncoder().encode(`ok ${this.delivered}`));
		}
		this.wake();
	}

	private read(line: string): void {
		const message: BoardLine = JSON.parse(line);
		const { event, payload, why } = message;
		if (event === "session started") this.sessions++;
		else if (event === "session resumed") this.resumed++;
		else if (event === "downlink") this.downlinks++;
		else if (event === "session over") this.isOver = true;
		else if (event === "end") this.end = message;
		else if (event === "board") this.peaks = message;
		const text: Record<string, string> = {
			"session started": "session agreed, keys derived",
			"session resumed": "session resumed from flash",
			downlink: `MAC and COUNT verified, payload ${JSON.stringify(Buffer.from(payload ?? "", "hex").toString())}`,
			"session over": "session over, keys erased",
			"not sent": `not sent: ${why}`,
			failed: `failed: ${why}`,
		};
		if (text[event] !== undefined) this.options.print(remark(text[event]));
		this.wake();
	}

	/** Waits until something is so. @throws Failure if it takes too long or the board has ended before */
	private async until(what: string, isSo: () => boolean): Promise<void> {
		const end = performance.now() + PATIENCE;
		while (!isSo()) {
			if (this.exitStatus !== undefined)
				throw new Failure(`The board ended (status ${this.exitStatus}) before ${what}.`);
			if (performance.now() >= end) throw new Failure(`The board took too long for ${what}.`);
			await new Promise<void>((resolve) => {
				const timer = setTimeout(resolve, end - performance.now());
				this.wake = () => {
					clearTimeout(timer);
					resolve();
				};
			});
		}
	}
}

/** Runs the main job on the emulated board once. @throws Failure */
export function runBoard(options: BoardRunOptions): Promise<BoardRunSummary> {
	return new BoardRun(options).run();
}
