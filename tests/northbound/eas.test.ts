import { describe, expect, test } from "@jest/globals";
import { COMMAND, HEADER, MODE } from "../../firmware/emsdp/profile.js";
import { ENERGY_MODEL, type LiveChange, LiveFeed } from "../../host-tools/northbound/live-feed.js";
import { isPublished, PublishedNidd } from "./published.js";
import { base64, DESTINATION, KEYS_ONLY, UE, World, type WorldOptions } from "./world.js";

const published = isPublished ? new PublishedNidd() : undefined;
const CONFIGURATION = { externalId: UE, notificationDestination: DESTINATION };
const DATA = { externalId: UE, data: base64("open the valve") };
const UE_TO_EAS: WorldOptions = { offer: { mode: MODE.ueToEas }, policy: { modes: [MODE.ueToHse, MODE.ueToEas] } };

/** Sessions whose data do not go through the HSE. */
const WITHOUT_DATA = [
	["UE-to-EAS", UE_TO_EAS, /UE-to-EAS mode.*its EAS/],
	["key agreement only", KEYS_ONLY, /key agreement only.*no user plane/],
] as const;

describe.each(WITHOUT_DATA)("a session %s and NIDD", (_, options, detail) => {
	async function configured(): Promise<{ world: World; self: string }> {
		const world = await World.make(options);
		world.connect();
		return { world, self: (await world.nidd("POST", "/configurations", CONFIGURATION)).body.self };
	}

	test("a downlink is refused at once, with the reason, and does not wait for anything", async () => {
		const { world, self } = await configured();
		for (const more of [{}, { pdnEstablishmentOption: "INDICATE_ERROR" }, { maximumLatency: 0 }]) {
			const answer = await world.request("POST", `${self}/downlink-data-deliveries`, { ...DATA, ...more });
			expect([answer.status, answer.body.cause]).toEqual([403, "USER_PLANE_NOT_HERE"]);
			expect(answer.body.detail).toMatch(detail);
			published?.expectAnswer("post", "/{scsAsId}/configurations/{configurationId}/downlink-data-deliveries", answer);
		}
		expect((await world.request("GET", `${self}/downlink-data-deliveries`)).body).toEqual([]);
		expect(world.toUe).toEqual([]);
		expect(world.errors).toEqual([]);
	});

	test("a configuration that comes with a downlink is refused, and is not made", async () => {
		const { world } = await configured();
		const body = { ...CONFIGURATION, niddDownlinkDataTransfers: [DATA] };
		expect((await world.nidd("POST", "/configurations", body)).body.cause).toBe("USER_PLANE_NOT_HERE");
		expect((await world.nidd("GET", "/configurations")).body).toHaveLength(1);
	});

	test("a downlink that waited for the UE fails when it comes with such a session, and its server is told", async () => {
		const world = await World.make(options);
		const { body } = await world.nidd("POST", "/configurations", CONFIGURATION);
		const delivery = await world.request("POST", `${body.self}/downlink-data-deliveries`, DATA);
		expect(delivery.status).toBe(201);
		world.connect();
		await world.quiet();
		expect((await world.request("GET", delivery.body.self)).body.deliveryStatus).toBe("FAILURE");
		expect(world.notifications.map(({ body: told }) => [told.niddDownlinkDataTransfer, told.deliveryStatus])).toEqual([
			[delivery.body.self, "FAILURE"],
		]);
	});

	test("an uplink is no notification: the HSE does not have its payload", async () => {
		const { world } = await configured();
		// A UE in key agreement only has no user plane to send on.
		if (options === UE_TO_EAS) world.send("for the EAS");
		world.settle();
		await world.quiet();
		expect(world.uplinks).toEqual([]);
		expect(world.notifications).toEqual([]);
	});
});

describe("a session in UE-to-EAS mode and the BEST API", () => {
	test("shows its mode, gives its key by policy, changes its keys and ends", async () => {
		const world = await World.make(UE_TO_EAS);
		world.connect();
		world.isConnected = true;
		const { body } = await world.best("GET", world.sessionPath);
		expect(body).toMatchObject({ mode: "UE_TO_EAS", service: "CONFIDENTIAL", easId: "eas.example", state: "LIVE" });
		const key = await world.best("POST", `${world.sessionPath}/keys/eas-key`);
		expect(new Uint8Array(Buffer.from(key.body.key, "base64"))).toEqual(world.ue.session?.easKey());
		expect((await world.best("POST", `${world.sessionPath}/keys/refresh`, {})).body).toMatchObject({ status: "DONE" });
		expect((await world.best("POST", `${world.sessionPath}/terminate`)).body).toMatchObject({ status: "DONE" });
	});

	test("a message for the EAS shows that the UE listens: what waited for it goes out", async () => {
		const world = await World.make(UE_TO_EAS);
		world.connect();
		await world.pass(10_001);
		expect((await world.best("GET", world.sessionPath)).body.isListening).toBe(false);
		const { status } = await world.best("POST", `${world.sessionPath}/terminate`, {});
		expect([status, world.toUe.length]).toEqual([202, 0]);
		world.send("for the EAS");
		world.deliverToHse();
		expect(world.toUe.map((datagram) => datagram[HEADER.length])).toEqual([COMMAND.sessionTerminateRequest]);
		expect((await world.best("GET", world.sessionPath)).body.isListening).toBe(true);
	});
});

test("events for EASs reach the page: a hand-over is a latency, and no event is more than it says", async () => {
	const world = await World.make(UE_TO_EAS);
	const changes: LiveChange[] = [];
	const feed = new LiveFeed(
		world.context.hse,
		() => 5,
		() => {},
	);
	feed.listen((change) => changes.push(change));
	world.connect();
	for (const event of world.hseEvents) feed.handleEvent(event);
	expect(world.hseEvents.map(({ kind }) => kind)).toContain("eas key");
	expect(changes.map(({ kind }) => kind)).toEqual(["session"]);
	const [change] = changes;
	expect(change.kind === "session" && change.session).toMatchObject({ service: "CONFIDENTIAL", mode: "UE_TO_EAS" });
	const seen = world.hseEvents.length;
	const datagram = world.send("for the EAS").slice();
	const verdict = world.deliverToHse();
	feed.handleTraffic({ at: 1, fromUe: true, peer: "127.0.0.1 5", datagram, verdict });
	world.stop();
	world.settle();
	for (const event of world.hseEvents.slice(seen)) feed.handleEvent(event);
	expect(world.hseEvents.slice(seen).map(({ kind }) => kind)).toEqual(["forward", "session over", "eas over"]);
	expect(changes.slice(1).map(({ kind }) => kind)).toEqual(["message", "latency", "over"]);
	expect(changes[2]).toMatchObject({ latency: { kind: "hand-over", milliseconds: 4 } });
	// Its payload costs as much as any other.
	const message = changes[1].kind === "message" ? changes[1].message : undefined;
	expect(message?.energy).toHaveLength(ENERGY_MODEL.protocols.length);
});
