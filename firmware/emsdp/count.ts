import { COUNT, HEADER } from "./profile.js";

/** No COUNT within the range fits the bits received. */
export const NO_CANDIDATE = -1;
/** The one candidate lies in the window and was taken before: a replay, found before any MAC is computed. */
export const REPLAY = -2;
/** No candidate has a right MAC. */
export const WRONG_MAC = -3;

/** The receiving side of one COUNT: of one session, Key ID, plane and direction (profile section 2.1). */
export class ReceivedCount {
	/** The highest COUNT accepted, −1 before the first. */
	last = -1;
	/** The window of 64 bits, bit i for `last` − i: bits 32–63 and 0–31. Used where more than 3 bits are received. */
	windowHigh = 0;
	windowLow = 0;
	/** Bits of COUNT that a message carries: 3, 11 or 19. */
	readonly bits: number;
	readonly trials: number;

	/** @param trials candidates that are tried where only 3 bits are received */
	constructor(bits: number, trials: number) {
		this.bits = bits;
		this.trials = bits === HEADER.countBits ? trials : 1;
	}

	/**
	 * Looks for the COUNT of a message: one candidate, or up to {@link trials} of them, 8 apart, where 3 bits are received.
	 * Nothing moves: the caller calls {@link accept} when it has checked what else there is to check.
	 * @param verify whether the MAC is right for a COUNT
	 * @returns the COUNT, or NO_CANDIDATE, REPLAY or WRONG_MAC
	 */
	search(received: number, verify: (count: number) => boolean): number {
		let count = this.candidate(received);
		if (count < 0) return count;
		for (let trial = 0; trial < this.trials && count <= COUNT.highest; trial++) {
			if (verify(count)) return count;
			count += 1 << this.bits;
		}
		return WRONG_MAC;
	}

	/** The first COUNT to try. */
	private candidate(received: number): number {
		const modulus = 1 << this.bits;
		if (this.bits === HEADER.countBits) {
			const next = this.last + 1;
			const count = next + ((received - next) & (modulus - 1));
			return count <= COUNT.highest ? count : NO_CANDIDATE;
		}
		const lowest = this.last - (COUNT.window - 1);
		const count = lowest + ((received - lowest) & (modulus - 1));
		if (count < 0 || count > COUNT.highest) return NO_CANDIDATE;
		if (count <= this.last && this.isTaken(this.last - count)) return REPLAY;
		return count;
	}

	/** Everything up to `last` counts as taken: after a resume (profile section 6, 2). No counter ever goes back. */
	raise(last: number): void {
		if (last <= this.last) return;
		this.last = last;
		this.windowHigh = 0xffffffff;
		this.windowLow = 0xffffffff;
	}

	/** Moves the state. Only after the MAC has been verified. */
	accept(count: number): void {
		const ahead = count - this.last;
		if (ahead > 0) {
			this.last = count;
			if (this.bits === HEADER.countBits) return;
			if (ahead >= 64) {
				this.windowHigh = 0;
				this.windowLow = 0;
			} else if (ahead >= 32) {
				this.windowHigh = (this.windowLow << (ahead - 32)) >>> 0;
				this.windowLow = 0;
			} else {
				this.windowHigh = ((this.windowHigh << ahead) | (this.windowLow >>> (32 - ahead))) >>> 0;
				this.windowLow = (this.windowLow << ahead) >>> 0;
			}
			this.windowLow = (this.windowLow | 1) >>> 0;
		} else if (-ahead < 32) this.windowLow = (this.windowLow | (1 << -ahead)) >>> 0;
		else this.windowHigh = (this.windowHigh | (1 << (-ahead - 32))) >>> 0;
	}

	private isTaken(behind: number): boolean {
		return behind < 32 ? ((this.windowLow >>> behind) & 1) === 1 : ((this.windowHigh >>> (behind - 32)) & 1) === 1;
	}
}
