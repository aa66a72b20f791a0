import type { HseConfiguration } from "../../firmware/emsdp/configuration.js";
import { DIRECTION, LONGEST_MESSAGE, RELEASE } from "../../firmware/emsdp/profile.js";
import type { SecurityParameters } from "../../firmware/emsdp/security-context.js";
import type { Kernel } from "../../firmware/kernels/kernel.js";
import { SessionKeys } from "../../firmware/keys/session-keys.js";
import { fromHex } from "../hex.js";
import { keysByName } from "./keys.js";
import { expectEqual, type VectorCase } from "./vector-case.js";

/** The names of derived keys in a `session` of the vectors. */
const KEY_FIELDS: Record<string, string> = {
	K_E2Menc: "k_e2m_enc",
	K_E2Mint: "k_e2m_int",
	K_Intermediate: "k_intermediate",
	K_EAS_PSK: "k_eas_psk",
	K_E2Eenc: "k_e2e_enc",
	K_E2Eint: "k_e2e_int",
};

export function parametersOf(session: VectorCase): SecurityParameters {
	return {
		sessionId: Number.parseInt(session.session_id, 16),
		keyId: session.key_id,
		agreement: session.agreement,
		encryption: session.encryption,
		integrity: session.integrity,
		counterScheme: session.counter_scheme,
		macLength: session.mac_length,
		service: session.service,
		mode: session.mode,
	};
}

/** What tag 10 would have said of a session. */
export function configurationOf(session: VectorCase): HseConfiguration {
	return { ...parametersOf(session), release: RELEASE, lifetime: 0, largestMessage: LONGEST_MESSAGE };
}

/** The keys of one end of a `session` of the vectors; those derived are checked on the way. */
export function keysOf(kernel: Kernel, session: VectorCase, direction: number): SessionKeys {
	const parameters = parametersOf(session);
	const easId = new TextEncoder().encode(session.eas_id);
	const baseKey = fromHex(session.k_base);
	for (const [name, key] of Object.entries(keysByName(baseKey, parameters, easId)))
		expectEqual(name, key, session[KEY_FIELDS[name]]);
	return new SessionKeys(kernel, parameters, baseKey, easId, direction);
}

/** Both ends of a session: that of the UE and that of the HSE. */
export function endsOf(kernel: Kernel, session: VectorCase) {
	return {
		ue: keysOf(kernel, session, DIRECTION.fromUe).context,
		hse: keysOf(kernel, session, DIRECTION.toUe).context,
	};
}
