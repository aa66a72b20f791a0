/** The curves of the profiles of TS 33.501 annex C in plain JS, for devices without hardware that has them. */
import { x25519 } from "@noble/curves/ed25519.js";
import { p256 } from "@noble/curves/nist.js";
import { type Curve, type Curves, PROTECTION_SCHEME } from "./suci.js";

const X25519: Curve = {
	publicKeyOctets: 32,
	publicKey: (privateKey) => x25519.getPublicKey(privateKey),
	sharedSecret: (privateKey, publicKey) => x25519.getSharedSecret(privateKey, publicKey),
};

const P256: Curve = {
	publicKeyOctets: 33,
	publicKey: (privateKey) =>
		p256.utils.isValidSecretKey(privateKey) ? p256.getPublicKey(privateKey, true) : undefined,
	// The x coordinate alone, without the octet that tells the form of the point (TS 33.501 C.3.4.2).
	sharedSecret: (privateKey, publicKey) => p256.getSharedSecret(privateKey, publicKey, true).slice(1),
};

export const CURVES: Curves = { [PROTECTION_SCHEME.profileA]: X25519, [PROTECTION_SCHEME.profileB]: P256 };
