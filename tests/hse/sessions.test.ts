import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { encodeImsi } from "../../firmware/emsdp/imsi.js";
import { AGREEMENT, MODE, SERVICE } from "../../firmware/emsdp/profile.js";
import { hseCoreFigures } from "../../host-tools/bench/hse-core.js";
import { Deadlines } from "../../host-tools/hse/deadlines.js";
import { RECORD_OCTETS, SessionRecord } from "../../host-tools/hse/session-record.js";
import { SessionTable } from "../../host-tools/hse/session-table.js";
import { ShortLived } from "../../host-tools/hse/short-lived.js";
import { SlotIndex } from "../../host-tools/hse/slot-index.js";
import { seeded } from "../emsdp/arbitraries.js";
import { flipped, IMSI, Pair } from "../support/pair.js";

/** Few keys, so that they collide and come back. */
const fewKeys = fc.array(fc.tuple(fc.boolean(), fc.nat({ max: 200 })), { maxLength: 400 });

describe("the index of the session table", () => {
	test("finds what was added and not removed, whatever the order", () => {
		fc.assert(
			fc.property(fewKeys, (steps) => {
				const index = new SlotIndex(
					() => 0,
					(slot) => slot * 7,
				);
				const model = new Set<number>();
				for (const [adds, slot] of steps) {
					if (adds && !model.has(slot)) {
						model.add(slot);
						index.add(slot);
					} else if (!adds && model.delete(slot)) index.remove(slot);
				}
				expect(index.size).toBe(model.size);
				for (let slot = 0; slot <= 200; slot++) expect(index.find(0, slot * 7)).toBe(model.has(slot) ? slot : -1);
			}),
			seeded(100),
		);
	});
});

test("short-lived objects are found by their numbers until they are taken out, whatever the order", () => {
	fc.assert(
		fc.property(fewKeys, (steps) => {
			const objects = new ShortLived<{ readonly step: number }>();
			const model = new Map<number, { readonly step: number }>();
			for (const [step, [adds, key]] of steps.entries()) {
				// As far apart as Session IDs are.
				const number = key * 0x1000193;
				if (adds) {
					model.set(number, { step });
					objects.set(number, { step });
				} else {
					model.delete(number);
					objects.delete(number);
				}
				expect(objects.get(number)).toEqual(model.get(number));
			}
			expect(objects.size).toBe(model.size);
			const stepsOf = (all: Iterable<{ readonly step: number }>) => Array.from(all, ({ step }) => step).sort();
			expect(stepsOf(objects.values())).toEqual(stepsOf(model.values()));
			for (const [number, item] of model) expect([objects.has(number), objects.get(number)]).toEqual([true, item]);
		}),
		seeded(100),
	);
});

describe("deadlines", () => {
	test("come in order, each once, and only those that still hold", () => {
		fc.assert(
			fc.property(fc.array(fc.tuple(fc.nat({ max: 30 }), fc.nat({ max: 50 })), { maxLength: 300 }), (steps) => {
				const due = new Map<number, number>();
				const deadlines = new Deadlines((sessionId) => due.get(sessionId) ?? Number.POSITIVE_INFINITY);
				for (const [sessionId, at] of steps) {
					if (due.get(sessionId) === at) continue;
					due.set(sessionId, at);
					deadlines.add(at, sessionId);
				}
				const seen: number[] = [];
				const expected = [...due.values()].sort((a, b) => a - b);
				while (deadlines.earliest() < Number.POSITIVE_INFINITY) {
					seen.push(deadlines.earliest());
					due.delete(deadlines.take());
				}
				expect(seen).toEqual(expected);
			}),
			seeded(100),
		);
	});
});

function recordOf(number: number): SessionRecord {
	const record = new SessionRecord();
	record.parameters = {
		sessionId: number + 1,
		keyId: 1,
		agreement: AGREEMENT.epsAka,
		encryption: 2,
		integrity: 2,
		counterScheme: 0,
		macLength: 4,
		service: SERVICE.confidential,
		mode: MODE.ueToHse,
	};
	record.imsi.set(encodeImsi(`00101${String(number).padStart(10, "0")}`) as Uint8Array);
	record.baseKey.fill(number + 1);
	return record;
}

describe("the session table", () => {
	test("10,000 sessions by Session ID and by IMSI; what is removed is zero", () => {
		const table = new SessionTable();
		const network = Uint8Array.of(0, 0xf1, 0x10);
		const address = (i: number) => (i % 3 === 0 ? `${"long".repeat(20)} ${i}` : `192.0.2.1 ${i}`);
		for (let i = 0; i < 10_000; i++) table.add(recordOf(i).octets, network, address(i));
		for (let i = 0; i < 10_000; i += 2) {
			const slot = table.find(i + 1);
			const { octets } = table.at(slot);
			table.remove(slot);
			// The first word behind the Session ID leads to the next free slot.
			expect(octets.subarray(8).every((octet) => octet === 0)).toBe(true);
		}
		expect(table.size).toBe(5000);
		for (let i = 0; i < 10_000; i++) {
			const slot = table.find(i + 1);
			expect(slot >= 0).toBe(i % 2 === 1);
			expect(table.findImsi(`00101${String(i).padStart(10, "0")}`)).toBe(slot);
			if (slot < 0) continue;
			expect(table.address(slot)).toBe(address(i));
			expect(table.hasAddress(slot, address(i))).toBe(true);
			expect(table.hasAddress(slot, address(i + 3))).toBe(false);
			expect(table.network(slot)).toEqual(network);
		}
		expect([...table.slots()]).toHaveLength(5000);
	});

	test("an idle session takes no more than 400 octets of typed arrays, with its share of the indexes", () => {
		// At the least full an index has just doubled: 4/0.375 octets a session, and there are two.
		expect(RECORD_OCTETS + (2 * 4) / 0.375).toBeLessThanOrEqual(400);
	});
});

describe("sessions at rest", () => {
	test("few expanded key sets are kept: any number of sessions goes on under them, of two kinds", () => {
		// Throws where an uplink is not taken.
		const { rows } = hseCoreFigures({ idleSessions: 300, uplinks: 3000, hotSessions: 16, kinds: 2 });
		expect(rows.map(({ sessions }) => sessions)).toEqual([300, 300]);
	});

	test("an uplink can be taken without an event, and becomes one where nobody takes it", () => {
		const pair = new Pair().connect();
		const first = pair.send("first");
		const second = pair.send("second");
		expect(pair.hse.handleDatagram(pair.now, "ue", first, first.length)).toBe("accept");
		const uplink = pair.hse.outbox.takeUplink();
		if (uplink === undefined) throw new Error("no uplink");
		const { octets, start, end, sessionId } = uplink;
		expect(new TextDecoder().decode(octets.slice(start, end))).toBe("first");
		expect(sessionId).toBe(pair.hse.sessionOf(IMSI)?.sessionId);
		expect(pair.hse.outbox.takeEvent()).toBeUndefined();
		pair.hse.handleDatagram(pair.now, "ue", second, second.length);
		pair.hse.handleDatagram(pair.now, "ue", flipped(second, -1), second.length);
		expect(pair.hse.outbox.takeUplink()).toBeUndefined();
		pair.drainHse();
		expect(pair.uplinks).toEqual(["second"]);
	});
});
