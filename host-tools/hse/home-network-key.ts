/** Key pairs of a home network for its SUCIs (TS 33.501 6.12.2): PKCS #8 in PEM, as `openssl genpkey` makes them too. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { PROTECTION_SCHEME } from "../../firmware/keys/suci.js";
import { Failure, UsageError } from "../cli/errors.js";

/** The profiles of TS 33.501 annex C by the words that a person gives. */
export const PROFILES = { a: PROTECTION_SCHEME.profileA, b: PROTECTION_SCHEME.profileB } as const;

/** A private key of the home network and the one protection scheme that it is for. */
export interface HomeNetworkKey {
	readonly scheme: number;
	readonly privateKey: KeyObject;
}

/** The private keys of a home network by their identifier, 1 to 255. */
export type HomeNetworkKeys = ReadonlyMap<number, HomeNetworkKey>;

/** A public key as devices are given it. */
export interface HomeNetworkPublicKey {
	readonly scheme: number;
	/** 32 octets for profile A, 33 for profile B: the compressed point. */
	readonly publicKey: Uint8Array;
}

const READ_OR_WRITTEN_BY_OTHERS = 0o077;

/**
 * Makes a key pair and writes the private key into a new file that its owner alone can read.
 * @param profile of annex C
 * @returns what devices are given
 * @throws Failure where the file exists, or cannot be written
 */
export function generateHomeNetworkKey(path: string, profile: keyof typeof PROFILES): HomeNetworkPublicKey {
	const { privateKey } =
		profile === "a" ? generateKeyPairSync("x25519") : generateKeyPairSync("ec", { namedCurve: "prime256v1" });
	try {
		writeFileSync(path, privateKey.export({ type: "pkcs8", format: "pem" }), { flag: "wx", mode: 0o600 });
	} catch (error) {
		throw new Failure(
			`The key cannot be written to ${path} (${(error as NodeJS.ErrnoException).code}): name a file that does not exist yet.`,
		);
	}
	return publicKeyOf(privateKey);
}

/** Reads a private key. @throws Failure where there is none of either profile, or others can read it */
export function readHomeNetworkKey(path: string): HomeNetworkKey {
	const pem = read(path);
	if (process.platform !== "win32" && (statSync(path).mode & READ_OR_WRITTEN_BY_OTHERS) !== 0)
		throw new Failure(`The private key in ${path} can be read by others: chmod 600 it, and think of making a new one.`);
	const privateKey = parse(path, () => createPrivateKey(pem));
	pem.fill(0);
	return { scheme: schemeOf(path, privateKey), privateKey };
}

/**
 * Reads the private keys of a list "ID=FILE,ID=FILE".
 * @throws UsageError where it is not such a list, Failure as {@link readHomeNetworkKey}
 */
export function readHomeNetworkKeys(list: string): HomeNetworkKeys {
	const keys = new Map<number, HomeNetworkKey>();
	for (const entry of list.split(",")) {
		const { keyId, path } = parseKeyFile(entry);
		if (keys.has(keyId)) throw new UsageError(`The home network key ${keyId} is named twice: each identifier once.`);
		keys.set(keyId, readHomeNetworkKey(path));
	}
	return keys;
}

/** Takes "ID=FILE" apart. @throws UsageError */
export function parseKeyFile(entry: string): { readonly keyId: number; readonly path: string } {
	const [, digits = "", path = ""] = /^(\d{1,3})=(.+)$/.exec(entry) ?? [];
	const keyId = Number(digits);
	if (path === "" || keyId < 1 || keyId > 255)
		throw new UsageError(`A home network key is "${entry}": ID=FILE with an identifier from 1 to 255 is allowed.`);
	return { keyId, path };
}

/** Reads a public key, or that of a private one. @throws Failure where there is none of either profile */
export function readHomeNetworkPublicKey(path: string): HomeNetworkPublicKey {
	const pem = read(path);
	const publicKey = parse(path, () => createPublicKey(pem));
	pem.fill(0);
	schemeOf(path, publicKey);
	return publicKeyOf(publicKey);
}

function read(path: string): Buffer {
	try {
		return readFileSync(path);
	} catch (error) {
		throw new Failure(
			`The key in ${path} cannot be read (${(error as NodeJS.ErrnoException).code}): name a file in PEM form.`,
		);
	}
}

function parse(path: string, key: () => KeyObject): KeyObject {
	try {
		return key();
	} catch {
		throw new Failure(`There is no key in ${path}: a file in PEM form without a passphrase is needed.`);
	}
}

function schemeOf(path: string, key: KeyObject): number {
	if (key.asymmetricKeyType === "x25519") return PROFILES.a;
	if (key.asymmetricKeyType === "ec" && key.asymmetricKeyDetails?.namedCurve === "prime256v1") return PROFILES.b;
	throw new Failure(`The key in ${path} is neither of X25519 (profile A) nor of P-256 (profile B): make one that is.`);
}

function publicKeyOf(key: KeyObject): HomeNetworkPublicKey {
	const { x = "", y } = (key.type === "public" ? key : createPublicKey(key)).export({ format: "jwk" });
	const abscissa = Buffer.from(x, "base64url");
	if (y === undefined) return { scheme: PROFILES.a, publicKey: Uint8Array.from(abscissa) };
	const isOdd = ((Buffer.from(y, "base64url").at(-1) ?? 0) & 1) === 1;
	return { scheme: PROFILES.b, publicKey: Uint8Array.of(isOdd ? 3 : 2, ...abscissa) };
}
