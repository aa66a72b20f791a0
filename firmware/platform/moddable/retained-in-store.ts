import type { Power } from "../../ports/power.js";
import type { Store } from "../../ports/store.js";

/** Key of what stands for retained memory. */
const RETAINED_KEY = "retained";

export interface RetainedInStoreOptions {
	readonly store: Store;
	/** Tells a person that the program is to be ended and started again after so many milliseconds. */
	readonly onSleep: (milliseconds: number) => void;
}

/** Deep sleep for the simulator, which has none: a value in the store stands for retained memory, and a person for the timer. */
export class RetainedInStore implements Power {
	readonly #options: RetainedInStoreOptions;

	constructor(options: RetainedInStoreOptions) {
		this.#options = options;
	}

	takeRetained(): Uint8Array | undefined {
		const { store } = this.#options;
		const retained = store.read(RETAINED_KEY);
		if (retained !== undefined) store.delete(RETAINED_KEY);
		return retained;
	}

	sleep(milliseconds: number, retained: Uint8Array | undefined): void {
		const { store, onSleep } = this.#options;
		if (retained !== undefined) store.write(RETAINED_KEY, retained);
		retained?.fill(0);
		onSleep(milliseconds);
	}
}
