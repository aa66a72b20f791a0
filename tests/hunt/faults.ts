/**
 * What goes wrong in a random run. Each roll hangs on the seed and on the name of what is rolled for, and on nothing
 * else: with one fault taken away the others stay as they were, so that a failing run can be made smaller.
 */
export class Faults {
	/** The names of the faults that have happened, in their order. */
	readonly happened: string[] = [];
	private readonly seed: number;
	private readonly left: ReadonlySet<string> | undefined;

	/** @param left the only faults that may happen; all where it is undefined */
	constructor(seed: number, left?: ReadonlySet<string>) {
		this.seed = seed;
		this.left = left;
	}

	/** Whether the fault happens: in `perMille` of 1,000 cases. */
	happens(name: string, perMille: number): boolean {
		if (perMille === 0 || this.number(name) % 1000 >= perMille) return false;
		if (this.left !== undefined && !this.left.has(name)) return false;
		this.happened.push(name);
		return true;
	}

	/** A number of 32 bits. */
	number(name: string): number {
		// FNV-1a, then the finalizer of MurmurHash3: near names give far numbers.
		let hash = 0x811c9dc5 ^ this.seed;
		for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
		hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
		hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
		return (hash ^ (hash >>> 16)) >>> 0;
	}
}
