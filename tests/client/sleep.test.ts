import { describe, expect, test } from "@jest/globals";
import { Outbox } from "../../firmware/client/outbox.js";
import { Session } from "../../firmware/client/session.js";
import { wakeSession } from "../../firmware/client/wake.js";
import { readHseConfiguration } from "../../firmware/emsdp/configuration.js";
import { AGREEMENT, ALGORITHM, DIRECTION, MODE, RELEASE, SERVICE, TAG } from "../../firmware/emsdp/profile.js";
import { SessionKeys } from "../../firmware/keys/session-keys.js";
import { RETAINED_OCTETS } from "../../firmware/ports/power.js";
import { loadKernel } from "../../host-tools/kernel.js";
import { offerOf } from "../../host-tools/provision/provision.js";
import { SeededRandom } from "../support/pair.js";
import { connected, octets, world } from "./world.js";

function asleep(snapshot: Uint8Array | undefined): Uint8Array {
	if (snapshot === undefined) throw new Error("the client could not be put to sleep");
	expect(snapshot.length).toBeLessThanOrEqual(RETAINED_OCTETS);
	return snapshot;
}

describe("deep sleep", () => {
	test("wake, one uplink, sleep: no message more, no write, no question to the USIM", async () => {
		const { client, store, state, reboot } = await connected();
		await client.send(octets("0"));
		let awake = client;
		store.writes.length = 0;
		const usimReads = state.usimReads;
		for (let i = 1; i <= 50; i++) {
			const snapshot = asleep(awake.snapshot());
			awake = reboot(snapshot);
			await awake.start();
			await awake.send(octets(String(i)));
		}
		expect(state.uplinks).toEqual(Array.from({ length: 51 }, (_, i) => String(i)));
		expect(state.datagrams).toBe(2 + 51);
		expect(store.writes).toEqual([]);
		expect(state.usimReads).toBe(usimReads);
	});

	test("a block of COUNTs that is used up is reserved anew", async () => {
		const { client, store, reboot } = await connected();
		let awake = client;
		for (let i = 0; i < 70; i++) {
			awake = reboot(asleep(awake.snapshot()));
			await awake.start();
			await awake.send(octets("reading"));
		}
		expect(store.writes.filter((key) => key === "session")).toHaveLength(2);
	});

	test("downlinks, refresh and termination go on after it", async () => {
		const { client, answer, pump, reboot, events, hse } = await connected();
		answer("first");
		pump();
		const awake = reboot(asleep(client.snapshot()));
		await awake.start();
		const downlinks: string[] = [];
		awake.onDownlink = (payload) => downlinks.push(new TextDecoder().decode(payload));
		answer("second");
		pump();
		expect(downlinks).toEqual(["second"]);
		const refreshed = awake.refreshKeys();
		pump();
		await refreshed;
		const stopped = awake.stop();
		pump();
		await stopped;
		expect(events.map(({ kind }) => kind)).toContain("session over");
		expect(hse.sessionOf("001010000000001")).toBeUndefined();
	});

	test("a downlink that was taken before is not taken again after it", async () => {
		const { client, state, pump, answer, reboot, inbox, events } = await connected();
		answer("once");
		const replayed = inbox[0].slice();
		pump();
		const awake = reboot(asleep(client.snapshot()));
		await awake.start();
		inbox.push(replayed);
		pump();
		expect(events.filter(({ kind }) => kind === "downlink")).toHaveLength(1);
		await awake.send(octets("alive"));
		expect(state.uplinks).toEqual(["alive"]);
	});

	test("K_EAS_PSK is the same before and after", async () => {
		const { client, reboot } = await connected();
		const before = client.easKey();
		const awake = reboot(asleep(client.snapshot()));
		await awake.start();
		expect(awake.easKey()).toEqual(before);
	});

	test("a client that was put to sleep does nothing any more", async () => {
		const { client, clock } = await connected();
		asleep(client.snapshot());
		expect(client.snapshot()).toBeUndefined();
		expect(clock.deadline).toBeUndefined();
		await expect(client.send(octets("late"))).rejects.toMatchObject({ code: "state" });
		await expect(client.start()).rejects.toMatchObject({ code: "state" });
		expect(() => client.easKey()).toThrow("There is no session");
	});

	test("the snapshot that was given is erased", async () => {
		const { client, reboot } = await connected();
		const snapshot = asleep(client.snapshot());
		await reboot(snapshot).start();
		expect(snapshot.every((octet) => octet === 0)).toBe(true);
	});

	test("without its snapshot the device resumes from the store", async () => {
		const { client, reboot, pump, events, state } = await connected();
		await client.send(octets("before"));
		client.snapshot();
		for (const lost of [undefined, new Uint8Array(124), new Uint8Array(5)]) {
			const awake = reboot(lost);
			const started = awake.start();
			pump();
			await started;
		}
		expect(events.filter(({ kind }) => kind === "session resumed")).toHaveLength(3);
		expect(state.uplinks).toEqual(["before"]);
	});

	test("no sleep while something is under way", async () => {
		const { client, pump, terminate } = await connected();
		const refreshed = client.refreshKeys();
		expect(client.snapshot()).toBeUndefined();
		pump();
		await refreshed;
		// The old keys still verify what is on its way.
		expect(client.snapshot()).toBeUndefined();
		terminate();
		pump();
		expect(client.snapshot()).toBeUndefined();
		const { client: idle } = world();
		expect(idle.snapshot()).toBeUndefined();
		const starting = idle.start();
		expect(idle.snapshot()).toBeUndefined();
		starting.catch(() => {});
	});
});

test.each([MODE.ueToHse, MODE.ueToEas])("in mode %i a session that slept sends what its twin sends", (mode) => {
	const random = new SeededRandom(99);
	const kernel = loadKernel();
	const configuration = {
		...readHseConfiguration(new Uint8Array(14), 0),
		release: RELEASE,
		agreement: AGREEMENT.epsAka,
		encryption: ALGORITHM.aes,
		integrity: ALGORITHM.aes,
		macLength: 4,
		service: SERVICE.confidential,
		mode,
		keyId: 3,
		largestMessage: 1232,
	};
	const baseKey = random.octets(32);
	const imsi = random.octets(8);
	const easId = octets("eas.example");
	const make = () => {
		const options = {
			kernel,
			random: new SeededRandom(5),
			identity: { tag: TAG.imsi, value: imsi },
			sharedKey: undefined,
			offer: offerOf(AGREEMENT.epsAka, SERVICE.confidential),
			easId,
			servingNetwork: new Uint8Array(0),
			retransmission: { firstAfter: 2000, times: 4 },
			longestBackOff: 60,
		};
		const parameters = { ...configuration, sessionId: 77 };
		const keys = new SessionKeys(kernel, parameters, baseKey.slice(), easId, DIRECTION.fromUe);
		const outbox = new Outbox(kernel);
		return { options, outbox, session: new Session(options, outbox, keys, configuration) };
	};
	const sent = (outbox: Outbox) => kernel.message.slice(0, outbox.takeDatagram());
	const twin = make();
	const { options, outbox, session } = make();
	for (const one of [twin.session, session]) one.send(octets("before"));
	twin.outbox.takeDatagram();
	const snapshot = session.snapshot(imsi);
	if (snapshot === undefined) throw new Error("no snapshot");
	session.erase();
	const awake = wakeSession(snapshot, options, outbox);
	if (awake === undefined) throw new Error("not awake");
	awake.send(octets("after"));
	const after = sent(outbox);
	twin.session.send(octets("after"));
	expect(after).toEqual(sent(twin.outbox));
	awake.stop(0);
	const stop = sent(outbox);
	twin.session.stop(0);
	expect(stop).toEqual(sent(twin.outbox));
	expect(awake.easKey()).toEqual(twin.session.easKey());
});
