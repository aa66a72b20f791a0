import type { Ue } from "../../firmware/client/ue.js";
import { encodeUeConfiguration } from "../../firmware/emsdp/configuration.js";
import { encodeImsi } from "../../firmware/emsdp/imsi.js";
import { AGREEMENT, ALGORITHM, SERVICE } from "../../firmware/emsdp/profile.js";
import { plmnForm } from "../../firmware/emsdp/serving-network.js";
import { offerOf } from "../../host-tools/provision/provision.js";
import { type Scenario, scenarioOf } from "../hunt/scenario.js";
import { World, type WorldOptions } from "../hunt/world.js";
import { IMSI, SeededRandom, seedOfUe } from "../support/pair.js";
import { hexOf, type Input, type Trace } from "./replay.js";

const EAS_ID = "eas.example";
const LONGEST_BACK_OFF = 60;

/** A world that writes down what its UE is given and what it sends. */
class RecordingWorld extends World {
	readonly inputs: Input[] = [];
	readonly datagrams: string[] = [];

	constructor(options: WorldOptions) {
		super(options);
		this.ue = this.watch(this.ue);
	}

	override cutPower(): void {
		super.cutPower();
		this.inputs.push(["power cut", this.now]);
		this.ue = this.watch(this.ue);
	}

	override drainUe(): void {
		const { push } = this.toHse;
		this.toHse.push = (...datagrams) => {
			this.datagrams.push(...datagrams.map(hexOf));
			return push.apply(this.toHse, datagrams);
		};
		try {
			super.drainUe();
		} finally {
			this.toHse.push = push;
		}
	}

	/** The UE itself, with the inputs of an application and of a link written down as they come. */
	private watch(ue: Ue): Ue {
		const { inputs } = this;
		const note =
			<Words extends readonly unknown[], Result>(
				method: (...words: Words) => Result,
				input: (...words: Words) => Input,
			) =>
			(...words: Words): Result => {
				inputs.push(input(...words));
				return method.apply(ue, words as never);
			};
		ue.handleDatagram = note(ue.handleDatagram, (now, octets, length) => [
			"datagram",
			now,
			hexOf(octets.subarray(0, length)),
		]);
		ue.handleTimeout = note(ue.handleTimeout, (now) => ["timeout", now]);
		ue.send = note(ue.send, (payload) => ["send", this.now, hexOf(payload)]);
		ue.begin = note(ue.begin, (now) => ["begin", now]);
		ue.resume = note(ue.resume, (now) => ["resume", now]);
		ue.refresh = note(ue.refresh, (now, method) => ["refresh", now, String(method)]);
		ue.stop = note(ue.stop, (now) => ["stop", now]);
		return ue;
	}
}

/** What no trace has: a power cut in the midst of an input, and algorithms that the default image leaves out. */
const NOT_IN_A_TRACE: readonly string[] = ["UE loses power soon", "HSE loses power soon"];
const AES = {
	encryptionAlgorithms: (1 << ALGORITHM.null) | (1 << ALGORITHM.aes),
	integrityAlgorithms: 1 << ALGORITHM.aes,
};

function traceable({ options, steps }: Scenario): Scenario {
	return {
		options: {
			...options,
			easId: EAS_ID,
			longestBackOff: LONGEST_BACK_OFF,
			offer: AES,
			policy: {
				...options.policy,
				encryptionAlgorithms: [ALGORITHM.aes, ALGORITHM.null],
				integrityAlgorithms: [ALGORITHM.aes],
			},
		},
		steps: steps.filter(({ what }) => !NOT_IN_A_TRACE.includes(what)),
	};
}

/** Records the UE of a random scenario. @returns its trace, and the datagrams that it sent */
export function record(seed: number): { readonly trace: Trace; readonly datagrams: readonly string[] } {
	const { options, steps } = traceable(scenarioOf(seed));
	const world = new RecordingWorld(options);
	for (const step of steps) {
		world.perform(step);
		world.advance(60);
	}
	const secrets = new SeededRandom(seed);
	const { agreement = AGREEMENT.epsAka, service = SERVICE.confidential } = options;
	const trace: Trace = {
		name: `seed ${seed}`,
		seed: seedOfUe(seed),
		k: hexOf(secrets.octets(16)),
		opc: hexOf(secrets.octets(16)),
		imsi: hexOf(encodeImsi(IMSI) ?? new Uint8Array(0)),
		offer: hexOf(encodeUeConfiguration({ ...offerOf(agreement, service), ...AES })),
		easId: hexOf(new TextEncoder().encode(EAS_ID)),
		servingNetwork: hexOf(plmnForm("001", "01")),
		longestBackOff: LONGEST_BACK_OFF,
		inputs: world.inputs,
	};
	return { trace, datagrams: world.datagrams };
}
