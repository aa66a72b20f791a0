/** The home network's side of the SUCI (TS 33.501 6.12.3, annex C.3.3; coding TS 24.501 9.11.3.4). */
import { createDecipheriv, createHash, createHmac, createPublicKey, diffieHellman, timingSafeEqual } from "node:crypto";
import { CAUSE } from "../../firmware/emsdp/profile.js";
import { PROTECTION_SCHEME } from "../../firmware/keys/suci.js";
import type { HomeNetworkKey, HomeNetworkKeys } from "./home-network-key.js";

/** Offsets in tag 02, which begins with octet 4 of the mobile identity. */
const PLMN = 1;
const ROUTING_INDICATOR = 4;
const SCHEME = 6;
const KEY_ID = 7;
const SCHEME_OUTPUT = 8;

const TYPE_MASK = 0x07;
const TYPE_SUCI = 0x01;
const FORMAT_MASK = 0x70;
const FORMAT_IMSI = 0x00;
const FILLER = 0x0f;

const KEY_OCTETS = 16;
const MAC_OCTETS = 8;
/** An IMSI has 15 digits at the most, five of them before the MSIN at the least. */
const LONGEST_MSIN_OCTETS = 5;
const SHORTEST_IMSI = 6;
const LONGEST_IMSI = 15;

/** X25519, and a compressed point of P-256. */
const PUBLIC_KEY_OCTETS: Readonly<Record<number, number>> = {
	[PROTECTION_SCHEME.profileA]: 32,
	[PROTECTION_SCHEME.profileB]: 33,
};
/** What stands before them in a SubjectPublicKeyInfo (RFC 8410, RFC 5480). */
const PUBLIC_KEY_PREFIX: Readonly<Record<number, string>> = {
	[PROTECTION_SCHEME.profileA]: "302a300506032b656e032100",
	[PROTECTION_SCHEME.profileB]: "3039301306072a8648ce3d020106082a8648ce3d030107032200",
};

/**
 * Resolves a SUCI.
 * @param suci value of tag 02, whatever its octets
 * @returns the IMSI in digits, or a cause: 01 where the octets are not a SUCI, 03 where this home network cannot resolve
 * it. What failed behind 03 is not told: an unknown key, a wrong MAC tag and an unknown subscriber look the same.
 */
export function resolveSuci(suci: Uint8Array, keys: HomeNetworkKeys): string | number {
	if (suci.length < SCHEME_OUTPUT || (suci[0] & TYPE_MASK) !== TYPE_SUCI) return CAUSE.malformed;
	// A SUCI of a network specific identifier belongs to no subscriber here.
	if ((suci[0] & FORMAT_MASK) !== FORMAT_IMSI) return CAUSE.ueUnknown;
	const homeNetwork = homeNetworkDigits(suci);
	const scheme = suci[SCHEME] & 0x0f;
	const keyId = suci[KEY_ID];
	if (homeNetwork === undefined || !isRoutingIndicator(suci)) return CAUSE.malformed;
	const output = suci.subarray(SCHEME_OUTPUT);
	if (scheme === PROTECTION_SCHEME.null) {
		const isGood = keyId === 0 && output.length >= 1 && output.length <= LONGEST_MSIN_OCTETS;
		return (isGood ? imsiOf(homeNetwork, output) : undefined) ?? CAUSE.malformed;
	}
	const publicKeyOctets = PUBLIC_KEY_OCTETS[scheme];
	if (publicKeyOctets === undefined) return CAUSE.ueUnknown;
	const msinLength = output.length - publicKeyOctets - MAC_OCTETS;
	if (keyId === 0 || msinLength < 1 || msinLength > LONGEST_MSIN_OCTETS) return CAUSE.malformed;
	const key = keys.get(keyId);
	if (key === undefined || key.scheme !== scheme) return CAUSE.ueUnknown;
	const msin = decrypt(key, output, publicKeyOctets);
	return (msin === undefined ? undefined : imsiOf(homeNetwork, msin)) ?? CAUSE.ueUnknown;
}

/** ECIES decryption of a scheme output (TS 33.501 C.3.3). @returns undefined where a point or the MAC tag is wrong */
function decrypt({ scheme, privateKey }: HomeNetworkKey, output: Uint8Array, publicKeyOctets: number) {
	const ephemeral = output.subarray(0, publicKeyOctets);
	const ciphertext = output.subarray(publicKeyOctets, output.length - MAC_OCTETS);
	const tag = output.subarray(output.length - MAC_OCTETS);
	const secret = sharedSecret(scheme, privateKey, ephemeral);
	if (secret === undefined) return undefined;
	const keys = Buffer.concat([1, 2].map((block) => kdfBlock(secret, block, ephemeral)));
	secret.fill(0);
	const macKey = keys.subarray(2 * KEY_OCTETS);
	const expected = createHmac("sha256", macKey).update(ciphertext).digest().subarray(0, MAC_OCTETS);
	const isRight = timingSafeEqual(expected, tag);
	const cipher = createDecipheriv(
		"aes-128-ctr",
		keys.subarray(0, KEY_OCTETS),
		keys.subarray(KEY_OCTETS, 2 * KEY_OCTETS),
	);
	const plaintext = isRight ? cipher.update(ciphertext) : undefined;
	keys.fill(0);
	return plaintext;
}

/** @returns undefined where the octets are not a point of the curve, or one that makes the secret zero */
function sharedSecret(scheme: number, privateKey: HomeNetworkKey["privateKey"], point: Uint8Array): Buffer | undefined {
	try {
		const der = Buffer.concat([Buffer.from(PUBLIC_KEY_PREFIX[scheme], "hex"), point]);
		return diffieHellman({ privateKey, publicKey: createPublicKey({ key: der, format: "der", type: "spki" }) });
	} catch {
		return undefined;
	}
}

/** One block of the KDF of ANSI X9.63; SharedInfo1 is the ephemeral public key as sent (TS 33.501 C.3.4). */
function kdfBlock(secret: Uint8Array, block: number, sharedInfo: Uint8Array): Buffer {
	return createHash("sha256")
		.update(secret)
		.update(Uint8Array.of(0, 0, 0, block))
		.update(sharedInfo)
		.digest();
}

/** MCC and MNC, undefined where they are not digits. */
function homeNetworkDigits(suci: Uint8Array): string | undefined {
	const [first, second, third] = suci.subarray(PLMN, ROUTING_INDICATOR);
	const digits = [first & FILLER, first >> 4, second & FILLER, third & FILLER, third >> 4];
	const last = second >> 4;
	if (last !== FILLER) digits.push(last);
	return digits.every((digit) => digit <= 9) ? digits.join("") : undefined;
}

/** One to four digits, then F. The HSE itself has no use for them. */
function isRoutingIndicator(suci: Uint8Array): boolean {
	const [first, second] = suci.subarray(ROUTING_INDICATOR, SCHEME);
	return /^\d{1,4}f*$/.test(bcd([first, second]));
}

/** The halves of octets, low ones first, as text in hex. */
function bcd(octets: Iterable<number>): string {
	return Array.from(octets, (octet) => (octet & FILLER).toString(16) + (octet >> 4).toString(16)).join("");
}

/** MCC, MNC and the MSIN in BCD, undefined where that is no IMSI. */
function imsiOf(homeNetwork: string, msin: Uint8Array): string | undefined {
	const imsi = homeNetwork + bcd(msin).replace(/f$/, "");
	return /^\d+$/.test(imsi) && imsi.length >= SHORTEST_IMSI && imsi.length <= LONGEST_IMSI ? imsi : undefined;
}
