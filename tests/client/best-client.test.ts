import { describe, expect, test } from "@jest/globals";
import { ClientError } from "../../firmware/client/errors.js";
import { SESSION_KEY, unpackSession } from "../../firmware/client/packed-session.js";
import type { Ue } from "../../firmware/client/ue.js";
import { COUNT, SERVICE } from "../../firmware/emsdp/profile.js";
import { IMSI } from "../support/pair.js";
import { connected, octets, world } from "./world.js";

describe("BestClient", () => {
	test("start, send, a downlink, stop", async () => {
		const { client, state, answer, pump, events, hse } = await connected();
		const downlinks: string[] = [];
		client.onDownlink = (payload) => downlinks.push(new TextDecoder().decode(payload));
		await client.send(octets("reading"));
		expect(state.uplinks).toEqual(["reading"]);
		answer("answer");
		pump();
		expect(downlinks).toEqual(["answer"]);
		const stopped = client.stop();
		pump();
		await stopped;
		expect(events.map(({ kind }) => kind)).toEqual(["session started", "downlink", "session over"]);
		expect(hse.sessionOf(IMSI)).toBeUndefined();
	});

	test("send() gives the same promise for every message", async () => {
		const { client } = await connected();
		expect(client.send(octets("a"))).toBe(client.send(octets("b")));
	});

	test("a downlink handler may send at once", async () => {
		const { client, state, answer, pump } = await connected();
		client.onDownlink = (payload) => void client.send(payload);
		answer("echo");
		pump();
		expect(state.uplinks).toEqual(["echo"]);
	});

	test("payloads sent before the session is there are held, in order, and copied", async () => {
		const { client, state, pump } = world();
		const started = client.start();
		const payload = octets("first");
		const sent = [client.send(payload), client.send(octets("second"))];
		payload.fill(0);
		expect(state.uplinks).toEqual([]);
		pump();
		await Promise.all([started, ...sent]);
		expect(state.uplinks).toEqual(["first", "second"]);
	});

	test("a ninth payload without a session is refused", async () => {
		const { client, state } = world();
		state.isUp = false;
		client.start().catch(() => {});
		for (let i = 0; i < 8; i++) client.send(octets(String(i))).catch(() => {});
		await expect(client.send(octets("8"))).rejects.toMatchObject({ name: "ClientError", code: "state" });
	});

	test("nobody answers: start() and what was held fail with the reason", async () => {
		const { client, clock, state } = world();
		state.isUp = false;
		const started = client.start();
		const sent = client.send(octets("reading"));
		for (let i = 0; i < 5; i++) clock.ring();
		await expect(started).rejects.toMatchObject({
			code: "attempt",
			message: "No session came about: nobody answered.",
		});
		await expect(sent).rejects.toMatchObject({ code: "attempt" });
		expect(clock.deadline).toBeUndefined();
	});

	test("after a failed attempt start() can be called again", async () => {
		const { client, clock, state, pump } = world();
		state.isUp = false;
		const failed = client.start();
		for (let i = 0; i < 5; i++) clock.ring();
		await expect(failed).rejects.toBeInstanceOf(ClientError);
		state.isUp = true;
		const started = client.start();
		pump();
		await started;
		await client.send(octets("at last"));
		expect(state.uplinks).toEqual(["at last"]);
	});

	test("with a retry policy attempts begin again, after doubling waits, and what was held goes out", async () => {
		const { client, clock, state, pump } = world(SERVICE.confidential, { first: 60_000, longest: 100_000 });
		state.isUp = false;
		const started = client.start();
		const sent = client.send(octets("reading"));
		const waits: number[] = [];
		for (let attempt = 0; attempt < 3; attempt++) {
			for (let i = 0; i < 5; i++) clock.ring();
			waits.push(Math.round((clock.deadline ?? 0) - clock.time));
			clock.ring();
		}
		expect(waits).toEqual([60_000, 100_000, 100_000]);
		for (let i = 0; i < 5; i++) clock.ring();
		state.isUp = true;
		clock.ring();
		pump();
		await Promise.all([started, sent]);
		expect(state.uplinks).toEqual(["reading"]);
	});

	test("a session is renewed before its lifetime is over; where that fails the retry comes first, and data go on", async () => {
		const retry = { first: 10_000, longest: 100_000 };
		const { client, clock, state, events, pump } = await connected(undefined, retry, { lifetime: 3600 });
		expect(clock.deadline).toBe(3_150_000);
		state.isUp = false;
		clock.ring();
		for (let i = 0; i < 5; i++) clock.ring();
		// The session itself would try again later than the retry policy.
		expect(Math.round((clock.deadline ?? 0) - clock.time)).toBe(10_000);
		state.isUp = true;
		await client.send(octets("in the old session"));
		clock.ring();
		pump();
		expect(events.filter(({ kind }) => kind === "session started")).toHaveLength(2);
		await client.send(octets("in the new one"));
		expect(state.uplinks).toEqual(["in the old session", "in the new one"]);
	});

	test.each(["uplink", "downlink"])(
		"the %s that wakes the radio takes the renewal of the session along",
		async (message) => {
			const { client, clock, hse, events, pump, answer } = await connected(undefined, undefined, { lifetime: 3600 });
			const hardLimit = clock.deadline;
			clock.time = 2_700_000;
			expect(hse.sessionOf(IMSI)).toBeDefined();
			if (message === "uplink") await client.send(octets("reading"));
			else answer("what to do");
			pump();
			expect(events.filter(({ kind }) => kind === "session started")).toHaveLength(2);
			expect(hardLimit).toBe(3_150_000);
			expect(clock.deadline).toBe(2_700_000 + 3_150_000);
		},
	);

	test("an application is told whether it need not encipher by itself", async () => {
		const { client } = world();
		expect(client.isConfidential).toBe(false);
		expect((await connected()).client.isConfidential).toBe(true);
		expect((await connected(SERVICE.integrity)).client.isConfidential).toBe(false);
		const { client: sleeper } = await connected();
		sleeper.snapshot();
		expect(sleeper.isConfidential).toBe(false);
	});

	test("a message that reaches rekeyAt brings new keys, without a call for them", async () => {
		const { client, clock, hse, state, events, pump } = await connected();
		const ue: Ue = Reflect.get(client, "ue");
		const user = ue.session?.context.user;
		if (user === undefined) throw new Error("no session");
		user.next = COUNT.rekeyAt - 1;
		hse.sessionOf(IMSI)?.context.user.received.raise(COUNT.rekeyAt - 2);
		await client.send(octets("the last before"));
		pump();
		expect(clock.deadline).not.toBe(clock.time);
		expect(events.at(-1)).toEqual({ kind: "new keys", keyId: 2 });
		await client.send(octets("the first after"));
		expect(state.uplinks).toEqual(["the last before", "the first after"]);
	});

	test("stop() ends the retries", async () => {
		const { client, clock, state } = world(SERVICE.confidential, { first: 60_000, longest: 100_000 });
		state.isUp = false;
		const started = client.start();
		for (let i = 0; i < 5; i++) clock.ring();
		await client.stop();
		await expect(started).rejects.toMatchObject({ code: "attempt" });
		expect(clock.deadline).toBeUndefined();
	});

	test("the HSE ends the session: the next send() agrees a new one and goes out in it", async () => {
		const { client, state, terminate, pump, events } = await connected();
		terminate();
		pump();
		expect(events.at(-1)).toMatchObject({ kind: "session over", by: "HSE" });
		const sent = client.send(octets("in a new session"));
		pump();
		await sent;
		expect(state.uplinks).toEqual(["in a new session"]);
	});

	test("after a power cut start() goes on with the session that the store holds", async () => {
		const { client, state, pump, reboot, events } = await connected();
		await client.send(octets("before"));
		const again = reboot();
		const started = again.start();
		const held = again.send(octets("held until the resume"));
		pump();
		await Promise.all([started, held]);
		expect(state.uplinks).toEqual(["before", "held until the resume"]);
		expect(events.map(({ kind }) => kind)).toEqual(["session started", "session resumed"]);
	});

	test("refreshKeys() changes K_EAS_PSK, and the session goes on", async () => {
		const { client, state, pump } = await connected();
		const before = client.easKey();
		const refreshed = client.refreshKeys();
		pump();
		await refreshed;
		expect(client.easKey()).not.toEqual(before);
		await client.send(octets("under new keys"));
		expect(state.uplinks).toEqual(["under new keys"]);
	});

	test("refreshKeys() fails where the HSE does not answer, and the session goes on", async () => {
		const { client, state, clock } = await connected();
		state.isUp = false;
		const refreshed = client.refreshKeys();
		for (let i = 0; i < 5; i++) clock.ring();
		await expect(refreshed).rejects.toMatchObject({
			code: "attempt",
			message: "No new keys came about: nobody answered.",
		});
		state.isUp = true;
		await client.send(octets("goes on"));
		expect(state.uplinks).toEqual(["goes on"]);
	});

	test("a block of COUNTs that cannot be stored is not used: nothing goes out until it can be", async () => {
		const { client, state, store, answer, pump } = await connected();
		for (let i = 0; i < 64; i++) await client.send(octets(`${i}`));
		store.powerIsCut = true;
		await expect(client.send(octets("unsafe"))).rejects.toThrow("power cut");
		await expect(client.send(octets("still unsafe"))).rejects.toThrow("power cut");
		expect(state.uplinks).toHaveLength(64);
		store.powerIsCut = false;
		// What is received meanwhile does not bring the lost datagram back.
		answer("answer");
		pump();
		expect(state.uplinks).toHaveLength(64);
		await client.send(octets("safe again"));
		expect(state.uplinks.at(-1)).toBe("safe again");
		expect(unpackSession(store.read(SESSION_KEY) as Uint8Array)?.userNext).toBeGreaterThan(66);
	});

	test("calls that do not fit the state say so", async () => {
		const { client } = world();
		const state = { code: "state" };
		await expect(client.send(octets("too early"))).rejects.toMatchObject(state);
		await expect(client.stop()).rejects.toMatchObject(state);
		expect(() => client.easKey()).toThrow(/call start\(\) first/);
		const started = client.start();
		await expect(client.start()).rejects.toMatchObject(state);
		await client.stop();
		await expect(started).rejects.toMatchObject({ message: "The client was stopped." });
	});

	test("a payload that is too long is refused and uses no COUNT", async () => {
		const { client, state } = await connected();
		await expect(client.send(new Uint8Array(2000))).rejects.toMatchObject({ code: "too-long" });
		await client.send(octets("goes on"));
		expect(state.uplinks).toEqual(["goes on"]);
	});

	test("easKey() gives 32 octets, a fresh copy each time", async () => {
		const { client } = await connected();
		const key = client.easKey();
		expect(key).toHaveLength(32);
		key.fill(0);
		expect(client.easKey().some((octet) => octet !== 0)).toBe(true);
	});
});
