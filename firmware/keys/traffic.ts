import type { SecurityParameters, TrafficKeys } from "../emsdp/security-context.js";
import { e2eKeys, e2mKeys, easPresharedKey, intermediateKey } from "./hierarchy.js";

/** All keys below K_base for one (session, Key ID) (profile section 5). */
export interface DerivedKeys extends TrafficKeys {
	/** K_EAS_PSK, 32 octets. */
	readonly kEasPsk: Uint8Array;
}

/** Derives all keys below K_base. @param easId value of tag 04 */
export function deriveKeys(baseKey: Uint8Array, parameters: SecurityParameters, easId: Uint8Array): DerivedKeys {
	const e2m = e2mKeys(baseKey, parameters);
	const kIntermediate = intermediateKey(baseKey, parameters.sessionId, parameters.keyId);
	const kEasPsk = easPresharedKey(kIntermediate, easId);
	kIntermediate.fill(0);
	const e2e = e2eKeys(kEasPsk, parameters);
	return {
		e2mEncryption: e2m.encryption,
		e2mIntegrity: e2m.integrity,
		e2eEncryption: e2e.encryption,
		e2eIntegrity: e2e.integrity,
		kEasPsk,
	};
}

export function eraseKeys(keys: DerivedKeys): void {
	keys.e2mEncryption.fill(0);
	keys.e2mIntegrity.fill(0);
	keys.e2eEncryption.fill(0);
	keys.e2eIntegrity.fill(0);
	keys.kEasPsk.fill(0);
}
