import { CAUSE } from "../../../firmware/emsdp/profile.js";
import type { Kernel } from "../../../firmware/kernels/kernel.js";
import { makeVector } from "../../../firmware/keys/aka.js";
import { nextSqn } from "../../../firmware/keys/sqn.js";
import { akaFunctionsOf, answerOfSharedKey, imsiOf, sqnAfter } from "../authentication-centre.js";
import type { Subscriber } from "../database.js";
import type { VectorRequest } from "../events.js";
import type { HomeNetworkKeys } from "../home-network-key.js";
import type { VectorAnswer } from "../hse.js";
import type { PostgresSubscribers } from "./subscribers.js";

/** Makes authentication vectors for the subscribers of a PostgreSQL: PostgreSQL gives each SQN to one process. */
export class SharedAuthenticationCentre {
	private readonly kernel: Kernel;
	private readonly subscribers: PostgresSubscribers;
	private readonly randomRand: () => Uint8Array;
	private readonly homeNetworkKeys: HomeNetworkKeys;

	/** @param randomRand draws 16 octets */
	constructor(
		kernel: Kernel,
		subscribers: PostgresSubscribers,
		randomRand: () => Uint8Array,
		homeNetworkKeys: HomeNetworkKeys = new Map(),
	) {
		this.kernel = kernel;
		this.subscribers = subscribers;
		this.randomRand = randomRand;
		this.homeNetworkKeys = homeNetworkKeys;
	}

	/** A vector, a cause that refuses the UE, or undefined where its AUTS is wrong. */
	async answer({ identity, keyReference, resynchronisation }: VectorRequest): Promise<VectorAnswer> {
		const imsi = imsiOf(identity, this.homeNetworkKeys);
		if (typeof imsi === "number") return imsi;
		if (keyReference !== undefined) return answerOfSharedKey(imsi, await this.subscribers.sharedKey(keyReference));
		if (resynchronisation !== undefined) return this.resynchronise(imsi, resynchronisation);
		const subscriber = await this.subscribers.takeSqn(imsi);
		if (subscriber === undefined) return CAUSE.ueUnknown;
		return this.withFunctions(subscriber, ({ sqn, enabled, amf }, functions) =>
			enabled ? { imsi, vector: makeVector(functions, this.randomRand(), sqn, amf) } : CAUSE.ueNotAuthorised,
		);
	}

	private async resynchronise(
		imsi: string,
		resynchronisation: NonNullable<VectorRequest["resynchronisation"]>,
	): Promise<VectorAnswer> {
		for (;;) {
			const subscriber = await this.subscribers.subscriber(imsi);
			if (subscriber === undefined) return CAUSE.ueUnknown;
			const { sqn, enabled, amf } = subscriber;
			if (!enabled) return CAUSE.ueNotAuthorised;
			const made = this.withFunctions(subscriber, (_subscriber, functions) => {
				const next = sqnAfter(functions, sqn, resynchronisation);
				return next === undefined ? undefined : { next, vector: makeVector(functions, this.randomRand(), next, amf) };
			});
			if (made === undefined) return undefined;
			// Another process may have taken an SQN meanwhile.
			if (await this.subscribers.replaceSqn(imsi, sqn, nextSqn(made.next))) return { imsi, vector: made.vector };
		}
	}

	private withFunctions<T>(
		subscriber: Subscriber,
		work: (subscriber: Subscriber, functions: ReturnType<typeof akaFunctionsOf>) => T,
	): T {
		const functions = akaFunctionsOf(this.kernel, subscriber);
		try {
			return work(subscriber, functions);
		} finally {
			functions.erase();
			subscriber.k.fill(0);
			subscriber.opc.fill(0);
		}
	}
}
