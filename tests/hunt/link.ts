import type { Faults } from "./faults.js";

/** A datagram on its way. */
export interface Flight {
	/** Its place among what was sent this way; a copy has another. */
	readonly name: string;
	readonly datagram: Uint8Array;
	/** When it arrives, in milliseconds. */
	readonly at: number;
}

/** One property of a link: makes of one flight none, one or more. Wrappers stack: each takes what the one before leaves. */
export type Wrapper = (flight: Flight) => readonly Flight[];

export const losing =
	(faults: Faults, perMille: number): Wrapper =>
	(flight) =>
		faults.happens(`${flight.name} lost`, perMille) ? [] : [flight];

/** The copy follows within half a second. */
export const duplicating =
	(faults: Faults, perMille: number): Wrapper =>
	(flight) => {
		const name = `${flight.name} copied`;
		if (!faults.happens(name, perMille)) return [flight];
		const at = flight.at + (faults.number(`${name} after`) % 500);
		return [flight, { ...flight, name: `${flight.name}'`, at }];
	};

/** Every datagram takes `least` ms and up to `spread` ms more: neighbours may change places. */
export const delaying =
	(faults: Faults, least: number, spread: number): Wrapper =>
	(flight) => [{ ...flight, at: flight.at + least + (faults.number(`${flight.name} takes`) % (spread + 1)) }];

/** A few datagrams are held up so long that many others overtake them. */
export const reordering =
	(faults: Faults, perMille: number, longest: number): Wrapper =>
	(flight) => {
		const name = `${flight.name} held up`;
		if (!faults.happens(name, perMille)) return [flight];
		return [{ ...flight, at: flight.at + (faults.number(`${name} for`) % longest) }];
	};

/** One to three bits of the datagram are flipped. */
export const spoiling =
	(faults: Faults, perMille: number): Wrapper =>
	(flight) => {
		const name = `${flight.name} spoilt`;
		if (flight.datagram.length === 0 || !faults.happens(name, perMille)) return [flight];
		const datagram = flight.datagram.slice();
		for (let left = 1 + (faults.number(`${name} bits`) % 3); left > 0; left--) {
			const bit = faults.number(`${name} ${left}`) % (8 * datagram.length);
			datagram[bit >> 3] ^= 1 << (bit & 7);
		}
		return [{ ...flight, datagram }];
	};

/** What is longer than `mtu` octets does not get through. */
export const limiting =
	(mtu: number): Wrapper =>
	(flight) =>
		flight.datagram.length > mtu ? [] : [flight];

/** One direction of a link, made of wrappers. */
export class Link {
	/** Taken away where the link is to be good from now on. */
	wrappers: readonly Wrapper[];
	private readonly direction: string;
	private readonly flights: Flight[] = [];
	private sent = 0;

	constructor(direction: string, wrappers: readonly Wrapper[]) {
		this.direction = direction;
		this.wrappers = wrappers;
	}

	send(now: number, datagram: Uint8Array): void {
		this.sent++;
		let flights: readonly Flight[] = [{ name: `${this.direction} ${this.sent}`, datagram, at: now }];
		for (const wrapper of this.wrappers) flights = flights.flatMap(wrapper);
		for (const flight of flights) {
			const later = this.flights.findIndex(({ at }) => at > flight.at);
			this.flights.splice(later < 0 ? this.flights.length : later, 0, flight);
		}
	}

	/** When the next datagram arrives. */
	get nextAt(): number {
		return this.flights[0]?.at ?? Number.POSITIVE_INFINITY;
	}

	/** The datagram that arrives next. */
	take(): Uint8Array | undefined {
		return this.flights.shift()?.datagram;
	}
}
