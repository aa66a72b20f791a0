import type { Kernel } from "../../firmware/kernels/kernel.js";
import type { HseEvent, Outgoing, VectorRequest } from "./events.js";

/** What one input of the HSE brings about, until it is drained: datagrams, questions to the authentication centre, events. */
export class Outbox {
	private readonly kernel: Kernel;
	private readonly datagrams: Outgoing[] = [];
	private readonly requests: VectorRequest[] = [];
	private readonly events: HseEvent[] = [];

	constructor(kernel: Kernel) {
		this.kernel = kernel;
	}

	/** Sends the first `octets` octets of the kernel's message buffer. @returns the copy that goes out */
	transmit(to: string, octets: number): Uint8Array {
		const datagram = this.kernel.message.slice(0, octets);
		if (octets > 0) this.datagrams.push({ to, datagram });
		return datagram;
	}

	/** Sends a datagram that was kept. */
	transmitAgain(to: string, datagram: Uint8Array): void {
		this.datagrams.push({ to, datagram });
	}

	ask(request: VectorRequest): void {
		this.requests.push(request);
	}

	tell(event: HseEvent): void {
		this.events.push(event);
	}

	takeDatagram(): Outgoing | undefined {
		return this.datagrams.shift();
	}

	takeVectorRequest(): VectorRequest | undefined {
		return this.requests.shift();
	}

	takeEvent(): HseEvent | undefined {
		return this.events.shift();
	}
}
