import { easIdText } from "../eas-id-text.js";
import type { Hse } from "../hse/hse.js";
import type { HseSession } from "../hse/session.js";
import type { HsePort, SessionView } from "./hse-port.js";

/** The commands of an HSE, by whoever gives it the time and drains it. */
export type HseCommands = Pick<HsePort, "send" | "refresh" | "terminate" | "handedOver">;

function viewOf({ sessionId, identity, state, context }: HseSession): SessionView {
	const { imsi, easId, configuration } = identity;
	return { sessionId, imsi, state, keyId: context.parameters.keyId, easId: easIdText(easId), configuration };
}

/** The port of an HSE in the same process. */
export function coreHsePort(hse: Hse, commands: HseCommands): HsePort {
	return {
		session(sessionId) {
			const session = hse.session(sessionId);
			return session && viewOf(session);
		},
		sessionOf(imsi) {
			const session = hse.sessionOf(imsi);
			return session && viewOf(session);
		},
		imsis: (most) => hse.imsis(most),
		easKey: (sessionId) => hse.session(sessionId)?.easKey(),
		send: (sessionId, payload) => commands.send(sessionId, payload),
		handedOver: () => commands.handedOver(),
		refresh: (sessionId, method) => commands.refresh(sessionId, method),
		terminate: (sessionId, cause) => commands.terminate(sessionId, cause),
	};
}
