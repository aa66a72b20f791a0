import { describe, expect, test } from "@jest/globals";
import { COMMAND, HEADER } from "../../firmware/emsdp/profile.js";
import { isProtected } from "../../host-tools/inspect/name.js";
import { IMSI } from "../support/pair.js";
import { base64, DESTINATION, UE, World } from "./world.js";

/** The command octet of a datagram; of ciphered contents only the command is in clear. */
function commandOf(datagram: Uint8Array | undefined): number | undefined {
	return datagram?.[HEADER.length];
}

/** The eight commands of the SA3 liaison statement, each from HTTP to the octets of the device or back. */
describe("the commands of the liaison statement", () => {
	test("Uplink Request: octets of the device become a notification", async () => {
		const world = await World.make();
		world.connect();
		const { body } = await world.nidd("POST", "/configurations", {
			externalId: UE,
			notificationDestination: DESTINATION,
		});
		const datagram = world.send("reading 1");
		expect(isProtected(datagram)).toBe(true);
		expect(Buffer.from(datagram).includes("reading")).toBe(false);
		world.settle();
		await world.quiet();
		expect(world.notifications).toEqual([
			{
				destination: DESTINATION,
				body: { niddConfiguration: body.self, externalId: UE, data: base64("reading 1"), reliableDataService: false },
			},
		]);
	});

	test("Downlink response: a delivery becomes octets that the device takes", async () => {
		const world = await World.make();
		world.connect();
		const { body: configuration } = await world.nidd("POST", "/configurations", {
			externalId: UE,
			notificationDestination: DESTINATION,
		});
		const { status, body } = await world.request("POST", `${configuration.self}/downlink-data-deliveries`, {
			externalId: UE,
			data: base64("open the valve"),
		});
		expect([status, body.deliveryStatus]).toEqual([200, "SUCCESS_NEXT_HOP_UNACKNOWLEDGED"]);
		const [datagram] = world.toUe;
		expect(datagram).toHaveLength("open the valve".length + 10);
		expect(Buffer.from(datagram).includes("valve")).toBe(false);
		world.settle();
		expect(world.downlinks).toEqual(["open the valve"]);
	});

	test("Request BEST-session, by the device: a 10 becomes a notification", async () => {
		const world = await World.make();
		await world.best("POST", "/subscriptions", {
			notificationDestination: DESTINATION,
			events: ["SESSION_REQUESTED"],
		});
		world.begin();
		expect(commandOf(world.toHse[0])).toBe(COMMAND.sessionRequest);
		world.deliverToHse();
		await world.quiet();
		expect(world.notifications.map(({ body }) => [body.event, body.externalId])).toEqual([["SESSION_REQUESTED", UE]]);
	});

	test("Request BEST-session, by the server, and Start of BEST-session: 11 and 12 end the wait", async () => {
		const world = await World.make();
		await world.best("POST", "/subscriptions", { notificationDestination: DESTINATION });
		const { status, body, headers } = await world.best("POST", "/sessions", { externalId: UE });
		expect([status, body.command, body.status]).toEqual([202, "SESSION_REQUEST", "WAITING_FOR_UE"]);
		world.begin();
		world.deliverToHse();
		expect(commandOf(world.toUe[0])).toBe(COMMAND.sessionStart);
		world.deliverToUe();
		expect(commandOf(world.toHse[0])).toBe(COMMAND.sessionStartConfirmation);
		world.deliverToHse();
		await world.quiet();
		const over = await world.request("GET", headers.get("location") ?? "");
		expect(over.body).toMatchObject({ status: "DONE", externalId: UE });
		const session = await world.request("GET", over.body.session);
		expect(session.body).toMatchObject({
			externalId: UE,
			state: "LIVE",
			keyId: 1,
			service: "CONFIDENTIAL",
			mode: "UE_TO_HSE",
			keyAgreement: "EPS_AKA",
			encryptionAlgorithm: "AES",
			integrityAlgorithm: "AES",
			macLength: 4,
			easId: "eas.example",
			isListening: true,
		});
		expect(world.notifications.map((notification) => notification.body.event)).toEqual([
			"SESSION_REQUESTED",
			"SESSION_STARTED",
			"COMMAND_OVER",
		]);
		// The session is there now: asked again, it is the answer.
		expect(await world.best("POST", "/sessions", { externalId: UE })).toMatchObject({
			status: 200,
			body: { self: session.body.self },
		});
	});

	test("Request Termination and Terminate BEST Session: 20 to the device, 21 back", async () => {
		const world = await World.make();
		world.connect();
		await world.best("POST", "/subscriptions", { notificationDestination: DESTINATION, events: ["SESSION_OVER"] });
		const { status, headers } = await world.best("POST", `${world.sessionPath}/terminate`, {});
		expect(status).toBe(202);
		expect(commandOf(world.toUe[0])).toBe(COMMAND.sessionTerminateRequest);
		world.deliverToUe();
		expect(world.ue.session).toBeUndefined();
		expect(commandOf(world.toHse[0])).toBe(COMMAND.sessionTerminateResponse);
		world.deliverToHse();
		await world.quiet();
		expect(world.hse.sessionOf(IMSI)).toBeUndefined();
		const { body } = await world.request("GET", headers.get("location") ?? "");
		expect(body).toMatchObject({ command: "TERMINATION", status: "DONE", cause: "NORMAL_RELEASE", by: "HSE" });
		expect(world.notifications.map((notification) => notification.body)).toMatchObject([
			{ event: "SESSION_OVER", externalId: UE, cause: "NORMAL_RELEASE", by: "HSE" },
		]);
	});

	test("Termination answered at once where the device answers at once", async () => {
		const world = await World.make({ answerWithin: 1000 });
		world.connect();
		world.isConnected = true;
		const { status, body } = await world.best("POST", `${world.sessionPath}/terminate`);
		expect([status, body.status, body.by]).toEqual([200, "DONE", "HSE"]);
	});

	test("Termination by the device is a notification", async () => {
		const world = await World.make();
		world.connect();
		await world.best("POST", "/subscriptions", { notificationDestination: DESTINATION, events: ["SESSION_OVER"] });
		world.stop();
		world.settle();
		await world.quiet();
		expect(world.notifications.map(({ body }) => [body.event, body.by])).toEqual([["SESSION_OVER", "UE"]]);
	});

	for (const method of ["AKA", "CHAINED", "ANY"])
		test(`Manage EMSDP keys request, ${method}: 30 to the device, 31 back, the new key identifier`, async () => {
			const world = await World.make();
			world.connect();
			const { status, headers } = await world.best("POST", `${world.sessionPath}/keys/refresh`, { method });
			expect(status).toBe(202);
			expect(commandOf(world.toUe[0])).toBe(COMMAND.manageKeysRequest);
			world.deliverToUe();
			expect(commandOf(world.toHse[0])).toBe(COMMAND.manageKeysResponse);
			world.deliverToHse();
			await world.quiet();
			const { body } = await world.request("GET", headers.get("location") ?? "");
			expect(body).toMatchObject({ command: "KEY_REFRESH", status: "DONE", keyId: 2 });
			expect(world.ue.session?.context.parameters.keyId).toBe(2);
		});

	test("Manage EMSDP Keys: the server has the key that the device has, and there is a record", async () => {
		const world = await World.make();
		world.connect();
		const { status, body, headers } = await world.best("POST", `${world.sessionPath}/keys/eas-key`);
		expect([status, body.keyId, body.easId]).toEqual([200, 1, "eas.example"]);
		expect(headers.get("cache-control")).toBe("no-store");
		const key = world.ue.session?.easKey();
		expect(key).toHaveLength(32);
		expect(new Uint8Array(Buffer.from(body.key, "base64"))).toEqual(key);
		expect(world.records).toEqual([
			{
				event: "EAS key given out",
				applicationServer: "meters",
				sessionId: body.sessionId,
				keyId: 1,
				easId: "eas.example",
				externalId: UE,
				policy: "allow",
			},
		]);
	});
});
