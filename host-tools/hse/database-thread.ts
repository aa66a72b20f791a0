import { once } from "node:events";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { projectRoot } from "../device/project-root.js";
import { DatabaseError } from "./database.js";
import type { VectorRequest } from "./events.js";
import type { HomeNetworkKeys } from "./home-network-key.js";
import type { VectorAnswer } from "./hse.js";
import { type PackedAnswers, type PackedRequest, packRequest, unpackAnswers } from "./packed-answers.js";
import type { PackedBatch } from "./session-writer.js";
import type { VectorSource } from "./vector-source.js";

/** What the thread is begun with. */
export interface ThreadData {
	readonly path: string;
	readonly homeNetworkKeys: HomeNetworkKeys;
}

/** What it is given to do; each is answered, in order. */
export type ThreadTask = { readonly batch: PackedBatch } | { readonly requests: readonly PackedRequest[] };
/** The last word to it. */
export const CLOSE = "close";

/** Why something could not be done. */
export interface ThreadFailure {
	readonly failure: string;
}

/** Undefined: a batch is written. */
type ThreadResult = undefined | PackedAnswers<ThreadFailure>;
export type ThreadReply = ThreadResult | ThreadFailure;

/** The thread that has the HSE's SQLite file to itself: it writes sessions, and it is the authentication centre. */
export class DatabaseThread implements VectorSource {
	private readonly data: ThreadData;
	private worker: Worker | undefined;
	private readonly waiting: { resolve(result: ThreadResult): void; reject(error: Error): void }[] = [];

	constructor(data: ThreadData) {
		this.data = data;
	}

	/** Whether it may be writing. */
	get isBusy(): boolean {
		return this.waiting.length > 0;
	}

	/** @param batch is handed over @returns when it is on the medium. @throws DatabaseError; nothing was changed */
	async commit(batch: PackedBatch): Promise<void> {
		await this.ask({ batch }, [batch.octets.buffer]);
	}

	async answerAll(requests: readonly VectorRequest[]): Promise<readonly (VectorAnswer | Error)[]> {
		const result = await this.ask({ requests: requests.map(packRequest) }, []);
		if (result === undefined) return [];
		return unpackAnswers(result).map((answer) => (isFailure(answer) ? new DatabaseError(answer.failure) : answer));
	}

	/** After all that was asked has been answered. */
	async close(): Promise<void> {
		const { worker } = this;
		if (worker === undefined) return;
		worker.ref();
		worker.postMessage(CLOSE);
		await once(worker, "exit");
	}

	/** @throws DatabaseError */
	private ask(task: ThreadTask, handedOver: readonly ArrayBuffer[]): Promise<ThreadResult> {
		this.worker ??= this.start();
		const { worker, waiting } = this;
		if (waiting.length === 0) worker.ref();
		return new Promise((resolve, reject) => {
			worker.postMessage(task, handedOver);
			waiting.push({ resolve, reject });
		});
	}

	private start(): Worker {
		const worker = new Worker(join(projectRoot(), "build/tools/database-thread.js"), { workerData: this.data });
		worker.on("message", (replies: readonly ThreadReply[]) => {
			for (const reply of replies) {
				const asker = this.waiting.shift();
				if (isFailure(reply)) asker?.reject(new DatabaseError(reply.failure));
				else asker?.resolve(reply);
			}
			if (this.waiting.length === 0) worker.unref();
		});
		// Where it ends by itself, the next task has another one.
		const over = (why: string) => {
			if (this.worker !== worker) return;
			this.worker = undefined;
			for (const { reject } of this.waiting.splice(0)) reject(new DatabaseError(why));
		};
		worker.on("error", (error) => over((error as Error).message));
		worker.on("exit", () => over("The thread of the database has ended."));
		return worker;
	}
}

export function isFailure(reply: ThreadReply | VectorAnswer | ThreadFailure): reply is ThreadFailure {
	return typeof reply === "object" && "failure" in reply;
}
