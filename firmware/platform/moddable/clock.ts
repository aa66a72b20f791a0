import type Time from "time";
import type Timer from "timer";
import type { Clock } from "../../ports/clock.js";

/** Two to the power 30 milliseconds, twelve days: below what a timer takes and what the 32-bit tick counter of a board can tell apart. */
const LONGEST_WAIT = 0x4000_0000;

export interface TickClockOptions {
	readonly time: Pick<typeof Time, "ticks" | "delta">;
	readonly timer: Pick<typeof Timer, "repeat" | "schedule">;
}

/** A {@link Clock} over the `time` and `timer` modules. */
export class TickClock implements Clock {
	onDeadline: (() => void) | undefined;
	readonly #time: TickClockOptions["time"];
	readonly #timers: TickClockOptions["timer"];
	readonly #timer: Timer;
	#ticks: number;
	#now = 0;
	#deadline: number | undefined;

	constructor(options: TickClockOptions) {
		this.#time = options.time;
		this.#timers = options.timer;
		this.#ticks = this.#time.ticks;
		this.#timer = this.#timers.repeat(() => this.#onTimer(), LONGEST_WAIT);
	}

	/** Adds up what passes: ticks wrap round on a board and follow the time of day, which may be set back, in the simulator. */
	now(): number {
		const ticks = this.#time.ticks;
		const passed = this.#time.delta(this.#ticks, ticks);
		this.#ticks = ticks;
		if (passed > 0) this.#now += passed;
		return this.#now;
	}

	setDeadline(at: number | undefined): void {
		this.#deadline = at;
		this.#arm();
	}

	/**
	 * One timer for good, so that nothing is allocated. It repeats at the interval it waits for: the simulator starts a
	 * second one where a timer whose first and later intervals differ is scheduled anew while it fires. Without a
	 * deadline it still runs, or a wrap of the ticks could pass unseen.
	 */
	#arm(): void {
		let wait = LONGEST_WAIT;
		if (this.#deadline !== undefined) wait = Math.min(Math.max(Math.ceil(this.#deadline - this.now()), 1), wait);
		this.#timers.schedule(this.#timer, wait, wait);
	}

	#onTimer(): void {
		const due = this.#deadline !== undefined && this.now() >= this.#deadline;
		if (due) this.#deadline = undefined;
		this.#arm();
		if (due) this.onDeadline?.();
	}
}
