import { openDatagram, usim } from "best/target/datagram";
import { store } from "best/target/store";
import Time from "time";
import Timer from "timer";
import type { Target } from "../../ports/platform.js";
import { TickClock } from "./clock.js";
import { kernel } from "./kernel.js";
import { SystemRandom } from "./random.js";

/** A Moddable target: what the client needs of it. The manifest chooses the modules below `best/target/`. */
export const target = {
	kernel,
	clock: new TickClock({ time: Time, timer: Timer }),
	random: new SystemRandom(),
	store,
	openDatagram,
	...(usim && { usim }),

	// An attempt that nobody answers lasts up to 93 s by itself.
	retry: { first: 10_000, longest: 3_600_000 },
} satisfies Target;
