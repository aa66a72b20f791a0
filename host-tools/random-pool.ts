import { randomFillSync } from "node:crypto";
import { readUint32 } from "../firmware/emsdp/octets.js";

/** Random octets of the system, fetched many at a time: a call for each few costs more than what they are for. */
export class RandomPool {
	private readonly octets = new Uint8Array(4096);
	private taken = this.octets.length;

	/** @param length 1 to 4,096 @returns octets of their own, that are nowhere else */
	take(length: number): Uint8Array {
		if (this.taken + length > this.octets.length) {
			randomFillSync(this.octets);
			this.taken = 0;
		}
		const end = this.taken + length;
		const taken = this.octets.slice(this.taken, end);
		this.octets.fill(0, this.taken, end);
		this.taken = end;
		return taken;
	}

	/** 0 .. 2^32 − 1. */
	uint32(): number {
		return readUint32(this.take(4), 0);
	}
}
