import type { Awaitable } from "../hse/subscriber-database.js";

/**
 * Work that asks a store, as a generator of the promises that it waits for. Where the store answers at once, as a file of
 * one process does, {@link run} has it done when it returns and nothing else comes in between; where the answers are
 * promises it goes on with each of them.
 */
export type Steps<T> = Generator<Promise<unknown>, T, unknown>;

/** Waits for a value, if it has to be waited for: `yield* wait(value)`. */
export function* wait<T>(value: Awaitable<T>): Steps<T> {
	return isPromise(value) ? ((yield value) as T) : value;
}

function isPromise<T>(value: Awaitable<T>): value is Promise<T> {
	return typeof value === "object" && value !== null && "then" in value;
}

/** Does the work. @returns its result, or a promise of it */
export function run<T>(steps: Steps<T>): Awaitable<T> {
	const goOn = (step: IteratorResult<Promise<unknown>, T>): Awaitable<T> =>
		step.done
			? step.value
			: step.value.then(
					(value) => goOn(steps.next(value)),
					(error) => goOn(steps.throw(error)),
				);
	return goOn(steps.next());
}
