/** The UE's side of the SUCI (TS 33.501 6.12.2, annex C; coding TS 24.501 9.11.3.4). A device can leave this module out. */
import { decodeImsi } from "../emsdp/imsi.js";
import { plmnForm } from "../emsdp/serving-network.js";
import type { Kernel } from "../kernels/kernel.js";
import type { MakeConceal } from "../ports/platform.js";
import { concatenate } from "./hierarchy.js";
import { hmacSha256, sha256 } from "./sha256.js";

/** Protection schemes (TS 33.501 C.1). */
export const PROTECTION_SCHEME = { null: 0, profileA: 1, profileB: 2 } as const;

/** The curve of a profile of ECIES, as a library or the device's own hardware gives it. */
export interface Curve {
	/** Octets of a public key as it is sent: 32 for X25519 (RFC 7748), 33 for a compressed point of P-256 (SEC 1 2.3.3). */
	readonly publicKeyOctets: number;
	/** @param privateKey 32 octets @returns undefined where they are not a private key of the curve, which is rare: others are drawn */
	publicKey(privateKey: Uint8Array): Uint8Array | undefined;
	/** @returns 32 octets: the x coordinate @throws Error where the public key is not one of the curve */
	sharedSecret(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array;
}

/** The curves that a device has, by protection scheme. */
export type Curves = Readonly<Record<number, Curve>>;

/** How the SUCIs of a subscriber are made. */
export interface Concealment {
	readonly mncDigits: 2 | 3;
	/** One of {@link PROTECTION_SCHEME}. */
	readonly scheme: number;
	/** Home network public key identifier: 0 for the null scheme, else 1 to 255. */
	readonly keyId: number;
	/** Home network public key as the curve has it; empty for the null scheme. */
	readonly publicKey: Uint8Array;
}

/** Octets of the parts of a scheme output, and of what the KDF gives (TS 33.501 C.3.4). */
const PRIVATE_KEY_OCTETS = 32;
const KEY_OCTETS = 16;
const MAC_OCTETS = 8;

/** Type of identity "SUCI" with the SUPI format "IMSI" (TS 24.501 9.11.3.4, octet 4). */
const SUCI_OF_AN_IMSI = 0x01;
/** Routing indicator where the USIM has none: 0 (TS 24.501 9.11.3.4, octets 8 and 9). */
const NO_ROUTING_INDICATOR = [0xf0, 0xff] as const;
const HEADER_OCTETS = 8;

/** MSIN as the scheme takes it: BCD, the first digit in the low half, F behind an odd number of them. */
export function msinOctets(msin: string): Uint8Array {
	const octets = new Uint8Array((msin.length + 1) >> 1);
	for (let i = 0; i < octets.length; i++) {
		const high = 2 * i + 1 < msin.length ? Number(msin[2 * i + 1]) : 0x0f;
		octets[i] = (high << 4) | Number(msin[2 * i]);
	}
	return octets;
}

/** KDF of ANSI X9.63 with SHA-256 for two blocks (SEC 1 3.6.1). @returns 64 octets */
function kdfX963(secret: Uint8Array, sharedInfo: Uint8Array): Uint8Array {
	const input = new Uint8Array(secret.length + 4 + sharedInfo.length);
	input.set(secret);
	input.set(sharedInfo, secret.length + 4);
	const counter = secret.length + 3;
	input[counter] = 1;
	const first = sha256(input);
	input[counter] = 2;
	const second = sha256(input);
	const output = concatenate(first, second);
	for (const octets of [input, first, second]) octets.fill(0);
	return output;
}

/**
 * ECIES encryption (TS 33.501 C.3.2).
 * @param publicKey of the home network
 * @param ephemeral a private key that is used for this alone; erased
 * @returns the scheme output: ephemeral public key ‖ ciphertext ‖ MAC tag; undefined where `ephemeral` is no private key
 * @throws Error where `publicKey` is not one of the curve
 */
export function encryptWithEcies(
	kernel: Kernel,
	curve: Curve,
	publicKey: Uint8Array,
	ephemeral: Uint8Array,
	plaintext: Uint8Array,
): Uint8Array | undefined {
	const ephemeralPublicKey = curve.publicKey(ephemeral);
	if (ephemeralPublicKey === undefined) return undefined;
	const secret = curve.sharedSecret(ephemeral, publicKey);
	ephemeral.fill(0);
	const keys = kdfX963(secret, ephemeralPublicKey);
	secret.fill(0);
	const keySet = kernel.createKeySet();
	const encryptionKey = keys.subarray(0, KEY_OCTETS);
	kernel.setKeys(keySet, encryptionKey, encryptionKey);
	// The kernel's CTR takes its first counter block at 0 and the data behind it.
	const { message } = kernel;
	message.set(keys.subarray(KEY_OCTETS, 2 * KEY_OCTETS));
	message.set(plaintext, KEY_OCTETS);
	kernel.ctr(keySet, 8 * plaintext.length);
	const ciphertext = message.slice(KEY_OCTETS, KEY_OCTETS + plaintext.length);
	kernel.eraseKeys(keySet);
	message.fill(0, 0, KEY_OCTETS + plaintext.length);
	const tag = hmacSha256(keys.subarray(2 * KEY_OCTETS), ciphertext).subarray(0, MAC_OCTETS);
	keys.fill(0);
	return concatenate(concatenate(ephemeralPublicKey, ciphertext), tag);
}

/** A SUCI: value of tag 02. @param imsi 6 to 15 digits */
export function suciOf(imsi: string, { mncDigits, scheme, keyId }: Concealment, schemeOutput: Uint8Array): Uint8Array {
	const suci = new Uint8Array(HEADER_OCTETS + schemeOutput.length);
	suci[0] = SUCI_OF_AN_IMSI;
	suci.set(plmnForm(imsi.slice(0, 3), imsi.slice(3, 3 + mncDigits)).subarray(1), 1);
	suci.set(NO_ROUTING_INDICATOR, 4);
	suci[6] = scheme;
	suci[7] = keyId;
	suci.set(schemeOutput, HEADER_OCTETS);
	return suci;
}

/** Octets before the public key in the concealment of an identity record: digits of MNC, scheme, key id. */
const PUBLIC_KEY = 3;

/** The concealment as it stands in an identity record. */
export function encodeConcealment({ mncDigits, scheme, keyId, publicKey }: Concealment): Uint8Array {
	return concatenate(Uint8Array.of(mncDigits, scheme, keyId), publicKey);
}

/** @returns undefined where the octets are not what {@link encodeConcealment} gives, or the scheme is not among `curves` */
function decodeConcealment(octets: Uint8Array, curves: Curves): Concealment | undefined {
	const [mncDigits, scheme, keyId] = octets;
	const publicKey = octets.slice(PUBLIC_KEY);
	if (mncDigits !== 2 && mncDigits !== 3) return undefined;
	const isNull = scheme === PROTECTION_SCHEME.null;
	const isGood = isNull
		? keyId === 0 && publicKey.length === 0
		: keyId > 0 && publicKey.length === curves[scheme]?.publicKeyOctets;
	return isGood ? { mncDigits, scheme, keyId, publicKey } : undefined;
}

/** How a device with these curves makes its SUCIs; with none it can do the null scheme. */
export function concealingWith(curves: Curves): MakeConceal {
	return (kernel, random, octets) => {
		const concealment = decodeConcealment(octets, curves);
		if (concealment === undefined) return undefined;
		const { mncDigits, scheme, publicKey } = concealment;
		const ephemeral = new Uint8Array(PRIVATE_KEY_OCTETS);
		return (imsi) => {
			const digits = decodeImsi(imsi) ?? "";
			const msin = msinOctets(digits.slice(3 + mncDigits));
			if (scheme === PROTECTION_SCHEME.null) return suciOf(digits, concealment, msin);
			for (;;) {
				random.fill(ephemeral);
				const output = encryptWithEcies(kernel, curves[scheme], publicKey, ephemeral, msin);
				if (output !== undefined) return suciOf(digits, concealment, output);
			}
		};
	};
}
