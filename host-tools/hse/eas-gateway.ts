import { CAUSE } from "../../firmware/emsdp/profile.js";
import type { NamedKey } from "../eas/annex-b.js";
import type { EasKey, ForwardedMessage } from "../eas/eas-key.js";
import { easIdText } from "../eas-id-text.js";
import { HseError } from "./errors.js";
import type { Escrow, EscrowCopy } from "./escrow-file.js";
import type { HseEvent } from "./events.js";
import type { Hse } from "./hse.js";
import { type EasKeyPolicy, needsEasKey } from "./policy.js";
import type { HseSession } from "./session.js";

/** What the HSE has for an EAS. `easId`: text of tag 04. */
export type ForEas = { readonly easId: string } & (
	| { readonly kind: "key"; readonly key: EasKey }
	| { readonly kind: "message"; readonly message: ForwardedMessage }
	| { readonly kind: "over"; readonly sessionId: number; readonly cause: number }
);

export interface EasGatewayOptions {
	readonly hse: Hse;
	/** What holds where a policy is not looked up before. @param imsi digits */
	easKeyPolicy(imsi: string): EasKeyPolicy;
	readonly escrow?: Escrow | undefined;
	/**
	 * Told of every K_EAS_PSK before it is given out, and of every refusal; never the key.
	 * @throws what the medium says; then the key is not given out
	 */
	readonly audit?: ((entry: DisclosureEntry) => void) | undefined;
	/** Told why an escrow or an audit failed. */
	readonly onError?: ((error: Error) => void) | undefined;
}

/** One line of the audit of keys. */
export interface DisclosureEntry {
	readonly easId: string;
	readonly imsi: string;
	readonly sessionId: number;
	readonly keyId: number;
	readonly way: "push" | "pull";
	/** A cause of tag 18, 0 where the key was given out. */
	readonly cause: number;
	readonly escrowed: boolean;
}

/** The HSE's side of the interface to EASs, without input or output of its own: which EAS gets what, and why not. */
export class EasGateway {
	private readonly options: EasGatewayOptions;

	constructor(options: EasGatewayOptions) {
		this.options = options;
	}

	/**
	 * What an event of the HSE means for an EAS. A key in it is the caller's to erase.
	 * @param policy of the subscriber, where it was looked up already
	 */
	handleEvent(now: number, event: HseEvent, policy?: EasKeyPolicy): ForEas | undefined {
		if (event.kind === "forward") {
			const { count, datagram } = event;
			return { easId: easIdText(event.easId), kind: "message", message: { count, datagram } };
		}
		if (event.kind === "eas over") {
			const { sessionId, cause } = event;
			return { easId: easIdText(event.easId), kind: "over", sessionId, cause };
		}
		if (event.kind !== "eas key") return undefined;
		const { sessionId } = event;
		const easId = easIdText(event.easId);
		const session = this.options.hse.session(sessionId);
		// An event may wait for what it depends on to be stored: by then the session can be over.
		if (session?.isLive !== true) return undefined;
		const key = this.keyOf(now, easId, session, "push", policy);
		if (typeof key !== "number") return { easId, kind: "key", key };
		this.end(now, sessionId, key);
		return undefined;
	}

	/**
	 * An EAS asks for a key.
	 * @param policy of the subscriber, where it was looked up already
	 * @returns the key, which the caller erases, or a cause of tag 18
	 */
	handleKeyRequest(now: number, easId: string, wanted: NamedKey, policy?: EasKeyPolicy): EasKey | number {
		const { ueId, sessionId, keyId } = wanted;
		const session = this.options.hse.session(sessionId);
		// Whether another EAS has such a session is nothing to this one.
		if (session?.isLive !== true || easIdText(session.identity.easId) !== easId) return CAUSE.sessionUnknown;
		if (ueId !== undefined && ueId !== ueIdOf(session.identity.imsi)) return CAUSE.ueUnknown;
		if (session.context.parameters.keyId !== keyId) return CAUSE.keyIdUnknown;
		if (!needsEasKey(session.identity.configuration)) return CAUSE.serviceNotSupported;
		return this.keyOf(now, easId, session, "pull", policy);
	}

	/** An EAS refuses a session, or cannot be told of it: it is of no use to its UE. */
	handleRefusal(now: number, sessionId: number): void {
		this.end(now, sessionId, CAUSE.easRefusedOrOutOfReach);
	}

	private end(now: number, sessionId: number, cause: number): void {
		try {
			this.options.hse.terminate(now, sessionId, cause);
		} catch (error) {
			// It is over already, or being ended.
			if (!(error instanceof HseError)) throw error;
		}
	}

	private keyOf(
		now: number,
		easId: string,
		session: HseSession,
		way: "push" | "pull",
		policy: EasKeyPolicy | undefined,
	): EasKey | number {
		const { imsi, ...rest } = session.easSession(now);
		const { sessionId } = rest;
		const { keyId } = rest.configuration;
		const disclosure = policy ?? this.options.easKeyPolicy(imsi);
		const key = { ...rest, ueId: ueIdOf(imsi), key: session.easKey() };
		let cause = disclosure === "deny" ? CAUSE.restrictedByRegulation : 0;
		const isEscrow = disclosure === "escrow";
		if (isEscrow && !this.succeeds(() => this.deposit({ easId, imsi, sessionId, keyId, key: key.key })))
			cause = CAUSE.restrictedByRegulation;
		const escrowed = isEscrow && cause === 0;
		if (!this.succeeds(() => this.options.audit?.({ easId, imsi, sessionId, keyId, way, cause, escrowed })))
			cause = CAUSE.restrictedByRegulation;
		if (cause === 0) return key;
		key.key.fill(0);
		return cause;
	}

	private deposit(copy: EscrowCopy): void {
		const { escrow } = this.options;
		if (escrow === undefined) throw new Error("The policy of a subscriber asks for an escrow, and there is none.");
		escrow.put(copy);
	}

	private succeeds(write: () => void): boolean {
		try {
			write();
			return true;
		} catch (error) {
			this.options.onError?.(error as Error);
			return false;
		}
	}
}

/** Who a UE is to an EAS: the SUPI of its IMSI (TS 23.003 2.2A). */
export function ueIdOf(imsi: string): string {
	return `imsi-${imsi}`;
}
