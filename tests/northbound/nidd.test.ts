import { describe, expect, jest, test } from "@jest/globals";
import type { NorthboundStore } from "../../host-tools/northbound/northbound-store.js";
import { IMSI } from "../support/pair.js";
import { isPublished, PublishedNidd } from "./published.js";
import { type Answer, base64, DESTINATION, FOREIGN_UE, OTHER_UE, UE, World } from "./world.js";

const CONFIGURATION = { externalId: UE, notificationDestination: DESTINATION };
const published = isPublished ? new PublishedNidd() : undefined;

const PATHS = {
	configurations: "/{scsAsId}/configurations",
	configuration: "/{scsAsId}/configurations/{configurationId}",
	deliveries: "/{scsAsId}/configurations/{configurationId}/downlink-data-deliveries",
	delivery: "/{scsAsId}/configurations/{configurationId}/downlink-data-deliveries/{downlinkDataDeliveryId}",
	ports: "/{scsAsId}/configurations/{configurationId}/rds-ports",
	port: "/{scsAsId}/configurations/{configurationId}/rds-ports/{portId}",
};

/** Sends a request, and holds it and its answer against the published document where that is there. */
async function ask(
	world: World,
	path: keyof typeof PATHS,
	method: string,
	uri: string,
	body?: unknown,
): Promise<Answer> {
	const answer = await world.request(method.toUpperCase(), uri, body);
	if (body !== undefined && answer.status < 300) published?.expectRequest(method, PATHS[path], body);
	published?.expectAnswer(method, PATHS[path], answer);
	return answer;
}

async function configure(world: World, more: object = {}): Promise<string> {
	const { body } = await ask(world, "configurations", "post", "/3gpp-nidd/v1/meters/configurations", {
		...CONFIGURATION,
		...more,
	});
	return body.self;
}

const deliveriesOf = (configuration: string) => `${configuration}/downlink-data-deliveries`;
const deliver = (world: World, configuration: string, data: string, more: object = {}) =>
	ask(world, "deliveries", "post", deliveriesOf(configuration), { externalId: UE, data: base64(data), ...more });

const bodies = (world: World) => world.notifications.map(({ body }) => body);

(isPublished ? test : test.skip)("every operation of the published document is there", async () => {
	const world = await World.make();
	const [nidd] = world.northbound.apis;
	const ours = nidd.operations.map(({ path, method, id }) => ({ path, method, id }));
	const order = (list: typeof ours) => list.map((row) => `${row.path} ${row.method} ${row.id}`).sort();
	expect(order(ours)).toEqual(order(published?.operations() as typeof ours));
});

describe("NIDD configurations", () => {
	test("are made, read, listed, changed and removed", async () => {
		const world = await World.make();
		const uri = "/3gpp-nidd/v1/meters/configurations";
		expect((await ask(world, "configurations", "get", uri)).body).toEqual([]);
		const made = await ask(world, "configurations", "post", uri, { ...CONFIGURATION, supportedFeatures: "3" });
		expect(made.status).toBe(201);
		expect(made.headers.get("location")).toBe(made.body.self);
		expect(made.body).toMatchObject({
			...CONFIGURATION,
			status: "ACTIVE",
			supportedFeatures: "0",
			maximumPacketSize: 9728,
		});
		const { self } = made.body;
		expect((await ask(world, "configuration", "get", self)).body).toEqual(made.body);
		expect((await ask(world, "configurations", "get", uri)).body).toEqual([made.body]);
		const patch = { notificationDestination: "https://as.example/other", duration: "2031-01-01T00:00:00Z" };
		expect((await ask(world, "configuration", "patch", self, patch)).body).toMatchObject(patch);
		expect((await ask(world, "configuration", "patch", self, { duration: null })).body.duration).toBeUndefined();
		expect((await ask(world, "configuration", "delete", self)).status).toBe(204);
		expect((await ask(world, "configuration", "get", self)).status).toBe(404);
		expect((await ask(world, "configuration", "delete", self)).status).toBe(404);
	});

	test("of one UE are 16 at the most, of others some more", async () => {
		const world = await World.make();
		const uri = "/3gpp-nidd/v1/meters/configurations";
		for (let i = 0; i < 16; i++) await configure(world);
		const { status, body } = await ask(world, "configurations", "post", uri, CONFIGURATION);
		expect([status, body.cause]).toEqual([403, "QUOTA_EXCEEDED"]);
		const other = { ...CONFIGURATION, externalId: OTHER_UE };
		expect((await ask(world, "configurations", "post", uri, other)).status).toBe(201);
	});

	test("are listed with what is buffered in each, by as many questions to the store however many they are", async () => {
		const world = await World.make();
		const selves = [await configure(world), await configure(world), await configure(world)];
		for (const self of [selves[0], selves[2], selves[2]]) await deliver(world, self, "x");
		const questions = jest.spyOn(world.resources as unknown as { all(): unknown }, "all");
		const { body } = await ask(world, "configurations", "get", "/3gpp-nidd/v1/meters/configurations");
		expect(questions).toHaveBeenCalledTimes(2);
		const buffered = new Map(
			body.map((one: { self: string; niddDownlinkDataTransfers?: object[] }) => [
				one.self,
				one.niddDownlinkDataTransfers?.length,
			]),
		);
		expect(selves.map((self) => buffered.get(self))).toEqual([1, undefined, 2]);
	});

	test("by MSISDN name the UE by it", async () => {
		const world = await World.make();
		world.connect();
		const { body } = await ask(world, "configurations", "post", "/3gpp-nidd/v1/meters/configurations", {
			msisdn: "491700000001",
			notificationDestination: DESTINATION,
		});
		expect([body.msisdn, body.externalId]).toEqual(["491700000001", undefined]);
		world.send("x");
		world.settle();
		await world.quiet();
		expect(bodies(world)[0]).toMatchObject({ msisdn: "491700000001" });
		published?.expectValid("NiddUplinkDataNotification", bodies(world)[0]);
	});

	test("end at their time, and the server is told", async () => {
		const world = await World.make();
		const duration = new Date(world.time() + 60_000).toISOString();
		const self = await configure(world, { duration });
		await world.pass(60_000);
		expect(bodies(world)).toEqual([{ niddConfiguration: self, externalId: UE, status: "TERMINATED" }]);
		published?.expectValid("NiddConfigurationStatusNotification", bodies(world)[0]);
		expect((await ask(world, "configuration", "get", self)).status).toBe(404);
	});

	test("a test notification goes out where one is asked for", async () => {
		const world = await World.make();
		const self = await configure(world, { requestTestNotification: true });
		expect(bodies(world)).toEqual([{ subscription: self }]);
		published?.expectValid("TestNotification", bodies(world)[0], "TS29122_CommonData.yaml");
	});

	for (const [what, body, status, cause] of [
		["no UE", { notificationDestination: DESTINATION }, 400, "INVALID_PARAMETER"],
		["two names", { ...CONFIGURATION, msisdn: "491700000001" }, 400, "INVALID_PARAMETER"],
		[
			"a group",
			{ externalGroupId: "all@meters.example", notificationDestination: DESTINATION },
			400,
			"INVALID_PARAMETER",
		],
		["reliable data service", { ...CONFIGURATION, reliableDataService: true }, 400, "INVALID_PARAMETER"],
		["a duration that is over", { ...CONFIGURATION, duration: "2001-01-01T00:00:00Z" }, 400, "INVALID_PARAMETER"],
		["another server's UE", { ...CONFIGURATION, externalId: FOREIGN_UE }, 403, "UE_NOT_AUTHORIZED"],
		["nobody's UE", { ...CONFIGURATION, externalId: "x@y" }, 403, "UE_NOT_AUTHORIZED"],
		[
			"a destination elsewhere",
			{ ...CONFIGURATION, notificationDestination: "http://10.0.0.1/" },
			403,
			"NOTIFICATION_DESTINATION_NOT_ALLOWED",
		],
		[
			"a destination with credentials",
			{ ...CONFIGURATION, notificationDestination: "https://a:b@as.example/" },
			403,
			"NOTIFICATION_DESTINATION_NOT_ALLOWED",
		],
		[
			"a destination with a NUL",
			{ ...CONFIGURATION, notificationDestination: `${DESTINATION}/\0x` },
			400,
			"INVALID_PARAMETER",
		],
		["a provider with a NUL", { ...CONFIGURATION, mtcProviderId: "a\0b" }, 400, "INVALID_PARAMETER"],
		["an option with a NUL", { ...CONFIGURATION, pdnEstablishmentOption: "\0" }, 400, "INVALID_PARAMETER"],
		["a UE with a NUL", { ...CONFIGURATION, externalId: "\0@meters.example" }, 400, "INVALID_PARAMETER"],
		["a destination that is no URI", { ...CONFIGURATION, notificationDestination: "as" }, 400, "INVALID_PARAMETER"],
		["no object", [], 400, "INVALID_PARAMETER"],
		["no JSON", "{", 400, "INVALID_PARAMETER"],
	] as const)
		test(`are refused: ${what}`, async () => {
			const world = await World.make();
			const answer = await ask(world, "configurations", "post", "/3gpp-nidd/v1/meters/configurations", body);
			expect([answer.status, answer.body.cause]).toEqual([status, cause]);
			if (status === 400) expect(answer.body.invalidParams).not.toHaveLength(0);
			expect(world.errors).toEqual([]);
		});

	test("with a NUL in their name are not found", async () => {
		const world = await World.make();
		expect((await ask(world, "configuration", "get", "/3gpp-nidd/v1/meters/configurations/%00")).status).toBe(404);
	});

	test("ports of the reliable data service are none", async () => {
		const world = await World.make();
		const self = await configure(world);
		expect((await ask(world, "ports", "get", `${self}/rds-ports`)).body).toEqual([]);
		expect((await ask(world, "port", "get", `${self}/rds-ports/ue1-ef2`)).status).toBe(404);
		expect((await ask(world, "port", "put", `${self}/rds-ports/ue1-ef2`, { appId: "x" })).status).toBe(403);
		expect((await ask(world, "port", "delete", `${self}/rds-ports/ue1-ef2`)).status).toBe(404);
	});
});

describe("downlink data deliveries", () => {
	test("without a session are buffered, and go out when the UE has one", async () => {
		const world = await World.make();
		const self = await configure(world);
		const first = await deliver(world, self, "first");
		expect([first.status, first.body.deliveryStatus]).toEqual([201, "BUFFERING"]);
		expect(first.headers.get("location")).toBe(first.body.self);
		await deliver(world, self, "second");
		await deliver(world, self, "urgent", { priority: 5 });
		expect((await ask(world, "deliveries", "get", deliveriesOf(self))).body).toHaveLength(3);
		expect((await ask(world, "configuration", "get", self)).body.niddDownlinkDataTransfers).toHaveLength(3);
		world.connect();
		await world.quiet();
		expect(world.downlinks).toEqual(["urgent", "first", "second"]);
		expect(bodies(world)).toHaveLength(3);
		for (const body of bodies(world)) published?.expectValid("NiddDownlinkDataDeliveryStatusNotification", body);
		expect(bodies(world)[1]).toEqual({
			niddDownlinkDataTransfer: first.body.self,
			deliveryStatus: "SUCCESS_NEXT_HOP_UNACKNOWLEDGED",
		});
		expect((await ask(world, "deliveries", "get", deliveriesOf(self))).body).toEqual([]);
		const over = await ask(world, "delivery", "delete", first.body.self);
		expect([over.status, over.body.cause]).toEqual([409, "ALREADY_DELIVERED"]);
	});

	test("to a UE that sleeps are buffered until it is heard from", async () => {
		const world = await World.make();
		world.connect();
		const self = await configure(world);
		await world.pass(10_001);
		const { status, body } = await deliver(world, self, "wake up");
		expect([status, body.deliveryStatus]).toEqual([201, "BUFFERING_TEMPORARILY_NOT_REACHABLE"]);
		expect(world.toUe).toEqual([]);
		world.send("reading");
		world.settle();
		expect(world.downlinks).toEqual(["wake up"]);
	});

	test("are told to have failed when they come too late", async () => {
		const world = await World.make();
		const self = await configure(world);
		const { body } = await deliver(world, self, "in time", { maximumLatency: 60 });
		await world.pass(60_000);
		expect(bodies(world)).toEqual([{ niddDownlinkDataTransfer: body.self, deliveryStatus: "FAILURE_TIMEOUT" }]);
		world.connect();
		expect(world.downlinks).toEqual([]);
		expect((await ask(world, "delivery", "get", body.self)).body.deliveryStatus).toBe("FAILURE_TIMEOUT");
		await world.pass(3_600_000);
		expect((await ask(world, "delivery", "get", body.self)).status).toBe(404);
	});

	for (const more of [{ pdnEstablishmentOption: "INDICATE_ERROR" }, { maximumLatency: 0 }])
		test(`are not buffered where the request forbids it: ${JSON.stringify(more)}`, async () => {
			const world = await World.make();
			const self = await configure(world);
			const { status, body } = await deliver(world, self, "now or never", more);
			expect([status, body.problemDetail.cause]).toEqual([500, "TEMPORARILY_NOT_REACHABLE"]);
			expect((await ask(world, "deliveries", "get", deliveriesOf(self))).body).toEqual([]);
		});

	test("are replaced, modified and removed while they wait", async () => {
		const world = await World.make();
		const self = await configure(world);
		const uri = (await deliver(world, self, "one", { priority: 1 })).body.self;
		const replaced = await ask(world, "delivery", "put", uri, { externalId: UE, data: base64("two") });
		expect(replaced.body).toMatchObject({ data: base64("two"), self: uri });
		expect(replaced.body.priority).toBeUndefined();
		const renamed = await ask(world, "delivery", "put", uri, { msisdn: "491700000001", data: base64("two") });
		expect([renamed.body.msisdn, renamed.body.externalId]).toEqual(["491700000001", undefined]);
		expect((await ask(world, "delivery", "patch", uri, { priority: 7 })).body).toMatchObject({
			priority: 7,
			data: base64("two"),
		});
		const other = (await deliver(world, self, "three")).body.self;
		expect((await ask(world, "delivery", "delete", other)).status).toBe(204);
		expect((await ask(world, "delivery", "get", other)).status).toBe(404);
		world.connect();
		expect(world.downlinks).toEqual(["two"]);
	});

	test("may come with the configuration", async () => {
		const world = await World.make();
		const { status, body } = await ask(world, "configurations", "post", "/3gpp-nidd/v1/meters/configurations", {
			...CONFIGURATION,
			niddDownlinkDataTransfers: [{ externalId: UE, data: base64("hello") }],
		});
		expect([status, body.niddDownlinkDataTransfers.length]).toEqual([201, 1]);
		world.connect();
		expect(world.downlinks).toEqual(["hello"]);
	});

	test("that are too many leave no configuration that they came with", async () => {
		const world = await World.make();
		const self = await configure(world);
		for (let i = 0; i < 4; i++) await deliver(world, self, "x");
		const { status, body } = await ask(world, "configurations", "post", "/3gpp-nidd/v1/meters/configurations", {
			...CONFIGURATION,
			niddDownlinkDataTransfers: [{ externalId: UE, data: base64("x") }],
		});
		expect([status, body.cause]).toEqual([403, "QUOTA_EXCEEDED"]);
		expect((await ask(world, "configurations", "get", "/3gpp-nidd/v1/meters/configurations")).body).toHaveLength(1);
	});

	for (const more of [{ pdnEstablishmentOption: "INDICATE_ERROR" }, { maximumLatency: 0 }])
		test(`that come with the configuration and may not be buffered are none of it: ${JSON.stringify(more)}`, async () => {
			const world = await World.make();
			const { status, body } = await ask(world, "configurations", "post", "/3gpp-nidd/v1/meters/configurations", {
				...CONFIGURATION,
				niddDownlinkDataTransfers: [{ externalId: UE, data: base64("now or never"), ...more }],
			});
			expect([status, body.niddDownlinkDataTransfers]).toEqual([201, undefined]);
		});

	test("are refused: too long, of another UE, too many, not base64", async () => {
		const world = await World.make();
		const self = await configure(world);
		const cause = async (data: string, more?: object) => (await deliver(world, self, data, more)).body.cause;
		expect(await cause("x".repeat(1217))).toBe("DATA_TOO_LARGE");
		expect((await deliver(world, self, "x".repeat(1216))).status).toBe(201);
		expect(await cause("x", { externalId: OTHER_UE })).toBe("INVALID_PARAMETER");
		expect(await cause("x", { externalId: FOREIGN_UE })).toBe("UE_NOT_AUTHORIZED");
		expect(await cause("x", { data: "?" })).toBe("INVALID_PARAMETER");
		for (let i = 0; i < 3; i++) await deliver(world, self, "x");
		expect(await cause("x")).toBe("QUOTA_EXCEEDED");
	});

	test("of 1,216 octets fit any session", async () => {
		const world = await World.make({ policy: { counterSchemes: [2], macLengths: [8] } });
		world.connect();
		const self = await configure(world);
		expect((await deliver(world, self, "x".repeat(1216))).status).toBe(200);
		world.settle();
		expect(world.downlinks[0]).toHaveLength(1216);
	});
});

test("an uplink of a UE about which nothing is stored costs no question to the store", async () => {
	const world = await World.make();
	world.connect();
	const asked: string[] = [];
	const { resources } = world;
	for (const name of ["unit", "inTurn", "get", "ofUe", "ofServer", "heard", "heardAt"] as const) {
		const method = resources[name].bind(resources) as (...words: unknown[]) => unknown;
		Object.assign(resources, {
			[name]: (...words: unknown[]) => {
				asked.push(name);
				return method(...words);
			},
		});
	}
	world.send("reading");
	world.settle();
	expect(asked).toEqual([]);
	await configure(world);
	asked.length = 0;
	world.send("reading");
	world.settle();
	expect(asked).toContain("ofUe");
});

describe("notifications", () => {
	test("are tried again with back-off, in order, and once each", async () => {
		const world = await World.make();
		world.connect();
		await configure(world);
		world.isTaking = false;
		const begun = world.now;
		for (const text of ["1", "2"]) {
			world.send(text);
			world.settle();
		}
		await world.quiet();
		for (let i = 0; i < 40; i++) await world.pass(500);
		// At once, and then after 1, 2, 4, 8 and 8 s.
		expect(world.attempts.map((at) => at - begun)).toEqual([0, 1000, 3000, 7000, 15_000]);
		world.isTaking = true;
		await world.pass(3000);
		expect(bodies(world).map(({ data }) => data)).toEqual([base64("1"), base64("2")]);
	});

	test("wait where the store fails, which is told, and go on when it does not", async () => {
		const world = await World.make();
		world.connect();
		await configure(world);
		const { store } = world.context;
		const full = new Error("database or disk is full");
		const failing = jest.spyOn(store as NorthboundStore, "removeNotification").mockImplementation(() => {
			throw full;
		});
		for (const text of ["1", "2"]) {
			world.send(text);
			world.settle();
		}
		await world.quiet();
		expect(world.errors).toEqual([full]);
		failing.mockRestore();
		await world.pass(1000);
		// At least once each: that the first was taken could not be stored.
		expect(bodies(world).map(({ data }) => data)).toEqual([base64("1"), base64("1"), base64("2")]);
		expect(world.context.notifier.waiting).toBe(0);
	});

	test("that are too old are given up", async () => {
		const world = await World.make();
		world.connect();
		await configure(world);
		world.isTaking = false;
		world.send("old");
		world.settle();
		await world.quiet();
		await world.pass(61_000);
		world.isTaking = true;
		await world.pass(60_000);
		expect(bodies(world)).toEqual([]);
		expect(world.context.notifier.waiting).toBe(0);
	});

	test("end with their configuration when its server removes it: they are bounded by what it may have", async () => {
		const world = await World.make();
		world.connect();
		world.isTaking = false;
		for (let i = 0; i < 3; i++) {
			const self = await configure(world);
			world.send("reading");
			world.settle();
			await world.quiet();
			await ask(world, "configuration", "delete", self);
		}
		const attempts = world.attempts.length;
		await world.pass(60_000);
		expect([world.context.notifier.waiting, world.resources.channels()]).toEqual([0, []]);
		expect(world.attempts).toHaveLength(attempts);
	});

	test("go to the new destination when it is changed", async () => {
		const world = await World.make();
		world.connect();
		const self = await configure(world);
		world.isTaking = false;
		world.send("reading");
		world.settle();
		await world.quiet();
		world.isTaking = true;
		await ask(world, "configuration", "patch", self, { notificationDestination: "https://as.example/new" });
		expect(world.notifications.map(({ destination }) => destination)).toEqual(["https://as.example/new"]);
	});

	test("go over the WebSocket while there is one", async () => {
		const world = await World.make();
		world.connect();
		const { body } = await ask(world, "configurations", "post", "/3gpp-nidd/v1/meters/configurations", {
			...CONFIGURATION,
			websockNotifConfig: { requestWebsocketUri: true },
		});
		expect(body.websockNotifConfig.websocketUri).toBe(`${body.self.replace("https", "wss")}/websocket`);
		const { northbound } = world;
		const id = await northbound.read(() =>
			northbound.nidd.websocket({ id: "meters" } as never, body.self.split("/").at(-1)),
		);
		const frames: string[] = [];
		const socket = { send: async (text: string) => frames.push(text) > 0, close() {} };
		world.context.notifier.attach(id, socket);
		world.send("over the socket");
		world.settle();
		await world.quiet();
		world.context.notifier.detach(id, socket);
		world.send("by webhook");
		world.settle();
		await world.quiet();
		expect(frames.map((frame) => JSON.parse(frame).data)).toEqual([base64("over the socket")]);
		expect(bodies(world).map(({ data }) => data)).toEqual([base64("by webhook")]);
	});
});

test("a UE without any configuration costs nothing and tells nobody", async () => {
	const world = await World.make();
	world.connect();
	world.send("reading");
	world.settle();
	await world.quiet();
	expect(world.uplinks).toEqual(["reading"]);
	expect(world.context.store.isWatched(IMSI)).toBe(false);
	expect(world.notifications).toEqual([]);
});
