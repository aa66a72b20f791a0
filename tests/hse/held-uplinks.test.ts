import { describe, expect, test } from "@jest/globals";
import { encodeImsi } from "../../firmware/emsdp/imsi";
import type { HseEvent } from "../../host-tools/hse/events";
import { HeldUplinks } from "../../host-tools/hse/held-uplinks";
import { Uplink } from "../../host-tools/hse/uplink";
import { SeededRandom } from "../support/seeded-random";

const IMSI = "001010000000001";

function uplinkOf(sessionId: number, count: number, payload: Uint8Array): Uplink {
	// Somewhere in a longer buffer, as in the kernel's.
	const octets = new Uint8Array(payload.length + 9);
	octets.set(payload, 6);
	const uplink = new Uplink(octets);
	uplink.sessionId = sessionId;
	uplink.count = count;
	uplink.start = 6;
	uplink.end = 6 + payload.length;
	uplink.imsi.set(encodeImsi(IMSI) ?? []);
	return uplink;
}

describe("uplinks that are held", () => {
	test("come out as they went in, however many and long they are, also after a clear", () => {
		const random = new SeededRandom(7);
		const held = new HeldUplinks();
		for (let round = 0; round < 3; round++) {
			const expected: HseEvent[] = [];
			for (let i = 0; i < 1000; i++) {
				const payload = random.octets(random.next() % (i % 100 === 0 ? 1226 : 80));
				const uplink = uplinkOf(0xffffffff - i, random.next(), payload);
				held.add(uplink, i >> 3);
				expected.push(uplink.toEvent());
			}
			expect(held.length).toBe(1000);
			expect(expected.map((_, i) => held.at(i).toEvent())).toEqual(expected);
			expect(expected.map((_, i) => held.eventsBefore(i))).toEqual(expected.map((_, i) => i >> 3));
			held.clear();
			expect(held.length).toBe(0);
		}
	});

	test("payloads are erased when they have been told of", () => {
		const held = new HeldUplinks();
		held.add(uplinkOf(1, 0, Uint8Array.of(1, 2, 3)), 0);
		const { octets, start, end } = held.at(0);
		held.clear();
		expect([...octets.subarray(start, end)]).toEqual([0, 0, 0]);
	});

	test("an event has copies: it outlives the uplink", () => {
		const uplink = uplinkOf(5, 6, Uint8Array.of(7));
		const event = uplink.toEvent();
		uplink.octets.fill(0);
		expect(event).toEqual({ kind: "uplink", imsi: IMSI, sessionId: 5, count: 6, payload: Uint8Array.of(7) });
	});
});
