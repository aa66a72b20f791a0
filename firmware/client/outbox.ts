import type { Kernel } from "../kernels/kernel.js";
import type { UeEvent } from "./events.js";

/** A challenge for the USIM, 16 octets each. */
export interface Challenge {
	readonly rand: Uint8Array;
	readonly autn: Uint8Array;
}

/**
 * What one input of the UE brings about, until it is drained. One input sends one datagram at the most. The record comes
 * first: it must be in non-volatile storage before the datagram leaves the device.
 */
export class Outbox {
	private readonly kernel: Kernel;
	private datagramOctets = 0;
	private record: Uint8Array | undefined;
	private challenge: Challenge | undefined;
	private readonly events: UeEvent[] = [];

	constructor(kernel: Kernel) {
		this.kernel = kernel;
	}

	/** The first `octets` octets of the kernel's message buffer are to be sent. */
	transmit(octets: number): void {
		this.datagramOctets = octets;
	}

	/** A datagram that was kept is to be sent. */
	transmitAgain(datagram: Uint8Array): void {
		this.kernel.message.set(datagram);
		this.datagramOctets = datagram.length;
	}

	/** The session's record is to be stored; no octets: to be deleted. */
	store(record: Uint8Array): void {
		this.record = record;
	}

	authenticate(challenge: Challenge): void {
		this.challenge = challenge;
	}

	tell(event: UeEvent): void {
		this.events.push(event);
	}

	/** @returns the record to store, one of no octets where it is to be deleted, undefined where nothing is to be done */
	takeRecord(): Uint8Array | undefined {
		const { record } = this;
		this.record = undefined;
		return record;
	}

	/** @returns octets of the datagram in the kernel's message buffer, 0 where there is none */
	takeDatagram(): number {
		const octets = this.datagramOctets;
		this.datagramOctets = 0;
		return octets;
	}

	takeChallenge(): Challenge | undefined {
		const challenge = this.challenge;
		this.challenge = undefined;
		return challenge;
	}

	takeEvent(): UeEvent | undefined {
		return this.events.shift();
	}
}
