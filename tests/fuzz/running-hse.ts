import { type ChildProcess, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HseDatabase } from "../../host-tools/hse/database.js";
import { ROOT } from "../support/best.js";
import type { SeededRandom } from "../support/pair.js";

/** A subscriber of the HSE, and what its UE needs. */
export interface LiveSubscriber {
	readonly imsi: string;
	readonly k: Uint8Array;
	readonly opc: Uint8Array;
}

const MEGABYTE = 1024 * 1024;
const MINUTE = 60_000;
/** So many measurements of its memory from one collection of all its garbage to the next. */
const COLLECT_EVERY = 20;
/**
 * A process is warm after a minute: from then on its memory is not to grow by more than these factors and these octets.
 * What is alive in the heap after a collection, and what is not heap, show a leak soon; how much heap the engine keeps
 * beside that is its own affair, within bounds.
 */
const BOUNDS = {
	alive: { factor: 1.2, octets: 8 * MEGABYTE },
	native: { factor: 1.1, octets: 8 * MEGABYTE },
	resident: { factor: 1.5, octets: 64 * MEGABYTE },
} as const;

type Measure = keyof typeof BOUNDS;
type Sample = { readonly at: number } & Readonly<Record<Measure, number>>;

/** Memory in megabytes, of the second minute or, in a short run, the first value, and of the last minute. */
export type MemoryFigures = Readonly<Record<Measure, { readonly warm: number; readonly last: number }>> & {
	readonly isBounded: boolean;
};

function freeTcpPort(): Promise<number> {
	return new Promise((resolve, reject) => {
		const server = createServer().once("error", reject);
		server.listen(0, "127.0.0.1", () => {
			const { port } = server.address() as { port: number };
			server.close(() => resolve(port));
		});
	});
}

function freeUdpPort(): Promise<number> {
	return new Promise((resolve, reject) => {
		const socket = createSocket("udp4").once("error", reject);
		socket.bind(0, "127.0.0.1", () => {
			const { port } = socket.address();
			socket.close(() => resolve(port));
		});
	});
}

/** `best hse` as a process of its own, with its APIs, its page and subscribers. */
export class RunningHse {
	readonly folder = mkdtempSync(join(tmpdir(), "best-fuzz-"));
	readonly subscribers: readonly LiveSubscriber[];
	port = 0;
	api = "";
	page = "";
	private readonly memory: Sample[] = [];
	private process: ChildProcess | undefined;
	private fate: string | undefined;
	private readonly begun = performance.now();

	constructor(random: SeededRandom, ues: number) {
		this.subscribers = Array.from({ length: ues }, (_, i) => ({
			imsi: `00101${String(i + 1).padStart(10, "0")}`,
			k: random.octets(16),
			opc: random.octets(16),
		}));
		const database = new HseDatabase(join(this.folder, "hse.db"));
		for (const subscriber of this.subscribers)
			database.addSubscriber({ ...subscriber, amf: Uint8Array.of(0x80, 0), sqn: 32, enabled: true });
		database.close();
	}

	async start(): Promise<this> {
		const [udp, api, page] = [await freeUdpPort(), await freeTcpPort(), await freeTcpPort()];
		this.port = udp;
		this.api = `http://127.0.0.1:${api}`;
		this.page = `http://127.0.0.1:${page}`;
		const words = {
			port: udp,
			database: this.at("hse.db"),
			"northbound-port": api,
			"northbound-database": this.at("northbound.db"),
			"operations-port": page,
			"audit-log": this.at("audit.jsonl"),
			"demo-client": this.at("client.json"),
			"log-level": "error",
		};
		const options = Object.entries(words).flatMap(([name, value]) => [`--${name}`, String(value)]);
		const errors = openSync(this.at("errors"), "w");
		// Events go nowhere: they are as many as the messages.
		const collecting = ["--expose-gc", "--import", "data:text/javascript,process.on('SIGUSR2',()=>gc())"];
		this.process = spawn(
			process.execPath,
			[...collecting, "build/tools/main.js", "hse", "--json", "--answer", ...options],
			{
				cwd: ROOT,
				stdio: ["ignore", "ignore", errors],
			},
		);
		closeSync(errors);
		this.process.on("exit", (code, signal) => {
			this.fate = `code ${code}, signal ${signal}`;
		});
		for (let i = 0; !(await this.isUp()); i++) {
			if (this.fate !== undefined || i > 600) throw new Error(`The HSE did not start: ${this.fate}. ${this.errors()}`);
			await new Promise((resolve) => setTimeout(resolve, 50));
		}
		return this;
	}

	at(name: string): string {
		return join(this.folder, name);
	}

	/** What it has said on standard error. */
	errors(): string {
		return readFileSync(this.at("errors"), "utf8");
	}

	/** @throws Error where the process has ended */
	check(): void {
		if (this.fate !== undefined) throw new Error(`The HSE has ended, ${this.fate}: ${this.errors().slice(-2000)}`);
	}

	/** Measures its memory. @throws Error where the process has ended, or does not answer */
	async measure(): Promise<void> {
		this.check();
		// The engine may let a minute go by without one where there is room.
		if (this.memory.length % COLLECT_EVERY === 0) this.process?.kill("SIGUSR2");
		const status = readFileSync(`/proc/${this.process?.pid}/status`, "utf8");
		const resident = 1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
		const metrics = await (await fetch(`${this.page}/metrics`)).text();
		const metric = (name: string) =>
			Number(new RegExp(`^nodejs_heap_size_${name}_bytes (\\d+)`, "m").exec(metrics)?.[1]);
		const at = performance.now() - this.begun;
		this.memory.push({ at, resident, native: resident - metric("total"), alive: metric("used") });
	}

	memoryFigures(): MemoryFigures {
		const { memory } = this;
		const end = memory.at(-1)?.at ?? 0;
		const isLong = end >= 3 * MINUTE;
		const warm = isLong ? memory.filter(({ at }) => at >= MINUTE && at <= 2 * MINUTE) : memory.slice(0, 1);
		const last = isLong ? memory.filter(({ at }) => at >= end - MINUTE) : memory.slice(-1);
		const figures = Object.entries(BOUNDS).map(([name, { factor, octets }]) => {
			const of = (samples: readonly Sample[]) => {
				const values = samples.map((sample) => sample[name as Measure]).sort((a, b) => a - b);
				// The least of a minute is what was left after a collection.
				return name === "alive" ? values[0] : values[values.length >> 1];
			};
			const isBounded = !isLong || of(last) <= factor * of(warm) + octets;
			return { name, warm: Math.round(of(warm) / MEGABYTE), last: Math.round(of(last) / MEGABYTE), isBounded };
		});
		return {
			...(Object.fromEntries(
				figures.map(({ name, warm: before, last: after }) => [name, { warm: before, last: after }]),
			) as Record<Measure, { warm: number; last: number }>),
			isBounded: figures.every(({ isBounded }) => isBounded),
		};
	}

	/** Ends it as its supervisor would. @returns the exit status */
	async stop(): Promise<string | undefined> {
		const { process } = this;
		if (process !== undefined && this.fate === undefined) {
			const ended = new Promise((resolve) => process.on("exit", resolve));
			process.kill("SIGTERM");
			const forced = setTimeout(() => process.kill("SIGKILL"), 20_000);
			await ended;
			clearTimeout(forced);
		}
		rmSync(this.folder, { recursive: true, force: true });
		return this.fate;
	}

	private async isUp(): Promise<boolean> {
		try {
			return (await fetch(`${this.page}/healthz`)).ok && (await fetch(`${this.api}/oauth2/jwks`)).ok;
		} catch {
			return false;
		}
	}
}
