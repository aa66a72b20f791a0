import type { SharedKey } from "../../firmware/client/options.js";
import { Ue } from "../../firmware/client/ue.js";
import { readUeConfiguration, type UeConfiguration } from "../../firmware/emsdp/configuration.js";
import { LONGEST_MESSAGE, MODE, RETRANSMISSION, SERVICE } from "../../firmware/emsdp/profile.js";
import type { Kernel } from "../../firmware/kernels/kernel.js";
import { makeVector, sqnNumber, verifyAutn, verifyAuts } from "../../firmware/keys/aka.js";
import { Milenage } from "../../firmware/keys/milenage.js";
import { nextSqn } from "../../firmware/keys/sqn.js";
import { SoftUsim } from "../../firmware/platform/common/soft-usim.js";
import type { Random } from "../../firmware/ports/random.js";
import type { Store } from "../../firmware/ports/store.js";
import { fromHex } from "../hex.js";
import type { VectorRequest } from "../hse/events.js";
import type { LoadPolicy, VectorAnswer } from "../hse/hse.js";
import { DEFAULT_POLICY, type Policy } from "../hse/policy.js";
import type { VectorCase } from "./vector-case.js";

/** A store that forgets. */
export function volatileStore(): Store {
	const values = new Map<string, Uint8Array>();
	return {
		read: (key) => values.get(key)?.slice(),
		write: (key, value) => void values.set(key, value.slice()),
		delete: (key) => void values.delete(key),
	};
}

/** Randomness as the vectors fix it: the nonces of the UE, in order, and zero for the rest. */
export class ScriptedRandom implements Random {
	readonly nonces: Uint8Array[] = [];

	fill(into: Uint8Array): void {
		const nonce = into.length === NONCE_OCTETS ? this.nonces.shift() : undefined;
		if (nonce === undefined) into.fill(0);
		else into.set(nonce);
	}
}

const NONCE_OCTETS = 8;

export interface UeIdentity {
	readonly identity: { readonly tag: number; readonly value: Uint8Array };
	readonly sharedKey: SharedKey | undefined;
	readonly offer: UeConfiguration;
	readonly easId: Uint8Array;
	readonly servingNetwork: Uint8Array;
}

export function makeUe(kernel: Kernel, identity: UeIdentity, random = new ScriptedRandom()): Ue {
	const longestBackOff = 3600;
	return new Ue({ kernel, random, ...identity, retransmission: RETRANSMISSION, longestBackOff });
}

export function softUsim(kernel: Kernel, k: string, opc: string, sqnMs: string, imsi: Uint8Array): SoftUsim {
	const functions = new Milenage(kernel, fromHex(k), fromHex(opc));
	return new SoftUsim(functions, imsi, volatileStore(), sqnNumber(fromHex(sqnMs)));
}

/** Who the UE of a transcript is. */
export function identityOf(given: VectorCase): UeIdentity {
	return {
		identity: { tag: fromHex(given.identity_tlv)[0], value: fromHex(given.identity_tlv).slice(2) },
		sharedKey:
			given.key_reference === null
				? undefined
				: { reference: fromHex(given.key_reference), key: fromHex(given.shared_key) },
		offer: readUeConfiguration(fromHex(given.ue_configuration), 0),
		easId: new TextEncoder().encode(given.eas_id),
		servingNetwork: fromHex(given.serving_network ?? ""),
	};
}

/** The policy of an HSE that allows one choice only. */
export function policyOf(choice: VectorCase): Policy {
	return {
		...DEFAULT_POLICY,
		agreements: [choice.agreement],
		encryptionAlgorithms: [choice.encryption],
		integrityAlgorithms: [choice.integrity],
		counterSchemes: [choice.counter_scheme],
		macLengths: [choice.mac_length],
		services: Object.values(SERVICE),
		modes: Object.values(MODE),
		keyId: choice.key_id,
		lifetime: choice.lifetime ?? 0,
		largestMessage: LONGEST_MESSAGE,
	};
}

/** The one subscriber of a transcript, whatever its identity. */
const SUBSCRIBER = "001010000000001";

/** The authentication centre of a transcript: its RANDs are given, its SQN grows by 32. */
export class ScriptedCentre {
	/** Bits of AUTN and XRES that are sent wrong, for the transcripts that want this. */
	spoilAutn: ((autn: Uint8Array) => Uint8Array) | undefined;
	spoilXres = false;
	private readonly milenage: Milenage;
	private readonly randoms: string[];
	private readonly amf: Uint8Array;
	private readonly sharedKey: string | undefined;
	private sqn: number;

	constructor(kernel: Kernel, given: VectorCase, randoms: readonly string[]) {
		this.milenage = new Milenage(kernel, fromHex(given.k), fromHex(given.opc));
		this.randoms = [...randoms];
		this.amf = fromHex(given.amf);
		this.sharedKey = given.shared_key ?? undefined;
		this.sqn = sqnNumber(fromHex(given.first_sqn));
	}

	/** The centre falls back to the SQN of a challenge that is to come. @param challenge value of tag 11 */
	fallBackTo(challenge: Uint8Array): void {
		this.sqn = verifyAutn(this.milenage, challenge.subarray(0, 16), challenge.subarray(16))?.sqn ?? this.sqn;
	}

	/** An HSE nonce: it comes from the same list. */
	drawNonce(): Uint8Array {
		return fromHex(this.randoms.shift() ?? "");
	}

	answer({ resynchronisation, keyReference }: VectorRequest): VectorAnswer {
		if (keyReference !== undefined && this.sharedKey !== undefined)
			return { imsi: SUBSCRIBER, sharedKey: fromHex(this.sharedKey) };
		if (resynchronisation !== undefined) {
			const sqnMs = verifyAuts(this.milenage, resynchronisation.rand, resynchronisation.auts);
			if (sqnMs === undefined) return undefined;
			this.sqn = nextSqn(sqnMs);
		}
		const random = this.randoms.shift();
		if (random === undefined) return 0x03; // a subscriber without randomness in the vectors is an unknown one
		const vector = makeVector(this.milenage, fromHex(random), this.sqn, this.amf);
		this.sqn = nextSqn(this.sqn);
		if (this.spoilXres) vector.xres[0] ^= 1;
		const autn = this.spoilAutn?.(vector.autn) ?? vector.autn;
		return { imsi: SUBSCRIBER, vector: { ...vector, autn } };
	}
}

/** A load that asks for a given cookie, or for a back-off. */
export class ScriptedLoad implements LoadPolicy {
	wantedCookie: Uint8Array | undefined;
	seconds: number | undefined;

	cookie(_now: number, _source: string, _identity: Uint8Array, given: Uint8Array | undefined) {
		const isGood = given !== undefined && this.wantedCookie?.every((octet, i) => octet === given[i]);
		return isGood ? undefined : this.wantedCookie;
	}

	backOff(): number | undefined {
		return this.seconds;
	}
}
