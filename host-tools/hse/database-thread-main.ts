/** What the thread of {@link DatabaseThread} runs. */
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { loadKernel } from "../kernel.js";
import { RandomPool } from "../random-pool.js";
import { AuthenticationCentre } from "./authentication-centre.js";
import { HseDatabase } from "./database.js";
import {
	CLOSE,
	isFailure,
	type ThreadData,
	type ThreadFailure,
	type ThreadReply,
	type ThreadTask,
} from "./database-thread.js";
import type { VectorAnswer } from "./hse.js";
import { type PackedRequest, packAnswers } from "./packed-answers.js";
import { SessionWriter } from "./session-writer.js";
import { eraseCredentials } from "./vector.js";

const { path, homeNetworkKeys } = workerData as ThreadData;
const port = parentPort as MessagePort;
const database = new HseDatabase(path);
database.expectSessions();
const writer = new SessionWriter(database);
const random = new RandomPool();
const centre = new AuthenticationCentre(loadKernel(), database, () => random.take(16), homeNetworkKeys);

const failureOf = (error: unknown): ThreadFailure => ({
	failure: error instanceof Error ? error.message : String(error),
});

/** Part of a transaction. */
function work(task: ThreadTask): ThreadReply {
	if ("batch" in task) {
		writer.write(task.batch);
		return undefined;
	}
	return packAnswers(task.requests.map(answer));
}

/** What is wrong with one subscriber is not the matter of others; what ends the transaction is. */
function answer(request: PackedRequest): VectorAnswer | ThreadFailure {
	try {
		return typeof request === "string" ? centre.vectorOf(request) : centre.answer(request);
	} catch (error) {
		if (!database.isInTransaction) throw error;
		return failureOf(error);
	}
}

/** A transaction is brought to the medium as a whole: many tasks in one cost as much as one. */
function workAll(tasks: readonly ThreadTask[]): ThreadReply[] {
	try {
		return database.together(() => tasks.map(work));
	} catch (error) {
		if (tasks.length > 1) return tasks.flatMap((task) => workAll([task]));
		return [failureOf(error)];
	}
}

/** What is handed over with a reply; what is copied is {@link erase}d. */
const handedOver = (reply: ThreadReply) => (reply === undefined || isFailure(reply) ? [] : [reply.vectors.buffer]);

/** Octets that have been written, or copied into a message. */
function erase(task: ThreadTask, reply: ThreadReply): void {
	if ("batch" in task) task.batch.octets.fill(0);
	if (reply === undefined || isFailure(reply)) return;
	for (const answer of reply.answers) if (typeof answer === "object" && !isFailure(answer)) eraseCredentials(answer);
}

port.on("message", (first: ThreadTask | typeof CLOSE) => {
	const tasks: ThreadTask[] = [];
	let next: typeof first | undefined = first;
	for (; next !== undefined && next !== CLOSE; next = receiveMessageOnPort(port)?.message) tasks.push(next);
	const replies = tasks.length > 0 ? workAll(tasks) : [];
	if (replies.length > 0) port.postMessage(replies, replies.flatMap(handedOver));
	for (const [index, reply] of replies.entries()) erase(tasks[index], reply);
	if (next !== CLOSE) return;
	database.close();
	port.close();
});
