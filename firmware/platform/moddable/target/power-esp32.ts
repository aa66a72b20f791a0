import { RetainedMemory } from "best/platform/moddable/retained-memory";
import type { Power } from "best/ports/power";

const read: (index: number) => number = native("xs_best_retained_read");
const write: (index: number, word: number) => void = native("xs_best_retained_write");
const sleep: (milliseconds: number) => void = native("xs_best_deep_sleep");

/** A year. The chip's clock for this has 48 bits. */
const LONGEST = 365 * 86_400_000;

/** Deep sleep with RTC memory (deep-sleep-esp32.c). */
export const power: Power = new RetainedMemory({ words: { read, write }, longest: LONGEST, sleep });
