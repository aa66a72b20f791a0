import { decodeImsi } from "../../firmware/emsdp/imsi.js";
import { CAUSE, TAG } from "../../firmware/emsdp/profile.js";
import type { Kernel } from "../../firmware/kernels/kernel.js";
import { type AkaFunctions, makeVector, verifyAuts } from "../../firmware/keys/aka.js";
import { Milenage } from "../../firmware/keys/milenage.js";
import { isAcceptable, nextSqn } from "../../firmware/keys/sqn.js";
import { Tuak } from "../../firmware/keys/tuak.js";
import type { HseDatabase, SharedKeySubscriber, Subscriber } from "./database.js";
import type { VectorRequest } from "./events.js";
import type { HomeNetworkKeys } from "./home-network-key.js";
import type { VectorAnswer } from "./hse.js";
import { resolveSuci } from "./suci.js";

/** Makes authentication vectors (TS 33.102 6.3.2) for the subscribers of a database. */
export class AuthenticationCentre {
	private readonly kernel: Kernel;
	private readonly database: HseDatabase;
	private readonly randomRand: () => Uint8Array;
	private readonly homeNetworkKeys: HomeNetworkKeys;

	/**
	 * @param randomRand draws 16 octets
	 * @param homeNetworkKeys for SUCIs of profiles A and B; those of the null scheme need none
	 */
	constructor(
		kernel: Kernel,
		database: HseDatabase,
		randomRand: () => Uint8Array,
		homeNetworkKeys: HomeNetworkKeys = new Map(),
	) {
		this.kernel = kernel;
		this.database = database;
		this.randomRand = randomRand;
		this.homeNetworkKeys = homeNetworkKeys;
	}

	/** A vector, a cause that refuses the UE, or undefined where its AUTS is wrong. */
	answer(request: VectorRequest): VectorAnswer {
		const imsi = imsiOf(request.identity, this.homeNetworkKeys);
		if (typeof imsi === "number") return imsi;
		if (request.keyReference !== undefined)
			return answerOfSharedKey(imsi, this.database.sharedKey(request.keyReference));
		return this.vectorOf(imsi, request.resynchronisation);
	}

	/** A vector for a subscriber, or as {@link answer}. @param imsi digits */
	vectorOf(imsi: string, resynchronisation?: VectorRequest["resynchronisation"]): VectorAnswer {
		const subscriber = this.database.subscriber(imsi);
		if (subscriber === undefined) return CAUSE.ueUnknown;
		if (!subscriber.enabled) return CAUSE.ueNotAuthorised;
		const functions = akaFunctionsOf(this.kernel, subscriber);
		try {
			return this.makeVector(functions, subscriber, resynchronisation);
		} finally {
			functions.erase();
			subscriber.k.fill(0);
			subscriber.opc.fill(0);
		}
	}

	private makeVector(
		functions: AkaFunctions,
		{ imsi, amf, ...subscriber }: Subscriber,
		resynchronisation: VectorRequest["resynchronisation"],
	): VectorAnswer {
		const sqn = sqnAfter(functions, subscriber.sqn, resynchronisation);
		if (sqn === undefined) return undefined;
		// Stored before the vector is used: an SQN goes out once, whatever ends this process.
		this.database.setSqn(imsi, nextSqn(sqn));
		return { imsi, vector: makeVector(functions, this.randomRand(), sqn, amf) };
	}
}

/** The IMSI that an identity stands for, digits, or the cause that refuses the UE. */
export function imsiOf({ tag, value }: VectorRequest["identity"], keys: HomeNetworkKeys): string | number {
	if (tag === TAG.suci) return resolveSuci(value, keys);
	return decodeImsi(value) ?? CAUSE.ueUnknown;
}

/** @param known what a reference to a pre-shared key stands for; its key is erased where it is not used */
export function answerOfSharedKey(imsi: string, known: SharedKeySubscriber | undefined): VectorAnswer {
	// The key of one subscriber is of no use in the name of another.
	if (known?.imsi === imsi && known.enabled) return { imsi, sharedKey: known.key };
	known?.key.fill(0);
	return known?.imsi === imsi ? CAUSE.ueNotAuthorised : CAUSE.ueUnknown;
}

/** The SQN for the next challenge, after what the UE has to say about that; undefined where its AUTS is wrong. */
export function sqnAfter(
	functions: AkaFunctions,
	sqn: number,
	resynchronisation: VectorRequest["resynchronisation"],
): number | undefined {
	if (resynchronisation === undefined) return sqn;
	const sqnMs = verifyAuts(functions, resynchronisation.rand, resynchronisation.auts);
	if (sqnMs === undefined) return undefined;
	// Set anew only where the USIM would not take the next one (TS 33.102 6.3.5): an SQN never goes back.
	return isAcceptable(sqn, sqnMs) ? sqn : nextSqn(sqnMs);
}

export function akaFunctionsOf(kernel: Kernel, { k, opc, tuak }: Subscriber): AkaFunctions {
	return tuak === undefined ? new Milenage(kernel, k, opc) : new Tuak(k, opc, tuak);
}
