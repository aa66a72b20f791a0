import type { Kernel } from "../kernels/kernel.js";
import type { Clock } from "./clock.js";
import type { Datagram } from "./datagram.js";
import type { Random } from "./random.js";
import type { Readings } from "./readings.js";
import type { Store } from "./store.js";

/** After `first` ms, doubled each time up to `longest` ms. */
export interface RetryPolicy {
	readonly first: number;
	readonly longest: number;
}

/** All that the firmware finds on a target: the module `best/platform` exports one of these as `platform`. */
export interface Platform {
	readonly kernel: Kernel;
	readonly clock: Clock;
	readonly random: Random;
	readonly store: Store;
	readonly readings: Readings;
	/** @throws Error where there is no way to the address */
	openDatagram(address: string, port: number): Datagram;
	/** One line for people or for the program that watches the device. */
	print(text: string): void;
	/** Where nobody is there to start the device again: how failed attempts to get keys begin again. */
	readonly retry?: RetryPolicy;
	/** What the engine used, where it can tell. */
	statistics?(): { readonly engine: string; readonly heapPeakBytes: number };
	/** Ends the program where there is something to go back to. */
	exit(status: number): void;
}
