import { createECDH, createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { type Concealment, PROTECTION_SCHEME } from "../../firmware/keys/suci.js";
import { fromHex } from "../../host-tools/hex.js";
import type { HomeNetworkKeys } from "../../host-tools/hse/home-network-key.js";
import { published } from "../keys/published.js";

/** One profile of TS 33.501 C.4. */
export interface SuciProfile {
	readonly hn_priv: string;
	readonly hn_pub: string;
	readonly hn_pub_compressed?: string;
	readonly eph_priv: string;
	readonly eph_pub: string;
	readonly shared: string;
	readonly plaintext: string;
	readonly scheme_output: string;
}

export const SUCI = published<{
	readonly profile_A: SuciProfile;
	readonly profile_B: SuciProfile;
	readonly null_scheme: { readonly scheme_output: string };
}>("suci_ts33501_c4.json");

/** The IMSI of TS 33.501 C.4: MCC 274, MNC 012. */
export const PUBLISHED_IMSI = "274012001002086";
export const PROFILE_A_KEY_ID = 27;
export const PROFILE_B_KEY_ID = 28;

function base64url(octets: Uint8Array): string {
	return Buffer.from(octets).toString("base64url");
}

function x25519PrivateKey(d: Uint8Array): KeyObject {
	// node:crypto wants x beside d; the prefix of PKCS #8 (RFC 8410) does without.
	const der = Buffer.concat([Buffer.from("302e020100300506032b656e04220420", "hex"), d]);
	return createPrivateKey({ key: der, format: "der", type: "pkcs8" });
}

function p256PrivateKey(d: Uint8Array): KeyObject {
	const ecdh = createECDH("prime256v1");
	ecdh.setPrivateKey(d);
	const point = ecdh.getPublicKey();
	const [x, y] = [point.subarray(1, 33), point.subarray(33)].map(base64url);
	return createPrivateKey({ key: { kty: "EC", crv: "P-256", x, y, d: base64url(d) }, format: "jwk" });
}

/** The published keys of the home network. */
export const PUBLISHED_KEYS: HomeNetworkKeys = new Map([
	[
		PROFILE_A_KEY_ID,
		{ scheme: PROTECTION_SCHEME.profileA, privateKey: x25519PrivateKey(fromHex(SUCI.profile_A.hn_priv)) },
	],
	[
		PROFILE_B_KEY_ID,
		{ scheme: PROTECTION_SCHEME.profileB, privateKey: p256PrivateKey(fromHex(SUCI.profile_B.hn_priv)) },
	],
]);

/** The public key of {@link PUBLISHED_KEYS} that node:crypto finds, in hex. */
export function publicKeyOf(keyId: number): string {
	const key = PUBLISHED_KEYS.get(keyId)?.privateKey;
	if (key === undefined) throw new Error("no such key");
	const { x = "", y = "" } = createPublicKey(key).export({ format: "jwk" });
	return Buffer.from(x, "base64url").toString("hex") + Buffer.from(y, "base64url").toString("hex");
}

const NO_KEY = new Uint8Array(0);

/** Concealments of all schemes for an IMSI, with the published keys. */
export function concealments(mncDigits: 2 | 3): readonly (readonly [string, Concealment])[] {
	const { profileA, profileB } = PROTECTION_SCHEME;
	return [
		["null scheme", { mncDigits, scheme: PROTECTION_SCHEME.null, keyId: 0, publicKey: NO_KEY }],
		["profile A", { mncDigits, scheme: profileA, keyId: PROFILE_A_KEY_ID, publicKey: fromHex(SUCI.profile_A.hn_pub) }],
		[
			"profile B",
			{
				mncDigits,
				scheme: profileB,
				keyId: PROFILE_B_KEY_ID,
				publicKey: fromHex(SUCI.profile_B.hn_pub_compressed ?? ""),
			},
		],
	];
}
