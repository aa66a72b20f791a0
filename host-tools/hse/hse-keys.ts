import { DIRECTION, MODE } from "../../firmware/emsdp/profile.js";
import { SecurityContext, type SecurityParameters, type TrafficKeys } from "../../firmware/emsdp/security-context.js";
import type { Kernel } from "../../firmware/kernels/kernel.js";
import { e2eKeys, e2mKeys, easPresharedKey, intermediateKey, type KeyPair } from "../../firmware/keys/hierarchy.js";
import type { SessionRecord } from "./session-record.js";

const KEY_OCTETS = 16;

/** What the HSE holds of a session for one Key ID: K_base, the traffic keys as they are packed, and their context. */
export class HseKeys {
	/** 32 octets. */
	readonly baseKey: Uint8Array;
	/** K_E2Menc, K_E2Mint, K_E2Eenc, K_E2Eint, 16 octets each; the last two are 0 in UE-to-HSE mode, which has no use for them. */
	readonly trafficKeys: Uint8Array;
	readonly context: SecurityContext;

	/** Takes the keys and the context over: they are erased together. */
	constructor(baseKey: Uint8Array, trafficKeys: Uint8Array, context: SecurityContext) {
		this.baseKey = baseKey;
		this.trafficKeys = trafficKeys;
		this.context = context;
	}

	/** Derives what lies below K_base. @param baseKey taken over. @param easId value of tag 04 */
	static derive(kernel: Kernel, parameters: SecurityParameters, baseKey: Uint8Array, easId: Uint8Array): HseKeys {
		const trafficKeys = new Uint8Array(4 * KEY_OCTETS);
		put(trafficKeys, 0, e2mKeys(baseKey, parameters));
		if (parameters.mode === MODE.ueToEas) {
			const psk = easKey(baseKey, parameters, easId);
			put(trafficKeys, 2 * KEY_OCTETS, e2eKeys(psk, parameters));
			psk.fill(0);
		}
		return new HseKeys(baseKey, trafficKeys, expand(kernel, parameters, trafficKeys));
	}

	erase(): void {
		this.context.erase();
		this.eraseOctets();
	}

	/** Erases the keys where the context goes on elsewhere. */
	eraseOctets(): void {
		this.baseKey.fill(0);
		this.trafficKeys.fill(0);
	}
}

/**
 * The context of packed traffic keys. The HSE verifies UP messages of UE-to-EAS mode and never deciphers them.
 * @param direction {@link DIRECTION.fromUe} to verify what goes to the UE, as the UE does
 */
export function expand(
	kernel: Kernel,
	parameters: SecurityParameters,
	trafficKeys: Uint8Array,
	direction: number = DIRECTION.toUe,
): SecurityContext {
	const key = (index: number) => trafficKeys.subarray(KEY_OCTETS * index, KEY_OCTETS * (index + 1));
	const keys = { e2mEncryption: key(0), e2mIntegrity: key(1), e2eEncryption: key(2), e2eIntegrity: key(3) };
	return new SecurityContext(kernel, parameters, keys, direction, true);
}

/** Keys on their way from a record into a context. */
const onTheWay = {
	e2mEncryption: new Uint8Array(KEY_OCTETS),
	e2mIntegrity: new Uint8Array(KEY_OCTETS),
	e2eEncryption: new Uint8Array(KEY_OCTETS),
	e2eIntegrity: new Uint8Array(KEY_OCTETS),
};

/**
 * Makes a context that was another session's, and is alike but for the keys, that of a session. Its COUNTs are the
 * caller's to set.
 */
export function rekey(
	context: SecurityContext,
	{ sessionId, keyId }: { readonly sessionId: number; readonly keyId: number },
	keys: TrafficKeys,
): void {
	const parameters: { sessionId: number; keyId: number } = context.parameters;
	parameters.sessionId = sessionId;
	parameters.keyId = keyId;
	context.setKeys(keys);
}

/** {@link rekey}s a context for a record. */
export function reexpand(context: SecurityContext, record: SessionRecord): void {
	record.copyTrafficKeys(onTheWay);
	rekey(context, record, onTheWay);
	for (const key of [onTheWay.e2mEncryption, onTheWay.e2mIntegrity, onTheWay.e2eEncryption, onTheWay.e2eIntegrity])
		key.fill(0);
}

/** K_EAS_PSK, 32 octets that the caller erases. */
export function easKey(baseKey: Uint8Array, { sessionId, keyId }: SecurityParameters, easId: Uint8Array): Uint8Array {
	const intermediate = intermediateKey(baseKey, sessionId, keyId);
	const psk = easPresharedKey(intermediate, easId);
	intermediate.fill(0);
	return psk;
}

/** Moves a pair of keys to where they are packed. */
function put(into: Uint8Array, at: number, { encryption, integrity }: KeyPair): void {
	into.set(encryption, at);
	into.set(integrity, at + KEY_OCTETS);
	encryption.fill(0);
	integrity.fill(0);
}
