import { Ue } from "../../../firmware/client/ue.js";
import { readHseConfiguration } from "../../../firmware/emsdp/configuration.js";
import { encodeImsi } from "../../../firmware/emsdp/imsi.js";
import { readUint32 } from "../../../firmware/emsdp/octets.js";
import {
	AGREEMENT,
	COMMAND,
	DIRECTION,
	HEADER,
	LIMITS,
	RETRANSMISSION,
	SERVICE,
	TAG,
} from "../../../firmware/emsdp/profile.js";
import {
	SecurityContext,
	type SecurityParameters,
	type TrafficKeys,
} from "../../../firmware/emsdp/security-context.js";
import { plmnForm } from "../../../firmware/emsdp/serving-network.js";
import { TlvScan, writeTlv } from "../../../firmware/emsdp/tlv.js";
import type { Kernel } from "../../../firmware/kernels/kernel.js";
import { baseKeyFromAka, e2mKeys } from "../../../firmware/keys/hierarchy.js";
import { Milenage } from "../../../firmware/keys/milenage.js";
import { rekey } from "../../hse/hse-keys.js";
import { offerOf } from "../../provision/provision.js";

/** K and OP_C of all subscribers of a load test. */
export const CREDENTIALS = { k: new Uint8Array(16).fill(0x4b), opc: new Uint8Array(16).fill(0x6f) } as const;

/** Of K_E2E keys, which are not used in UE-to-HSE mode. */
const NO_KEY = new Uint8Array(16);

/**
 * The UEs of a load test that agree sessions, all of them with the same credentials. They do what an HSE sees of a UE, and
 * not what it does for itself: they check neither AUTN nor the MAC of 11. So the machine is the HSE's.
 */
export class AttachingUes {
	private readonly kernel: Kernel;
	private readonly milenage: Milenage;
	private readonly tlvs = new TlvScan();
	/** A Session Request of EPS AKA for the confidential service, and where its IMSI stands. */
	private readonly request: Uint8Array;
	private readonly imsiAt: number;
	private readonly servingNetwork: Uint8Array;
	/** Of the UE that answered last: the others' are alike but for the keys. */
	private context: SecurityContext | undefined;

	/** @param imsi digits of one of them */
	constructor(kernel: Kernel, imsi: string) {
		this.kernel = kernel;
		this.milenage = new Milenage(kernel, CREDENTIALS.k, CREDENTIALS.opc);
		const network = plmnForm(imsi.slice(0, 3), imsi.slice(3, 5));
		const ue = new Ue({
			kernel,
			random: { fill: (octets) => void crypto.getRandomValues(octets) },
			identity: { tag: TAG.imsi, value: encodeImsi(imsi) ?? new Uint8Array(8) },
			sharedKey: undefined,
			offer: offerOf(AGREEMENT.epsAka, SERVICE.confidential),
			easId: new TextEncoder().encode("eas.example"),
			servingNetwork: network,
			retransmission: RETRANSMISSION,
			longestBackOff: LIMITS.longestBackOff,
		});
		ue.begin(0);
		this.request = kernel.message.slice(0, ue.outbox.takeDatagram());
		this.tlvs.scan(this.request, HEADER.length + 1, this.request.length);
		this.imsiAt = this.tlvs.offsets[TAG.imsi];
		this.servingNetwork = network.subarray(1);
	}

	/** A Session Request. @param imsi digits */
	requestOf(imsi: string): Uint8Array {
		const request = this.request.slice();
		request.set(encodeImsi(imsi) ?? [], this.imsiAt);
		return request;
	}

	/**
	 * The answer to a datagram of the HSE, in the kernel's message buffer.
	 * @param request the Session Request that is answered
	 * @returns its octets, 0 where there is none
	 */
	answer(request: Uint8Array, datagram: Uint8Array, length: number): number {
		const { tlvs, kernel } = this;
		const command = datagram[HEADER.length];
		// What is found in the MAC of an 11 is no TLV, and comes after all that are.
		tlvs.scan(datagram, HEADER.length + 1, length);
		if (command === COMMAND.messageReject && tlvs.has(TAG.cookie)) {
			const cookie = tlvs.value(TAG.cookie);
			kernel.message.set(request);
			return writeTlv(kernel.message, request.length, TAG.cookie, cookie);
		}
		return command === COMMAND.sessionStart && tlvs.has(TAG.akaChallenge) ? this.confirm(datagram) : 0;
	}

	/** A 12. */
	private confirm(datagram: Uint8Array): number {
		const { tlvs, kernel, servingNetwork } = this;
		const challenge = tlvs.value(TAG.akaChallenge);
		const { res, ck, ik } = this.milenage.f2345(challenge.subarray(0, 16));
		const { agreement, ...configuration } = readHseConfiguration(datagram, tlvs.offsets[TAG.hseConfiguration]);
		const parameters = { ...configuration, agreement, sessionId: readUint32(datagram, HEADER.sessionId) };
		const sqnXorAk = challenge.subarray(16, 22);
		const baseKey = baseKeyFromAka(agreement, { ck, ik, sqnXorAk, servingNetwork });
		const { encryption, integrity } = e2mKeys(baseKey, parameters);
		const keys = { e2mEncryption: encryption, e2mIntegrity: integrity, e2eEncryption: NO_KEY, e2eIntegrity: NO_KEY };
		const { control } = this.contextOf(parameters, keys);
		kernel.message[HEADER.length] = COMMAND.sessionStartConfirmation;
		const end = writeTlv(kernel.message, HEADER.length + 1, TAG.akaResponse, res);
		return control.seal(end - HEADER.length);
	}

	private contextOf(parameters: SecurityParameters, keys: TrafficKeys): SecurityContext {
		const { context } = this;
		// The HSE of a load test chooses the same for all.
		if (context === undefined) {
			this.context = new SecurityContext(this.kernel, parameters, keys, DIRECTION.fromUe);
			return this.context;
		}
		rekey(context, parameters, keys);
		context.control.next = 0;
		return context;
	}
}
