import { createSocket } from "node:dgram";
import { Ue } from "../../firmware/client/ue.js";
import { encodeImsi } from "../../firmware/emsdp/imsi.js";
import { AGREEMENT, LIMITS, RETRANSMISSION, SERVICE, TAG } from "../../firmware/emsdp/profile.js";
import { plmnForm } from "../../firmware/emsdp/serving-network.js";
import type { Kernel } from "../../firmware/kernels/kernel.js";
import { Milenage } from "../../firmware/keys/milenage.js";
import { SoftUsim } from "../../firmware/platform/common/soft-usim.js";
import { offerOf } from "../../host-tools/provision/provision.js";
import { MemoryStore, SeededRandom } from "../support/pair.js";
import type { LiveSubscriber } from "./running-hse.js";

/** A UE on a UDP socket, with a session whenever it can have one. */
export class LiveUe {
	readonly ue: Ue;
	/** Downlinks that it has taken, and sessions that it has had. */
	downlinks = 0;
	sessions = 0;
	private readonly kernel: Kernel;
	private readonly usim: SoftUsim;
	private readonly socket = createSocket("udp4");
	private readonly port: number;
	private readonly seen: (datagram: Uint8Array) => void;
	private timer: NodeJS.Timeout | undefined;

	/** @param seen is told of each datagram, either way */
	constructor(
		{ imsi, k, opc }: LiveSubscriber,
		kernel: Kernel,
		seed: number,
		port: number,
		seen: (datagram: Uint8Array) => void,
	) {
		this.kernel = kernel;
		this.port = port;
		this.seen = seen;
		const value = encodeImsi(imsi) ?? new Uint8Array(8);
		this.usim = new SoftUsim(new Milenage(kernel, k, opc), value, new MemoryStore(), 0);
		this.ue = new Ue({
			kernel,
			random: new SeededRandom(seed),
			identity: { tag: TAG.imsi, value },
			conceal: undefined,
			sharedKey: undefined,
			offer: offerOf(AGREEMENT.epsAka, SERVICE.confidential),
			easId: new TextEncoder().encode("meter.demo"),
			servingNetwork: plmnForm("001", "01"),
			retransmission: RETRANSMISSION,
			longestBackOff: LIMITS.longestBackOff,
		});
		this.socket.on("message", (datagram) => {
			this.seen(datagram);
			this.ue.handleDatagram(performance.now(), datagram, datagram.length);
			this.drain();
		});
		// A datagram that could not be sent is lost, as datagrams are.
		this.socket.on("error", () => {});
	}

	/** Sends a reading, or begins a session where there is none. */
	tick(reading: string): void {
		const { ue } = this;
		if (ue.session?.canSend) ue.send(new TextEncoder().encode(reading));
		else if (!ue.isAttempting && ue.session?.state !== "terminating") ue.begin(performance.now());
		this.drain();
	}

	/** Asks the HSE to end its session: the next tick begins another. */
	leave(): void {
		if (this.ue.session?.canSend) this.ue.stop(performance.now());
		this.drain();
	}

	close(): void {
		clearTimeout(this.timer);
		this.socket.close();
	}

	private drain(): void {
		const { outbox } = this.ue;
		for (;;) {
			while (outbox.takeRecord() !== undefined);
			const octets = outbox.takeDatagram();
			if (octets > 0) {
				const datagram = this.kernel.message.slice(0, octets);
				this.seen(datagram);
				this.socket.send(datagram, this.port, "127.0.0.1");
			}
			const challenge = outbox.takeChallenge();
			if (challenge === undefined) break;
			this.usim.authenticate(challenge.rand, challenge.autn, (result) => {
				this.ue.handleAuthentication(performance.now(), challenge, result);
			});
		}
		for (let event = outbox.takeEvent(); event !== undefined; event = outbox.takeEvent()) {
			if (event.kind === "downlink") this.downlinks++;
			if (event.kind === "session started") this.sessions++;
		}
		clearTimeout(this.timer);
		const { deadline } = this.ue;
		if (deadline === undefined) return;
		this.timer = setTimeout(
			() => {
				this.ue.handleTimeout(performance.now());
				this.drain();
			},
			Math.max(1, deadline - performance.now()),
		);
	}
}
