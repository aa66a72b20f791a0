import { describe, expect, test } from "@jest/globals";
import { type KeyValueDomain, KeyValueStore } from "../../../firmware/platform/moddable/key-value-store.js";

class PowerCut extends Error {}

/** A board's storage, whose power fails after some changes; the change at that moment is lost or, if torn, spoilt. */
class Board implements KeyValueDomain {
	readonly values = new Map<string, Uint8Array>();
	changesLeft = Number.POSITIVE_INFINITY;
	isTorn = false;
	/** Takes no value from then on, and says nothing. */
	isFull = false;

	read(key: string): ArrayBuffer | undefined {
		const value = this.values.get(key);
		return value === undefined ? undefined : (value.slice().buffer as ArrayBuffer);
	}

	write(key: string, value: Uint8Array): void {
		expect(key.length).toBeLessThanOrEqual(15);
		this.change(key);
		if (!this.isFull) this.values.set(key, value.slice());
	}

	delete(key: string): void {
		this.change(key);
		this.values.delete(key);
	}

	private change(key: string): void {
		if (this.changesLeft-- > 0) return;
		// Both SDK stores for flash and a cut in the middle of NVS: the older value is gone already.
		if (this.isTorn) this.values.delete(key);
		throw new PowerCut();
	}
}

const octets = (length: number, first: number) => Uint8Array.from({ length }, (_, i) => first + 7 * i);

/** Runs an action with the power cut after each number of changes, until it goes through. */
function cutEverywhere(prepare: (store: KeyValueStore) => void, act: (store: KeyValueStore) => void) {
	const found: (Uint8Array | undefined)[] = [];
	for (const isTorn of [false, true])
		for (let changes = 0; ; changes++) {
			const board = new Board();
			prepare(new KeyValueStore({ storage: board, partOctets: 20 }));
			board.changesLeft = changes;
			board.isTorn = isTorn;
			let isCut = false;
			try {
				act(new KeyValueStore({ storage: board, partOctets: 20 }));
			} catch (error) {
				expect(error).toBeInstanceOf(PowerCut);
				isCut = true;
			}
			board.changesLeft = Number.POSITIVE_INFINITY;
			const store = new KeyValueStore({ storage: board, partOctets: 20 });
			const value = store.read("key");
			if (!isCut) {
				expect(found.length).toBeGreaterThan(0);
				found.push(value);
				break;
			}
			// The store works on after a cut.
			store.write("key", octets(33, 99));
			found.push(value);
			expect(store.read("key")).toEqual(octets(33, 99));
		}
	return found;
}

describe("a store over ECMA-419 key-value storage", () => {
	test("gives what was written, in one part or in several, and nothing for a key that was not", () => {
		const board = new Board();
		const store = new KeyValueStore({ storage: board, partOctets: 20 });
		for (const length of [0, 1, 12, 13, 14, 33, 34, 100]) {
			store.write("key", octets(length, length));
			expect(store.read("key")).toEqual(octets(length, length));
			expect(new KeyValueStore({ storage: board, partOctets: 20 }).read("key")).toEqual(octets(length, length));
		}
		expect(store.read("other")).toBeUndefined();
		store.delete("key");
		expect(store.read("key")).toBeUndefined();
		expect(board.values.size).toBe(0);
	});

	test("gives the last value after any number of writes, with the generation wrapping round", () => {
		const store = new KeyValueStore({ storage: new Board() });
		for (let i = 0; i < 600; i++) {
			store.write("key", octets(8, i));
			expect(store.read("key")).toEqual(octets(8, i));
		}
	});

	test("gives a copy of its own", () => {
		const store = new KeyValueStore({ storage: new Board() });
		store.write("key", octets(8, 1));
		store.read("key")?.fill(0);
		expect(store.read("key")).toEqual(octets(8, 1));
	});

	test.each([
		[50, 10],
		[10, 50],
		[30, 30],
	])("keeps the old or the new value whole when the power fails (%i octets become %i)", (before, after) => {
		const found = cutEverywhere(
			(store) => {
				store.write("key", octets(60, 5));
				store.write("key", octets(before, 1));
			},
			(store) => store.write("key", octets(after, 2)),
		);
		for (const value of found) expect([octets(before, 1), octets(after, 2)]).toContainEqual(value);
		expect(found.at(-1)).toEqual(octets(after, 2));
	});

	test("when the power fails at the first write there is no value or the new one", () => {
		const found = cutEverywhere(
			() => {},
			(store) => store.write("key", octets(50, 2)),
		);
		for (const value of found) expect([undefined, octets(50, 2)]).toContainEqual(value);
	});

	test("when the power fails while it deletes, an older value does not come back", () => {
		const found = cutEverywhere(
			(store) => {
				store.write("key", octets(50, 1));
				store.write("key", octets(50, 2));
			},
			(store) => store.delete("key"),
		);
		for (const value of found) expect([undefined, octets(50, 2)]).toContainEqual(value);
		expect(found.at(-1)).toBeUndefined();
	});

	test("a spoilt copy does not count: the older one is read", () => {
		const board = new Board();
		const store = new KeyValueStore({ storage: board });
		store.write("key", octets(8, 1));
		store.write("key", octets(8, 2));
		const spoilt = board.values.get("key.b0")!;
		spoilt[9] ^= 1;
		expect(store.read("key")).toEqual(octets(8, 1));
		store.write("key", octets(8, 3));
		expect(store.read("key")).toEqual(octets(8, 3));
	});

	test("says so where the storage does not keep a value", () => {
		const board = new Board();
		const store = new KeyValueStore({ storage: board });
		store.write("key", octets(8, 1));
		board.isFull = true;
		expect(() => store.write("key", octets(8, 2))).toThrow('"key" cannot be written to the store: it is full or worn.');
		expect(store.read("key")).toEqual(octets(8, 1));
	});

	test("refuses keys and values that a board cannot take", () => {
		const store = new KeyValueStore({ storage: new Board(), partOctets: 20 });
		for (const key of ["", "Key", "a.b", "k".repeat(13)]) {
			expect(() => store.read(key)).toThrow(RangeError);
			expect(() => store.write(key, octets(1, 1))).toThrow(RangeError);
			expect(() => store.delete(key)).toThrow(RangeError);
		}
		expect(() => store.write("key", octets(180, 1))).toThrow('"key" is too long for the store.');
	});
});
