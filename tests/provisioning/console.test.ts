import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { encodeIdentity } from "../../firmware/client/identity.js";
import { checkValues } from "../../firmware/provisioning/check-value.js";
import { Console } from "../../firmware/provisioning/console.js";
import { LONGEST_FRAME, writeFrame } from "../../firmware/provisioning/frame.js";
import { REFUSAL } from "../../firmware/provisioning/protocol.js";
import { toHex } from "../../host-tools/hex.js";
import { writeIdentity } from "../../host-tools/provision/write-identity.js";
import { octets, seeded } from "../emsdp/arbitraries.js";
import { MemoryStore, SeededRandom } from "../support/pair.js";
import { isUsable, kernel, newIdentity, newWorld, type World } from "./support.js";

const PATIENCE = { interval: 5, times: 3 };

function provision({ line }: World, fill = 1, isRight: (fingerprint: string) => boolean = () => true) {
	return writeIdentity({ line, kernel, identity: newIdentity(fill), isRight, patience: PATIENCE });
}

const record = (fill = 1) => toHex(encodeIdentity(newIdentity(fill)));
const stored = (store: MemoryStore) => toHex(store.read("identity") ?? new Uint8Array(0));

/** A frame of these contents, CRC and all. */
function frameOf(contents: Uint8Array): Uint8Array {
	const out = new Uint8Array(LONGEST_FRAME);
	const room = new Uint8Array(contents.length + 2);
	room.set(contents);
	return out.slice(0, writeFrame(out, room, contents.length));
}

describe("provisioning over a line", () => {
	test("the device has the identity, and nothing secret was on the line", async () => {
		const world = newWorld();
		const fingerprint = await provision(world);
		expect(fingerprint).toBe(world.console.fingerprint);
		expect(fingerprint).toMatch(/^([0-9a-f]{4}-){4}[0-9a-f]{4}$/);
		expect(stored(world.store)).toBe(record());
		expect(world.console.isProvisioned).toBe(true);
		expect([...world.store.values.keys()]).toEqual(["identity"]);
		const heard = toHex(Uint8Array.from(world.heard.flatMap((part) => [...part])));
		for (const part of [0, 16]) expect(heard).not.toContain(toHex(newIdentity().credentials.subarray(part, part + 4)));
		expect(heard).not.toContain(toHex(newIdentity().easId));
	});

	test("the answer proves what was written", async () => {
		const { client } = newWorld();
		await client.identify();
		await client.agree();
		const values = await client.write(encodeIdentity(newIdentity()));
		expect(toHex(values)).toBe(toHex(checkValues(kernel, newIdentity().credentials)));
	});

	test("a wrong fingerprint: nothing secret leaves the laptop, the device stays as it is", async () => {
		const world = newWorld();
		await expect(provision(world, 1, () => false)).rejects.toMatchObject({ code: "not authentic" });
		expect(world.store.values.has("identity")).toBe(false);
		expect(world.heard.length).toBe(2);
	});

	test("the fingerprint stays the same over a power cut, and is another one afterwards", async () => {
		const { store, console: first } = newWorld();
		const second = newWorld(store);
		expect(second.console.fingerprint).toBe(first.fingerprint);
		await provision(second);
		const random = new SeededRandom(99);
		const third = new Console({ kernel, random, store, isOpen: true, isUsable });
		expect(third.fingerprint).not.toBe(first.fingerprint);
	});

	test("a provisioned device refuses, and keeps what it has", async () => {
		const first = newWorld();
		await provision(first);
		for (const world of [first, newWorld(first.store)]) {
			await expect(provision(world, 5)).rejects.toMatchObject({ code: "provisioned already" });
			expect(stored(world.store)).toBe(record());
		}
		expect(newWorld(first.store).console.fingerprint).toBeUndefined();
	});

	test("after a physical action it takes another identity: the old session and SQNs are gone", async () => {
		const { store } = newWorld();
		store.write("identity", encodeIdentity(newIdentity()));
		store.write("session", Uint8Array.of(1));
		store.write("sqn", Uint8Array.of(2));
		await provision(newWorld(store, true), 5);
		expect(stored(store)).toBe(record(5));
		expect([...store.values.keys()]).toEqual(["identity"]);
	});

	test("under the same keys the SQNs that were taken stay taken", async () => {
		const { store } = newWorld();
		store.write("identity", encodeIdentity(newIdentity()));
		store.write("sqn", Uint8Array.of(2));
		await provision(newWorld(store, true));
		expect([...store.values.keys()].sort()).toEqual(["identity", "sqn"]);
	});

	test("power is cut at any access of the store: the old or the new identity is there, whole", async () => {
		const outcomes = new Set<string>();
		for (let cutAt = 0; cutAt < 12; cutAt++) {
			const { store } = newWorld();
			store.write("identity", encodeIdentity(newIdentity()));
			store.write("session", Uint8Array.of(1));
			store.write("sqn", Uint8Array.of(2));
			const world = newWorld(store, true);
			let accesses = 0;
			for (const name of ["read", "write", "delete"] as const) {
				const access = MemoryStore.prototype[name] as (...given: unknown[]) => unknown;
				Object.assign(store, {
					[name]: (...given: unknown[]) => {
						if (accesses++ >= cutAt) throw new Error("power cut");
						return access.apply(store, given);
					},
				});
			}
			const done = await provision(world, 5).then(
				() => "done",
				(error) => error.code,
			);
			const has = toHex(store.values.get("identity") ?? new Uint8Array(0));
			expect([record(), record(5)]).toContain(has);
			// A session never meets the keys of another identity.
			if (has === record(5)) expect(store.values.has("session")).toBe(false);
			if (done === "done") expect(has).toBe(record(5));
			outcomes.add(`${done} ${has === record(5) ? "new" : "old"}`);
		}
		expect([...outcomes].sort()).toEqual(["done new", "refused new", "refused old"]);
	});

	test("unplugged at any octet to the device: it has nothing, and the next attempt works", async () => {
		const total = await lengthOfConversation();
		for (let cutAt = 1; cutAt < total; cutAt += 7) {
			const world = newWorld();
			let passed = 0;
			world.toDevice = (given) => {
				const left = Math.max(0, cutAt - passed);
				passed += given.length;
				if (left < given.length) world.line.unplug();
				return given.subarray(0, left);
			};
			await expect(provision(world)).rejects.toMatchObject({ code: "line gone" });
			expect(world.store.values.has("identity")).toBe(false);
			await provision(newWorld(world.store), 5);
			expect(stored(world.store)).toBe(record(5));
		}
	});

	test("unplugged before the last answer: the laptop knows that the device may have it, and it has", async () => {
		const world = newWorld();
		let answers = 0;
		world.toLaptop = (given) => {
			if (++answers === 3) world.line.unplug();
			return given;
		};
		let isHandedOver = false;
		const options = { line: world.line, kernel, identity: newIdentity(), patience: PATIENCE };
		const attempt = writeIdentity({
			...options,
			isRight: () => true,
			onHandOver: () => {
				isHandedOver = true;
			},
		});
		await expect(attempt).rejects.toMatchObject({ code: "line gone" });
		expect(isHandedOver).toBe(true);
		expect(stored(world.store)).toBe(record());
		await expect(provision(newWorld(world.store), 5)).rejects.toMatchObject({ code: "provisioned already" });
	});

	test("an answer that is lost comes again, and nothing happens twice", async () => {
		const world = newWorld();
		let answers = 0;
		world.toLaptop = (given) => (answers++ % 2 === 0 ? given.subarray(0, 5) : given);
		await provision(world);
		expect(answers).toBe(6);
		expect(world.store.writes.filter((key) => key === "identity")).toHaveLength(1);
	});

	test("a device that does not answer", async () => {
		const world = newWorld();
		world.toDevice = () => new Uint8Array(0);
		await expect(provision(world)).rejects.toMatchObject({ code: "no answer" });
	});

	test("garbage on the line, both ways", async () => {
		const world = newWorld();
		const random = new SeededRandom(3);
		const noise = () => random.octets(random.next() % 40);
		world.toDevice = (given) => Uint8Array.of(...noise(), ...given, ...noise());
		world.toLaptop = (given) => Uint8Array.of(...noise(), ...given, ...noise());
		await provision(world);
		expect(stored(world.store)).toBe(record());
	});

	test("a line that echoes", async () => {
		const world = newWorld();
		world.toLaptop = (given) => {
			for (const octet of given) expect(world.console.take(octet)).toBe(0);
			return given;
		};
		await provision(world);
		expect(stored(world.store)).toBe(record());
	});

	test("somebody in the middle with a key of their own is found out, before and after", async () => {
		const middle = newWorld();
		const device = newWorld(new MemoryStore());
		// The middle answers in the device's name: what the person compares is the middle's fingerprint.
		await expect(
			provision(middle, 1, (fingerprint) => fingerprint === "0000-0000-0000-0000-0000"),
		).rejects.toMatchObject({ code: "not authentic" });
		// Or passes the device's public key on and then makes up the rest.
		device.toLaptop = (given) =>
			given.length > 30 ? given : frameOf(Uint8Array.of(1, 0x82, 0, 1, 2, 3, 4, 5, 6, 7, 8));
		await expect(provision(device)).rejects.toMatchObject({ code: expect.stringMatching(/not authentic|no answer/) });
		expect(device.store.values.has("identity")).toBe(false);
	});

	test("an identity that the firmware cannot use is refused", async () => {
		const { client, store } = newWorld();
		await client.identify();
		await client.agree();
		const bad = encodeIdentity(newIdentity());
		bad[1] = 0x55;
		await expect(client.write(bad)).rejects.toMatchObject({ code: "refused" });
		expect(store.values.has("identity")).toBe(false);
	});
});

/** Octets that a laptop sends in one conversation. */
async function lengthOfConversation(): Promise<number> {
	const world = newWorld();
	let sum = 0;
	world.toDevice = (given) => {
		sum += given.length;
		return given;
	};
	await provision(world);
	return sum;
}

/** What a console says to contents. */
function say(console: Console, contents: Uint8Array): Uint8Array {
	let answer = new Uint8Array(0);
	for (const octet of frameOf(contents)) {
		const length = console.take(octet);
		if (length > 0) answer = console.output.slice(0, length);
	}
	return answer;
}

describe("requests that are wrong", () => {
	test.each([
		["another version", [2, 1, 0], 1],
		["an unknown kind", [1, 0x44, 0], 2],
		["an identify with a body", [1, 1, 0, 0], 3],
		["an agree without a key", [1, 2, 0], 3],
		["a write before keys are agreed", [1, 3, 0, ...new Array(20).fill(1)], 5],
		["a public key of low order", [1, 2, 0, ...new Array(32).fill(0)], 6],
	])("%s", (_, contents, why) => {
		const { console } = newWorld();
		expect(toHex(say(console, Uint8Array.from(contents)))).toBe(
			toHex(frameOf(Uint8Array.of(1, REFUSAL, contents[2], why))),
		);
	});

	test("a write whose MAC is wrong ends the conversation", async () => {
		const world = newWorld();
		await world.client.identify();
		await world.client.agree();
		expect(say(world.console, Uint8Array.of(1, 3, 0, ...new Array(80).fill(1)))).toEqual(
			frameOf(Uint8Array.of(1, REFUSAL, 0, 7)),
		);
		await expect(world.client.write(encodeIdentity(newIdentity()))).rejects.toMatchObject({ code: "refused" });
		expect(world.store.values.has("identity")).toBe(false);
	});
});

describe("any octets", () => {
	const request = fc
		.tuple(fc.constantFrom(0, 1, 2), fc.constantFrom(0, 1, 2, 3, 4, 0x81, 0xff), octets(1), octets(0, 90))
		.map(([version, kind, tag, body]) => frameOf(Uint8Array.of(version, kind, ...tag, ...body)));

	test("nothing is thrown, nothing is written, answers are short and no more than frames", () => {
		const store = new MemoryStore();
		const console = new Console({ kernel, random: new SeededRandom(7), store, isOpen: true, isUsable });
		fc.assert(
			fc.property(fc.array(fc.oneof(octets(0, 600), request), { maxLength: 3 }), (parts) => {
				const line = Uint8Array.from(parts.flatMap((part) => [...part]));
				let answers = 0;
				for (const octet of line) {
					const length = console.take(octet);
					expect(length).toBeLessThan(80);
					if (length > 0) answers++;
				}
				expect(answers).toBeLessThanOrEqual(line.filter((octet) => octet === 0).length);
				expect([...store.values.keys()]).toEqual(["console"]);
			}),
			seeded(400),
		);
	});
});
