import { LIMITS } from "./profile.js";

/** The last CP request that was accepted and its answer, for octet-identical repetitions (profile section 2.1). */
export class CachedAnswer {
	readonly answer: Uint8Array;
	readonly request: Uint8Array;
	private left: number = LIMITS.cachedAnswers;

	/** Keeps copies. */
	constructor(request: Uint8Array, answer: Uint8Array) {
		this.request = request.slice();
		this.answer = answer.slice();
	}

	answers(octets: Uint8Array, length: number): boolean {
		const { request } = this;
		if (request.length !== length) return false;
		for (let i = 0; i < length; i++) if (request[i] !== octets[i]) return false;
		return true;
	}

	/** Uses up one of the times the answer may be sent again. @returns false where none is left */
	use(): boolean {
		if (this.left === 0) return false;
		this.left--;
		return true;
	}
}
