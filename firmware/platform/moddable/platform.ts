import { provisioning } from "best/target/console";
import config from "mc/config";
import Timer from "timer";
import type { Platform } from "../../ports/platform.js";
import { SimulatedReadings } from "./readings.js";
import { target } from "./target.js";

// A number given on mcconfig's command line arrives as a string.
const readings = new SimulatedReadings({ timer: Timer, interval: Number(config.readingInterval) });

/** Takes a reading now, out of turn. */
export function takeReading(): void {
	readings.measure();
}

/** A Moddable target, with what the application of this project needs besides. */
export const platform = {
	...target,
	readings,
	...(provisioning && { provisioning }),

	/** One line on the debugger's console, or on standard output where there is none. */
	print(text: string): void {
		trace(text, "\n");
	},

	/** Nothing: a device has nowhere to go. */
	exit(_status: number): void {},
} satisfies Platform;
