/** A copy in memory of its own, of which what it was made of is erased: a driver's buffers hold what they held for long. */
export function movedOut(octets: Uint8Array): Uint8Array {
	const copy = Uint8Array.from(octets);
	octets.fill(0);
	return copy;
}

/** Octets from which on a view costs less than a loop. */
const LONG = 256;

/** Copies `from[start .. end)` to `into[at ..]`; short ones without making a view. */
export function copyOctets(into: Uint8Array, at: number, from: Uint8Array, start: number, end: number): void {
	if (end - start >= LONG) into.set(from.subarray(start, end), at);
	else for (let i = start; i < end; i++) into[at + i - start] = from[i];
}
