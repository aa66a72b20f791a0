import { RetainedMemory } from "best/platform/moddable/retained-memory";
import type { Power } from "best/ports/power";
import { Sleep } from "sleep";

/** Its clock for this has 24 bits at 1,024 Hz: four and a half hours. */
const LONGEST = 16_000_000;

/** The SDK's sleep in System ON, with all RAM off but 128 octets. A debug build does not sleep. */
export const power: Power = new RetainedMemory({
	words: {
		read: (index) => Sleep.getRetainedValue(index),
		write: (index, word) => Sleep.setRetainedValue(index, word | 0),
	},
	longest: LONGEST,
	sleep: (milliseconds) => Sleep.deep(milliseconds),
});
