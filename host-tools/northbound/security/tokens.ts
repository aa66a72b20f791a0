import { createHash, timingSafeEqual } from "node:crypto";
import {
	type CryptoKey,
	createLocalJWKSet,
	createRemoteJWKSet,
	errors,
	exportJWK,
	generateKeyPair,
	importJWK,
	type JWK,
	type JWTPayload,
	type JWTVerifyGetKey,
	jwtVerify,
	SignJWT,
} from "jose";
import type { ApplicationServer } from "../application-server.js";

const ALGORITHM = "ES256";
/** Signatures of issuers that are taken; never HMAC, never none. */
const ACCEPTED = ["ES256", "ES384", "RS256", "PS256", "EdDSA"];
/** The `typ` that is taken: that of RFC 9068, and what issuers that do not know it say of any JWT. */
const TYPES: readonly (string | undefined)[] = ["at+jwt", "application/at+jwt", "jwt", undefined];
/** How long a token of the local issuer is good, in seconds. */
export const TOKEN_LIFETIME = 600;

/** Verifies access tokens (RFC 9068). */
export interface TokenVerifier {
	/** @returns the claims. @throws IssuerUnavailable; anything else where the token is not good */
	verify(token: string, now: number): Promise<JWTPayload>;
}

/** The keys of the issuer cannot be had now: nothing is known of the token. */
export class IssuerUnavailable extends Error {
	override readonly name = "IssuerUnavailable";
}

/** What a token can be blamed for when its key is looked up. */
const TOKEN_FAULTS = [errors.JWKSNoMatchingKey, errors.JWKSMultipleMatchingKeys, errors.JOSENotSupported];

/** Tokens of an issuer that publishes its keys. They are fetched when needed. */
export function remoteIssuer(issuer: string, jwksUri: string, audience: string): TokenVerifier {
	const published = createRemoteJWKSet(new URL(jwksUri));
	const keys: JWTVerifyGetKey = async (header, token) => {
		try {
			return await published(header, token);
		} catch (error) {
			if (TOKEN_FAULTS.some((fault) => error instanceof fault)) throw error;
			throw new IssuerUnavailable(`The keys at ${jwksUri} cannot be had.`, { cause: error });
		}
	};
	return verifierOf(keys, issuer, audience);
}

function verifierOf(keys: JWTVerifyGetKey, issuer: string, audience: string): TokenVerifier {
	return {
		async verify(token, now) {
			const options = { issuer, audience, algorithms: ACCEPTED, currentDate: new Date(now), requiredClaims: ["exp"] };
			const { payload, protectedHeader } = await jwtVerify(token, keys, options);
			if (!TYPES.includes(protectedHeader.typ?.toLowerCase()))
				throw new errors.JWTClaimValidationFailed("This is no access token.", payload, "typ", "check_failed");
			return payload;
		},
	};
}

/**
 * An issuer of access tokens by client credentials (RFC 6749 4.4), for trying things and for small installations. Its key
 * lives as long as the process, so after a restart clients ask for new tokens; or it is that of several processes.
 */
export class LocalIssuer implements TokenVerifier {
	private readonly issuer: string;
	private readonly audience: string;
	private readonly key: CryptoKey;
	private readonly publicKey: JWK;
	private readonly verifier: TokenVerifier;

	private constructor(issuer: string, audience: string, key: CryptoKey, publicKey: JWK) {
		this.issuer = issuer;
		this.audience = audience;
		this.key = key;
		this.publicKey = publicKey;
		this.verifier = verifierOf(createLocalJWKSet({ keys: [publicKey] }), issuer, audience);
	}

	/** @param shared stores a fresh private key, a JWK, where there is none. @returns the one that is stored */
	static async make(
		issuer: string,
		audience: string,
		shared?: (fresh: string) => Promise<string>,
	): Promise<LocalIssuer> {
		const fresh = await generateKeyPair(ALGORITHM, { extractable: shared !== undefined });
		const stored = shared && (JSON.parse(await shared(JSON.stringify(await exportJWK(fresh.privateKey)))) as JWK);
		const privateKey = stored === undefined ? fresh.privateKey : ((await importJWK(stored, ALGORITHM)) as CryptoKey);
		const { d: _, ...publicJwk } = stored ?? (await exportJWK(fresh.publicKey));
		const jwk = { ...publicJwk, alg: ALGORITHM, use: "sig", kid: "1" };
		return new LocalIssuer(issuer, audience, privateKey, jwk);
	}

	verify(token: string, now: number): Promise<JWTPayload> {
		return this.verifier.verify(token, now);
	}

	/** @param thumbprint of the client certificate it is bound to (RFC 8705), where there is one */
	issue(applicationServer: ApplicationServer, now: number, thumbprint: string | undefined): Promise<string> {
		const seconds = Math.floor(now / 1000);
		return new SignJWT({
			client_id: applicationServer.id,
			...(thumbprint !== undefined && { cnf: { "x5t#S256": thumbprint } }),
		})
			.setProtectedHeader({ alg: ALGORITHM, typ: "at+jwt", kid: "1" })
			.setIssuer(this.issuer)
			.setAudience(this.audience)
			.setSubject(applicationServer.id)
			.setIssuedAt(seconds)
			.setExpirationTime(seconds + TOKEN_LIFETIME)
			.sign(this.key);
	}

	/** What others need to verify its tokens. */
	get keys(): { readonly keys: readonly JWK[] } {
		return { keys: [this.publicKey] };
	}
}

/** Whether a client secret is the right one. Secrets are random, 128 bits at least: one SHA-256 is enough for them. */
export function isSecretOf({ clientSecretSha256 }: ApplicationServer, secret: string): boolean {
	if (clientSecretSha256 === undefined) return false;
	return timingSafeEqual(createHash("sha256").update(secret).digest(), Buffer.from(clientSecretSha256, "hex"));
}
