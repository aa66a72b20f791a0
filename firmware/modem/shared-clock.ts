import type { Clock } from "../ports/clock.js";

/** One of the alarms that share a clock. */
class Share implements Clock {
	onDeadline: (() => void) | undefined;
	at: number | undefined;
	private readonly owner: SharedClock;

	constructor(owner: SharedClock) {
		this.owner = owner;
	}

	now(): number {
		return this.owner.now();
	}

	setDeadline(at: number | undefined): void {
		this.at = at;
		this.owner.arm();
	}
}

/** A clock that has one alarm, for several users. */
export class SharedClock {
	private readonly clock: Clock;
	private readonly shares: Share[] = [];

	constructor(clock: Clock) {
		this.clock = clock;
		clock.onDeadline = () => this.ring();
	}

	/** A clock whose alarm does not touch the others'. */
	share(): Clock {
		const share = new Share(this);
		this.shares.push(share);
		return share;
	}

	now(): number {
		return this.clock.now();
	}

	/** Sets the alarm to the earliest of all. */
	arm(): void {
		let earliest: number | undefined;
		for (let i = 0; i < this.shares.length; i++) {
			const { at } = this.shares[i];
			if (at !== undefined && (earliest === undefined || at < earliest)) earliest = at;
		}
		this.clock.setDeadline(earliest);
	}

	private ring(): void {
		const now = this.clock.now();
		for (let i = 0; i < this.shares.length; i++) {
			const share = this.shares[i];
			if (share.at === undefined || now < share.at) continue;
			share.at = undefined;
			share.onDeadline?.();
		}
		this.arm();
	}
}
