import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { WebSocket } from "ws";
import { SQN_STEP } from "../../firmware/keys/aka.js";
import { PostgresSubscribers } from "../../host-tools/hse/postgres/subscribers.js";
import { NO_POSTGRES, Postgres } from "../support/postgres.js";
import { DirectedUe } from "./directed-ue.js";
import { HseProcess } from "./hse-process.js";
import { CREDENTIALS } from "./meter.js";
import { ADDRESS, freeTcpPort, freeUdpPort, pause, until } from "./waiting.js";

const SECRET = "0123456789abcdef0123456789abcdef";
const API_ROOT = "http://hse.example";
/** Seconds that a UE listens: short, so that a test can wait until it does not. */
const LISTENS_FOR = 1;
const NIDD = "/3gpp-nidd/v1/meters/configurations";
const BEST = "/3gpp-best/v1/meters";

interface Answer {
	readonly status: number;
	// biome-ignore lint/suspicious/noExplicitAny: what came over HTTP is looked at field by field.
	readonly body: any;
}

/** An HSE of the fleet and its northbound API. */
interface Member {
	readonly process: HseProcess;
	readonly udp: number;
	readonly http: number;
	readonly audit: string;
}

if (NO_POSTGRES !== undefined) test.skip(`the northbound side of several HSEs: ${NO_POSTGRES}`, () => {});
else
	describe("the northbound side of several HSEs", () => {
		const folder = mkdtempSync(join(tmpdir(), "best-fleet-"));
		let postgres: Postgres;
		let members: Member[] = [];
		let a: Member;
		let b: Member;
		let token: string;
		let webhook: Server;
		let destination: string;
		/** What the application server has taken, and what it does with what comes. */
		let notifications: Record<string, unknown>[] = [];
		let take: (body: Record<string, unknown>, response: ServerResponse) => void;
		const ues: DirectedUe[] = [];
		let next = 0;

		const imsiOf = (number: number) => `9017000000002${String(number).padStart(2, "0")}`;
		const nameOf = (number: number) => `meter-${number}@meters.example`;

		async function ask(
			member: Member,
			method: string,
			path: string,
			body?: unknown,
			headers: Record<string, string> = {},
		): Promise<Answer> {
			const response = await fetch(`http://${ADDRESS}:${member.http}${path.replace(API_ROOT, "")}`, {
				method,
				headers: {
					Authorization: `Bearer ${token}`,
					...(body !== undefined && { "Content-Type": "application/json" }),
					...headers,
				},
				...(body !== undefined && { body: JSON.stringify(body) }),
			});
			const text = await response.text();
			return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
		}

		async function isUp({ http }: Member): Promise<boolean> {
			const up = await fetch(`http://${ADDRESS}:${http}/3gpp-best/v1/openapi.json`).catch(() => undefined);
			return up?.ok === true;
		}

		/** A UE of its own for a test, with a session at an HSE. */
		async function ueAt(member: Member): Promise<{ ue: DirectedUe; externalId: string; sessionPath: string }> {
			const number = next++;
			const ue = new DirectedUe(imsiOf(number), member.udp);
			ues.push(ue);
			ue.begin();
			await until(() => ue.ue.session?.state === "live");
			ue.say("hello");
			const externalId = nameOf(number);
			let session: Record<string, unknown> | undefined;
			await until(async () => {
				const { body } = await ask(member, "GET", `${BEST}/sessions?externalId=${encodeURIComponent(externalId)}`);
				session = body.sessions[0];
				return session?.state === "LIVE";
			});
			return { ue, externalId, sessionPath: `${BEST}/sessions/${session?.sessionId}` };
		}

		async function configure(member: Member, externalId: string): Promise<string> {
			const { status, body } = await ask(member, "POST", NIDD, { externalId, notificationDestination: destination });
			expect(status).toBe(201);
			// Other HSEs have heard of it by then.
			await pause(100);
			return body.self;
		}

		const uplinks = (self: string) =>
			notifications
				.filter(({ niddConfiguration, data }) => niddConfiguration === self && data !== undefined)
				.map(({ data }) => Buffer.from(String(data), "base64").toString());

		beforeAll(async () => {
			postgres = new Postgres();
			await postgres.start();
			const subscribers = new PostgresSubscribers(postgres.url);
			await subscribers.migrate();
			const listed: object[] = [];
			for (let number = 0; number < 16; number++) {
				const amf = Uint8Array.of(0x80, 0);
				await subscribers.addSubscriber({ imsi: imsiOf(number), ...CREDENTIALS, amf, sqn: SQN_STEP, enabled: true });
				const keyPolicy = number % 2 === 0 ? "allow" : "deny";
				listed.push({ imsi: imsiOf(number), externalId: nameOf(number), applicationServer: "meters", keyPolicy });
			}
			await subscribers.close();
			webhook = createServer((request, response) => {
				let text = "";
				request.on("data", (part) => {
					text += part;
				});
				request.on("end", () => take(JSON.parse(text), response));
			});
			await new Promise<void>((resolve) => webhook.listen(0, ADDRESS, resolve));
			destination = `http://${ADDRESS}:${(webhook.address() as AddressInfo).port}/`;
			const clientSecretSha256 = createHash("sha256").update(SECRET).digest("hex");
			const server = { id: "meters", clientSecretSha256, notificationOrigins: ["*"] };
			for (const name of ["a", "b"]) {
				const [udp, http] = [await freeUdpPort(), await freeTcpPort()];
				const config = join(folder, `${name}.json`);
				const audit = join(folder, `${name}-audit.jsonl`);
				const northbound = {
					apiRoot: API_ROOT,
					applicationServers: [server],
					ues: listed,
					listensFor: LISTENS_FOR,
				};
				writeFileSync(config, JSON.stringify({ northboundPort: http, auditLog: audit, northbound }));
				const process = new HseProcess(postgres.url, udp, false, [], ["--config", config]);
				process.start();
				members.push({ process, udp, http, audit });
			}
			[a, b] = members;
			await until(async () => (await isUp(a)) && (await isUp(b)), 20_000);
			const response = await fetch(`http://${ADDRESS}:${a.http}/oauth2/token`, {
				method: "POST",
				headers: { Authorization: `Basic ${Buffer.from(`meters:${SECRET}`).toString("base64")}` },
				body: new URLSearchParams({ grant_type: "client_credentials" }),
			});
			token = ((await response.json()) as { access_token: string }).access_token;
		}, 60_000);

		afterAll(async () => {
			for (const ue of ues) ue.close();
			for (const { process } of members) await process.end("SIGKILL");
			members = [];
			webhook?.closeAllConnections();
			await new Promise((resolve) => webhook?.close(resolve));
			await postgres?.remove();
			rmSync(folder, { recursive: true });
		}, 60_000);

		beforeEach(() => {
			notifications = [];
			take = (body, response) => {
				notifications.push(body);
				response.writeHead(204).end();
			};
		});

		test("an uplink heard at any HSE is a notification of a configuration made at another", async () => {
			const { ue, externalId } = await ueAt(b);
			const self = await configure(a, externalId);
			const said: string[] = [];
			for (let i = 0; i < 6; i++) {
				said.push(`reading ${i}`);
				ue.aim = i % 2 === 0 ? b.udp : a.udp;
				ue.say(said[i]);
				await until(() => uplinks(self).length === said.length);
			}
			expect(uplinks(self)).toEqual(said);
			expect((await ask(b, "GET", self)).body.self).toBe(self);
		}, 30_000);

		test("a downlink posted at one HSE waits for the UE, which gets it once, wherever it speaks", async () => {
			const { ue, externalId } = await ueAt(b);
			const self = await configure(a, externalId);
			await pause(1000 * LISTENS_FOR + 200);
			const data = (text: string) => Buffer.from(text).toString("base64");
			const deliveries = `${self}/downlink-data-deliveries`;
			const first = await ask(a, "POST", deliveries, { externalId, data: data("one") });
			expect([first.status, first.body.deliveryStatus]).toEqual([201, "BUFFERING_TEMPORARILY_NOT_REACHABLE"]);
			expect((await ask(b, "POST", deliveries, { externalId, data: data("two") })).status).toBe(201);
			expect(ue.received).toEqual([]);
			ue.say("I am here");
			ue.aim = a.udp;
			ue.say("and here");
			await until(() => ue.received.length === 2);
			ue.say("still");
			await until(() => uplinks(self).length === 3);
			await pause(300);
			expect(ue.received).toEqual(["one", "two"]);
			const told = notifications.filter((body) => body.niddDownlinkDataTransfer === first.body.self);
			expect(told.map(({ deliveryStatus }) => deliveryStatus)).toEqual(["SUCCESS_NEXT_HOP_UNACKNOWLEDGED"]);
			expect((await ask(b, "GET", deliveries)).body).toEqual([]);
			// It listens now, and was heard at the other HSE.
			expect((await ask(b, "POST", deliveries, { externalId, data: data("three") })).status).toBe(200);
			await until(() => ue.received.length === 3);
		}, 30_000);

		test("a downlink that may not be buffered is refused while no HSE hears the UE", async () => {
			const { externalId } = await ueAt(b);
			const self = await configure(a, externalId);
			await pause(1000 * LISTENS_FOR + 200);
			const request = { externalId, data: "AAAA", maximumLatency: 0 };
			expect((await ask(a, "POST", `${self}/downlink-data-deliveries`, request)).status).toBe(500);
		}, 30_000);

		test("sessions of another HSE are listed and read, and their EAS key is given out by policy, on record", async () => {
			// The even ones may have their key given out.
			while (next % 2 !== 0) next++;
			const allowed = await ueAt(b);
			const denied = await ueAt(b);
			const { body } = await ask(a, "GET", `${BEST}/sessions`);
			const names = body.sessions.map((session: { externalId: string }) => session.externalId);
			expect(names).toEqual(expect.arrayContaining([allowed.externalId, denied.externalId]));
			const there = (await ask(b, "GET", allowed.sessionPath)).body;
			expect((await ask(a, "GET", allowed.sessionPath)).body).toEqual({ ...there, isListening: expect.anything() });
			const key = await ask(a, "POST", `${allowed.sessionPath}/keys/eas-key`);
			expect([key.status, key.body.key.length]).toEqual([200, 44]);
			expect((await ask(b, "POST", `${allowed.sessionPath}/keys/eas-key`)).body).toEqual(key.body);
			expect((await ask(a, "POST", `${denied.sessionPath}/keys/eas-key`)).status).toBe(403);
			const audit = readFileSync(a.audit, "utf8");
			expect(audit).toMatch(/"EAS key given out".*"policy":"allow"/);
			expect(audit).toMatch(/"EAS key refused".*"policy":"deny"/);
			// The UE does not notice.
			allowed.ue.say("going on");
			await until(async () => (await ask(a, "GET", allowed.sessionPath)).body.state === "LIVE");
		}, 30_000);

		test("keys are refreshed and a session is ended by way of an HSE that does not have it", async () => {
			const { ue, externalId, sessionPath } = await ueAt(b);
			await ask(a, "POST", `${BEST}/subscriptions`, { externalId, notificationDestination: destination });
			await pause(100);
			const refreshed = await ask(a, "POST", `${sessionPath}/keys/refresh`, { delivery: "NOW" });
			expect([refreshed.status, refreshed.body.status, refreshed.body.keyId]).toEqual([200, "DONE", 2]);
			expect((await ask(b, "GET", sessionPath)).body.keyId).toBe(2);
			await pause(1000 * LISTENS_FOR + 200);
			// This one waits until the UE is heard, at the other HSE.
			const later = await ask(a, "POST", `${sessionPath}/terminate`);
			expect([later.status, later.body.status]).toEqual([202, "WAITING_FOR_UE"]);
			ue.say("is there anything?");
			await until(async () => (await ask(a, "GET", later.body.self)).body.status === "DONE");
			expect(ue.ue.session).toBeUndefined();
			expect((await ask(a, "GET", sessionPath)).status).toBe(404);
			await until(() => notifications.filter(({ event }) => event === "COMMAND_OVER").length === 2);
			const events = notifications.map(({ event }) => event);
			expect(events).toEqual(["NEW_KEYS", "COMMAND_OVER", "SESSION_OVER", "COMMAND_OVER"]);
		}, 30_000);

		test("an idempotency key repeated at another HSE gets the first answer", async () => {
			const { externalId } = await ueAt(b);
			const self = await configure(a, externalId);
			await pause(1000 * LISTENS_FOR + 200);
			const deliveries = `${self}/downlink-data-deliveries`;
			const request = { externalId, data: "AAAA" };
			const key = { "Idempotency-Key": "once" };
			const first = await ask(a, "POST", deliveries, request, key);
			expect(first.status).toBe(201);
			expect(await ask(b, "POST", deliveries, request, key)).toEqual(first);
			expect((await ask(b, "POST", deliveries, { ...request, data: "BBBB" }, key)).status).toBe(422);
			expect((await ask(a, "GET", deliveries)).body).toHaveLength(1);
		}, 30_000);

		test("how many downlinks may wait for a UE is counted over all HSEs, whatever comes at once", async () => {
			const { externalId } = await ueAt(b);
			const self = await configure(a, externalId);
			await pause(1000 * LISTENS_FOR + 200);
			const posts = Array.from({ length: 80 }, (_, i) => {
				const request = { externalId, data: "AAAA" };
				return ask(i % 2 === 0 ? a : b, "POST", `${self}/downlink-data-deliveries`, request);
			});
			const statuses = (await Promise.all(posts)).map(({ status }) => status);
			expect([201, 403].map((wanted) => statuses.filter((status) => status === wanted).length)).toEqual([64, 16]);
		}, 30_000);

		test("notifications of an HSE that is killed are delivered by another, in their order", async () => {
			const { ue, externalId } = await ueAt(a);
			const self = await configure(b, externalId);
			const hanging: ServerResponse[] = [];
			take = (_, response) => hanging.push(response);
			const said = Array.from({ length: 5 }, (_, i) => `reading ${i}`);
			for (const text of said) {
				ue.say(text);
				await pause(30);
			}
			await until(async () => {
				const [{ n }] = await postgres.query<{ n: string }>("SELECT count(*) AS n FROM best_notification");
				return hanging.length === 1 && Number(n) === said.length;
			});
			await a.process.end("SIGKILL");
			take = (body, response) => {
				notifications.push(body);
				response.writeHead(204).end();
			};
			await until(() => uplinks(self).length === said.length, 15_000);
			expect(uplinks(self)).toEqual(said);
			// Its sessions are another one's too.
			ue.aim = b.udp;
			ue.say("at the other one");
			await until(() => uplinks(self).length === said.length + 1, 15_000);
			const errors = b.process.errors.filter((line) => /"level":50/.test(line));
			expect(errors).toEqual([]);
			a.process.start();
			await until(() => isUp(a));
		}, 60_000);

		test("while a WebSocket is at one HSE, what another one hears goes over it", async () => {
			const { ue, externalId } = await ueAt(b);
			const request = { externalId, notificationDestination: destination };
			const { body } = await ask(b, "POST", NIDD, { ...request, websockNotifConfig: { requestWebsocketUri: true } });
			const path = new URL(body.websockNotifConfig.websocketUri).pathname;
			const headers = { Authorization: `Bearer ${token}` };
			const socket = new WebSocket(`ws://${ADDRESS}:${a.http}${path}`, { headers });
			const frames: string[] = [];
			socket.on("message", (text) => frames.push(JSON.parse(String(text)).data));
			await new Promise((resolve) => socket.on("open", resolve));
			await pause(200);
			ue.say("over the socket");
			await until(() => frames.length === 1);
			expect(uplinks(body.self)).toEqual([]);
			socket.close();
			await new Promise((resolve) => socket.on("close", resolve));
			await pause(200);
			ue.say("by webhook");
			await until(() => uplinks(body.self).length === 1);
			expect(frames).toHaveLength(1);
		}, 30_000);

		test("whichever HSE is killed while it sends, a downlink arrives once at the most", async () => {
			const { ue, externalId } = await ueAt(a);
			const self = await configure(b, externalId);
			const deliveries = `${self}/downlink-data-deliveries`;
			const posted = new Map<string, string>();
			for (let round = 0; round < 4; round++) {
				ue.aim = a.udp;
				await until(async () => {
					ue.say("I am back");
					await pause(200);
					return (await ask(b, "GET", deliveries)).body.length === 0;
				});
				await pause(1000 * LISTENS_FOR + 200);
				for (let i = 0; i < 8; i++) {
					const text = `downlink ${round} ${i}`;
					const request = { externalId, data: Buffer.from(text).toString("base64") };
					const { status, body } = await ask(b, "POST", deliveries, request);
					expect(status).toBe(201);
					posted.set(text, body.self);
				}
				// In the middle of them: of the one that it has just sent nothing need be stored.
				const last = ue.received.length + 1 + 2 * round;
				ue.onDownlink = () => {
					if (ue.received.length === last) a.process.signal("SIGKILL");
				};
				ue.say("I listen");
				await a.process.ended();
				ue.aim = b.udp;
				await until(async () => {
					ue.say("still here");
					await pause(200);
					return (await ask(b, "GET", deliveries)).body.length === 0;
				}, 15_000);
				a.process.start();
				await until(() => isUp(a));
			}
			const twice = ue.received.filter((text, i) => ue.received.indexOf(text) !== i);
			expect(twice).toEqual([]);
			expect(ue.received).toEqual([...posted.keys()].filter((text) => ue.received.includes(text)));
			for (const [text, uri] of posted) {
				const { deliveryStatus } = (await ask(b, "GET", uri)).body;
				// Of one that was being sent nobody can say whether it was; after a while it has failed.
				const isSure = deliveryStatus === "SUCCESS_NEXT_HOP_UNACKNOWLEDGED";
				if (!isSure) expect(["SENDING", "FAILURE"]).toContain(deliveryStatus);
				if (isSure) expect(ue.received).toContain(text);
			}
			expect(ue.received.length).toBeGreaterThanOrEqual(posted.size - 4);
		}, 90_000);

		test("a session that no HSE has any more is over, for its subscribers too, when its UE has another", async () => {
			const { ue, externalId, sessionPath } = await ueAt(b);
			await ask(a, "POST", `${BEST}/subscriptions`, {
				externalId,
				notificationDestination: destination,
				events: ["SESSION_STARTED", "SESSION_OVER"],
			});
			await b.process.end("SIGTERM");
			ue.aim = a.udp;
			ue.begin();
			await until(() => notifications.length === 2);
			expect(notifications.map(({ event }) => event).sort()).toEqual(["SESSION_OVER", "SESSION_STARTED"]);
			const over = notifications.find(({ event }) => event === "SESSION_OVER");
			expect(sessionPath).toBe(`${BEST}/sessions/${over?.sessionId}`);
			b.process.start();
			await until(() => isUp(b));
		}, 30_000);

		test("after a crash of PostgreSQL the northbound side goes on", async () => {
			const { ue, externalId } = await ueAt(b);
			const self = await configure(a, externalId);
			await postgres.stop("SIGQUIT");
			ue.say("in between");
			await pause(500);
			await postgres.start();
			await until(() => uplinks(self).length === 1, 15_000);
			const other = await configure(b, externalId);
			ue.aim = a.udp;
			await until(async () => {
				ue.say("afterwards");
				await pause(300);
				return uplinks(other).length > 0;
			}, 15_000);
			expect(uplinks(self)[0]).toBe("in between");
		}, 60_000);
	});
