import type { Kernel } from "../kernels/kernel.js";
import type { MakeAkaFunctions } from "../keys/aka.js";
import type { Clock } from "./clock.js";
import type { Datagram } from "./datagram.js";
import type { Provisioning } from "./provisioning.js";
import type { Random } from "./random.js";
import type { Readings } from "./readings.js";
import type { Store } from "./store.js";
import type { Usim } from "./usim.js";

/** Makes the SUCI of an IMSI, a new one each time. @param imsi EF_IMSI bytes 2–9 @returns value of tag 02 */
export type Conceal = (imsi: Uint8Array) => Uint8Array;

/** @param concealment of the identity record @returns undefined where the octets are not such a field */
export type MakeConceal = (kernel: Kernel, random: Random, concealment: Uint8Array) => Conceal | undefined;

/** After `first` ms, doubled each time up to `longest` ms. */
export interface RetryPolicy {
	readonly first: number;
	readonly longest: number;
}

/** What the client needs of a target. */
export interface Target {
	readonly kernel: Kernel;
	readonly clock: Clock;
	readonly random: Random;
	readonly store: Store;
	/** @throws Error where there is no way to the address */
	openDatagram(address: string, port: number): Datagram;
	/** The card in the device's modem, where it can be reached. */
	readonly usim?: Usim;
	/** Where nobody is there to start the device again: how failed attempts to get keys begin again. */
	readonly retry?: RetryPolicy;
	/** Algorithms of the soft USIM beside MILENAGE that the target has, by their number in the identity record. */
	readonly akaAlgorithms?: Readonly<Record<number, MakeAkaFunctions>>;
	/** How a SUCI is made, where the target can. */
	readonly makeConceal?: MakeConceal;
}

/** All that the application finds on a target: the module `best/platform` exports one of these as `platform`. */
export interface Platform extends Target {
	readonly readings: Readings;
	/** One line for people or for the program that watches the device. */
	print(text: string): void;
	/** Where there is a line to be provisioned over. */
	readonly provisioning?: Provisioning;
	/** What the engine used, where it can tell. */
	statistics?(): { readonly engine: string; readonly heapPeakBytes: number };
	/** Ends the program where there is something to go back to. */
	exit(status: number): void;
}
