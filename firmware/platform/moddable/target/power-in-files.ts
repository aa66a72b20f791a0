import { RetainedInStore } from "best/platform/moddable/retained-in-store";
import type { Power } from "best/ports/power";
import { store } from "best/target/store";

/** For trying out in the simulator what a device does that sleeps. */
export const power: Power = new RetainedInStore({
	store,
	onSleep: (milliseconds) => trace(`asleep for ${milliseconds} ms: end the simulator and start it again\n`),
});
