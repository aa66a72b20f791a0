import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, jest, test } from "@jest/globals";
import Database from "libsql";
import { CAUSE } from "../../firmware/emsdp/profile.js";
import { DatabaseError } from "../../host-tools/hse/database.js";
import { IMSI } from "../support/pair.js";
import { isPublished, PublishedNidd } from "./published.js";
import { base64, DESTINATION, FOREIGN_UE, METERS, PUMPS, SECRET, UE, World } from "./world.js";

const published = isPublished ? new PublishedNidd() : undefined;
const LIST = "/3gpp-nidd/v1/meters/configurations";
const CONFIGURATION = { externalId: UE, notificationDestination: DESTINATION };
const basic = (id: string, secret: string) => `Basic ${Buffer.from(`${id}:${secret}`).toString("base64")}`;
const FORM = { "Content-Type": "application/x-www-form-urlencoded" };

describe("access tokens", () => {
	test("are issued for client credentials, and open the server's own paths", async () => {
		const world = await World.make();
		const form = "grant_type=client_credentials";
		const { status, body } = await world.request("POST", "/oauth2/token", form, {
			...FORM,
			Authorization: basic("meters", SECRET),
		});
		expect([status, body.token_type, body.expires_in]).toEqual([200, "Bearer", 600]);
		const answer = await world.request("GET", LIST, undefined, { Authorization: `Bearer ${body.access_token}` });
		expect(answer.status).toBe(200);
		expect(world.records).toEqual([{ event: "token issued", remote: "local", applicationServer: "meters" }]);
		expect(JSON.stringify(world.records)).not.toContain(body.access_token);
	});

	test("can be asked for with the credentials in the form", async () => {
		const world = await World.make();
		const form = `grant_type=client_credentials&client_id=meters&client_secret=${SECRET}`;
		expect((await world.request("POST", "/oauth2/token", form, { ...FORM, Authorization: "" })).status).toBe(200);
	});

	for (const [what, id, secret] of [
		["a wrong secret", "meters", "x"],
		["an unknown client", "nobody", SECRET],
		["no secret", "meters", ""],
	])
		test(`are not issued for ${what}, on record`, async () => {
			const world = await World.make();
			const { status, body, headers } = await world.request("POST", "/oauth2/token", "grant_type=client_credentials", {
				...FORM,
				Authorization: basic(id, secret),
			});
			expect([status, body.error, headers.get("www-authenticate")?.slice(0, 5)]).toEqual([
				401,
				"invalid_client",
				"Basic",
			]);
			expect(world.records[0].event).toBe("authentication failed");
			expect(JSON.stringify(world.records)).not.toContain(SECRET);
		});

	for (const [what, type, form, error] of [
		["another grant", FORM["Content-Type"], "grant_type=password", "unsupported_grant_type"],
		["no grant", FORM["Content-Type"], "client_id=meters", "invalid_request"],
		["a grant without a value", FORM["Content-Type"], "grant_type=", "invalid_request"],
		[
			"a parameter that is there twice",
			FORM["Content-Type"],
			"grant_type=client_credentials&scope=a&scope=b",
			"invalid_request",
		],
		["a body that is no form", "application/json", "grant_type=client_credentials", "invalid_request"],
	])
		test(`are not issued for ${what}`, async () => {
			const world = await World.make();
			const headers = { Authorization: basic("meters", SECRET), "Content-Type": type };
			const { status, body } = await world.request("POST", "/oauth2/token", form, headers);
			expect([status, body.error, body.error_description]).toEqual([400, error, expect.stringMatching(/\.$/)]);
			expect(world.records).toEqual([]);
		});

	test("that have expired, are not signed here, or are none, are refused with ProblemDetails and on record", async () => {
		const world = await World.make();
		const other = await World.make();
		const now = world.time();
		const tokens: [string, string][] = [
			["token: ERR_JWT_EXPIRED", await world.issuer.issue(METERS, now - 601_000, undefined)],
			["token: ERR_JWS_SIGNATURE_VERIFICATION_FAILED", await other.issuer.issue(METERS, now, undefined)],
			["token of no application server", await world.issuer.issue({ ...METERS, id: "x" }, now, undefined)],
			["token bound to another certificate or key", await world.issuer.issue(METERS, now, "thumbprint")],
			["token: ERR_JWS_INVALID", "nonsense"],
			// {"alg":"none"}
			["token: ERR_JOSE_ALG_NOT_ALLOWED", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJtZXRlcnMifQ."],
		];
		for (const [reason, token] of tokens) {
			const answer = await world.request("GET", LIST, undefined, { Authorization: `Bearer ${token}` });
			expect([answer.status, answer.body.cause]).toEqual([401, "UNAUTHENTICATED"]);
			expect(answer.headers.get("www-authenticate")).toContain("invalid_token");
			expect(world.records.at(-1)).toEqual({ event: "authentication failed", remote: "local", reason });
			published?.expectAnswer("get", "/{scsAsId}/configurations", answer);
		}
		expect(JSON.stringify(world.records)).not.toContain(tokens[0][1]);
	});

	test("missing: 401 that says what is needed", async () => {
		const world = await World.make();
		const { status, headers } = await world.request("GET", LIST, undefined, { Authorization: "" });
		expect([status, headers.get("www-authenticate")]).toEqual([401, 'Bearer realm="best-northbound"']);
	});

	test("guessed at too often: the address is held off for a while, without a record", async () => {
		const world = await World.make();
		const guess = () => world.request("GET", LIST, undefined, { Authorization: "Bearer x" });
		for (let i = 0; i < 20; i++) expect((await guess()).status).toBe(401);
		const { status, body, headers } = await guess();
		expect([status, body.cause, headers.get("retry-after")]).toEqual([429, "TOO_MANY_FAILURES", "1"]);
		expect(world.records).toHaveLength(20);
		world.now += 2000;
		expect((await guess()).status).toBe(401);
	});

	test("that are right are taken however often others from the same address were wrong", async () => {
		const world = await World.make();
		const form = "grant_type=client_credentials";
		const ask = async (secret: string) =>
			(await world.request("POST", "/oauth2/token", form, { ...FORM, Authorization: basic("meters", secret) })).status;
		for (let i = 0; i < 20; i++) expect(await ask("x")).toBe(401);
		expect([await ask("x"), await ask(SECRET), await ask("x")]).toEqual([429, 200, 429]);
		expect((await world.request("GET", LIST)).status).toBe(200);
		expect((await world.request("GET", LIST, undefined, { Authorization: "" })).status).toBe(429);
	});
});

describe("authorisation", () => {
	test("the paths of another application server are refused, on record", async () => {
		const world = await World.make();
		for (const path of [
			"/3gpp-nidd/v1/pumps/configurations",
			"/3gpp-best/v1/pumps/sessions",
			"/3gpp-best/v1/x/commands",
		]) {
			const { status, body } = await world.request("GET", path);
			expect([status, body.cause]).toEqual([403, "OTHER_APPLICATION_SERVER"]);
			expect(world.records.at(-1)).toEqual({
				event: "not authorised",
				remote: "local",
				applicationServer: "meters",
				method: "GET",
				path,
				cause: "OTHER_APPLICATION_SERVER",
			});
		}
	});

	test("UEs of another application server, and of nobody, are refused alike, on record", async () => {
		const world = await World.make();
		for (const externalId of [FOREIGN_UE, "nobody@meters.example"])
			for (const [path, more] of [
				["/3gpp-nidd/v1/meters/configurations", { notificationDestination: DESTINATION }],
				["/3gpp-best/v1/meters/sessions", {}],
				["/3gpp-best/v1/meters/subscriptions", { notificationDestination: DESTINATION }],
			] as const) {
				const { status, body, headers } = await world.request("POST", path, { externalId, ...more });
				expect([status, body.cause]).toEqual([403, "UE_NOT_AUTHORIZED"]);
				expect(headers.get("content-type")).toBe("application/problem+json");
				expect(world.records.at(-1)).toEqual({
					event: "not authorised",
					remote: "local",
					applicationServer: "meters",
					method: "POST",
					path,
					cause: "UE_NOT_AUTHORIZED",
				});
			}
		expect(world.records).toHaveLength(6);
	});

	test("each server sees its own configurations, commands and subscriptions only", async () => {
		const world = await World.make();
		const pumps = { Authorization: `Bearer ${await world.issuer.issue(PUMPS, world.time(), undefined)}` };
		const made = [
			await world.request(
				"POST",
				"/3gpp-nidd/v1/pumps/configurations",
				{ ...CONFIGURATION, externalId: FOREIGN_UE },
				pumps,
			),
			await world.request("POST", "/3gpp-best/v1/pumps/sessions", { externalId: FOREIGN_UE }, pumps),
			await world.request("POST", "/3gpp-best/v1/pumps/subscriptions", { notificationDestination: DESTINATION }, pumps),
		];
		for (const { status, body } of made) {
			expect(status).toBeLessThan(300);
			const own = body.self.replace("/pumps/", "/meters/");
			expect((await world.request("GET", own)).status).toBe(404);
			expect((await world.request("DELETE", own)).status).toBe(404);
			expect((await world.request("GET", body.self, undefined, pumps)).status).toBe(200);
		}
		expect((await world.request("GET", LIST)).body).toEqual([]);
	});

	test("no IMSI of a UE goes to an application server", async () => {
		const world = await World.make();
		world.connect();
		await world.nidd("POST", "/configurations", CONFIGURATION);
		await world.best("POST", "/subscriptions", { notificationDestination: DESTINATION });
		world.send("x");
		world.stop();
		world.settle();
		await world.quiet();
		const session = await world.best("GET", "/sessions");
		expect(world.notifications.length).toBeGreaterThan(1);
		expect(JSON.stringify(world.notifications) + session.text).not.toContain("001010000000001");
	});
});

describe("rates", () => {
	test("tokens are counted too", async () => {
		const world = await World.make({ servers: [{ ...METERS, rate: { perSecond: 1, burst: 2 } }] });
		const body = `grant_type=client_credentials&client_id=meters&client_secret=${SECRET}`;
		const answers = [];
		for (let i = 0; i < 3; i++)
			answers.push(await world.request("POST", "/oauth2/token", body, { Authorization: "", ...FORM }));
		expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
		expect([answers[2].body.error, answers[2].headers.get("retry-after")]).toEqual(["temporarily_unavailable", "1"]);
		expect(world.records).toHaveLength(2);
	});

	test("a server that asks too much is told when to come again", async () => {
		const world = await World.make({ servers: [{ ...METERS, rate: { perSecond: 2, burst: 3 } }] });
		const ask = () => world.request("GET", LIST);
		for (let i = 0; i < 3; i++) expect((await ask()).status).toBe(200);
		const { status, body, headers } = await ask();
		expect([status, body.cause, headers.get("retry-after")]).toEqual([429, "TOO_MANY_REQUESTS", "1"]);
		world.now += 500;
		expect((await ask()).status).toBe(200);
		expect((await ask()).status).toBe(429);
	});
});

describe("pages of other origins", () => {
	// A browser shows a client certificate to whoever makes it ask: what changes something must not come from elsewhere.
	for (const origin of ["https://evil.example", "null", "http://hse.example", "https://hse.example:444"])
		test(`${origin}: what changes something is refused, on record`, async () => {
			const world = await World.make();
			world.connect();
			const path = `/3gpp-best/v1/meters${world.sessionPath}/terminate`;
			const { status, body } = await world.request("POST", path, undefined, { Origin: origin });
			expect([status, body.cause]).toEqual([403, "OTHER_ORIGIN"]);
			expect(world.records.at(-1)).toMatchObject({ event: "not authorised", cause: "OTHER_ORIGIN", path });
			expect(world.hse.sessionOf(IMSI)?.state).toBe("live");
			const websocket = await world.request("GET", `${LIST}/x/websocket`, undefined, {
				Origin: origin,
				Upgrade: "websocket",
			});
			expect([websocket.status, websocket.body.cause]).toEqual([403, "OTHER_ORIGIN"]);
			expect((await world.request("GET", LIST, undefined, { Origin: origin })).status).toBe(200);
		});

	test("the page of the server itself may ask", async () => {
		const world = await World.make();
		expect((await world.request("POST", LIST, CONFIGURATION, { Origin: "https://hse.example" })).status).toBe(201);
	});
});

describe("idempotency keys", () => {
	const post = (world: World, key: string, body: unknown = CONFIGURATION, path = LIST) =>
		world.request("POST", path, body, { "Idempotency-Key": key });

	test("a repeated POST gets the answer it got, and nothing is done again", async () => {
		const world = await World.make();
		const first = await post(world, "one");
		const again = await post(world, "one");
		expect([again.status, again.body, again.headers.get("location")]).toEqual([201, first.body, first.body.self]);
		expect((await world.request("GET", LIST)).body).toHaveLength(1);
		expect((await post(world, "two")).body.self).not.toBe(first.body.self);
	});

	test("a downlink that is posted twice goes out once", async () => {
		const world = await World.make();
		world.connect();
		const { body } = await world.nidd("POST", "/configurations", CONFIGURATION);
		const path = `${body.self}/downlink-data-deliveries`;
		for (let i = 0; i < 2; i++) await post(world, "key", { externalId: UE, data: base64("once") }, path);
		world.settle();
		expect(world.downlinks).toEqual(["once"]);
	});

	test("a key that belongs to another request is refused", async () => {
		const world = await World.make();
		await post(world, "one");
		const { status, body } = await post(world, "one", { ...CONFIGURATION, pdnEstablishmentOption: "WAIT_FOR_UE" });
		expect([status, body.cause]).toEqual([422, "IDEMPOTENCY_KEY_REUSED"]);
	});

	test("a key is one server's own, and is forgotten after a day", async () => {
		const world = await World.make();
		const first = await post(world, "one");
		const pumps = { Authorization: `Bearer ${await world.issuer.issue(PUMPS, world.time(), undefined)}` };
		const other = await world.request(
			"POST",
			"/3gpp-nidd/v1/pumps/configurations",
			{ ...CONFIGURATION, externalId: FOREIGN_UE },
			{ ...pumps, "Idempotency-Key": "one" },
		);
		expect(other.status).toBe(201);
		await world.pass(86_400_000);
		expect((await post(world, "one")).body.self).not.toBe(first.body.self);
	});

	test("what was refused may be tried again with the same key", async () => {
		const world = await World.make();
		expect((await post(world, "one", {})).status).toBe(400);
		expect((await post(world, "one")).status).toBe(201);
	});

	test("what was done is undone where its answer cannot be kept: the repetition does it once", async () => {
		const world = await World.make();
		const { keepReply } = world.resources;
		const full = Object.assign(new Error("database or disk is full"), { code: "SQLITE_FULL" });
		world.resources.keepReply = () => {
			throw full;
		};
		expect((await post(world, "one", { ...CONFIGURATION, requestTestNotification: true })).status).toBe(503);
		expect([world.errors, world.notifications]).toEqual([[full], []]);
		world.resources.keepReply = keepReply;
		const { status, body } = await post(world, "one");
		expect(status).toBe(201);
		expect((await world.request("GET", LIST)).body).toEqual([body]);
	});

	test("of the answers to one server so many are kept, the newest", async () => {
		const world = await World.make();
		const first = await post(world, "one");
		world.now += 1;
		const second = await post(world, "two");
		world.resources.forgetOld(world.time(), 1);
		expect((await post(world, "two")).body.self).toBe(second.body.self);
		expect((await post(world, "one")).body.self).not.toBe(first.body.self);
		await world.pass(86_400_000);
		world.resources.forgetOld(world.time(), 1);
		expect(world.resources.reply("meters", "two", 0)).toBeUndefined();
	});

	test("a command that the UE has rejected is answered so again, and the UE is asked once", async () => {
		const world = await World.make();
		world.connect();
		const path = `/3gpp-best/v1/meters${world.sessionPath}/keys/refresh`;
		const asked: number[] = [];
		const refresh = (sessionId: number) => {
			asked.push(sessionId);
			world.tell({ kind: "rejected", sessionId, cause: CAUSE.akaMacFailure });
		};
		Object.assign(world.context, { hse: { ...world.context.hse, refresh } });
		const answers = [await post(world, "one", {}, path), await post(world, "one", {}, path)];
		for (const { status, body, headers } of answers) {
			expect([status, body.status, body.cause]).toEqual([409, 409, "COMMAND_FAILED"]);
			expect(headers.get("content-type")).toBe("application/problem+json");
		}
		expect(asked).toHaveLength(1);
	});

	test("a key that cannot be given up is told, and the answer is what it was", async () => {
		const world = await World.make();
		const error = new DatabaseError("The PostgreSQL of --database cannot be used.");
		world.resources.dropReply = () => {
			throw error;
		};
		const { status, body } = await post(world, "one", { ...CONFIGURATION, externalId: FOREIGN_UE });
		expect([status, body.cause]).toEqual([403, "UE_NOT_AUTHORIZED"]);
		expect(world.errors).toEqual([error]);
	});

	test("a key of the EAS is not kept: it is made, and put on record, anew", async () => {
		const world = await World.make();
		world.connect();
		const path = `/3gpp-best/v1/meters${world.sessionPath}/keys/eas-key`;
		const take = () => world.request("POST", path, undefined, { "Idempotency-Key": "one" });
		expect((await take()).body).toEqual((await take()).body);
		expect(world.records.filter(({ event }) => event === "EAS key given out")).toHaveLength(2);
	});
});

describe("requests that are no good", () => {
	for (const [what, method, path, body, headers, status] of [
		["no such path", "GET", "/3gpp-nidd/v2/meters/configurations", undefined, {}, 404],
		["no such method", "PUT", LIST, CONFIGURATION, {}, 405],
		["another content type", "POST", LIST, CONFIGURATION, { "Content-Type": "text/plain" }, 415],
		["another content type of a patch", "PATCH", `${LIST}/x`, {}, { "Content-Type": "application/json" }, 415],
		["no JSON wanted", "GET", LIST, undefined, { Accept: "text/html" }, 406],
		["no body", "POST", LIST, undefined, {}, 400],
		["a body that is too long", "POST", LIST, `"${"x".repeat(70_000)}"`, {}, 413],
		["an empty idempotency key", "POST", LIST, CONFIGURATION, { "Idempotency-Key": "" }, 400],
		["a WebSocket that is none", "GET", `${LIST}/x/websocket`, undefined, {}, 426],
	] as const)
		test(`${what}: ${status} with ProblemDetails`, async () => {
			const world = await World.make();
			const answer = await world.request(method, path, body, headers);
			expect([answer.status, answer.headers.get("content-type")]).toEqual([status, "application/problem+json"]);
			expect(answer.body).toMatchObject({ status, title: expect.any(String), detail: expect.any(String) });
			published?.expectValid("ProblemDetails", answer.body, "TS29122_CommonData.yaml");
		});

	test("a path with a control character is that of nothing: 404, and the store is not asked", async () => {
		const world = await World.make();
		const { store } = world.context;
		const get = jest.spyOn(store, "get");
		const { sessionPath } = world;
		for (const character of ["%00", "%0A", "%7F", "%C2%85"])
			for (const [method, path] of [
				["GET", `${LIST}/${character}`],
				["DELETE", `${LIST}/x${character}`],
				["GET", `${LIST}/x/downlink-data-deliveries/${character}`],
				["GET", `${LIST}/${character}/websocket`],
				["GET", `/3gpp-best/v1/meters/commands/${character}`],
				["GET", `/3gpp-best/v1/meters${sessionPath}${character}`],
			]) {
				const { status, body } = await world.request(method, path);
				expect([path, status, body.cause]).toEqual([path, 404, "RESOURCE_NOT_FOUND"]);
			}
		expect(get).not.toHaveBeenCalled();
	});

	test("HEAD is GET without the body", async () => {
		const world = await World.make();
		const { status, text, headers } = await world.request("HEAD", LIST);
		expect([status, text, headers.get("content-type")]).toEqual([200, "", "application/json"]);
		const other = await world.request("HEAD", LIST.replace("meters", "pumps"));
		expect([other.status, world.records.at(-1)?.event]).toEqual([403, "not authorised"]);
		expect((await world.request("HEAD", `${LIST}/x/downlink-data-deliveries/y`)).status).toBe(404);
	});

	test("another method: 405 that names those that are there", async () => {
		const world = await World.make();
		for (const [method, path, allow] of [
			["PUT", LIST, "GET, HEAD, POST"],
			["OPTIONS", LIST, "GET, HEAD, POST"],
			["GET", "/oauth2/token", "POST"],
			["POST", "/oauth2/jwks", "GET, HEAD"],
			["POST", `${LIST}/x/websocket`, "GET, HEAD"],
			["DELETE", "/3gpp-best/v1/meters/subscriptions/x/websocket", "GET, HEAD"],
		]) {
			const answer = await world.request(method, path);
			expect([answer.status, answer.headers.get("allow")]).toEqual([405, allow]);
			expect(answer.body).toMatchObject({ status: 405, cause: "METHOD_NOT_ALLOWED" });
		}
	});

	test.each([
		["application/json;q=0", 406],
		["application/json; Q=0.000, */*", 406],
		["application/*;q=0, */*;q=0.1", 406],
		["text/html, */*;q=0", 406],
		["application/problem+json;q=0", 406],
		["application/json;q=0.001", 200],
		["*/*;q=0, application/json", 200],
		["application/problem+json", 200],
		["text/html, application/*;q=0.5", 200],
	])("%s is answered %i", async (accept, status) => {
		const world = await World.make();
		expect((await world.request("GET", LIST, undefined, { Accept: accept })).status).toBe(status);
	});

	test("every fault of a body is named", async () => {
		const world = await World.make();
		const { body } = await world.nidd("POST", "/configurations", { externalId: "x", duration: 5 });
		const params = body.invalidParams.map(({ param }: { param: string }) => param);
		expect(params.sort()).toEqual(["/duration", "/externalId", "/notificationDestination"]);
		const reasons = Object.fromEntries(
			body.invalidParams.map((at: { param: string; reason: string }) => [at.param, at.reason]),
		);
		expect([reasons["/duration"], reasons["/notificationDestination"]]).toEqual(["must be text", "is missing"]);
	});

	test("what should not happen is a 500 that says nothing, and is told", async () => {
		const world = await World.make();
		world.context.store.close();
		const { status, body } = await world.request("GET", LIST);
		expect([status, body.cause]).toEqual([500, "SYSTEM_FAILURE"]);
		expect(JSON.stringify(body)).not.toMatch(/sql|database/i);
		expect(world.errors).toHaveLength(1);
	});

	test("a store that another process locks is a 503 soon, since all stands still meanwhile, and is used again later", async () => {
		const folder = mkdtempSync(join(tmpdir(), "best-northbound-"));
		try {
			const storePath = join(folder, "northbound.db");
			const world = await World.make({ storePath });
			const { database } = world.resources as unknown as { database: Database.Database };
			expect(database.prepare("PRAGMA busy_timeout").get([])).toMatchObject({ timeout: 100 });
			const other = new Database(storePath);
			other.exec("BEGIN IMMEDIATE");
			const { status, body } = await world.nidd("POST", "/configurations", CONFIGURATION);
			expect([status, body.cause]).toEqual([503, "STORE_NOT_AVAILABLE"]);
			other.exec("COMMIT");
			other.close();
			expect((await world.nidd("POST", "/configurations", CONFIGURATION)).status).toBe(201);
			world.resources.close();
		} finally {
			rmSync(folder, { recursive: true });
		}
	});

	test.each<[string, Error]>([
		["does not answer", new DatabaseError("The PostgreSQL of --database cannot be used.")],
		["is full", Object.assign(new Error("database or disk is full"), { code: "SQLITE_FULL" })],
		["fails", Object.assign(new Error("disk I/O error"), { code: "SQLITE_IOERR_FSYNC" })],
	])("a store that %s is a 503 that says when to ask again, and is told", async (_, error) => {
		const world = await World.make();
		world.context.store.ofServer = () => {
			throw error;
		};
		const { status, body, headers } = await world.nidd("GET", "/configurations");
		expect([status, body.cause, headers.get("Retry-After")]).toEqual([503, "STORE_NOT_AVAILABLE", "5"]);
		expect(JSON.stringify(body)).not.toMatch(/sql|database|disk/i);
		expect(world.errors).toEqual([error]);
	});
});
