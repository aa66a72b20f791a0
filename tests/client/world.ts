import { BestClient } from "../../firmware/client/best-client.js";
import type { UeEvent } from "../../firmware/client/events.js";
import { encodeImsi } from "../../firmware/emsdp/imsi.js";
import { AGREEMENT, SERVICE } from "../../firmware/emsdp/profile.js";
import { plmnForm } from "../../firmware/emsdp/serving-network.js";
import { makeVector, SQN_STEP } from "../../firmware/keys/aka.js";
import { Milenage } from "../../firmware/keys/milenage.js";
import { SoftUsim } from "../../firmware/platform/common/soft-usim.js";
import type { Clock } from "../../firmware/ports/clock.js";
import type { Datagram } from "../../firmware/ports/datagram.js";
import { Hse } from "../../host-tools/hse/hse.js";
import { UNLOADED } from "../../host-tools/hse/load.js";
import { DEFAULT_POLICY, type Policy } from "../../host-tools/hse/policy.js";
import { loadKernel } from "../../host-tools/kernel.js";
import { offerOf } from "../../host-tools/provision/provision.js";
import { IMSI, MemoryStore, SeededRandom } from "../support/pair.js";

const RETRANSMISSION = { firstAfter: 2000, times: 4 };

/** A clock that a test moves. */
class TestClock implements Clock {
	time = 0;
	deadline: number | undefined;
	onDeadline: (() => void) | undefined;

	now(): number {
		return this.time;
	}

	setDeadline(at: number | undefined): void {
		this.deadline = at;
	}

	/** Goes to the deadline. */
	ring(): void {
		if (this.deadline === undefined) throw new Error("there is no deadline");
		this.time = this.deadline;
		this.deadline = undefined;
		this.onDeadline?.();
	}
}

/** A client on an HSE in the same process; the link can be cut. */
export function world(
	service: number = SERVICE.confidential,
	retry?: { first: number; longest: number },
	policy: Partial<Policy> = {},
) {
	const random = new SeededRandom(7);
	const kernel = loadKernel();
	const hseKernel = loadKernel();
	const k = random.octets(16);
	const opc = random.octets(16);
	const centre = new Milenage(hseKernel, k, opc);
	let sqn = SQN_STEP;
	const hse = new Hse({
		kernel: hseKernel,
		policy: { ...DEFAULT_POLICY, ...policy },
		retransmission: RETRANSMISSION,
		load: UNLOADED,
		drawSessionId: () => random.next(),
		drawNonce: () => random.octets(8),
		fraction: () => 0,
	});
	const clock = new TestClock();
	const inbox: Uint8Array[] = [];
	const state = { isUp: true, uplinks: [] as string[], datagrams: 0, usimReads: 0 };
	const drainHse = () => {
		const { outbox } = hse;
		for (let request = outbox.takeVectorRequest(); request; request = outbox.takeVectorRequest()) {
			const vector = makeVector(centre, random.octets(16), sqn, Uint8Array.of(0x80, 0));
			hse.handleVector(clock.time, request.number, { imsi: IMSI, vector });
			sqn += SQN_STEP;
		}
		for (let out = outbox.takeDatagram(); out; out = outbox.takeDatagram()) inbox.push(out.datagram);
		for (let event = outbox.takeEvent(); event; event = outbox.takeEvent())
			if (event.kind === "uplink") state.uplinks.push(new TextDecoder().decode(event.payload));
	};
	const datagram: Datagram = {
		onReadable: undefined,
		read(into) {
			const next = inbox.shift();
			if (next === undefined) return -1;
			into.set(next);
			return next.length;
		},
		write(octets, length) {
			if (!state.isUp) return;
			state.datagrams++;
			hse.handleDatagram(clock.time, "ue", octets.slice(0, length), length);
			drainHse();
		},
		close() {},
	};
	const imsi = encodeImsi(IMSI) ?? new Uint8Array(8);
	const store = new MemoryStore();
	const usim = new SoftUsim(new Milenage(kernel, k, opc), imsi, store);
	const readImsi = usim.readImsi.bind(usim);
	usim.readImsi = (done) => {
		state.usimReads++;
		readImsi(done);
	};
	const events: UeEvent[] = [];
	const config = {
		offer: offerOf(AGREEMENT.epsAka, service),
		easId: new TextEncoder().encode("eas.example"),
		servingNetwork: plmnForm("001", "01"),
		...(retry && { retry }),
	};
	const client = new BestClient({
		kernel,
		datagram,
		usim,
		store,
		clock,
		random,
		config,
		onEvent: (event) => events.push({ ...event }),
	});
	/** Lets the client read what has arrived. */
	const pump = () => {
		while (inbox.length > 0) datagram.onReadable?.(inbox.length);
	};
	const terminate = () => {
		const session = hse.sessionOf(IMSI);
		if (session === undefined) throw new Error("no session");
		hse.terminate(clock.time, session.sessionId, 0x11);
		drainHse();
	};
	const answer = (text: string) => {
		const session = hse.sessionOf(IMSI);
		if (session === undefined) throw new Error("no session");
		hse.send(clock.time, session.sessionId, new TextEncoder().encode(text));
		drainHse();
	};
	/** The same device after a power cut, or after a deep sleep. */
	const reboot = (snapshot?: Uint8Array) =>
		new BestClient({
			kernel,
			datagram,
			usim,
			store,
			clock,
			random,
			config,
			...(snapshot && { snapshot }),
			onEvent: (event) => events.push({ ...event }),
		});
	return { client, clock, hse, inbox, state, store, events, pump, answer, terminate, reboot };
}

export const octets = (text: string) => new TextEncoder().encode(text);

export async function connected(...options: Parameters<typeof world>) {
	const all = world(...options);
	const started = all.client.start();
	all.pump();
	await started;
	return all;
}
