import { describe, expect, test } from "@jest/globals";
import { CAUSE, COMMAND, HEADER } from "../../firmware/emsdp/profile.js";
import type { EscrowCopy } from "../../host-tools/hse/escrow-file.js";
import type { HseEvent } from "../../host-tools/hse/events.js";
import type { EasKeyPolicy } from "../../host-tools/hse/policy.js";
import { UeDirectory } from "../../host-tools/northbound/ue-directory.js";
import { IMSI } from "../support/pair.js";
import { DESTINATION, FOREIGN_UE, KEYS_ONLY, OTHER_UE, PUMPS, UE, World, type WorldOptions } from "./world.js";

const withPolicy = (keyPolicy: EasKeyPolicy): WorldOptions => ({
	ues: [{ imsi: IMSI, externalId: UE, applicationServer: "meters", keyPolicy }],
});

describe("sessions", () => {
	test("are listed page by page", async () => {
		const ues = [1, 2, 3].map((n) => ({
			imsi: `00101000000000${n}`,
			externalId: `${n}@meters.example`,
			applicationServer: "meters",
			keyPolicy: "deny" as const,
		}));
		const world = await World.make({ ues });
		world.connect();
		// The others are those of a pair that is no part of this: the port alone knows them.
		const view = world.context.hse.sessionOf(IMSI);
		if (view === undefined) throw new Error("no session");
		const port = { ...world.context.hse, sessionOf: (imsi: string) => ({ ...view, imsi }) };
		Object.assign(world.context, { hse: port });
		const page = async (query: string) => {
			const { body } = await world.best("GET", `/sessions?${query}`);
			return [body.sessions.map(({ externalId }: { externalId: string }) => externalId[0]).join(""), body.next];
		};
		expect(await page("limit=2")).toEqual(["12", "2@meters.example"]);
		expect(await page("limit=2&after=2@meters.example")).toEqual(["3", undefined]);
		expect(await page("limit=3")).toEqual(["123", undefined]);
		expect(await page("externalId=3@meters.example")).toEqual(["3", undefined]);
		for (const [query, param] of [
			["limit=0", "query limit"],
			["after=nobody@meters.example", "query after"],
			["after=x", "query after"],
			["externalId=3@meters.example&msisdn=491700000001", "query externalId"],
		])
			expect((await world.best("GET", `/sessions?${query}`)).body.invalidParams[0].param).toBe(param);
	});

	test.each([true, false])(
		"are listed page by page while sessions end, in the order of UEs (listed: %s)",
		async (isListed) => {
			const imsis = ["1", "2", "3", "4"].map((n) => `00101000000000${n}`);
			const entries = imsis.map((imsi) => ({
				imsi,
				externalId: `${imsi}@meters.example`,
				applicationServer: "meters",
				keyPolicy: "deny" as const,
			}));
			const rest = { applicationServer: "meters", domain: "meters.example", keyPolicy: "deny" as const };
			const world = await World.make();
			world.connect();
			const view = world.context.hse.sessionOf(IMSI);
			if (view === undefined) throw new Error("no session");
			let present = [...imsis].reverse();
			const hse = {
				...world.context.hse,
				imsis: () => present,
				sessionOf: (imsi: string) => (present.includes(imsi) ? { ...view, imsi } : undefined),
			};
			const directory = isListed ? new UeDirectory([...entries].reverse()) : new UeDirectory([], rest);
			Object.assign(world.context, { hse, directory });
			const page = async (query: string) => {
				const { body } = await world.best("GET", `/sessions?${query}`);
				return [body.sessions.map(({ externalId }: { externalId: string }) => externalId.slice(0, 15)), body.next];
			};
			const next = `${imsis[1]}@meters.example`;
			expect(await page("limit=2")).toEqual([imsis.slice(0, 2), next]);
			present = present.filter((imsi) => imsi !== imsis[1]);
			expect(await page(`limit=2&after=${next}`)).toEqual([imsis.slice(2), undefined]);
		},
	);

	test("of another server's UE, and of nobody's, are refused, on record; one's own may have none", async () => {
		const world = await World.make();
		for (const externalId of [FOREIGN_UE, "nobody@meters.example"]) {
			const { status, body } = await world.best("GET", `/sessions?externalId=${externalId}`);
			expect([status, body.cause]).toEqual([403, "UE_NOT_AUTHORIZED"]);
			expect(world.records.at(-1)).toMatchObject({ event: "not authorised", cause: "UE_NOT_AUTHORIZED" });
		}
		const own = await world.best("GET", `/sessions?externalId=${OTHER_UE}`);
		expect([own.status, own.body]).toEqual([200, { sessions: [] }]);
	});

	test("that do not exist are not found; those of another server's UE are refused, on record", async () => {
		const world = await World.make({
			ues: [{ imsi: IMSI, externalId: UE, applicationServer: "pumps", keyPolicy: "allow" }],
		});
		world.connect();
		expect((await world.best("GET", "/sessions/00000000")).status).toBe(404);
		expect((await world.best("GET", "/sessions/nonsense")).status).toBe(404);
		for (const [method, path] of [
			["GET", ""],
			["POST", "/terminate"],
			["POST", "/keys/refresh"],
			["POST", "/keys/eas-key"],
		]) {
			const { status, body } = await world.best(method, world.sessionPath + path);
			expect([status, body.cause]).toEqual([403, "UE_OF_ANOTHER_SERVER"]);
			expect(world.records.at(-1)).toMatchObject({ event: "not authorised", applicationServer: "meters" });
		}
		expect(world.toUe).toEqual([]);
		expect((await world.best("GET", "/sessions")).body.sessions).toEqual([]);
	});

	test("that were never confirmed end without a word", async () => {
		const world = await World.make();
		world.begin();
		world.deliverToHse();
		const view = new DataView(world.toUe[0].buffer);
		const path = `/sessions/${view.getUint32(HEADER.sessionId).toString(16).padStart(8, "0")}`;
		expect((await world.best("GET", path)).body.state).toBe("UNCONFIRMED");
		const { status, body } = await world.best("POST", `${path}/terminate`, { delivery: "NOW" });
		expect([status, body.status]).toEqual([200, "DONE"]);
		expect((await world.best("GET", path)).status).toBe(404);
	});
});

describe("commands", () => {
	test("wait until the UE is heard from", async () => {
		const world = await World.make();
		world.connect();
		await world.pass(10_001);
		const { status, body } = await world.best("POST", `${world.sessionPath}/keys/refresh`, { method: "CHAINED" });
		expect([status, body.status, world.toUe.length]).toEqual([202, "WAITING_FOR_UE", 0]);
		world.send("reading");
		world.settle();
		await world.quiet();
		expect((await world.request("GET", body.self)).body).toMatchObject({ status: "DONE", keyId: 2 });
	});

	test("can be taken back while they wait", async () => {
		const world = await World.make();
		world.connect();
		await world.pass(10_001);
		const { body } = await world.best("POST", `${world.sessionPath}/terminate`, {});
		expect((await world.best("GET", "/commands")).body.commands).toEqual([body]);
		expect((await world.request("DELETE", body.self)).status).toBe(204);
		world.send("reading");
		world.settle();
		expect(world.hse.sessionOf(IMSI)?.state).toBe("live");
		expect((await world.request("GET", body.self)).status).toBe(404);
	});

	test("are sent at once where that is asked for, and cannot be taken back then", async () => {
		const world = await World.make();
		world.connect();
		await world.pass(10_001);
		const { body } = await world.best("POST", `${world.sessionPath}/terminate`, { delivery: "NOW" });
		expect(body.status).toBe("SENT");
		expect(world.toUe[0][HEADER.length]).toBe(COMMAND.sessionTerminateRequest);
		expect((await world.request("DELETE", body.self)).body.cause).toBe("COMMAND_SENT");
	});

	test("fail when their time is over, or the UE does not answer", async () => {
		const world = await World.make();
		const request = await world.best("POST", "/sessions", { externalId: UE, maximumLatency: 60 });
		await world.pass(60_000);
		expect((await world.request("GET", request.body.self)).body).toMatchObject({
			status: "FAILED",
			reason: "The UE was not heard from in time.",
		});
		world.connect();
		const refresh = await world.best("POST", `${world.sessionPath}/keys/refresh`, {});
		await world.pass(180_000);
		expect((await world.request("GET", refresh.body.self)).body).toMatchObject({
			status: "FAILED",
			reason: "The UE has not answered.",
		});
		await world.pass(3_600_000);
		expect((await world.best("GET", "/commands")).body.commands).toEqual([]);
	});

	test("that the session cannot take are refused", async () => {
		const world = await World.make();
		world.connect();
		await world.best("POST", `${world.sessionPath}/keys/refresh`, {});
		const { status, body } = await world.best("POST", `${world.sessionPath}/keys/refresh`, {});
		expect([status, body.cause]).toEqual([409, "SESSION_STATE"]);
		expect((await world.best("GET", "/commands")).body.commands).toHaveLength(1);
	});

	test("that the UE rejects fail with its cause", async () => {
		const world = await World.make();
		world.connect();
		const { body } = await world.best("POST", `${world.sessionPath}/keys/refresh`, {});
		const sessionId = world.hse.sessionOf(IMSI)?.sessionId ?? 0;
		const rejected: HseEvent = { kind: "rejected", sessionId, cause: CAUSE.akaMacFailure };
		world.tell(rejected);
		expect((await world.request("GET", body.self)).body).toMatchObject({ status: "FAILED", cause: "AKA_MAC_FAILURE" });
	});

	test("of a session that ends meanwhile are over with it", async () => {
		const world = await World.make();
		world.connect();
		await world.pass(10_001);
		const refresh = await world.best("POST", `${world.sessionPath}/keys/refresh`, {});
		const terminate = await world.best("POST", `${world.sessionPath}/terminate`, {});
		world.stop();
		world.settle();
		expect((await world.request("GET", refresh.body.self)).body.status).toBe("FAILED");
		expect((await world.request("GET", terminate.body.self)).body).toMatchObject({ status: "DONE", by: "UE" });
	});

	test("for UEs of others are refused", async () => {
		const world = await World.make();
		const { status, body } = await world.best("POST", "/sessions", { externalId: FOREIGN_UE });
		expect([status, body.cause]).toEqual([403, "UE_NOT_AUTHORIZED"]);
	});
});

describe("the EAS key", () => {
	const take = (world: World) => world.best("POST", `${world.sessionPath}/keys/eas-key`);

	test("goes out in a session for key agreement only", async () => {
		const world = await World.make(KEYS_ONLY);
		world.connect();
		const { body } = await take(world);
		expect(new Uint8Array(Buffer.from(body.key, "base64"))).toEqual(world.ue.session?.easKey());
	});

	test("changes with the Key ID", async () => {
		const world = await World.make();
		world.connect();
		const first = await take(world);
		world.isConnected = true;
		await world.best("POST", `${world.sessionPath}/keys/refresh`, {});
		const second = await take(world);
		expect(second.body.keyId).toBe(2);
		expect(second.body.key).not.toBe(first.body.key);
		expect(new Uint8Array(Buffer.from(second.body.key, "base64"))).toEqual(world.ue.session?.easKey());
	});

	test("stays here where the policy denies it", async () => {
		const world = await World.make(withPolicy("deny"));
		world.connect();
		const { status, body } = await take(world);
		expect([status, body.cause, body.key]).toEqual([403, "KEY_POLICY_DENIES", undefined]);
		expect(world.records[0]).toMatchObject({ event: "EAS key refused", policy: "deny", externalId: UE });
	});

	test("stays here where the HSE's database denies it, whatever the policy of the UE", async () => {
		const world = await World.make({ keys: { subscriberPolicy: (imsi) => (imsi === IMSI ? "deny" : undefined) } });
		world.connect();
		expect((await take(world)).body.cause).toBe("KEY_POLICY_DENIES");
		expect(world.records[0]).toMatchObject({ event: "EAS key refused", policy: "deny" });
	});

	test("with the policy escrow goes out once a copy is there", async () => {
		const copies: string[] = [];
		const put = ({ key, ...rest }: EscrowCopy) => {
			expect(world.records).toEqual([]);
			expect(rest).toMatchObject({ imsi: IMSI, keyId: 1, applicationServer: expect.any(String) });
			copies.push(Buffer.from(key).toString("base64"));
		};
		const world: World = await World.make({ ...withPolicy("escrow"), keys: { escrow: { put } } });
		world.connect();
		const { body } = await take(world);
		expect(copies).toEqual([body.key]);
		expect(world.records[0]).toMatchObject({ event: "EAS key given out", policy: "escrow" });
		expect(JSON.stringify(world.records)).not.toContain(body.key);
	});

	test("with the policy escrow stays here where the copy cannot be written", async () => {
		const put = () => {
			throw new Error("full");
		};
		const world = await World.make({ ...withPolicy("escrow"), keys: { escrow: { put } } });
		world.connect();
		expect((await take(world)).status).toBe(500);
		expect(world.records).toEqual([]);
	});

	test("with the policy escrow and no escrow stays here", async () => {
		const world = await World.make(withPolicy("escrow"));
		world.connect();
		expect((await take(world)).body.cause).toBe("ESCROW_NOT_AVAILABLE");
	});

	test("is not there while the session ends", async () => {
		const world = await World.make();
		world.connect();
		await world.best("POST", `${world.sessionPath}/terminate`, {});
		expect((await take(world)).body.cause).toBe("SESSION_STATE");
	});
});

describe("subscriptions", () => {
	test("are made, read, listed and ended", async () => {
		const world = await World.make();
		const made = await world.best("POST", "/subscriptions", { notificationDestination: DESTINATION, externalId: UE });
		expect(made.status).toBe(201);
		expect((await world.request("GET", made.headers.get("location") ?? "")).body).toEqual(made.body);
		expect((await world.best("GET", "/subscriptions")).body.subscriptions).toEqual([made.body]);
		expect((await world.request("DELETE", made.body.self)).status).toBe(204);
		world.connect();
		await world.quiet();
		expect(world.notifications).toEqual([]);
	});

	test("to one UE tell of it alone, those to all of the server's own", async () => {
		const world = await World.make();
		const events = ["SESSION_OVER"];
		await world.best("POST", "/subscriptions", {
			notificationDestination: `${DESTINATION}/one`,
			externalId: UE,
			events,
		});
		await world.best("POST", "/subscriptions", { notificationDestination: `${DESTINATION}/all`, events });
		const over = (imsi: string): HseEvent => ({ kind: "session over", imsi, sessionId: 1, cause: 0x13, by: "UE" });
		for (const n of [1, 2, 3]) world.tell(over(`00101000000000${n}`));
		await world.quiet();
		expect(
			world.notifications.map(({ destination, body }) => [destination.split("/").at(-1), body.externalId]),
		).toEqual([
			["one", UE],
			["all", UE],
			["all", OTHER_UE],
		]);
	});

	test("hear of new keys and of a session that resumes", async () => {
		const world = await World.make();
		world.connect();
		await world.best("POST", "/subscriptions", { notificationDestination: DESTINATION });
		world.cutPower();
		world.ue.resume(world.now);
		world.drainUe();
		world.settle();
		world.isConnected = true;
		await world.best("POST", `${world.sessionPath}/keys/refresh`, {});
		expect(world.notifications.map(({ body }) => [body.event, body.keyId])).toEqual([
			["SESSION_RESUMED", undefined],
			["NEW_KEYS", 2],
			["COMMAND_OVER", undefined],
		]);
	});
});

describe("which UE belongs to whom", () => {
	const entry = { imsi: IMSI, externalId: UE, msisdn: "491", applicationServer: "meters", keyPolicy: "deny" as const };

	test("names occur once", () => {
		expect(() => new UeDirectory([entry, { ...entry, imsi: "001010000000009" }])).toThrow(/External Identifier.*twice/);
		expect(() => new UeDirectory([entry, { ...entry, externalId: "a@b" }])).toThrow(/IMSI.*twice/);
	});

	test("those that are not listed belong to one server, and never take over one that is listed", () => {
		const rest = { applicationServer: PUMPS.id, domain: "lab", keyPolicy: "deny" as const };
		const directory = new UeDirectory([entry], rest);
		expect(directory.find("pumps", { externalId: "001010000000007@lab" })?.imsi).toBe("001010000000007");
		expect(directory.find("meters", { externalId: "001010000000007@lab" })).toBeUndefined();
		expect(directory.find("pumps", { externalId: `${IMSI}@lab` })).toBeUndefined();
		expect(directory.find("pumps", { externalId: "x@lab" })).toBeUndefined();
		const imsis = (server: string, present: string[]) =>
			[...directory.uesAfter(server, "", () => present)].map(({ imsi }) => imsi);
		expect(imsis("pumps", [IMSI, "001010000000007"])).toEqual(["001010000000007"]);
		expect(imsis("meters", [])).toEqual([IMSI]);
	});
});
