import type { Kernel } from "../kernels/kernel.js";
import { offers, type UeConfiguration } from "./configuration.js";
import { ALGORITHM } from "./profile.js";

/** Ciphering and integrity of a session: identities of TS 33.401. */
export interface AlgorithmPair {
	readonly encryption: number;
	readonly integrity: number;
}

/** Null ciphering, which needs no kernel, as a set; null integrity is none (profile section 2.2). */
const NULL = 1 << ALGORITHM.null;

/** Whether a kernel has both algorithms. */
export function hasAlgorithms({ algorithms }: Kernel, { encryption, integrity }: AlgorithmPair): boolean {
	return offers(algorithms | NULL, encryption) && offers(algorithms, integrity);
}

/** An offer without the algorithms that the kernel does not have: what is offered may be chosen. */
export function withinKernel({ algorithms }: Kernel, offer: UeConfiguration): UeConfiguration {
	return {
		...offer,
		encryptionAlgorithms: offer.encryptionAlgorithms & (algorithms | NULL),
		integrityAlgorithms: offer.integrityAlgorithms & algorithms,
	};
}
