import type { VectorRequest } from "./events.js";
import type { VectorAnswer } from "./hse.js";

/** An authentication centre that answers later. */
export interface VectorSource {
	/** @returns an answer to each request, when its SQN is on the medium; an error where one has failed. @throws where all have */
	answerAll(requests: readonly VectorRequest[]): Promise<readonly (VectorAnswer | Error)[]>;
}
