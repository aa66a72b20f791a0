/** What an HSE answers to the client of firmware/platform/board/scenario.ts; the measuring program replays it. */
import type { UeEvent } from "../../firmware/client/events.js";
import { RETRANSMISSION } from "../../firmware/emsdp/profile.js";
import { JsKernel } from "../../firmware/kernels/js.js";
import { makeVector, SQN_STEP } from "../../firmware/keys/aka.js";
import { Milenage } from "../../firmware/keys/milenage.js";
import {
	CountingRandom,
	IMSI_DIGITS,
	K,
	MESSAGES,
	measuredClient,
	OPC,
	PAYLOAD_OCTETS,
	secret,
} from "../../firmware/platform/board/scenario.js";
import type { Datagram } from "../../firmware/ports/datagram.js";
import type { Store } from "../../firmware/ports/store.js";
import { Hse } from "../hse/hse.js";
import { UNLOADED } from "../hse/load.js";
import { DEFAULT_POLICY } from "../hse/policy.js";

const NOW = 1000;
const SOURCE = "ue";

/** The Session Start, user-plane messages, and the answer to a resume, as hexadecimal digits. */
export async function transcript(): Promise<string[]> {
	const random = new CountingRandom();
	const kernel = new JsKernel();
	const centre = new Milenage(kernel, secret(K), secret(OPC));
	const recorded: string[] = [];
	const toUe: Uint8Array[] = [];
	const hse = new Hse({
		kernel: new JsKernel(),
		policy: DEFAULT_POLICY,
		retransmission: RETRANSMISSION,
		load: UNLOADED,
		drawSessionId: () => 0x12345678,
		drawNonce: () => new Uint8Array(8).fill(0x5a),
		fraction: () => 0,
	});
	let sessionId = 0;
	const drain = () => {
		const { outbox } = hse;
		for (let request = outbox.takeVectorRequest(); request !== undefined; request = outbox.takeVectorRequest()) {
			const rand = new Uint8Array(16);
			random.fill(rand);
			const vector = makeVector(centre, rand, SQN_STEP, Uint8Array.of(0x80, 0));
			hse.handleVector(NOW, request.number, { imsi: IMSI_DIGITS, vector });
		}
		for (let out = outbox.takeDatagram(); out !== undefined; out = outbox.takeDatagram()) {
			toUe.push(out.datagram);
			recorded.push(Buffer.from(out.datagram).toString("hex"));
		}
		for (let event = outbox.takeEvent(); event !== undefined; event = outbox.takeEvent())
			if (event.kind === "session confirmed") sessionId = event.sessionId;
	};
	const datagram: Datagram = {
		onReadable: undefined,
		read(into) {
			const next = toUe.shift();
			if (next === undefined) return -1;
			into.set(next);
			return next.length;
		},
		write(octets, length) {
			hse.handleDatagram(NOW, SOURCE, octets.slice(0, length), length);
			drain();
		},
		close() {},
	};
	let downlinks = 0;
	let resumed = false;
	const values = new Map<string, Uint8Array>();
	const store: Store = {
		read: (key) => values.get(key)?.slice(),
		write: (key, value) => void values.set(key, value.slice()),
		delete: (key) => void values.delete(key),
	};
	const hear = (event: UeEvent) => {
		if (event.kind === "downlink") downlinks++;
		if (event.kind === "session resumed") resumed = true;
	};
	const client = measuredClient(new JsKernel(), datagram, store, hear);
	const started = client.start();
	datagram.onReadable?.(1);
	await started;
	const payload = new Uint8Array(PAYLOAD_OCTETS).fill(0x42);
	for (let i = 0; i <= MESSAGES; i++) await client.send(payload);
	for (let i = 0; i <= MESSAGES; i++) {
		hse.send(NOW, sessionId, payload);
		drain();
		datagram.onReadable?.(1);
	}
	const resuming = measuredClient(new JsKernel(), datagram, store, hear).start();
	datagram.onReadable?.(1);
	await resuming;
	if (downlinks !== MESSAGES + 1 || recorded.length !== MESSAGES + 3 || !resumed)
		throw new Error(`The transcript has ${recorded.length} messages, of which ${downlinks} downlinks came through.`);
	return recorded;
}
