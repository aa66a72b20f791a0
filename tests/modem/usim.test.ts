import { describe, expect, test } from "@jest/globals";
import { encodeImsi } from "../../firmware/emsdp/imsi.js";
import { makeVector, SQN_STEP } from "../../firmware/keys/aka.js";
import { Milenage } from "../../firmware/keys/milenage.js";
import { findUsimAid, readAuthentication } from "../../firmware/modem/apdu.js";
import { SoftUsim } from "../../firmware/platform/common/soft-usim.js";
import type { AuthenticationResult } from "../../firmware/ports/usim.js";
import { loadKernel } from "../../host-tools/kernel.js";
import { MemoryStore, SeededRandom } from "../support/pair.js";
import { type CardOptions, ScriptedCard } from "./scripted-card.js";
import { World, type WorldOptions } from "./world.js";

const IMSI = "001010123456789";

function subscription() {
	const random = new SeededRandom(5);
	const functions = new Milenage(loadKernel(), random.octets(16), random.octets(16));
	const usim = new SoftUsim(functions, new Uint8Array(8), new MemoryStore());
	const vector = (sqn = SQN_STEP) => makeVector(functions, random.octets(16), sqn, Uint8Array.of(0x80, 0));
	return { usim, vector };
}

function worldWithCard(world: Partial<WorldOptions> = {}, card: Partial<CardOptions> = {}) {
	const { usim, vector } = subscription();
	const scripted = new ScriptedCard({ imsi: IMSI, usim, ...card });
	return {
		world: new World({ family: "quectel", usim: "csim", imsi: IMSI, card: scripted, ...world }),
		card: scripted,
		vector,
	};
}

function imsiOf(world: World): Uint8Array | undefined {
	let given: { imsi: Uint8Array | undefined } | undefined;
	world.attached.readImsi((imsi) => {
		given = { imsi };
	});
	world.time.until(() => given !== undefined);
	return given?.imsi;
}

function authenticate(world: World, { rand, autn }: { rand: Uint8Array; autn: Uint8Array }): AuthenticationResult {
	let given: AuthenticationResult | undefined;
	world.attached.authenticate(rand, autn, (result) => {
		given = result;
	});
	world.time.until(() => given !== undefined);
	return given!;
}

describe.each(["csim", "cgla"])("a modem's USIM by %s", (usim) => {
	test("gives its IMSI, and no network is needed for that", () => {
		const { world, card } = worldWithCard({ usim, searches: Number.POSITIVE_INFINITY });
		expect(imsiOf(world)).toEqual(encodeImsi(IMSI));
		expect(world.modem.commands).not.toContain("AT+CIMI");
		expect(card.openChannels).toBe(1);
	});

	test("where EF_IMSI cannot be read, the modem's own +CIMI is asked", () => {
		const { world } = worldWithCard({ usim }, { imsiStatus: 0x6982 });
		expect(imsiOf(world)).toEqual(encodeImsi(IMSI));
		expect(world.modem.commands).toContain("AT+CIMI");
	});

	test("where neither gives one, that is said", () => {
		const { world } = worldWithCard(
			{ usim, refuse: (command) => (command === "AT+CIMI" ? "ERROR" : undefined) },
			{ imsiStatus: 0x6982 },
		);
		expect(imsiOf(world)).toBeUndefined();
	});

	test.each([1, 2, 3, 4, 5])("answers AUTHENTICATE with RES, CK and IK: seed %i", (seed) => {
		const { world, vector } = worldWithCard({ usim, seed, isNoisy: true, usesBareSession: seed % 2 === 0 });
		const challenge = vector();
		const { xres, ck, ik } = challenge;
		expect(authenticate(world, challenge)).toEqual({ status: "success", res: xres, ck, ik });
	});

	test("tells a synchronisation failure with AUTS", () => {
		const { world, vector } = worldWithCard({ usim });
		const challenge = vector();
		expect(authenticate(world, challenge).status).toBe("success");
		const again = authenticate(world, challenge);
		expect(again.status).toBe("synchronisation failure");
		expect(again.status === "synchronisation failure" && again.auts).toHaveLength(14);
	});

	test("tells a MAC failure (98 62)", () => {
		const { world, vector } = worldWithCard({ usim });
		const { rand, autn } = vector();
		autn[15] ^= 1;
		expect(authenticate(world, { rand, autn })).toEqual({ status: "MAC failure" });
	});

	test.each([0x9864, 0x6985, 0x6f00, 0x9000])(
		"status words %i without a result: no answer, a line that says so",
		(words) => {
			const { world, vector } = worldWithCard({ usim }, { authenticateStatus: words });
			const { rand, autn } = vector();
			let results = 0;
			world.attached.authenticate(rand, autn, () => results++);
			world.time.until(() => world.lines.length > 0);
			world.time.pass(120_000);
			expect(results).toBe(0);
			expect(world.lines).toMatchObject([{ event: "modem failed", failure: "USIM" }]);
			// The port goes on working.
			expect(imsiOf(world)).toEqual(encodeImsi(IMSI));
		},
	);

	test("a challenge takes the place of one that is still running", () => {
		const { world, vector } = worldWithCard({ usim });
		const first = vector(SQN_STEP);
		const second = vector(2 * SQN_STEP);
		const results: AuthenticationResult[] = [];
		world.attached.authenticate(first.rand, first.autn, () => {
			throw new Error("the first one is out of date");
		});
		world.time.until(() => world.modem.commands.some((command) => command.includes("88008122")));
		world.attached.authenticate(second.rand, second.autn, (result) => results.push(result));
		world.time.until(() => results.length > 0);
		expect(results).toMatchObject([{ status: "success", res: second.xres }]);
	});
});

test("a card without logical channels is used on the basic one", () => {
	const { world, vector, card } = worldWithCard({}, { withoutChannels: true });
	const challenge = vector();
	expect(authenticate(world, challenge).status).toBe("success");
	expect(card.seen.filter((apdu) => apdu.startsWith("0070"))).toEqual(["0070000001"]);
});

test("EF_DIR names the USIM's AID, whatever stands before it", () => {
	const { card, world } = worldWithCard();
	expect(imsiOf(world)).toBeDefined();
	expect(card.seen.some((apdu) => apdu.endsWith("a0000000871002ffffffff8907090000"))).toBe(true);
});

describe("answers of a card, any octets", () => {
	const random = new SeededRandom(9);

	test("a result that is cut off, or whose lengths lie, is none", () => {
		const good = Uint8Array.from([0xdb, 8, ...random.octets(8), 16, ...random.octets(16), 16, ...random.octets(16)]);
		expect(readAuthentication(good, good.length, 0x9000)?.status).toBe("success");
		for (let length = 0; length < good.length; length++)
			expect(readAuthentication(good.slice(0, length), length, 0x9000)).toBeUndefined();
		for (const [at, value] of [
			[0, 0xdc],
			[1, 9],
			[1, 3],
			[1, 17],
			[10, 15],
			[27, 15],
		]) {
			const bad = good.slice();
			bad[at] = value;
			expect(readAuthentication(bad, bad.length, 0x9000)).toBeUndefined();
		}
		expect(readAuthentication(good, good.length, 0x6985)).toBeUndefined();
	});

	test("EF_DIR of random octets neither throws nor hangs", () => {
		for (let i = 0; i < 2000; i++) {
			const octets = random.octets(random.next() % 80);
			for (let k = 0; k < octets.length; k++) if (octets[k] < 40) octets[k] = [0x61, 0x4f, 0][octets[k] % 3];
			findUsimAid(octets, octets.length);
		}
		expect(findUsimAid(Uint8Array.of(0x61, 0xff, 0x4f, 0xff), 4)).toBeUndefined();
	});
});
