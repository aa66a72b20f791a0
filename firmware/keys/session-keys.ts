import { MODE } from "../emsdp/profile.js";
import { SecurityContext, type SecurityParameters } from "../emsdp/security-context.js";
import type { Kernel } from "../kernels/kernel.js";
import { e2mKeys, easPresharedKey, intermediateKey } from "./hierarchy.js";
import { deriveKeys, eraseKeys } from "./traffic.js";

const KEY_OCTETS = 16;

/** All that the UE holds of a session for one Key ID: K_base, K_EAS_PSK and the security context below them. */
export class SessionKeys {
	readonly context: SecurityContext;
	/** K_base, 32 octets. */
	readonly baseKey: Uint8Array;
	/** The keys of the user plane, cipher key and integrity key of 16 octets each: with them a session wakes at once. */
	readonly userKeys: Uint8Array;
	private readonly easId: Uint8Array;
	private easKey: Uint8Array | undefined;

	/**
	 * Derives what lies below K_base.
	 * @param baseKey taken over: erased with the rest
	 * @param easId value of tag 04
	 * @param direction of what this end sends
	 * @param userKeys of a session that was asleep, taken over: then the rest is derived when it is needed
	 */
	constructor(
		kernel: Kernel,
		parameters: SecurityParameters,
		baseKey: Uint8Array,
		easId: Uint8Array,
		direction: number,
		userKeys?: Uint8Array,
	) {
		this.baseKey = baseKey;
		this.easId = easId;
		if (userKeys !== undefined) {
			this.userKeys = userKeys;
			const user = { encryption: userKeys.subarray(0, KEY_OCTETS), integrity: userKeys.subarray(KEY_OCTETS) };
			const deriveControl = () => e2mKeys(baseKey, parameters);
			this.context = new SecurityContext(kernel, parameters, { user, deriveControl }, direction);
			return;
		}
		const keys = deriveKeys(baseKey, parameters, easId);
		const isSplit = parameters.mode === MODE.ueToEas;
		this.userKeys = new Uint8Array(2 * KEY_OCTETS);
		this.userKeys.set(isSplit ? keys.e2eEncryption : keys.e2mEncryption);
		this.userKeys.set(isSplit ? keys.e2eIntegrity : keys.e2mIntegrity, KEY_OCTETS);
		this.easKey = keys.kEasPsk.slice();
		this.context = new SecurityContext(kernel, parameters, keys, direction);
		eraseKeys(keys);
	}

	/** K_EAS_PSK, 32 octets. */
	get kEasPsk(): Uint8Array {
		if (this.easKey === undefined) {
			const { sessionId, keyId } = this.context.parameters;
			const kIntermediate = intermediateKey(this.baseKey, sessionId, keyId);
			this.easKey = easPresharedKey(kIntermediate, this.easId);
			kIntermediate.fill(0);
		}
		return this.easKey;
	}

	erase(): void {
		this.context.erase();
		this.baseKey.fill(0);
		this.userKeys.fill(0);
		this.easKey?.fill(0);
	}
}

/** The Key ID after another: 1 → 2 → … → 7 → 1 (profile section 6, 4). */
export function nextKeyId(keyId: number): number {
	return (keyId % 7) + 1;
}
