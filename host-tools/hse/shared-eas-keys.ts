import { setTimeout as sleep } from "node:timers/promises";
import { easIdText } from "../eas-id-text.js";
import type { EasGateway, ForEas } from "./eas-gateway.js";
import type { AwaitedForEas } from "./eas-interface.js";
import type { HseEvent } from "./events.js";
import type { Hse, VectorAnswer } from "./hse.js";
import type { EasKeyPolicy } from "./policy.js";
import type { EasRegistrations, SharedEas } from "./shared-eas.js";
import { eraseCredentials } from "./vector.js";

/** How often a key is tried to be had for an EAS, and milliseconds in between. */
const MOST_TRIES = 5;
const TRY_AGAIN_AFTER = 1000;

export interface SharedEasKeysOptions {
	readonly registrations: EasRegistrations;
	readonly hse: Hse;
	readonly gateway: Pick<EasGateway, "handleEvent">;
	/** @returns as {@link SharedEas.bring} */
	bring(sessionId: number): Promise<boolean>;
	/** Asks the database. @param imsi digits */
	easKeyPolicy(imsi: string): Promise<EasKeyPolicy>;
	now(): number;
	/** Called after an input of the HSE. */
	drain(): void;
	onError(error: unknown): void;
}

/** Keys for EASs where several HSEs share the sessions, and their database is asked for the policies of subscribers. */
export class SharedEasKeys implements SharedEas {
	readonly registrations: EasRegistrations;
	readonly bring: (sessionId: number) => Promise<boolean>;
	private readonly options: SharedEasKeysOptions;
	private isClosed = false;

	constructor(options: SharedEasKeysOptions) {
		this.options = options;
		this.registrations = options.registrations;
		this.bring = (sessionId) => options.bring(sessionId);
	}

	/** Keys that are awaited are for nobody any more. */
	close(): void {
		this.isClosed = true;
	}

	async bringForKey(sessionId: number): Promise<EasKeyPolicy | undefined | false> {
		if (!(await this.bring(sessionId))) return false;
		const imsi = this.options.hse.session(sessionId)?.identity.imsi;
		if (imsi === undefined) return undefined;
		try {
			const policy = await this.options.easKeyPolicy(imsi);
			// Another HSE may have it again.
			return (await this.bring(sessionId)) && policy;
		} catch (error) {
			this.options.onError(error);
			return false;
		}
	}

	/** What the answer for a new session needs beside its vector. @throws what the database says */
	async withPolicy(answer: VectorAnswer): Promise<VectorAnswer> {
		if (typeof answer !== "object") return answer;
		try {
			return { ...answer, easKeyPolicy: await this.options.easKeyPolicy(answer.imsi) };
		} catch (error) {
			eraseCredentials(answer);
			throw error;
		}
	}

	/** What an EAS gets on a new key, which another HSE may have by the time that its policy is known. */
	keyFor(event: HseEvent & { readonly kind: "eas key" }): AwaitedForEas {
		const item = this.key(event).catch((error) => {
			this.options.onError(error);
			return undefined;
		});
		return { easId: easIdText(event.easId), kind: "awaited", item };
	}

	/** In the key-agreement-only service no message brings the EAS to ask for it: so it is tried again. */
	private async key(event: HseEvent & { readonly kind: "eas key" }): Promise<ForEas | undefined> {
		const { gateway, now, drain } = this.options;
		for (let tries = 0; tries < MOST_TRIES && !this.isClosed; tries++) {
			const policy = await this.bringForKey(event.sessionId);
			if (policy === undefined || this.isClosed) break;
			if (policy !== false) {
				const forEas = gateway.handleEvent(now(), event, policy);
				// A policy that denies the key has ended the session.
				if (forEas === undefined) drain();
				return forEas;
			}
			await sleep(TRY_AGAIN_AFTER, undefined, { ref: false });
		}
		return undefined;
	}
}
