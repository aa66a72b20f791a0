import { describe, expect, test } from "@jest/globals";
import type { Family } from "./scripted-modem.js";
import { World } from "./world.js";

const FAMILIES: readonly Family[] = ["quectel", "u-blox", "nordic", "non-ip"];
const SEEDS = Array.from({ length: 25 }, (_, i) => i + 1);

describe.each(FAMILIES)("datagrams over a %s modem", (family) => {
	test("both ways, what was sent before the modem was ready included", () => {
		const world = new World({ family, apn: "iot.test" });
		const { datagram, received } = world.open();
		datagram.write(Uint8Array.of(1, 2, 3), 3);
		datagram.write(Uint8Array.of(4), 1);
		world.time.until(() => world.uplinks.length === 2);
		expect(world.uplinks.map(({ datagram }) => datagram)).toEqual(["010203", "04"]);
		if (family !== "non-ip") expect(world.uplinks[0]).toMatchObject({ address: "192.0.2.1", port: 33163 });
		world.modem.downlink(Uint8Array.of(9, 0x0d, 0x0a, 8));
		world.modem.downlink(Uint8Array.of(7));
		world.time.until(() => received.length === 2);
		expect(received).toEqual(["090d0a08", "07"]);
		expect(world.lines).toEqual([{ event: "modem open" }]);
	});

	test.each(SEEDS)("lines cut anywhere, stray lines, echo: seed %i", (seed) => {
		const world = new World({ family, seed, isNoisy: true, alwaysEchoes: seed % 3 === 0, searches: seed % 4 });
		const { datagram, received } = world.open();
		const sent: string[] = [];
		const expected: string[] = [];
		for (let i = 0; i < 20; i++) {
			// Beyond 200 octets now and then, and always octets that look like lines.
			const octets = world.random.octets(i % 7 === 0 ? 1000 : 1 + (world.random.next() % 60));
			octets.set(Buffer.from("\r\nOK\r\n").subarray(0, octets.length));
			if (world.random.next() % 2 === 0) {
				datagram.write(octets, octets.length);
				sent.push(Buffer.from(octets).toString("hex"));
				world.time.until(() => world.uplinks.length === sent.length, "an uplink");
			} else if (sent.length > 0) {
				world.modem.downlink(octets);
				expected.push(Buffer.from(octets).toString("hex"));
				if (world.random.next() % 2 === 0) world.time.until(() => received.length === expected.length, "a downlink");
				// Non-IP data are pushed: two at once would meet in one line's time.
				if (family === "non-ip") world.time.until(() => received.length === expected.length, "a downlink");
			}
		}
		world.time.until(() => received.length === expected.length, "all downlinks");
		expect(world.uplinks.map(({ datagram }) => datagram)).toEqual(sent);
		expect(received).toEqual(expected);
	});

	test("a closed port sends and reads no more, and closes the socket", () => {
		const world = new World({ family });
		const { datagram, received } = world.open();
		world.time.until(() => world.lines.length === 1);
		datagram.close();
		datagram.close();
		datagram.write(Uint8Array.of(1), 1);
		world.time.pass(60_000);
		world.modem.downlink(Uint8Array.of(1));
		world.time.pass(60_000);
		expect(world.uplinks).toEqual([]);
		expect(received).toEqual([]);
		expect(world.modem.commands.at(-1)).toMatch(/QICLOSE=0|USOCL=3|XCLOSE=3|CRTDCP=0/);
	});
});
