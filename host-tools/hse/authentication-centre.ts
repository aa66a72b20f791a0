import { decodeImsi } from "../../firmware/emsdp/imsi.js";
import { CAUSE, TAG } from "../../firmware/emsdp/profile.js";
import type { Kernel } from "../../firmware/kernels/kernel.js";
import { makeVector, verifyAuts } from "../../firmware/keys/aka.js";
import { Milenage } from "../../firmware/keys/milenage.js";
import { isAcceptable, nextSqn } from "../../firmware/keys/sqn.js";
import type { HseDatabase, Subscriber } from "./database.js";
import type { VectorRequest } from "./events.js";
import type { VectorAnswer } from "./hse.js";

/** Makes authentication vectors (TS 33.102 6.3.2) for the subscribers of a database. */
export class AuthenticationCentre {
	private readonly kernel: Kernel;
	private readonly database: HseDatabase;
	private readonly randomRand: () => Uint8Array;

	/** @param randomRand draws 16 octets */
	constructor(kernel: Kernel, database: HseDatabase, randomRand: () => Uint8Array) {
		this.kernel = kernel;
		this.database = database;
		this.randomRand = randomRand;
	}

	/** A vector, a cause that refuses the UE, or undefined where its AUTS is wrong. */
	answer(request: VectorRequest): VectorAnswer {
		// Neither a SUCI nor a shared key is in this database.
		const imsi = request.identity.tag === TAG.imsi ? decodeImsi(request.identity.value) : undefined;
		const subscriber = imsi === undefined ? undefined : this.database.subscriber(imsi);
		if (subscriber === undefined || request.keyReference !== undefined) return CAUSE.ueUnknown;
		if (!subscriber.enabled) return CAUSE.ueNotAuthorised;
		try {
			return this.makeVector(subscriber, request);
		} finally {
			subscriber.k.fill(0);
			subscriber.opc.fill(0);
		}
	}

	private makeVector(subscriber: Subscriber, { resynchronisation }: VectorRequest): VectorAnswer {
		const milenage = new Milenage(this.kernel, subscriber.k, subscriber.opc);
		try {
			let { sqn } = subscriber;
			if (resynchronisation !== undefined) {
				const sqnMs = verifyAuts(milenage, resynchronisation.rand, resynchronisation.auts);
				if (sqnMs === undefined) return undefined;
				// Set anew only where the USIM would not take the next one (TS 33.102 6.3.5): an SQN never goes back.
				if (!isAcceptable(sqn, sqnMs)) sqn = nextSqn(sqnMs);
			}
			// Stored before the vector is used: an SQN goes out once, whatever ends this process.
			this.database.setSqn(subscriber.imsi, nextSqn(sqn));
			const vector = makeVector(milenage, this.randomRand(), sqn, subscriber.amf);
			return { imsi: subscriber.imsi, vector };
		} finally {
			milenage.erase();
		}
	}
}
