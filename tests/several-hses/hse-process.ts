import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { ROOT } from "../support/best.js";

/** What an HSE tells of itself, as `best hse --json` prints it. */
export interface Told {
	readonly kind: string;
	/** 8 hex digits. */
	readonly sessionId: string;
	readonly count?: number;
	/** Hex digits. */
	readonly payload?: string;
}

/** One of several HSEs: it is started again whenever it has ended. */
export class HseProcess {
	readonly errors: string[] = [];
	/** Exit statuses and signals so far. */
	readonly ends: (number | string)[] = [];
	/** Events since it was started. */
	events = 0;
	private readonly words: readonly string[];
	readonly told: Told[];
	private process: ChildProcess | undefined;

	/** @param answers whether it answers uplinks @param told where its events go @param more words of its command line */
	constructor(url: string, port: number, answers: boolean, told: Told[], more: readonly string[] = []) {
		const words = ["build/tools/main.js", "hse", "--database", url, "--port", String(port), "--json", ...more];
		this.words = answers ? [...words, "--answer"] : words;
		this.told = told;
	}

	start(): void {
		const child = spawn(process.execPath, this.words, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
		this.process = child;
		this.events = 0;
		createInterface({ input: child.stdout }).on("line", (line) => {
			this.events++;
			this.told.push(JSON.parse(line));
		});
		createInterface({ input: child.stderr }).on("line", (line) => this.errors.push(line));
		child.once("close", (status, signal) => {
			this.ends.push(status ?? signal ?? "");
			if (this.process === child) this.process = undefined;
		});
	}

	/** @returns when it is gone and all that it told has been read */
	async end(signal: NodeJS.Signals): Promise<void> {
		this.process?.kill(signal);
		await this.ended();
	}

	signal(signal: NodeJS.Signals): void {
		this.process?.kill(signal);
	}

	async ended(): Promise<void> {
		const child = this.process;
		if (child !== undefined) await new Promise((resolve) => child.once("close", resolve));
	}
}
