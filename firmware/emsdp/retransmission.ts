/** How CP requests are sent again: the first time after `firstAfter` ms × random(1.0–1.5), then doubling, `times` times. */
export interface RetransmissionPolicy {
	readonly firstAfter: number;
	readonly times: number;
}

/** One CP request on its way until it is answered (profile section 6, 7). */
export class Retransmission {
	readonly datagram: Uint8Array;
	/** When the request is to be sent again or given up, in the clock's milliseconds. */
	dueAt: number;
	private interval: number;
	private left: number;

	/**
	 * Keeps a copy of the datagram.
	 * @param fraction random, 0 to 1
	 */
	constructor(datagram: Uint8Array, policy: RetransmissionPolicy, fraction: number, now: number) {
		this.datagram = datagram.slice();
		this.interval = policy.firstAfter * (1 + fraction / 2);
		this.left = policy.times;
		this.dueAt = now + this.interval;
	}

	/** Called when it is due. @returns false where it has been sent often enough */
	again(now: number): boolean {
		if (this.left === 0) return false;
		this.left--;
		this.interval *= 2;
		this.dueAt = now + this.interval;
		return true;
	}
}
