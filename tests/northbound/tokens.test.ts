import { generateKeyPairSync } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { SignJWT } from "jose";
import { Problem } from "../../host-tools/northbound/problem.js";
import { Authenticator } from "../../host-tools/northbound/security/authenticate.js";
import { LocalIssuer, remoteIssuer } from "../../host-tools/northbound/security/tokens.js";
import { METERS, PUMPS } from "./world.js";

const ISSUER = "https://issuer.example";
const AUDIENCE = "best";
const NOW = Date.UTC(2030, 0, 1);

/** What the issuer's server answers when its keys are asked for. */
let answer: { readonly status: number; readonly body: string };
let server: Server;
let issuer: LocalIssuer;
let records: { readonly event: string; readonly reason?: unknown }[];

beforeEach(async () => {
	issuer = await LocalIssuer.make(ISSUER, AUDIENCE);
	answer = { status: 200, body: JSON.stringify(issuer.keys) };
	records = [];
	server = createServer((_, reply) => reply.writeHead(answer.status).end(answer.body));
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});

afterEach(() => {
	server.closeAllConnections();
	server.close();
});

/** The application server that a token of another issuer shows, or the status and the code of the refusal. */
async function shownBy(token: string): Promise<string> {
	const keys = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
	const audit = { record: (event: string, fields: object) => records.push({ event, ...fields }), close() {} };
	const authenticator = new Authenticator([METERS, PUMPS], remoteIssuer(ISSUER, keys, AUDIENCE), audit, () => NOW);
	try {
		return (await authenticator.identify({ remote: "192.0.2.1", authorization: `Bearer ${token}` })).id;
	} catch (error) {
		if (error instanceof Problem) return `${error.status} ${error.code}`;
		throw error;
	}
}

describe("tokens of another issuer", () => {
	test("show their application server", async () => {
		expect(await shownBy(await issuer.issue(PUMPS, NOW, undefined))).toBe("pumps");
		expect(records).toEqual([]);
	});

	test("for another audience, of another issuer, or signed with another key under the same name are refused, on record", async () => {
		const [audience, other, key] = await Promise.all([
			LocalIssuer.make(ISSUER, "else"),
			LocalIssuer.make("https://else.example", AUDIENCE),
			LocalIssuer.make(ISSUER, AUDIENCE),
		]);
		const claims = [[audience, "aud"] as const, [other, "iss"] as const];
		for (const [made, claim] of claims) {
			// Its own key is published: only the claim is wrong.
			answer = { status: 200, body: JSON.stringify(made.keys) };
			expect([claim, await shownBy(await made.issue(METERS, NOW, undefined))]).toEqual([claim, "401 UNAUTHENTICATED"]);
			expect(records.at(-1)?.reason).toBe("token: ERR_JWT_CLAIM_VALIDATION_FAILED");
		}
		answer = { status: 200, body: JSON.stringify(issuer.keys) };
		expect(await shownBy(await key.issue(METERS, NOW, undefined))).toBe("401 UNAUTHENTICATED");
		expect(records.at(-1)?.reason).toBe("token: ERR_JWS_SIGNATURE_VERIFICATION_FAILED");
		expect(records).toHaveLength(3);
	});

	describe("made by others", () => {
		const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });

		beforeEach(() => {
			answer = { status: 200, body: JSON.stringify({ keys: [publicKey.export({ format: "jwk" })] }) };
		});

		function signed(typ: string | undefined, more: object): Promise<string> {
			const seconds = NOW / 1000;
			const claims = { iss: ISSUER, aud: AUDIENCE, sub: "meters", iat: seconds, exp: seconds + 60, ...more };
			return new SignJWT(claims).setProtectedHeader({ alg: "ES256", ...(typ && { typ }) }).sign(privateKey);
		}

		test.each(["at+jwt", "application/at+jwt", "JWT", undefined])("with the type %s are taken", async (typ) => {
			expect(await shownBy(await signed(typ, {}))).toBe("meters");
		});

		test.each(["dpop+jwt", "logout+jwt"])("with the type %s are refused, on record", async (typ) => {
			expect(await shownBy(await signed(typ, {}))).toBe("401 UNAUTHENTICATED");
			expect(records.at(-1)?.reason).toBe("token: ERR_JWT_CLAIM_VALIDATION_FAILED");
		});

		test.each([{ jkt: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" }, { "x5t#S256": 5 }, {}, null])(
			"and bound to %j are refused, on record",
			async (cnf) => {
				expect(await shownBy(await signed("at+jwt", { cnf }))).toBe("401 UNAUTHENTICATED");
				expect(records.at(-1)?.reason).toBe("token bound to another certificate or key");
			},
		);
	});

	for (const [what, status, body] of [
		["answers with an error", 500, ""],
		["answers with something else", 200, "<html>"],
		["has no keys", 200, "{}"],
	] as const)
		test(`whose server ${what}: 503, and nobody is blamed`, async () => {
			answer = { status, body };
			expect(await shownBy(await issuer.issue(METERS, NOW, undefined))).toBe("503 ISSUER_NOT_AVAILABLE");
			expect(records).toEqual([]);
		});

	test("whose server is away: 503", async () => {
		const token = await issuer.issue(METERS, NOW, undefined);
		const { port } = server.address() as AddressInfo;
		await new Promise((resolve) => server.close(resolve));
		const verifier = remoteIssuer(ISSUER, `http://127.0.0.1:${port}/`, AUDIENCE);
		const authenticator = new Authenticator([METERS], verifier, { record() {}, close() {} }, () => NOW);
		await expect(authenticator.identify({ remote: "x", authorization: `Bearer ${token}` })).rejects.toMatchObject({
			status: 503,
			headers: { "Retry-After": "10" },
		});
		await new Promise<void>((resolve) => server.listen(0, resolve));
	});
});
