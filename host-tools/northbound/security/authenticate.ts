import type { X509Certificate } from "node:crypto";
import { createHash } from "node:crypto";
import type { AuditLog } from "../../hse/audit.js";
import type { ApplicationServer } from "../application-server.js";
import { Problem } from "../problem.js";
import { networkOf } from "./network-of.js";
import { type Rate, RateLimit } from "./rate-limit.js";
import { IssuerUnavailable, isSecretOf, type TokenVerifier } from "./tokens.js";

/** What a connection and a request say about who asks. */
export interface Evidence {
	/** Address of the peer. */
	readonly remote: string;
	/** The certificate of the peer, where it has shown one. */
	readonly certificate?: X509Certificate | undefined;
	/** Why that was not accepted; undefined where it was. */
	readonly certificateFault?: string | undefined;
	/** Value of the Authorization header field. */
	readonly authorization?: string | undefined;
}

/** Failed attempts of one address, or /64 of IPv6. */
const FAILURES: Rate = { perSecond: 1, burst: 20 };
const REALM = 'Bearer realm="best-northbound"';

/** Tells which application server asks: by its client certificate, by an access token, or by both. */
export class Authenticator {
	private readonly servers: ReadonlyMap<string, ApplicationServer>;
	private readonly verifier: TokenVerifier | undefined;
	private readonly audit: AuditLog;
	private readonly now: () => number;
	private readonly failures = new RateLimit();

	/** @param verifier undefined: access tokens are not taken */
	constructor(
		servers: Iterable<ApplicationServer>,
		verifier: TokenVerifier | undefined,
		audit: AuditLog,
		now: () => number,
	) {
		this.servers = new Map([...servers].map((server) => [server.id, server]));
		this.verifier = verifier;
		this.audit = audit;
		this.now = now;
	}

	/** @throws Problem 401, which leaves an audit record, 429 where there were too many of these, or 503 */
	async identify(evidence: Evidence): Promise<ApplicationServer> {
		const { authorization, certificate, certificateFault } = evidence;
		if (certificateFault !== undefined)
			throw this.fault(evidence, `client certificate: ${certificateFault}`, "The client certificate is not accepted.");
		const byCertificate = certificate && this.ofCertificate(certificate);
		if (authorization === undefined) {
			if (byCertificate !== undefined) return byCertificate;
			throw this.fault(
				evidence,
				certificate === undefined ? "no credentials" : "client certificate of no application server",
				"A client certificate or an access token of an application server is needed.",
			);
		}
		const byToken = await this.ofToken(evidence, authorization);
		if (byCertificate !== undefined && byCertificate.id !== byToken.id)
			throw this.fault(
				evidence,
				"token and certificate of two application servers",
				"The access token is not that of the client certificate.",
			);
		return byToken;
	}

	/** A client of the local issuer, by RFC 6749 2.3.1. @throws Problem 401 or 429 */
	client(evidence: Evidence, id: string, secret: string): ApplicationServer {
		const server = this.servers.get(id);
		if (server === undefined || !isSecretOf(server, secret))
			throw this.fault(evidence, "client credentials", "The client is unknown, or its secret is wrong.");
		return server;
	}

	/** Forgets addresses that have not failed for a while. */
	tidy(): void {
		this.failures.tidy(this.now());
	}

	private ofCertificate(certificate: X509Certificate): ApplicationServer | undefined {
		for (const server of this.servers.values())
			for (const name of server.certificateNames)
				if (certificate.checkHost(name, { subject: "never", wildcards: false }) !== undefined) return server;
		return undefined;
	}

	private async ofToken(evidence: Evidence, authorization: string): Promise<ApplicationServer> {
		const token = /^Bearer +([\w\-.~+/]+=*)$/i.exec(authorization)?.[1];
		if (token === undefined || this.verifier === undefined)
			throw this.fault(evidence, "no bearer token", "A bearer token is needed in the Authorization header field.");
		let claims: Awaited<ReturnType<TokenVerifier["verify"]>>;
		try {
			claims = await this.verifier.verify(token, this.now());
		} catch (error) {
			if (error instanceof IssuerUnavailable)
				throw new Problem(503, "ISSUER_NOT_AVAILABLE", "Access tokens cannot be checked now: try again later.", {
					headers: { "Retry-After": "10" },
				});
			const why = error instanceof Error && "code" in error ? String(error.code) : "not verified";
			throw this.fault(evidence, `token: ${why}`, "The access token is not valid, or no longer.", true);
		}
		if (claims.cnf !== undefined) {
			// Bound to something else, such as a key of DPoP, it is for somebody who shows that.
			const bound = (claims.cnf as { readonly "x5t#S256"?: unknown } | null)?.["x5t#S256"];
			if (evidence.certificate === undefined || bound !== thumbprintOf(evidence.certificate))
				throw this.fault(
					evidence,
					"token bound to another certificate or key",
					"The access token is not valid here.",
					true,
				);
		}
		const id = claims.client_id ?? claims.sub;
		const server = typeof id === "string" ? this.servers.get(id) : undefined;
		if (server === undefined)
			throw this.fault(
				evidence,
				"token of no application server",
				"The access token is of no application server.",
				true,
			);
		return server;
	}

	/**
	 * Why credentials are refused. Right ones are taken however many wrong ones came from their address, which a load balancer
	 * or a NAT can share with a stranger. So whoever guesses is told where he is right; but nobody guesses 128 bits, which a
	 * secret has at least, nor a signature. What is limited is what failed attempts put on record.
	 */
	private fault({ remote }: Evidence, reason: string, detail: string, isToken = false): Problem {
		const seconds = this.failures.take(networkOf(remote), FAILURES, this.now());
		if (seconds > 0)
			return new Problem(429, "TOO_MANY_FAILURES", "Too many failed attempts came from this address: try later.", {
				headers: { "Retry-After": String(seconds) },
			});
		this.audit.record("authentication failed", { remote, reason });
		return new Problem(401, "UNAUTHENTICATED", detail, {
			headers: { "WWW-Authenticate": isToken ? `${REALM}, error="invalid_token"` : REALM },
		});
	}
}

/** x5t#S256 of RFC 8705. */
export function thumbprintOf(certificate: X509Certificate): string {
	return createHash("sha256").update(certificate.raw).digest("base64url");
}
