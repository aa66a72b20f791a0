import type { Kernel } from "../kernels/kernel.js";
import { offers, type UeConfiguration } from "./configuration.js";
import { ALGORITHM } from "./profile.js";

/** Ciphering and integrity of a session: identities of TS 33.401. */
export interface AlgorithmPair {
	readonly encryption: number;
	readonly integrity: number;
}

/** What a kernel can encipher with, as a set of tag 03: null ciphering needs no kernel. */
function encryptionOf(kernel: Kernel): number {
	return kernel.algorithms | (1 << ALGORITHM.null);
}

/** Whether a kernel has both algorithms. Null integrity is none (profile section 2.2). */
export function hasAlgorithms(kernel: Kernel, { encryption, integrity }: AlgorithmPair): boolean {
	return offers(encryptionOf(kernel), encryption) && offers(kernel.algorithms, integrity);
}

/** An offer without the algorithms that the kernel does not have: what is offered may be chosen. */
export function withinKernel(kernel: Kernel, offer: UeConfiguration): UeConfiguration {
	return {
		...offer,
		encryptionAlgorithms: offer.encryptionAlgorithms & encryptionOf(kernel),
		integrityAlgorithms: offer.integrityAlgorithms & kernel.algorithms,
	};
}
