import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { request } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { WebSocket } from "ws";
import { AuditFile } from "../../host-tools/hse/audit.js";
import { logTo } from "../../host-tools/log.js";
import { coreHsePort } from "../../host-tools/northbound/core-hse-port.js";
import { NorthboundServer, type NorthboundServerOptions } from "../../host-tools/northbound/server.js";
import { NorthboundFile } from "../../host-tools/northbound/settings.js";
import { IMSI, Pair } from "../support/pair.js";
import { type Certificate, pemOf, TestCa } from "./certificates.js";
import { base64, SECRET, UE } from "./world.js";

let folder: string;
let server: NorthboundServer | undefined;
let webhook: Server | undefined;
let lines: string[];

beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "best-northbound-"));
	lines = [];
});

afterEach(async () => {
	await server?.close();
	server = undefined;
	await new Promise((resolve) => (webhook === undefined ? resolve(undefined) : webhook.close(resolve)));
	webhook = undefined;
	rmSync(folder, { recursive: true });
});

/** A pair of UE and HSE whose northbound side is a real server. */
class Linked extends Pair {
	private told = 0;

	override drainHse(): void {
		super.drainHse();
		while (this.told < this.hseEvents.length) server?.handleEvent(this.hseEvents[this.told++]);
	}
}

async function start(settings: object, more: Partial<NorthboundServerOptions> = {}): Promise<Linked> {
	const pair = new Linked();
	const flow = (act: () => void) => {
		act();
		pair.drainHse();
		pair.settle();
	};
	server = await NorthboundServer.start({
		hse: coreHsePort(pair.hse, {
			send: (sessionId, payload) => flow(() => pair.hse.send(pair.now, sessionId, payload)),
			refresh: (sessionId, method) => flow(() => pair.hse.refresh(pair.now, sessionId, method)),
			handedOver: async () => {},
			terminate: (sessionId, cause) => flow(() => pair.hse.terminate(pair.now, sessionId, cause)),
		}),
		verdicts: () => pair.hse.verdicts,
		sessionCount: () => pair.hse.sessionCount,
		logger: logTo({ write: (line) => lines.push(line) }, "debug"),
		api: { address: "127.0.0.1", port: 0 },
		operations: { address: "127.0.0.1", port: 0 },
		database: join(folder, "northbound.db"),
		audit: new AuditFile(join(folder, "audit.jsonl"), Date.now),
		demoClient: join(folder, "client.json"),
		settings: NorthboundFile.parse(settings),
		...more,
	});
	return pair;
}

const METERS = {
	id: "meters",
	certificateNames: ["meters.example"],
	clientSecretSha256: createHash("sha256").update(SECRET).digest("hex"),
	notificationOrigins: ["*"],
};
const UES = [{ imsi: IMSI, externalId: UE, applicationServer: "meters", keyPolicy: "allow" }];

interface Reply {
	readonly status: number;
	// biome-ignore lint/suspicious/noExplicitAny: what came over HTTPS is looked at field by field.
	readonly body: any;
	readonly type: string;
}

/** Asks over TLS. */
function ask(uri: string, ca: string, client: Certificate | undefined, token?: string): Promise<Reply> {
	return new Promise((resolve, reject) => {
		const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
		const options = { ca: readFileSync(ca), ...(client && pemOf(client)), headers, agent: false as const };
		request(uri, options, (response) => {
			let text = "";
			response.on("data", (part) => {
				text += part;
			});
			response.on("end", () =>
				resolve({
					status: response.statusCode ?? 0,
					body: JSON.parse(text),
					type: response.headers["content-type"] ?? "",
				}),
			);
		})
			.on("error", reject)
			.end();
	});
}

const audit = () =>
	readFileSync(join(folder, "audit.jsonl"), "utf8")
		.split("\n")
		.filter((line) => line !== "")
		.map((line) => JSON.parse(line));

async function until(isThere: () => boolean): Promise<void> {
	for (let i = 0; i < 500 && !isThere(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
	expect(isThere()).toBe(true);
}

describe("over TLS", () => {
	test("a client certificate opens its server's paths; others get 401 with ProblemDetails and a record", async () => {
		const ca = await TestCa.create(folder, "ca");
		const stranger = await TestCa.create(folder, "stranger");
		const past = await TestCa.create(folder, "past-ca", -1 / 48);
		writeFileSync(join(folder, "clients.pem"), readFileSync(ca.file, "utf8") + readFileSync(past.file, "utf8"));
		const { certificate, key } = await ca.issue("hse", "hse", ["127.0.0.1"]);
		await start({
			tls: { certificate, key, clientCa: join(folder, "clients.pem") },
			applicationServers: [METERS],
			ues: UES,
		});
		const uri = `${server?.apiRoot}/3gpp-nidd/v1/meters/configurations`;
		const meters = await ca.issue("meters", "meters.example");
		expect(await ask(uri, ca.file, meters)).toMatchObject({ status: 200, body: [] });
		const refused: [string, Certificate | undefined][] = [
			["no credentials", undefined],
			["client certificate of no application server", await ca.issue("other", "other.example")],
			["client certificate of no application server", await ca.issue("wild", "*.example")],
			["client certificate: ", await stranger.issue("forged", "meters.example")],
			["client certificate: CERT_HAS_EXPIRED", await past.issue("past", "meters.example")],
		];
		for (const [reason, client] of refused) {
			const { status, body, type } = await ask(uri, ca.file, client);
			expect([status, body.status, type]).toEqual([401, 401, "application/problem+json"]);
			expect(audit().at(-1)).toMatchObject({ event: "authentication failed", remote: "127.0.0.1" });
			expect(audit().at(-1).reason).toContain(reason);
		}
		expect((await ask(uri.replace("meters", "pumps"), ca.file, meters)).status).toBe(403);
		expect(audit().at(-1)).toMatchObject({ event: "not authorised", applicationServer: "meters" });
		expect(statSync(join(folder, "audit.jsonl")).mode & 0o777).toBe(0o600);
	});

	test("a WebSocket takes notifications, and needs the same credentials", async () => {
		const ca = await TestCa.create(folder, "ca");
		const { certificate, key } = await ca.issue("hse", "hse", ["127.0.0.1"]);
		const pair = await start({
			tls: { certificate, key, clientCa: ca.file },
			applicationServers: [METERS],
			ues: UES,
		});
		const trusted = { ca: readFileSync(ca.file) };
		const token = await tokenOf((body) => askForToken(body, trusted));
		const made = await post("/3gpp-nidd/v1/meters/configurations", token, trusted, {
			externalId: UE,
			notificationDestination: "https://as.example/",
			websockNotifConfig: { requestWebsocketUri: true },
		});
		const { websocketUri } = made.websockNotifConfig;
		expect(websocketUri).toMatch(/^wss:/);
		const stranger = new WebSocket(websocketUri, trusted);
		expect(
			await new Promise((resolve) => stranger.on("unexpected-response", (_, { statusCode }) => resolve(statusCode))),
		).toBe(401);
		stranger.on("error", () => {});
		stranger.terminate();
		const socket = new WebSocket(websocketUri, { ...trusted, headers: { Authorization: `Bearer ${token}` } });
		const frames: string[] = [];
		socket.on("message", (data) => frames.push(String(data)));
		await new Promise((resolve) => socket.on("open", resolve));
		pair.connect();
		pair.send("reading");
		pair.settle();
		await until(() => frames.length === 1);
		expect(JSON.parse(frames[0])).toMatchObject({ externalId: UE, data: base64("reading") });
		const closed = new Promise((resolve) => socket.on("close", resolve));
		await server?.close();
		server = undefined;
		expect(await closed).toBe(1001);
	});
});

type Trusted = { readonly ca?: Buffer };

function askForToken(body: string, trusted: Trusted): Promise<string> {
	return send("/oauth2/token", { "Content-Type": "application/x-www-form-urlencoded" }, body, trusted).then(
		({ access_token }) => access_token,
	);
}

function tokenOf(asking: (body: string) => Promise<string>): Promise<string> {
	return asking(`grant_type=client_credentials&client_id=meters&client_secret=${SECRET}`);
}

function post(path: string, token: string, trusted: Trusted, body: object) {
	return send(
		path,
		{ "Content-Type": "application/json", Authorization: `Bearer ${token}` },
		JSON.stringify(body),
		trusted,
	);
}

// biome-ignore lint/suspicious/noExplicitAny: what came over HTTPS is looked at field by field.
function send(path: string, headers: Record<string, string>, body: string, trusted: Trusted): Promise<any> {
	return new Promise((resolve, reject) => {
		const asked = request(
			`${server?.apiRoot}${path}`,
			{ method: "POST", headers, agent: false, ...trusted },
			(response) => {
				let text = "";
				response.on("data", (part) => {
					text += part;
				});
				response.on("end", () => resolve(JSON.parse(text)));
			},
		);
		asked.on("error", reject).end(body);
	});
}

describe("on this machine", () => {
	/** A token of the application server that there is where none is configured. */
	async function demoToken(): Promise<string> {
		const { client_id, client_secret, token_url } = JSON.parse(readFileSync(join(folder, "client.json"), "utf8"));
		const form = new URLSearchParams({ grant_type: "client_credentials", client_id, client_secret });
		const answer = await fetch(token_url, { method: "POST", body: form });
		return ((await answer.json()) as { access_token: string }).access_token;
	}

	/** The path of the WebSocket of a new subscription. */
	async function webSocketPath(token: string): Promise<string> {
		const { body } = await call("POST", "/3gpp-best/v1/demo/subscriptions", token, {
			notificationDestination: "http://127.0.0.1:9/",
			websockNotifConfig: { requestWebsocketUri: true },
		});
		return `${new URL(body.self).pathname}/websocket`;
	}

	async function call(method: string, path: string, token: string, body?: object) {
		const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
		const answer = await fetch(`${server?.apiRoot}${path}`, {
			method,
			headers,
			...(body && { body: JSON.stringify(body) }),
		});
		// biome-ignore lint/suspicious/noExplicitAny: what came over HTTP is looked at field by field.
		return { status: answer.status, connection: answer.headers.get("connection"), body: (await answer.json()) as any };
	}

	test("without any configuration one server sees every UE: webhook, downlink, key", async () => {
		const pair = await start({});
		const bodies: unknown[] = [];
		webhook = createServer((asked, reply) => {
			let text = "";
			asked.on("data", (part) => {
				text += part;
			});
			asked.on("end", () => {
				bodies.push(JSON.parse(text));
				reply.writeHead(204).end();
			});
		});
		await new Promise<void>((resolve) => webhook?.listen(0, "127.0.0.1", resolve));
		const destination = `http://127.0.0.1:${(webhook.address() as AddressInfo).port}/`;
		const token = await demoToken();
		expect(statSync(join(folder, "client.json")).mode & 0o777).toBe(0o600);
		const externalId = `${IMSI}@ue.demo`;
		const made = await call("POST", "/3gpp-nidd/v1/demo/configurations", token, {
			externalId,
			notificationDestination: destination,
		});
		expect(made.status).toBe(201);
		pair.connect();
		pair.send("reading");
		pair.settle();
		await until(() => bodies.length === 1);
		expect(bodies[0]).toMatchObject({ externalId, data: base64("reading") });
		const path = `${new URL(made.body.self).pathname}/downlink-data-deliveries`;
		expect((await call("POST", path, token, { externalId, data: base64("answer") })).status).toBe(200);
		expect(pair.downlinks).toEqual(["answer"]);
		const { body } = await call("GET", "/3gpp-best/v1/demo/sessions", token);
		const session = new URL(body.sessions[0].self).pathname;
		const key = await call("POST", `${session}/keys/eas-key`, token);
		expect(new Uint8Array(Buffer.from(key.body.key, "base64"))).toEqual(pair.ue.session?.easKey());
		expect(audit().map(({ event }) => event)).toEqual(["token issued", "EAS key given out"]);
		const { client_secret } = JSON.parse(readFileSync(join(folder, "client.json"), "utf8"));
		const written = lines.join("") + readFileSync(join(folder, "audit.jsonl"), "utf8");
		for (const secret of [client_secret, token, key.body.key]) expect(written).not.toContain(secret);
		expect(lines.length).toBeGreaterThan(3);
	});

	test("a fresh secret goes to no file that others may read, nor where a link points", async () => {
		const file = join(folder, "client.json");
		writeFileSync(file, "{}", { mode: 0o644 });
		await start({});
		expect(statSync(file).mode & 0o777).toBe(0o600);
		expect(await demoToken()).toBeDefined();
		await server?.close();
		server = undefined;
		rmSync(file);
		symlinkSync(join(folder, "elsewhere"), file);
		await expect(start({})).rejects.toThrow(/client\.json cannot be written \(EEXIST\).*--demo-client/);
	});

	test("what was asked for is there after a restart, and what waited goes out", async () => {
		const pair = await start({});
		const token = await demoToken();
		const externalId = `${IMSI}@ue.demo`;
		const closed = createServer();
		await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
		const { port } = closed.address() as AddressInfo;
		await new Promise((resolve) => closed.close(resolve));
		await call("POST", "/3gpp-nidd/v1/demo/configurations", token, {
			externalId,
			notificationDestination: `http://127.0.0.1:${port}/`,
		});
		pair.connect();
		pair.send("kept");
		pair.settle();
		await server?.close();
		const bodies: string[] = [];
		webhook = createServer((asked, reply) => {
			asked.on("data", (part) => bodies.push(String(part)));
			asked.on("end", () => reply.writeHead(200).end());
		});
		await new Promise<void>((resolve) => webhook?.listen(port, "127.0.0.1", resolve));
		await start({});
		await until(() => bodies.length === 1);
		expect(JSON.parse(bodies[0])).toMatchObject({ externalId, data: base64("kept") });
		expect((await call("GET", "/3gpp-nidd/v1/demo/configurations", await demoToken())).body).toHaveLength(1);
	});

	for (const [what, octets, status] of [
		["no request line", "GARBAGE\r\n\r\n", 400],
		["a field that is too long", `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${"x".repeat(20_000)}\r\n\r\n`, 431],
		[
			"two lengths",
			"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
			400,
		],
	] as const)
		test(`what is no HTTP, ${what}, gets ${status} with ProblemDetails`, async () => {
			await start({});
			const { hostname, port } = new URL(server?.apiRoot ?? "");
			const socket = connect(Number(port), hostname);
			socket.write(octets);
			let text = "";
			for await (const part of socket) text += part;
			const [head, body] = text.split("\r\n\r\n");
			expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
			expect(head).toContain("Content-Type: application/problem+json");
			expect(head).toContain(`Content-Length: ${body.length}`);
			expect(JSON.parse(body)).toMatchObject({ status, cause: "NOT_HTTP" });
		});

	/** What comes back, until the server ends the connection: this end does not close its side before. */
	function exchanged(uri: string | undefined, request: string): Promise<string> {
		const { hostname, port } = new URL(uri ?? "");
		const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
		let text = "";
		socket.on("data", (part) => {
			text += part;
		});
		socket.write(request);
		return new Promise((resolve, reject) => {
			socket.on("error", reject);
			socket.on("end", () => {
				socket.destroy();
				resolve(text);
			});
		});
	}
	const H2C = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n";
	const WEBSOCKET =
		"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";

	test("a request that asks for another protocol is answered as if it did not, and its connection ends", async () => {
		await start({});
		const token = await demoToken();
		const sessions = `/3gpp-best/v1/demo/sessions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n`;
		for (const upgrade of [H2C, WEBSOCKET]) {
			const text = await exchanged(server?.apiRoot, `GET ${sessions}${upgrade}\r\n`);
			expect(text).toMatch(/^HTTP\/1\.1 200 .*connection: close.*\r\n\r\n\{"sessions":\[\]\}$/is);
		}
		const health = `GET /healthz HTTP/1.1\r\nHost: localhost\r\n${H2C.replace("Upgrade,", "Upgrade, close,")}\r\n`;
		expect(await exchanged(server?.page, health)).toMatch(/^HTTP\/1\.1 200 /);
	});

	test("other methods cannot ask for another protocol: 400 with ProblemDetails, and nothing is done", async () => {
		await start({});
		const token = await demoToken();
		for (const upgrade of [H2C, WEBSOCKET]) {
			const text = await exchanged(
				server?.apiRoot,
				`POST /3gpp-best/v1/demo/subscriptions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n${upgrade}Content-Type: application/json\r\nContent-Length: 51\r\n\r\n{"notificationDestination": "http://127.0.0.1:9/x"}`,
			);
			expect(text).toMatch(/^HTTP\/1\.1 400 .*Content-Type: application\/problem\+json/s);
			expect(JSON.parse(text.split("\r\n\r\n")[1])).toMatchObject({ status: 400, cause: "UPGRADE_NOT_POSSIBLE" });
		}
		expect((await call("GET", "/3gpp-best/v1/demo/subscriptions", token)).body).toEqual({ subscriptions: [] });
	});

	for (const [status, cause, more, path] of [
		[401, "UNAUTHENTICATED", WEBSOCKET, "demo"],
		[403, "OTHER_APPLICATION_SERVER", `${WEBSOCKET}TOKEN`, "other"],
		[404, "RESOURCE_NOT_FOUND", `${WEBSOCKET}TOKEN`, "demo"],
		[426, "UPGRADE_NEEDED", `${H2C}TOKEN`, "demo"],
	] as const)
		test(`a WebSocket that is refused with ${status} gets ProblemDetails, and its connection ends`, async () => {
			await start({});
			const fields = more.replace("TOKEN", `Authorization: Bearer ${await demoToken()}\r\n`);
			const text = await exchanged(
				server?.apiRoot,
				`GET /3gpp-best/v1/${path}/subscriptions/x/websocket HTTP/1.1\r\nHost: localhost\r\n${fields}\r\n`,
			);
			const [head, body] = text.split("\r\n\r\n");
			expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
			expect(head).toMatch(/content-type: application\/problem\+json/i);
			expect(JSON.parse(body)).toMatchObject({ status, cause });
			if (status === 426) expect(head).toMatch(/connection: upgrade.*upgrade: websocket/is);
		});

	test("a WebSocket without a whole handshake is refused with ProblemDetails", async () => {
		await start({});
		const token = await demoToken();
		const path = await webSocketPath(token);
		const text = await exchanged(
			server?.apiRoot,
			`GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 12\r\n\r\n`,
		);
		expect(text).toMatch(/^HTTP\/1\.1 400 .*sec-websocket-version: 13/is);
		expect(JSON.parse(text.split("\r\n\r\n")[1])).toMatchObject({ status: 400, cause: "NO_HANDSHAKE" });
	});

	for (const [what, fields, status, cause] of [
		["no Host", "", 400, "NOT_HTTP"],
		["a Host that is none", "Host: a b/c\r\n", 400, "NOT_HTTP"],
		["an expectation that cannot be met", "Host: localhost\r\nExpect: x\r\n", 417, "EXPECTATION_FAILED"],
	] as const)
		test(`${what}: ${status} with ProblemDetails, at both ports`, async () => {
			await start({});
			for (const uri of [server?.apiRoot, server?.page]) {
				const text = await exchanged(uri, `GET /healthz HTTP/1.1\r\n${fields}Connection: close\r\n\r\n`);
				const [head, body] = text.split("\r\n\r\n");
				expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
				expect(head).toMatch(/content-type: application\/problem\+json/i);
				expect(JSON.parse(body)).toMatchObject({ status, cause });
			}
		});

	test("a body that is broken off is the client's fault: 400, and no error", async () => {
		await start({});
		const token = await demoToken();
		const { hostname, port } = new URL(server?.apiRoot ?? "");
		const socket = connect(Number(port), hostname);
		socket.write(
			`POST /3gpp-best/v1/demo/subscriptions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n`,
		);
		// The request is being answered.
		socket.once("data", () => socket.write('{"notificationDestination":', () => socket.resetAndDestroy()));
		await until(() => lines.some((line) => line.includes('"Subscribe"')));
		expect(lines.map((line) => JSON.parse(line))).toMatchObject([
			{ level: 30, operation: "IssueToken", status: 200 },
			{ level: 30, operation: "Subscribe", status: 400 },
		]);
		const metrics = await (await fetch(`${server?.page}metrics`)).text();
		expect(metrics).toContain('best_northbound_requests_total{operation="IssueToken",status="200"} 1');
		expect(metrics).toContain('best_northbound_requests_total{operation="Subscribe",status="400"} 1');
	});

	test("the document and the page to try it need no credentials, and load nothing from elsewhere", async () => {
		await start({});
		const get = async (path: string) => fetch(`${server?.apiRoot}/3gpp-best/v1/${path}`);
		expect(((await (await get("openapi.json")).json()) as { openapi: string }).openapi).toBe("3.1.0");
		for (const path of ["", "try.js", "element.js", "page.css"]) {
			const answer = await get(path);
			expect([path, answer.status]).toEqual([path, 200]);
			expect(answer.headers.get("content-security-policy")).toContain("default-src 'none'");
			expect(await answer.text()).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
		}
		for (const path of ["", "openapi.json", "try.js"]) {
			const answer = await fetch(`${server?.apiRoot}/3gpp-best/v1/${path}`, { method: "POST" });
			expect([path, answer.status, answer.headers.get("allow")]).toEqual([path, 405, "GET, HEAD"]);
			expect(await answer.json()).toMatchObject({ status: 405, cause: "METHOD_NOT_ALLOWED" });
		}
	});

	test("the page shows what goes on; health and metrics are there; names of others are turned away", async () => {
		const pair = await start({});
		pair.connect();
		const datagram = pair.send("reading");
		pair.settle();
		server?.handleTraffic({ at: Date.now(), fromUe: true, peer: "127.0.0.1 5000", datagram, verdict: "accept" });
		const page = server?.page ?? "";
		expect(await (await fetch(page)).text()).toContain("<title>BEST: HSE</title>");
		expect(await (await fetch(`${page}healthz`)).json()).toEqual({ status: "ok" });
		const metrics = await (await fetch(`${page}metrics`)).text();
		expect(metrics).toContain('best_hse_datagrams_total{verdict="accept"} 3');
		expect(metrics).toContain("best_hse_sessions 1");
		expect(metrics).toContain('best_hse_events_total{kind="uplink"} 1');
		expect(metrics).toContain("# TYPE best_hse_latency_seconds histogram");
		const abort = new AbortController();
		const live = await fetch(`${page}live`, { signal: abort.signal });
		const reader = live.body?.getReader();
		const first = new TextDecoder().decode((await reader?.read())?.value);
		abort.abort();
		const all = JSON.parse(/^data: (.*)$/m.exec(first)?.[1] ?? "");
		expect(all.sessions).toMatchObject([{ imsi: IMSI, state: "live", keyId: 1 }]);
		expect(all.messages).toMatchObject([
			{ number: 0, name: "UP message", fromUe: true, octets: 17, verdict: "accept" },
		]);
		const { fields } = (await (await fetch(`${page}live/messages/0`)).json()) as { fields: { name: string }[] };
		expect(fields.map(({ name }) => name)).toEqual([
			"EMSDP type",
			"Flags, Key ID, COUNT",
			"Session ID",
			"Payload, enciphered",
			"MAC",
		]);
		expect((await fetch(`${page}live/messages/1`)).status).toBe(404);
		const status = await new Promise((resolve) => {
			const { port } = new URL(page);
			import("node:http").then(({ get }) =>
				get({ host: "127.0.0.1", port, headers: { Host: "evil.example" } }, (answer) => {
					answer.resume();
					resolve(answer.statusCode);
				}),
			);
		});
		expect(status).toBe(421);
	});

	test("a webhook that does not answer holds up nobody's end, and its notification is kept", async () => {
		const pair = await start({});
		const token = await demoToken();
		let asked = 0;
		webhook = createServer(() => asked++);
		await new Promise<void>((resolve) => webhook?.listen(0, "127.0.0.1", resolve));
		const notificationDestination = `http://127.0.0.1:${(webhook.address() as AddressInfo).port}/`;
		await call("POST", "/3gpp-nidd/v1/demo/configurations", token, {
			externalId: `${IMSI}@ue.demo`,
			notificationDestination,
		});
		pair.connect();
		pair.send("reading");
		pair.settle();
		await until(() => asked === 1);
		const begun = performance.now();
		await server?.close();
		// It may take 10 s otherwise.
		expect(performance.now() - begun).toBeLessThan(5000);
		await start({});
		await until(() => asked === 2);
		webhook.closeAllConnections();
	});

	test("draining, what is under way is finished", async () => {
		const pair = await start({ answerWithin: 1 });
		pair.connect();
		const token = await demoToken();
		const { body } = await call("GET", "/3gpp-best/v1/demo/sessions", token);
		// The UE does not hear: the request waits for its answer for a second.
		pair.settle = () => {};
		const waiting = call("POST", `${new URL(body.sessions[0].self).pathname}/terminate`, token);
		await until(() => pair.hse.sessionOf(IMSI)?.state === "terminating");
		const health = `${server?.page}healthz`;
		const closing = server?.close();
		server = undefined;
		// On a connection of its own, as a load balancer asks.
		const asked = await fetch(health, { headers: { Connection: "close" } });
		expect([asked.status, await asked.json()]).toEqual([503, { status: "draining" }]);
		const { status, connection } = await waiting;
		// Else it would be asked again on this connection, and find it gone.
		expect([status, connection]).toEqual([202, "close"]);
		await closing;
		await expect(fetch(health)).rejects.toThrow();
	});

	test("draining, no further WebSocket opens: it would hold the end up", async () => {
		await start({});
		const token = await demoToken();
		const path = await webSocketPath(token);
		const { hostname, port } = new URL(server?.apiRoot ?? "");
		const socket = connect(Number(port), hostname);
		let text = "";
		const isAnswered = new Promise((resolve) => socket.once("data", resolve));
		socket.on("data", (part) => {
			text += part;
		});
		// The second request has begun when the first has been answered.
		socket.write(`GET /oauth2/jwks HTTP/1.1\r\nHost: localhost\r\n\r\nGET ${path} HTTP/1.1\r\nHost: localhost\r\n`);
		await isAnswered;
		const drained = server?.drain();
		socket.write(`Authorization: Bearer ${token}\r\n${WEBSOCKET}\r\n`);
		await Promise.all([drained, new Promise((resolve) => socket.once("close", resolve))]);
		expect(text).toMatch(/HTTP\/1\.1 503 .*"cause":"SERVER_ENDS"/s);
	});
});

describe("what cannot be", () => {
	for (const [what, settings, more, message] of [
		[
			"an open address without TLS",
			{ applicationServers: [METERS] },
			{ api: { address: "0.0.0.0", port: 0 } },
			/needs a certificate/,
		],
		[
			"an address without a name",
			{ applicationServers: [METERS], tls: { certificate: "c", key: "k" } },
			{ api: { address: "::", port: 0 } },
			/give "apiRoot"/,
		],
		["a page for the network", {}, { operations: { address: "::", port: 0 } }, /open to the network/],
		["two servers of one name", { applicationServers: [METERS, METERS] }, {}, /"id meters".*differ/],
		[
			"UEs of nobody",
			{ applicationServers: [METERS], ues: [{ ...UES[0], applicationServer: "x" }] },
			{},
			/"x", which is not configured/,
		],
		[
			"a certificate that is none",
			{ applicationServers: [METERS], tls: { certificate: "package.json", key: "package.json" } },
			{},
			/^TLS cannot use package\.json, package\.json .*PEM/,
		],
		[
			"webhooks with a certificate that is none",
			{ webhooks: { certificate: "package.json", key: "package.json" } },
			{},
			/^TLS cannot use package\.json, package\.json .*PEM/,
		],
		["files that are not there", { webhooks: { ca: "/nowhere/ca.pem" } }, {}, /\/nowhere\/ca.pem \(webhooks\).*ENOENT/],
	] as const)
		test(`${what} is said in one sentence`, async () => {
			await expect(start(settings, more as object)).rejects.toThrow(message);
		});
});
