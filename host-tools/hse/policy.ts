import { type HseConfiguration, offers, type UeConfiguration } from "../../firmware/emsdp/configuration.js";
import { fitsServingNetwork } from "../../firmware/emsdp/contents.js";
import { AGREEMENT, ALGORITHM, CAUSE, LONGEST_MESSAGE, MODE, RELEASE, SERVICE } from "../../firmware/emsdp/profile.js";
import type { Kernel } from "../../firmware/kernels/kernel.js";
import { HseError } from "./errors.js";

/** What an HSE grants. Lists are in order of preference; the integrity algorithm is chosen before the length of its MAC. */
export interface Policy {
	readonly agreements: readonly number[];
	readonly encryptionAlgorithms: readonly number[];
	readonly integrityAlgorithms: readonly number[];
	readonly counterSchemes: readonly number[];
	readonly macLengths: readonly number[];
	readonly services: readonly number[];
	readonly modes: readonly number[];
	/** The EASs that sessions may be for; undefined: any. A session for another is refused with cause 08. */
	readonly easIds?: readonly string[];
	/** Key ID of a new session, 1–7. */
	readonly keyId: number;
	/** Session lifetime in seconds, 0 unlimited. */
	readonly lifetime: number;
	readonly largestMessage: number;
}

/**
 * Whether K_EAS_PSK of a subscriber may leave the HSE (the liaison statement names rules of lawful interception): not at
 * all, once a copy has been put in escrow, or as it is. The strictest comes first.
 */
export const EAS_KEY_POLICIES = ["deny", "escrow", "allow"] as const;
export type EasKeyPolicy = (typeof EAS_KEY_POLICIES)[number];

export function stricterOf(one: EasKeyPolicy, other: EasKeyPolicy): EasKeyPolicy {
	return EAS_KEY_POLICIES.find((policy) => policy === one || policy === other) ?? "deny";
}

/** Whether a session is of no use unless the EAS is given K_EAS_PSK. */
export function needsEasKey({ service, mode }: { readonly service: number; readonly mode: number }): boolean {
	return mode === MODE.ueToEas || service === SERVICE.keyAgreementOnly;
}

export const DEFAULT_POLICY: Policy = {
	agreements: [AGREEMENT.epsAka, AGREEMENT.umtsAka, AGREEMENT.preShared],
	encryptionAlgorithms: [ALGORITHM.aes],
	integrityAlgorithms: [ALGORITHM.aes],
	counterSchemes: [0, 1, 2],
	macLengths: [4, 8],
	services: [SERVICE.confidential, SERVICE.integrity, SERVICE.keyAgreementOnly],
	modes: [MODE.ueToHse],
	keyId: 1,
	lifetime: 0,
	largestMessage: LONGEST_MESSAGE,
};

/** @throws HseError `policy` if an algorithm is granted that the kernel does not have, or null integrity */
export function checkPolicy(policy: Policy, kernel: Kernel): void {
	const ciphers = policy.encryptionAlgorithms.filter((id) => id !== ALGORITHM.null);
	const missing = [...ciphers, ...policy.integrityAlgorithms].find((id) => !offers(kernel.algorithms, id));
	if (missing !== undefined)
		throw new HseError(
			"policy",
			`The policy grants algorithm ${missing}, which the kernel ${kernel.name} does not have.`,
		);
}

/** The first number of a list that a set of tag 03 holds. */
function first(list: readonly number[], set: number): number | undefined {
	return list.find((number) => offers(set, number));
}

/**
 * The first integrity algorithm with a MAC length that goes with it: M = 8 with the CMAC of algorithm 2 only (profile
 * section 2).
 */
function chooseMac(policy: Policy, offer: UeConfiguration): { integrity: number; macLength: number } | undefined {
	for (const integrity of policy.integrityAlgorithms) {
		if (!offers(offer.integrityAlgorithms, integrity)) continue;
		const lengths = policy.macLengths.filter((length) => length === 4 || integrity === ALGORITHM.aes);
		const macLength = first(lengths, offer.macLengths);
		if (macLength !== undefined) return { integrity, macLength };
	}
	return undefined;
}

/**
 * Chooses from what a UE offers. The service and mode asked for are granted or refused with 06; nothing is chosen that
 * the UE did not offer (profile section 4).
 * @param servingNetwork value of tag 05, empty where there is none
 * @returns the choice, or a cause
 */
export function choose(policy: Policy, offer: UeConfiguration, servingNetwork: Uint8Array): HseConfiguration | number {
	if (!policy.services.includes(offer.service) || !policy.modes.includes(offer.mode)) return CAUSE.serviceNotSupported;
	const agreement = policy.agreements.find(
		(number) => offers(offer.agreements, number) && fitsServingNetwork(number, servingNetwork),
	);
	// Encryption is 0 unless the service is the confidential one, and never 0 there (profile section 2.2).
	const encryption = first(
		offer.service === SERVICE.confidential
			? policy.encryptionAlgorithms.filter((id) => id !== ALGORITHM.null)
			: [ALGORITHM.null],
		offer.encryptionAlgorithms,
	);
	const counterScheme = first(policy.counterSchemes, offer.counterSchemes);
	const mac = chooseMac(policy, offer);
	if (agreement === undefined || encryption === undefined || counterScheme === undefined || mac === undefined)
		return CAUSE.nothingInCommon;
	return {
		release: RELEASE,
		agreement,
		encryption,
		...mac,
		counterScheme,
		service: offer.service,
		mode: offer.mode,
		keyId: policy.keyId,
		lifetime: policy.lifetime,
		largestMessage: policy.largestMessage,
	};
}
