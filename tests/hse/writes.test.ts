import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { readUint32, writeUint32 } from "../../firmware/emsdp/octets.js";
import { COUNT_OCTETS, Writes } from "../../host-tools/hse/writes.js";
import { seeded } from "../emsdp/arbitraries.js";
import { MemorySessionStore } from "../support/durable-pair.js";

const SLOTS = 100;

/** Sessions that are a highest COUNT and nothing else, in slots. */
class Sessions {
	readonly last = new Map<number, number>();
	readonly slots: number[] = new Array(SLOTS).fill(0);
	readonly slotCount = SLOTS;

	sessionIdAt(slot: number): number {
		return this.slots[slot];
	}

	packed(sessionId: number): Uint8Array | undefined {
		const last = this.last.get(sessionId);
		if (last === undefined) return undefined;
		const octets = new Uint8Array(8);
		writeUint32(octets, 0, sessionId);
		writeUint32(octets, 4, last);
		return octets;
	}
}

/** What a restart would find. */
function restored(medium: MemorySessionStore): Map<number, number> {
	const last = new Map<number, number>();
	const batches = new Map<number, number>();
	medium.restore({
		session: (batch, octets) => {
			last.set(readUint32(octets, 0), readUint32(octets, 4));
			batches.set(readUint32(octets, 0), batch);
		},
		counts: (batch, counts) => {
			for (let at = 0; at < counts.length; at += COUNT_OCTETS) {
				const sessionId = readUint32(counts, at);
				if ((batches.get(sessionId) ?? batch) < batch) last.set(sessionId, readUint32(counts, at + 4));
			}
		},
	});
	return last;
}

/** A step: what is done to the session at a slot. */
const steps = fc.array(
	fc.tuple(fc.constantFrom("uplink", "uplink", "uplink", "wake", "end", "take", "take"), fc.nat({ max: SLOTS - 1 })),
	{ maxLength: 600, size: "max" },
);

describe("what is written", () => {
	test("what a restart finds after any batch is what there was, however much of the journal is folded and forgotten", () => {
		let forgotten = 0;
		fc.assert(
			fc.property(steps, (all) => {
				const sessions = new Sessions();
				const medium = new MemorySessionStore();
				const writes = new Writes(sessions, 10 * COUNT_OCTETS);
				let nextId = 1;
				for (const [what, slot] of all) {
					const sessionId = sessions.slots[slot];
					if (what === "take") {
						const batch = writes.take(false);
						if (batch !== undefined) medium.put(batch);
						if ((batch?.forgetBelow ?? 0) > 0) forgotten++;
						expect(restored(medium)).toEqual(sessions.last);
					} else if (sessionId === 0) {
						sessions.slots[slot] = nextId;
						sessions.last.set(nextId, 0);
						writes.mark(nextId++);
					} else if (what === "uplink") {
						const count = (sessions.last.get(sessionId) ?? 0) + 1;
						sessions.last.set(sessionId, count);
						writes.received(slot, sessionId, count);
					} else {
						// To another slot, unchanged, or to none.
						writes.leave(slot, sessionId);
						sessions.slots[slot] = 0;
						const free = sessions.slots.indexOf(0, slot + 1);
						if (what === "wake" && free >= 0) sessions.slots[free] = sessionId;
						else {
							sessions.last.delete(sessionId);
							writes.mark(sessionId);
						}
					}
				}
				for (let batch = writes.take(true); batch !== undefined; batch = writes.take(true)) medium.put(batch);
				expect(restored(medium)).toEqual(sessions.last);
				expect(medium.journal.size).toBe(0);
			}),
			seeded(100),
		);
		expect(forgotten).toBeGreaterThan(0);
	});
});
