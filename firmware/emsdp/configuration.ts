import { readUint16, readUint32, writeUint16, writeUint32 } from "./octets.js";
import { AGREEMENT, ALGORITHM, COUNTER_EXTENSION_OCTETS, MAC_LENGTHS, SERVICE } from "./profile.js";

/** Octets of tag 03 and tag 10. */
const UE_CONFIGURATION_OCTETS = 8;
const HSE_CONFIGURATION_OCTETS = 14;

const MAC_LENGTH_BITS = [0x10, 0x20] as const;
const SERVICE_MASK = 0x03;
const MODE_BIT = 0x04;

/** What a UE offers and asks for (tag 03). Sets are bit masks: bit i stands for number i. */
export interface UeConfiguration {
	readonly release: number;
	/** Bit i: key agreement i, 1–7. */
	readonly agreements: number;
	/** Bit i: algorithm id i. */
	readonly encryptionAlgorithms: number;
	readonly integrityAlgorithms: number;
	/** Bit i: counter scheme i. */
	readonly counterSchemes: number;
	/** Bit i: MAC length i octets (bits 4 and 8). */
	readonly macLengths: number;
	readonly service: number;
	readonly mode: number;
	/** The largest message the UE takes, in octets. */
	readonly largestMessage: number;
}

/** What an HSE chose (tag 10). */
export interface HseConfiguration {
	readonly release: number;
	readonly agreement: number;
	readonly encryption: number;
	readonly integrity: number;
	readonly counterScheme: number;
	readonly macLength: number;
	readonly service: number;
	readonly mode: number;
	readonly keyId: number;
	/** Seconds, 0 unlimited. */
	readonly lifetime: number;
	/** The largest message the HSE takes, in octets. */
	readonly largestMessage: number;
}

/** Whether a set of tag 03 holds a number. */
export function offers(set: number, number: number): boolean {
	return ((set >> number) & 1) === 1;
}

/** Agreements 5 to 7: tag 14 names one key, so at most one of them is offered. */
const SHARED_KEY_AGREEMENTS = (1 << AGREEMENT.gba) | (1 << AGREEMENT.akma) | (1 << AGREEMENT.preShared);

export function offersSharedKey(agreements: number): boolean {
	return (agreements & SHARED_KEY_AGREEMENTS) !== 0;
}

/** A UE with 5G authentication is one that offers agreement 3 or 4 (profile section 4). */
export function offersFiveGAuthentication(agreements: number): boolean {
	return offers(agreements, AGREEMENT.fiveGAka) || offers(agreements, AGREEMENT.eapAkaPrime);
}

/** Whether the 8 octets at `offset` are a value of tag 03. */
export function isUeConfiguration(octets: Uint8Array, offset: number): boolean {
	const shared = (octets[offset + 1] << 1) & SHARED_KEY_AGREEMENTS;
	if ((shared & (shared - 1)) !== 0) return false;
	// Null integrity is refused (profile section 2.2).
	if (offers(octets[offset + 3], ALGORITHM.null)) return false;
	return (octets[offset + 5] & SERVICE_MASK) <= SERVICE.confidential;
}

/** @param offset of a value of tag 03 that {@link isUeConfiguration} takes */
export function readUeConfiguration(octets: Uint8Array, offset: number): UeConfiguration {
	const choices = octets[offset + 4];
	let macLengths = 0;
	for (let i = 0; i < MAC_LENGTHS.length; i++)
		if ((choices & MAC_LENGTH_BITS[i]) !== 0) macLengths |= 1 << MAC_LENGTHS[i];
	return {
		release: octets[offset],
		agreements: (octets[offset + 1] << 1) & 0xfe,
		encryptionAlgorithms: octets[offset + 2] & 0x0f,
		integrityAlgorithms: octets[offset + 3] & 0x0f,
		counterSchemes: choices & 0x07,
		macLengths,
		service: octets[offset + 5] & SERVICE_MASK,
		mode: (octets[offset + 5] & MODE_BIT) >> 2,
		largestMessage: readUint16(octets, offset + 6),
	};
}

export function encodeUeConfiguration(configuration: UeConfiguration): Uint8Array {
	const octets = new Uint8Array(UE_CONFIGURATION_OCTETS);
	octets[0] = configuration.release;
	octets[1] = configuration.agreements >> 1;
	octets[2] = configuration.encryptionAlgorithms;
	octets[3] = configuration.integrityAlgorithms;
	octets[4] = configuration.counterSchemes;
	for (let i = 0; i < MAC_LENGTHS.length; i++)
		if (offers(configuration.macLengths, MAC_LENGTHS[i])) octets[4] |= MAC_LENGTH_BITS[i];
	octets[5] = serviceAndMode(configuration.service, configuration.mode);
	writeUint16(octets, 6, configuration.largestMessage);
	return octets;
}

/** Whether the 14 octets at `offset` are a value of tag 10. */
export function isHseConfiguration(octets: Uint8Array, offset: number): boolean {
	const agreement = octets[offset + 1];
	const encryption = octets[offset + 2];
	const integrity = octets[offset + 3];
	const macLength = octets[offset + 5];
	const service = octets[offset + 6] & SERVICE_MASK;
	const keyId = octets[offset + 7];
	return (
		agreement >= AGREEMENT.umtsAka &&
		agreement <= AGREEMENT.preShared &&
		encryption <= ALGORITHM.zuc &&
		integrity !== ALGORITHM.null &&
		integrity <= ALGORITHM.zuc &&
		octets[offset + 4] < COUNTER_EXTENSION_OCTETS.length &&
		(macLength === MAC_LENGTHS[0] || (macLength === MAC_LENGTHS[1] && integrity === ALGORITHM.aes)) &&
		octets[offset + 6] <= (SERVICE_MASK | MODE_BIT) &&
		service <= SERVICE.confidential &&
		// Encryption is 0 unless the service is the confidential one, and never 0 there (profile section 2.2).
		(service === SERVICE.confidential) === (encryption !== ALGORITHM.null) &&
		keyId >= 1 &&
		keyId <= 7
	);
}

/** @param offset of a value of tag 10 that {@link isHseConfiguration} takes */
export function readHseConfiguration(octets: Uint8Array, offset: number): HseConfiguration {
	return {
		release: octets[offset],
		agreement: octets[offset + 1],
		encryption: octets[offset + 2],
		integrity: octets[offset + 3],
		counterScheme: octets[offset + 4],
		macLength: octets[offset + 5],
		service: octets[offset + 6] & SERVICE_MASK,
		mode: (octets[offset + 6] & MODE_BIT) >> 2,
		keyId: octets[offset + 7],
		lifetime: readUint32(octets, offset + 8),
		largestMessage: readUint16(octets, offset + 12),
	};
}

export function encodeHseConfiguration(configuration: HseConfiguration): Uint8Array {
	const octets = new Uint8Array(HSE_CONFIGURATION_OCTETS);
	octets[0] = configuration.release;
	octets[1] = configuration.agreement;
	octets[2] = configuration.encryption;
	octets[3] = configuration.integrity;
	octets[4] = configuration.counterScheme;
	octets[5] = configuration.macLength;
	octets[6] = serviceAndMode(configuration.service, configuration.mode);
	octets[7] = configuration.keyId;
	writeUint32(octets, 8, configuration.lifetime);
	writeUint16(octets, 12, configuration.largestMessage);
	return octets;
}

function serviceAndMode(service: number, mode: number): number {
	return service | (mode << 2);
}
