import { decodeImsi } from "../../firmware/emsdp/imsi.js";
import type { Kernel } from "../../firmware/kernels/kernel.js";
import type { HseEvent, Outgoing, VectorRequest } from "./events.js";
import type { SessionRecord } from "./session-record.js";
import { Uplink } from "./uplink.js";

/** What one input of the HSE brings about, until it is drained: datagrams, questions to the authentication centre, events. */
export class Outbox {
	private readonly kernel: Kernel;
	private readonly datagrams: Outgoing[] = [];
	private readonly requests: VectorRequest[] = [];
	private readonly events: HseEvent[] = [];
	private readonly uplink: Uplink;
	private hasUplink = false;

	constructor(kernel: Kernel) {
		this.kernel = kernel;
		this.uplink = new Uplink(kernel.message);
	}

	/**
	 * Sends the first `octets` octets of the kernel's message buffer.
	 * @param atOnce whether it depends on nothing that is stored
	 * @returns the copy that goes out
	 */
	transmit(to: string, octets: number, atOnce = false): Uint8Array {
		const datagram = this.kernel.message.slice(0, octets);
		if (octets > 0) this.datagrams.push({ to, datagram, atOnce });
		return datagram;
	}

	/** Sends a datagram that was kept. */
	transmitAgain(to: string, datagram: Uint8Array): void {
		if (datagram.length > 0) this.datagrams.push({ to, datagram, atOnce: false });
	}

	ask(request: VectorRequest): void {
		this.requests.push(request);
	}

	tell(event: HseEvent): void {
		this.events.push(event);
	}

	/** Forwards to an EAS the UP message that stands in the kernel's message buffer as it came. */
	forward({ imsi, easId, sessionId }: SessionRecord, count: number, octets: number): void {
		const datagram = this.kernel.message.slice(0, octets);
		this.events.push({
			kind: "forward",
			imsi: decodeImsi(imsi) ?? "",
			easId: easId.slice(),
			sessionId,
			count,
			datagram,
		});
	}

	/** An uplink of a session at rest, whose payload stands in the kernel's message buffer. */
	hear(record: SessionRecord, count: number, start: number, end: number): void {
		const { uplink } = this;
		uplink.sessionId = record.sessionId;
		uplink.count = count;
		uplink.start = start;
		uplink.end = end;
		record.copyImsi(uplink.imsi);
		this.hasUplink = true;
	}

	/** Makes an event of an uplink that nobody has taken, before its octets are overwritten. */
	keepUplink(): void {
		if (!this.hasUplink) return;
		this.hasUplink = false;
		this.events.push(this.uplink.toEvent());
	}

	/**
	 * The uplink that the last input brought, without a copy, instead of its event. Only that of a session in which
	 * nothing else is going on comes this way: the others are events.
	 */
	takeUplink(): Uplink | undefined {
		if (!this.hasUplink) return undefined;
		this.hasUplink = false;
		return this.uplink;
	}

	takeDatagram(): Outgoing | undefined {
		return this.datagrams.shift();
	}

	takeVectorRequest(): VectorRequest | undefined {
		return this.requests.shift();
	}

	takeEvent(): HseEvent | undefined {
		this.keepUplink();
		return this.events.shift();
	}
}
