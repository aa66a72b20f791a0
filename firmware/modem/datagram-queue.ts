/** Octets before a datagram that hold its length. */
const PREFIX = 2;

/** Datagrams that wait to be sent, in one buffer made once. */
export class DatagramQueue {
	private readonly buffer: Uint8Array;
	private filled = 0;

	constructor(octets: number) {
		this.buffer = new Uint8Array(octets);
	}

	get isEmpty(): boolean {
		return this.filled === 0;
	}

	/** @returns whether there was room */
	push(octets: Uint8Array, length: number): boolean {
		const { buffer, filled } = this;
		if (filled + PREFIX + length > buffer.length) return false;
		buffer[filled] = length >> 8;
		buffer[filled + 1] = length;
		for (let i = 0; i < length; i++) buffer[filled + PREFIX + i] = octets[i];
		this.filled += PREFIX + length;
		return true;
	}

	/** Copies the first one, which must be there, into `into`, which has room for it. @returns its length */
	first(into: Uint8Array): number {
		const { buffer } = this;
		const length = this.firstLength;
		for (let i = 0; i < length; i++) into[i] = buffer[PREFIX + i];
		return length;
	}

	/** Removes the first one, which must be there. */
	shift(): void {
		const octets = PREFIX + this.firstLength;
		this.buffer.copyWithin(0, octets, this.filled);
		this.filled -= octets;
	}

	clear(): void {
		this.filled = 0;
	}

	private get firstLength(): number {
		return (this.buffer[0] << 8) | this.buffer[1];
	}
}
