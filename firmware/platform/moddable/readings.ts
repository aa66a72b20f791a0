import type Timer from "timer";

/** Octets of a reading: a running number (4), hundredths of a degree Celsius (2, signed), millivolts (2); big-endian. */
const READING_LENGTH = 8;

export interface SimulatedReadingsOptions {
	readonly timer: Pick<typeof Timer, "repeat">;
	/** Milliseconds between two readings, from 1. */
	readonly interval: number;
}

/** A sensor for the simulator: a temperature that goes up and down and a battery that runs down. Each reading replaces one that was not read. */
export class SimulatedReadings {
	/** Called when a reading waits. */
	onReadable: ((count: number) => void) | undefined;
	#number = -1;
	#waits = false;

	/** @throws RangeError if the interval is no number of milliseconds from 1 */
	constructor(options: SimulatedReadingsOptions) {
		if (!(options.interval >= 1)) throw new RangeError("The interval of readings is from 1 millisecond.");
		options.timer.repeat(() => this.measure(), options.interval);
	}

	/**
	 * Copies the reading into `into` and removes it.
	 * @returns its length, which is above `into.length` where it was cut off; −1 where none waits
	 */
	read(into: Uint8Array): number {
		if (!this.#waits) return -1;
		this.#waits = false;
		const number = this.#number;
		// 18 to 24 degrees and back in 48 steps of a quarter.
		const step = number % 48;
		const temperature = 1800 + 25 * (step < 24 ? step : 48 - step);
		const battery = Math.max(3600 - (number >> 4), 3000);
		// What lies past the end of `into` is not written.
		into[0] = number >>> 24;
		into[1] = number >>> 16;
		into[2] = number >>> 8;
		into[3] = number;
		into[4] = temperature >> 8;
		into[5] = temperature;
		into[6] = battery >> 8;
		into[7] = battery;
		return READING_LENGTH;
	}

	/** Takes a reading, which waits from then on. */
	measure(): void {
		this.#number++;
		this.#waits = true;
		this.onReadable?.(1);
	}
}
