/** Octet strings of which many are alike, each kept once, by number, for as long as somebody uses it. */
export class InternedOctets {
	private readonly entries: { readonly key: string; readonly octets: Uint8Array; uses: number }[] = [];
	private readonly numbers = new Map<string, number>();
	private readonly unused: number[] = [];

	/** @returns the number of these octets, which has one use more */
	add(octets: Uint8Array): number {
		const key = String.fromCharCode(...octets);
		let number = this.numbers.get(key);
		if (number === undefined) {
			number = this.unused.pop() ?? this.entries.length;
			this.entries[number] = { key, octets: octets.slice(), uses: 0 };
			this.numbers.set(key, number);
		}
		this.entries[number].uses++;
		return number;
	}

	/** Not a copy. */
	get(number: number): Uint8Array {
		return this.entries[number].octets;
	}

	/** Ends one use. */
	remove(number: number): void {
		const entry = this.entries[number];
		entry.uses--;
		if (entry.uses > 0) return;
		this.numbers.delete(entry.key);
		this.unused.push(number);
	}
}
