import { createSocket, type Socket } from "node:dgram";
import { Ue } from "../../firmware/client/ue.js";
import { Header } from "../../firmware/emsdp/header.js";
import { encodeImsi } from "../../firmware/emsdp/imsi.js";
import { AGREEMENT, LIMITS, MODE, RETRANSMISSION, SERVICE, TAG } from "../../firmware/emsdp/profile.js";
import { screen } from "../../firmware/emsdp/screening.js";
import { plmnForm } from "../../firmware/emsdp/serving-network.js";
import { Milenage } from "../../firmware/keys/milenage.js";
import { SoftUsim } from "../../firmware/platform/common/soft-usim.js";
import { loadKernel } from "../../host-tools/kernel.js";
import { offerOf } from "../../host-tools/provision/provision.js";
import { MemoryStore } from "../support/pair.js";
import { SeededRandom } from "../support/seeded-random.js";
import { CREDENTIALS } from "./meter.js";

const ADDRESS = "127.0.0.1";
const NETWORK = plmnForm("901", "70");

/** A UE whose datagrams go to the HSE that a test says. */
export class DirectedUe {
	/** UDP port of that HSE. */
	aim: number;
	/** Payloads of downlinks. */
	readonly received: string[] = [];
	/** User-plane messages as they came, replays too, in hex. */
	readonly onTheWire: string[] = [];
	/** Causes of refusals. */
	readonly refusals: (number | undefined)[] = [];
	/** Told of each downlink as it comes. */
	onDownlink: () => void = () => {};
	readonly ue: Ue;
	private readonly header = new Header();
	private readonly kernel = loadKernel();
	private readonly usim: SoftUsim;
	private readonly socket: Socket = createSocket("udp4");
	private readonly timer: NodeJS.Timeout;

	constructor(imsi: string, aim: number, mode: number = MODE.ueToHse) {
		this.aim = aim;
		const value = encodeImsi(imsi) ?? new Uint8Array(8);
		this.ue = new Ue({
			kernel: this.kernel,
			random: new SeededRandom(Number(imsi.slice(-6))),
			identity: { tag: TAG.imsi, value },
			sharedKey: undefined,
			offer: offerOf(AGREEMENT.epsAka, SERVICE.confidential, undefined, mode),
			easId: new TextEncoder().encode("meter.test"),
			servingNetwork: NETWORK,
			retransmission: { ...RETRANSMISSION, firstAfter: 500 },
			longestBackOff: LIMITS.longestBackOff,
		});
		this.usim = new SoftUsim(new Milenage(loadKernel(), CREDENTIALS.k, CREDENTIALS.opc), value, new MemoryStore());
		this.socket.on("message", (datagram) => {
			if (screen(this.header, datagram, datagram.length, false) === undefined && this.header.userPlane)
				this.onTheWire.push(datagram.toString("hex"));
			this.ue.handleDatagram(performance.now(), datagram, datagram.length);
			this.drain();
		});
		this.socket.bind(0, ADDRESS);
		this.timer = setInterval(() => {
			if ((this.ue.deadline ?? Number.POSITIVE_INFINITY) > performance.now()) return;
			this.ue.handleTimeout(performance.now());
			this.drain();
		}, 20);
	}

	begin(): void {
		this.ue.begin(performance.now());
		this.drain();
	}

	say(text: string): void {
		this.ue.send(new TextEncoder().encode(text));
		this.drain();
	}

	stop(): void {
		this.ue.stop(performance.now());
		this.drain();
	}

	close(): void {
		clearInterval(this.timer);
		this.socket.close();
	}

	private drain(): void {
		const { outbox } = this.ue;
		for (;;) {
			outbox.takeRecord();
			const octets = outbox.takeDatagram();
			if (octets > 0) this.socket.send(this.kernel.message.slice(0, octets), this.aim, ADDRESS);
			const challenge = outbox.takeChallenge();
			if (challenge === undefined) break;
			this.usim.authenticate(challenge.rand, challenge.autn, (result) =>
				this.ue.handleAuthentication(performance.now(), challenge, result),
			);
		}
		for (let event = outbox.takeEvent(); event !== undefined; event = outbox.takeEvent())
			if (event.kind === "attempt over") this.refusals.push(event.cause);
			else if (event.kind === "downlink") {
				this.received.push(new TextDecoder().decode(event.payload));
				this.onDownlink();
			}
	}
}
