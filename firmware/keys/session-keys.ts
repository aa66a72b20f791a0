import { SecurityContext, type SecurityParameters } from "../emsdp/security-context.js";
import type { Kernel } from "../kernels/kernel.js";
import { deriveKeys, eraseKeys } from "./traffic.js";

/** All that one end of a session holds for one Key ID: K_base, K_EAS_PSK and the security context below them. */
export class SessionKeys {
	readonly context: SecurityContext;
	/** K_base and K_EAS_PSK, 32 octets each. */
	readonly baseKey: Uint8Array;
	readonly kEasPsk: Uint8Array;

	/**
	 * Derives what lies below K_base.
	 * @param baseKey taken over: erased with the rest
	 * @param easId value of tag 04
	 * @param direction of what this end sends
	 */
	constructor(
		kernel: Kernel,
		parameters: SecurityParameters,
		baseKey: Uint8Array,
		easId: Uint8Array,
		direction: number,
	) {
		const keys = deriveKeys(baseKey, parameters, easId);
		this.baseKey = baseKey;
		this.kEasPsk = keys.kEasPsk.slice();
		this.context = new SecurityContext(kernel, parameters, keys, direction);
		eraseKeys(keys);
	}

	erase(): void {
		this.context.erase();
		this.baseKey.fill(0);
		this.kEasPsk.fill(0);
	}
}

/** The Key ID after another: 1 → 2 → … → 7 → 1 (profile section 6, 4). */
export function nextKeyId(keyId: number): number {
	return (keyId % 7) + 1;
}
