import { MODE } from "../../firmware/emsdp/profile.js";
import type { Verdict } from "../../firmware/emsdp/verdict.js";
import { Eas } from "../../host-tools/eas/eas.js";
import type { ForwardedMessage } from "../../host-tools/eas/eas-key.js";
import type { Downlink, EasEvent } from "../../host-tools/eas/events.js";
import { type DisclosureEntry, EasGateway } from "../../host-tools/hse/eas-gateway.js";
import type { Escrow } from "../../host-tools/hse/escrow-file.js";
import type { EasKeyPolicy } from "../../host-tools/hse/policy.js";
import { loadKernelFor } from "../../host-tools/kernel.js";
import { MemorySessionStore } from "./durable-pair.js";
import { IMSI, Pair, type PairOptions } from "./pair.js";

export const EAS_ID = "eas.example";

export interface EasPairOptions extends PairOptions {
	readonly disclosure?: EasKeyPolicy;
	readonly escrow?: Escrow;
	/** The HSE stores its sessions. */
	readonly isDurable?: boolean;
}

/** One UE, one HSE and one EAS; the link between HSE and EAS keeps the order and loses nothing while it is up. */
export class EasPair extends Pair {
	eas: Eas;
	easIsUp = true;
	readonly easEvents: EasEvent[] = [];
	/** What the HSE has forwarded, and the downlinks of the EAS with what the HSE made of them. */
	readonly forwarded: ForwardedMessage[] = [];
	readonly downlinksOfEas: { readonly downlink: Downlink; readonly verdict: Verdict }[] = [];
	readonly audit: DisclosureEntry[] = [];
	/** Verdicts of the EAS, in order. */
	readonly easVerdicts: Verdict[] = [];
	private readonly medium = new MemorySessionStore();
	private gateway: EasGateway;
	private seen = 0;
	private readonly easOptions: EasPairOptions;

	constructor(options: EasPairOptions = {}) {
		const { disclosure = "allow" } = options;
		super({
			...options,
			offer: { mode: MODE.ueToEas, ...options.offer },
			policy: { modes: [MODE.ueToHse, MODE.ueToEas], ...options.policy },
			eas: { easKeyPolicy: () => disclosure, ...options.eas },
		});
		this.easOptions = options;
		if (options.isDurable) this.hse = this.bootHse(undefined, true);
		this.eas = this.bootEas();
		this.gateway = this.bootGateway();
	}

	/** The HSE's process ends, and another goes on with what is stored. */
	override restartHse(): void {
		this.hse = this.bootHse(undefined, true);
		this.medium.restore(this.hse.restorer(this.now));
		this.gateway = this.bootGateway();
	}

	protected override keepHse(): boolean {
		const batch = this.easOptions?.isDurable ? this.hse.takeBatch() : undefined;
		if (batch !== undefined) this.medium.put(batch);
		return true;
	}

	/** An EAS without keys. */
	bootEas(): Eas {
		return new Eas({ kernel: loadKernelFor([1, 2, 3]) });
	}

	/** The HSE is set up anew: what the gateway knows is all in it. */
	bootGateway(): EasGateway {
		const { disclosure = "allow", escrow } = this.easOptions;
		return new EasGateway({
			hse: this.hse,
			easKeyPolicy: () => disclosure,
			...(escrow === undefined ? {} : { escrow }),
			audit: (entry) => this.audit.push(entry),
		});
	}

	get sessionId(): number {
		return this.hse.sessionOf(IMSI)?.sessionId ?? 0;
	}

	override drainHse(): void {
		super.drainHse();
		for (; this.seen < this.hseEvents.length; this.seen++) {
			const forEas = this.gateway.handleEvent(this.now, this.hseEvents[this.seen]);
			if (forEas?.kind === "message") this.forwarded.push(forEas.message);
			// The gateway may have ended the session.
			super.drainHse();
			if (forEas === undefined || !this.easIsUp) continue;
			if (forEas.kind === "message") this.easVerdicts.push(this.eas.handleDatagram(this.now, forEas.message));
			else if (forEas.kind === "over") this.eas.handleOver(forEas.sessionId, forEas.cause);
			else {
				const cause = this.eas.handleKey(this.now, forEas.key, true);
				if (cause !== undefined) this.gateway.handleRefusal(this.now, forEas.key.sessionId);
			}
			this.drainEas();
			super.drainHse();
		}
	}

	/** Takes what the EAS wants, after any input. */
	drainEas(): void {
		const { outbox } = this.eas;
		for (let request = outbox.takeKeyRequest(); request !== undefined; request = outbox.takeKeyRequest()) {
			const answer = this.gateway.handleKeyRequest(this.now, EAS_ID, { ...request, ueId: undefined });
			if (typeof answer === "number") this.eas.handleKeyRefused(request, answer);
			else this.eas.handleKey(this.now, answer, false);
		}
		for (let downlink = outbox.takeDownlink(); downlink !== undefined; downlink = outbox.takeDownlink())
			this.relay(downlink);
		for (let event = outbox.takeEvent(); event !== undefined; event = outbox.takeEvent()) this.easEvents.push(event);
	}

	/** Brings a downlink of the EAS to the HSE. */
	relay(downlink: Downlink, easId = EAS_ID): Verdict {
		const { datagram } = downlink;
		const verdict = this.hse.handleEasDatagram(this.now, easId, datagram, datagram.length);
		this.downlinksOfEas.push({ downlink, verdict });
		super.drainHse();
		this.eas.handleForwarded(downlink, verdict);
		return verdict;
	}

	/** The EAS asks for a key by name. */
	pull(sessionId: number, keyId: number, ueId?: string, easId = EAS_ID) {
		return this.gateway.handleKeyRequest(this.now, easId, { sessionId, keyId, ueId });
	}

	/** The EAS loses all that it has. */
	restartEas(): void {
		this.eas.erase();
		this.eas = this.bootEas();
	}

	answerFromEas(text: string): void {
		this.eas.send(this.sessionId, new TextEncoder().encode(text));
		this.drainEas();
	}

	/** The readings that the EAS has, as text. */
	get readings(): string[] {
		return this.easEvents.flatMap((event) =>
			event.kind === "uplink" ? [new TextDecoder().decode(event.payload)] : [],
		);
	}
}
