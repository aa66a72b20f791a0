import { createHash } from "node:crypto";
import type { Awaitable } from "../../hse/subscriber-database.js";
import type { ApiResponse } from "../operation.js";
import { invalid, Problem } from "../problem.js";
import type { Resources, StoredReply } from "../resources.js";
import { type Steps, wait } from "../steps.js";

/** How long the answer to a POST is kept for its repetition, in milliseconds. */
const KEPT = 86_400_000;
/** Answers that are kept for one application server; the oldest go when there are more. */
const MOST_KEPT = 100_000;
/** After how many milliseconds nobody answers any more: longer than a request may wait for a UE and for the store. */
const LONGEST_ANSWER = 120_000;

/** What an operation does last, in the unit that it is: so its effects and its answer are stored together. */
type Last = (response: ApiResponse) => Steps<void>;

/**
 * Idempotency keys on POST: a request that is repeated with its key gets the answer that it got, and nothing is done
 * again. Answers that say "not now" or "something broke" are not kept.
 */
export class Idempotency {
	private readonly store: Resources;
	private readonly now: () => number;
	private readonly onError: (error: unknown) => void;
	private readonly running = new Set<string>();

	/** @param onError told when the store has failed in what changes no answer */
	constructor(store: Resources, now: () => number, onError: (error: unknown) => void) {
		this.store = store;
		this.now = now;
		this.onError = onError;
	}

	/**
	 * @param request method, path and body, as they came
	 * @param mayKeep false: the answer is secret, and made anew
	 * @param answer answers, and does last what it is given
	 * @throws Problem where the key is no key, is in use, or was used for another request
	 */
	async once(
		applicationServer: string,
		key: string,
		request: string,
		mayKeep: boolean,
		answer: (last: Last) => Promise<ApiResponse>,
	): Promise<ApiResponse> {
		if (!/^[\x21-\x7e]{1,255}$/.test(key))
			throw invalid("header Idempotency-Key", "must be 1 to 255 visible characters");
		const digest = createHash("sha256").update(request).digest("hex");
		const name = `${applicationServer} ${key}`;
		if (this.running.has(name)) throw inUse();
		this.running.add(name);
		try {
			const kept = await this.keptOrClaimed(applicationServer, key);
			if (kept === undefined) return await this.answerAnew(applicationServer, key, digest, mayKeep, answer);
			if (kept.digest !== digest)
				throw new Problem(
					422,
					"IDEMPOTENCY_KEY_REUSED",
					"This idempotency key belongs to another request: use a new one.",
				);
			return { status: kept.status, headers: JSON.parse(kept.headers), body: JSON.parse(kept.body) };
		} finally {
			this.running.delete(name);
		}
	}

	/** The answer that is kept; undefined where this process is the one to answer. @throws Problem where another one is */
	private async keptOrClaimed(applicationServer: string, key: string): Promise<StoredReply | undefined> {
		const kept = await this.store.reply(applicationServer, key, this.now());
		const until = this.now() + LONGEST_ANSWER;
		if (kept !== undefined || (await this.store.claimReply(applicationServer, key, this.now(), until))) return kept;
		// Another process may have answered in between.
		const late = await this.store.reply(applicationServer, key, this.now());
		if (late === undefined) throw inUse();
		return late;
	}

	private async answerAnew(
		applicationServer: string,
		key: string,
		digest: string,
		mayKeep: boolean,
		answer: (last: Last) => Promise<ApiResponse>,
	): Promise<ApiResponse> {
		const { store } = this;
		const until = this.now() + KEPT;
		let isKept = false;
		try {
			const response = await answer(function* (response) {
				const { status, headers = {}, body } = response;
				isKept = mayKeep && status < 500;
				if (!isKept) return;
				const reply = { digest, status, headers: JSON.stringify(headers), body: JSON.stringify(body ?? null) };
				if (!(yield* wait(store.keepReply(applicationServer, key, reply, until)))) throw inUse();
			});
			if (!isKept) await this.drop(applicationServer, key);
			return response;
		} catch (error) {
			await this.drop(applicationServer, key);
			throw error;
		}
	}

	/** A claim that cannot be dropped ends by its age. An answer that was kept stays, even if that came with an error. */
	private async drop(applicationServer: string, key: string): Promise<void> {
		try {
			await this.store.dropReply(applicationServer, key);
		} catch (error) {
			this.onError(error);
		}
	}

	tidy(): Awaitable<void> {
		return this.store.forgetOld(this.now(), MOST_KEPT);
	}
}

function inUse(): Problem {
	return new Problem(409, "IDEMPOTENCY_KEY_IN_USE", "The request with this idempotency key is being answered.");
}
