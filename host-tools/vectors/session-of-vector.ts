import type { HseConfiguration } from "../../firmware/emsdp/configuration.js";
import { DIRECTION, LONGEST_MESSAGE, RELEASE } from "../../firmware/emsdp/profile.js";
import { SecurityContext, type SecurityParameters } from "../../firmware/emsdp/security-context.js";
import type { Kernel } from "../../firmware/kernels/kernel.js";
import { deriveKeys } from "../../firmware/keys/traffic.js";
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

/** One end of a `session` of the vectors; its derived keys are checked on the way. */
export function contextOf(kernel: Kernel, session: VectorCase, direction: number): SecurityContext {
	const parameters = parametersOf(session);
	const easId = new TextEncoder().encode(session.eas_id);
	const baseKey = fromHex(session.k_base);
	for (const [name, key] of Object.entries(keysByName(baseKey, parameters, easId)))
		expectEqual(name, key, session[KEY_FIELDS[name]]);
	return new SecurityContext(kernel, parameters, deriveKeys(baseKey, parameters, easId), direction);
}

/** Both ends of a session: that of the UE and that of the HSE. */
export function endsOf(kernel: Kernel, session: VectorCase) {
	return {
		ue: contextOf(kernel, session, DIRECTION.fromUe),
		hse: contextOf(kernel, session, DIRECTION.toUe),
	};
}
