import { INDEX_BITS, SQN_STEP, sqnNumber, sqnOctets } from "./aka.js";

/** Δ: the largest jump of SEQ that is taken, against a wrap-around by force (TS 33.102 C.2.1, value of C.3.1). */
const LARGEST_JUMP = 2 ** 28;

/** The sequence numbers a USIM has accepted: the highest SEQ for each index (TS 33.102 C.2.2). */
export class AcceptedSqns {
	private readonly seq: number[] = [];
	private readonly ageLimit: number;

	/**
	 * @param sqnMs SQN_MS to begin with, for all indices
	 * @param ageLimit L: a SEQ that is this much or more below the highest is not taken; by default all are (TS 33.102 C.2.2)
	 */
	constructor(sqnMs = 0, ageLimit = Number.POSITIVE_INFINITY) {
		this.ageLimit = ageLimit;
		for (let index = 0; index < SQN_STEP; index++) this.seq.push(Math.floor(sqnMs / SQN_STEP));
	}

	/** Takes an SQN if it is fresh. @returns false where it is not: a synchronisation failure */
	accept(sqn: number): boolean {
		const index = sqn % SQN_STEP;
		const seq = Math.floor(sqn / SQN_STEP);
		const ahead = seq - Math.max(...this.seq);
		if (ahead > LARGEST_JUMP || -ahead >= this.ageLimit || seq <= this.seq[index]) return false;
		this.seq[index] = seq;
		return true;
	}

	/** SQN_MS: the highest SQN accepted. */
	highest(): number {
		let highest = 0;
		for (let index = 0; index < SQN_STEP; index++) highest = Math.max(highest, this.seq[index] * SQN_STEP + index);
		return highest;
	}

	/** 32 × 6 octets, SEQ ‖ index each, for the store. */
	encode(): Uint8Array {
		const octets = new Uint8Array(SQN_STEP * 6);
		for (let index = 0; index < SQN_STEP; index++) octets.set(sqnOctets(this.seq[index] * SQN_STEP + index), index * 6);
		return octets;
	}

	/** @returns undefined where the octets are not what {@link encode} gives */
	static decode(octets: Uint8Array, ageLimit?: number): AcceptedSqns | undefined {
		if (octets.length !== SQN_STEP * 6) return undefined;
		const sqns = new AcceptedSqns(0, ageLimit);
		for (let index = 0; index < SQN_STEP; index++) {
			const sqn = sqnNumber(octets.subarray(index * 6, index * 6 + 6));
			if (sqn % SQN_STEP !== index) return undefined;
			sqns.seq[index] = Math.floor(sqn / SQN_STEP);
		}
		return sqns;
	}
}

/** Whether a USIM whose highest SQN is `sqnMs` takes `sqn`, as far as the authentication centre can tell. */
export function isAcceptable(sqn: number, sqnMs: number): boolean {
	const ahead = Math.floor(sqn / SQN_STEP) - Math.floor(sqnMs / SQN_STEP);
	return ahead > 0 && ahead <= LARGEST_JUMP;
}

/** The next SQN of the authentication centre: the same index, SEQ one up, wrapping at 48 bits (TS 33.102 C.1.2). */
export function nextSqn(sqn: number): number {
	return (sqn + SQN_STEP) % 2 ** (43 + INDEX_BITS);
}
