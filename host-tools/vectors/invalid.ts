import { Session } from "../../firmware/client/session.js";
import type { Ue } from "../../firmware/client/ue.js";
import { readUeConfiguration } from "../../firmware/emsdp/configuration.js";
import { readUint32 } from "../../firmware/emsdp/octets.js";
import {
	CAUSE,
	COMMAND,
	DIRECTION,
	HEADER,
	LONGEST_MESSAGE,
	RETRANSMISSION,
	TAG,
} from "../../firmware/emsdp/profile.js";
import type { SecurityContext } from "../../firmware/emsdp/security-context.js";
import { TlvScan } from "../../firmware/emsdp/tlv.js";
import type { Verdict } from "../../firmware/emsdp/verdict.js";
import type { Kernel } from "../../firmware/kernels/kernel.js";
import { fromHex, toHex } from "../hex.js";
import { Hse } from "../hse/hse.js";
import { HseKeys } from "../hse/hse-keys.js";
import { HseSession } from "../hse/session.js";
import { setReceived, windowHex } from "./count.js";
import { configurationOf, keysOf, parametersOf } from "./session-of-vector.js";
import { expectEqual, type VectorCase } from "./vector-case.js";
import { makeUe, policyOf, ScriptedLoad, ScriptedRandom, softUsim, type UeIdentity } from "./world.js";

const SOURCE = "ue";
/** The profile's name for what is done once the MAC is right and the contents are at fault: then that COUNT is taken. */
const FAULT_IN_CONTENTS: readonly string[] = ["contents"];

/** What a receiver holds of one context, to see that nothing has changed. */
function photograph(context: SecurityContext | undefined): string {
	if (context === undefined) return "gone";
	const { control, user } = context;
	return JSON.stringify([control.next, user.next, control.received.last, user.received.last, windowHex(user.received)]);
}

function restore(context: SecurityContext, session: VectorCase): void {
	setReceived(context.control.received, session.receive.cp_last, null);
	setReceived(context.user.received, session.receive.up_last, session.receive.up_window ?? null);
	context.control.next = session.send_next.cp;
	context.user.next = session.send_next.up;
}

/** A receiver put into the state of a case. */
interface Receiver {
	contexts(): readonly (SecurityContext | undefined)[];
	handle(datagram: Uint8Array): { readonly verdict: Verdict; readonly replies: readonly string[] };
}

function hseOf(kernel: Kernel, vector: VectorCase): Receiver {
	const { state } = vector;
	const load = new ScriptedLoad();
	load.wantedCookie = state.cookie_wanted && fromHex(state.cookie_wanted);
	load.seconds = state.congestion_back_off;
	const choice = state.hse_choice ?? { agreement: 1, encryption: 2, integrity: 2, counter_scheme: 0, mac_length: 4 };
	const hse = new Hse({
		kernel,
		policy: policyOf({ key_id: 1, ...choice }),
		retransmission: RETRANSMISSION,
		load,
		drawSessionId: () => 1,
		drawNonce: () => new Uint8Array(8),
		fraction: () => 0,
	});
	const sessionIds = (state.sessions ?? []).map((session: VectorCase): number => {
		const easId = new TextEncoder().encode(session.eas_id);
		keysOf(kernel, session, DIRECTION.toUe).erase();
		const keys = HseKeys.derive(kernel, parametersOf(session), fromHex(session.k_base), easId);
		restore(keys.context, session);
		const identity = {
			imsi: "001010000000001",
			easId,
			configuration: configurationOf(session),
			network: new Uint8Array(0),
			largestMessage: LONGEST_MESSAGE,
		};
		const expectedResponse = state.expected_response ? fromHex(state.expected_response) : undefined;
		const stage = session.confirmed ? "live" : "unconfirmed";
		return hse.adopt(
			(surroundings) => new HseSession(surroundings, identity, keys, expectedResponse, "elsewhere", stage),
		).sessionId;
	});
	return {
		contexts: () => sessionIds.map((sessionId: number) => hse.session(sessionId)?.context),
		handle(datagram) {
			let verdict = hse.handleDatagram(0, SOURCE, datagram, datagram.length);
			for (let request = hse.outbox.takeVectorRequest(); request; request = hse.outbox.takeVectorRequest()) {
				// A case with the subscriber and the key that are known is refused before either is needed.
				hse.handleVector(0, request.number, CAUSE.ueUnknown);
				verdict = "reject";
			}
			const replies: string[] = [];
			for (let out = hse.outbox.takeDatagram(); out; out = hse.outbox.takeDatagram()) {
				expectEqual("reply goes to", out.to, SOURCE);
				replies.push(toHex(out.datagram));
			}
			return { verdict, replies };
		},
	};
}

/** Who sent a Session Request. */
function identityOfRequest(request: Uint8Array, sharedKey: Uint8Array): UeIdentity {
	const tlvs = new TlvScan();
	tlvs.scan(request, HEADER.length + 1, request.length);
	const tag = tlvs.has(TAG.imsi) ? TAG.imsi : TAG.suci;
	const reference = tlvs.has(TAG.keyReference) ? tlvs.value(TAG.keyReference) : undefined;
	return {
		identity: { tag, value: tlvs.value(tag) },
		sharedKey: reference && { reference, key: sharedKey },
		offer: readUeConfiguration(request, tlvs.offsets[TAG.ueConfiguration]),
		easId: tlvs.value(TAG.easId),
		servingNetwork: tlvs.has(TAG.servingNetwork) ? tlvs.value(TAG.servingNetwork) : new Uint8Array(0),
	};
}

const SOME_UE: UeIdentity = {
	identity: { tag: TAG.imsi, value: fromHex("0910101032547698") },
	sharedKey: undefined,
	offer: readUeConfiguration(fromHex("12020504370204d0"), 0),
	easId: Uint8Array.of(0x61),
	servingNetwork: fromHex("0000f110"),
};

function ueOf(kernel: Kernel, vector: VectorCase): Receiver {
	const { state } = vector;
	const request = state.request_sent ? fromHex(state.request_sent) : undefined;
	const identity = request === undefined ? SOME_UE : identityOfRequest(request, fromHex(state.shared_key ?? ""));
	const random = new ScriptedRandom();
	if (state.ue_nonce) random.nonces.push(fromHex(state.ue_nonce));
	const ue: Ue = makeUe(kernel, identity, random);
	const { k, opc, sqn_ms } = state.usim ?? { k: "00".repeat(16), opc: "00".repeat(16), sqn_ms: "00".repeat(6) };
	const usim = softUsim(kernel, k, opc, sqn_ms, identity.identity.value);
	if (request !== undefined) {
		ue.begin(0);
		const sent = toHex(kernel.message.subarray(0, ue.outbox.takeDatagram()));
		expectEqual("request", sent, state.request_sent);
	}
	const contexts = (state.sessions ?? []).map((session: VectorCase) => {
		const keys = keysOf(kernel, session, DIRECTION.fromUe);
		restore(keys.context, session);
		const lost = state.volatile_state_lost === true;
		ue.adopt((options, outbox) => new Session(options, outbox, keys, configurationOf(session), lost));
		if (state.resume_nonce_sent) {
			random.nonces.push(fromHex(state.resume_nonce_sent));
			ue.resume(0);
			ue.outbox.takeDatagram();
		}
		return keys.context;
	});
	return {
		contexts: () => contexts,
		handle(datagram) {
			let verdict = ue.handleDatagram(0, datagram, datagram.length);
			const replies: string[] = [];
			for (;;) {
				const octets = ue.outbox.takeDatagram();
				if (octets > 0) replies.push(toHex(kernel.message.subarray(0, octets)));
				const challenge = ue.outbox.takeChallenge();
				if (challenge === undefined) return { verdict, replies };
				usim.authenticate(challenge.rand, challenge.autn, (result) => {
					verdict = ue.handleAuthentication(0, challenge, result);
				});
			}
		},
	};
}

export function checkInvalid(kernel: Kernel, vector: VectorCase): void {
	const receiver = vector.receiver === "HSE" ? hseOf(kernel, vector) : ueOf(kernel, vector);
	const before = receiver.contexts().map(photograph);
	const { verdict, replies } = receiver.handle(fromHex(vector.datagram));
	const { action, cause, reply, reply_protected } = vector.expected;
	const outcome =
		verdict === "reject" ? "reject" : ["accept", "hint", "repetition"].includes(verdict) ? verdict : "drop silently";
	expectEqual(`"${verdict}": action`, outcome, action);
	expectEqual("replies", replies, reply === null ? [] : [reply]);
	if (action === "drop silently" && !FAULT_IN_CONTENTS.includes(verdict))
		expectEqual("state", receiver.contexts().map(photograph), before);
	if (reply === null) return;
	const octets = fromHex(reply);
	expectEqual("reply", octets[HEADER.length], COMMAND.messageReject);
	expectEqual("reply is protected", ((octets[1] >> HEADER.keyIdShift) & HEADER.keyIdMask) !== 0, reply_protected);
	const tlvs = new TlvScan();
	// The cause of a protected 80 is in clear too: that command is never ciphered.
	tlvs.scan(octets, HEADER.length + 1, octets.length - (reply_protected ? vector.state.sessions[0].mac_length : 0));
	expectEqual("cause", toHex(tlvs.value(TAG.cause)).slice(0, 2), cause);
	expectEqual("reply names the session", readUint32(octets, HEADER.sessionId), readUint32(fromHex(vector.datagram), 2));
}
