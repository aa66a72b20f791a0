import { describe, expect, test } from "@jest/globals";
import { BestClient } from "../../firmware/client/best-client.js";
import { AGREEMENT, SERVICE } from "../../firmware/emsdp/profile.js";
import { plmnForm } from "../../firmware/emsdp/serving-network.js";
import { SQN_STEP } from "../../firmware/keys/aka.js";
import { offerOf } from "../../host-tools/provision/provision.js";
import { IMSI, MemoryStore, Pair, type PairOptions } from "../support/pair.js";
import { ScriptedCard } from "./scripted-card.js";
import type { Family } from "./scripted-modem.js";
import { World, type WorldOptions } from "./world.js";

const LATENCY = 100;
const octets = (text: string) => new TextEncoder().encode(text);

/** A client whose datagrams and whose AKA go through a scripted modem, and an HSE in the network behind it. */
function deviceWithModem(options: Omit<WorldOptions, "card">, pairOptions: PairOptions = {}) {
	const pair = new Pair({ agreement: AGREEMENT.epsAka, seed: options.seed ?? 1, ...pairOptions });
	const card = new ScriptedCard({ imsi: IMSI, usim: pair.usim });
	const world = new World({
		usim: "csim",
		...options,
		card,
		onUplink: (datagram) => {
			world.time.later(LATENCY, () => {
				pair.now = world.time.now;
				pair.deliverToHse(datagram);
				forward();
			});
		},
	});
	const forward = () => {
		for (const datagram of pair.toUe.splice(0)) world.time.later(LATENCY, () => world.modem.downlink(datagram));
	};
	const events: string[] = [];
	const downlinks: string[] = [];
	const client = new BestClient({
		kernel: pair.kernel,
		datagram: world.attached.openDatagram("192.0.2.1", 33163),
		usim: world.attached,
		store: new MemoryStore(),
		clock: world.shared.share(),
		random: world.random,
		config: {
			offer: offerOf(pairOptions.agreement ?? AGREEMENT.epsAka, SERVICE.confidential),
			easId: octets("eas.example"),
			servingNetwork: plmnForm("001", "01"),
		},
		onEvent: (event) => events.push(event.kind),
	});
	client.onDownlink = (payload) => downlinks.push(new TextDecoder().decode(payload));
	const until = (event: string) => world.time.until(() => events.includes(event), event);
	return { pair, card, world, client, events, downlinks, forward, until };
}

const FAMILIES: readonly Family[] = ["quectel", "u-blox", "nordic", "non-ip"];
const WAYS = FAMILIES.flatMap((family) => ["csim", "cgla"].map((usim) => ({ family, usim })));

describe.each(WAYS)("a session over $family, its keys from the modem's USIM by $usim", ({ family, usim }) => {
	test.each([1, 2, 3, 4])("start, data both ways, new keys by AKA, end: seed %i", async (seed) => {
		const device = deviceWithModem({ family, usim, seed, isNoisy: seed > 1, alwaysEchoes: seed === 3, searches: 2 });
		const { client, world, pair, card, events, downlinks, forward } = device;
		const started = client.start();
		device.until("session started");
		await started;
		for (const text of ["one", "two", "three"]) {
			await client.send(octets(text));
			world.time.until(() => pair.uplinks.includes(text), text);
			pair.now = world.time.now;
			pair.answerUe(`to ${text}`);
			forward();
			world.time.until(() => downlinks.includes(`to ${text}`), `to ${text}`);
		}
		const refreshed = client.refreshKeys(1);
		device.until("new keys");
		await refreshed;
		await client.send(octets("four"));
		world.time.until(() => pair.uplinks.includes("four"), "four");
		const stopped = client.stop();
		device.until("session over");
		await stopped;
		expect(pair.uplinks).toEqual(["one", "two", "three", "four"]);
		expect(downlinks).toEqual(["to one", "to two", "to three"]);
		expect(events.filter((event) => event !== "downlink")).toEqual(["session started", "new keys", "session over"]);
		// No channel is left open, and the USIM ran once for each challenge.
		world.time.pass(10_000);
		expect(card.openChannels).toBe(1);
		expect(card.seen.filter((apdu) => apdu.slice(2, 8) === "880081")).toHaveLength(2);
	});

	test("an SQN out of range is put right by AUTS", async () => {
		const { client, until, card } = deviceWithModem({ family, usim }, { sqn: SQN_STEP, sqnMs: 1000 * SQN_STEP });
		const started = client.start();
		until("session started");
		await started;
		expect(card.seen.filter((apdu) => apdu.slice(2, 8) === "880081")).toHaveLength(2);
	});

	test("a challenge that is not the network's own: MAC failure, and no session", async () => {
		const { client, world, events } = deviceWithModem({ family, usim }, { wrongK: true });
		const started = client.start();
		world.time.until(() => events.includes("attempt over"));
		await expect(started).rejects.toMatchObject({ code: "attempt" });
	});
});
