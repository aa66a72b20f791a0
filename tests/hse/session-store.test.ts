import {
	copyFileSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	rmSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import Database from "libsql";
import { encodeImsi } from "../../firmware/emsdp/imsi.js";
import { CAUSE, TAG } from "../../firmware/emsdp/profile.js";
import { verifyAutn } from "../../firmware/keys/aka.js";
import { Milenage } from "../../firmware/keys/milenage.js";
import { DatabaseError, HseDatabase } from "../../host-tools/hse/database.js";
import { DatabaseThread } from "../../host-tools/hse/database-thread.js";
import type { HseEvent, Outgoing, VectorRequest } from "../../host-tools/hse/events.js";
import { HeldOutputs } from "../../host-tools/hse/held-outputs.js";
import type { VectorAnswer } from "../../host-tools/hse/hse.js";
import { LOCK_TABLE, renewMark } from "../../host-tools/hse/run-marks.js";
import { SessionPlaces } from "../../host-tools/hse/session-places.js";
import { SqliteSessionStore } from "../../host-tools/hse/session-store.js";
import { SESSION_TABLES } from "../../host-tools/hse/session-tables.js";
import { packBatch } from "../../host-tools/hse/session-writer.js";
import { openStorage } from "../../host-tools/hse/storage.js";
import type { SessionBatch } from "../../host-tools/hse/store.js";
import { loadKernel } from "../../host-tools/kernel.js";
import { best } from "../support/best.js";
import { MemorySessionStore } from "../support/durable-pair.js";
import { IMSI, Pair, SeededRandom } from "../support/pair.js";

const OTHER_IMSI = "001010000000077";

let folder: string;
let path: string;
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "best-test-"));
	path = join(folder, "hse.db");
	new HseDatabase(path).close();
});
afterEach(() => {
	rmSync(folder, { recursive: true });
});

const batchOf = (batch: Partial<SessionBatch>): SessionBatch => ({
	number: 1,
	puts: [],
	removals: [],
	counts: new Uint8Array(0),
	forgetBelow: 0,
	...batch,
});

/** All that a store holds, as text. */
async function contentsOf(store: SqliteSessionStore): Promise<string[]> {
	const found: string[] = [];
	await store.load({
		session: (batch, octets) => found.push(`session ${batch}: ${octets}`),
		counts: (batch, counts) => found.push(`counts ${batch}: ${counts}`),
	});
	return found;
}

describe("the SQLite session store", () => {
	test("holds what was committed, by the last batch, after it was opened again", async () => {
		const first = new SqliteSessionStore(path);
		const one = Uint8Array.of(9, 1, 1, 9).subarray(1, 3);
		await first.commit(batchOf({ puts: [{ sessionId: 0xffffffff, octets: one }], counts: Uint8Array.of(1) }));
		await first.commit(
			batchOf({ number: 2, puts: [{ sessionId: 7, octets: Uint8Array.of(2) }], counts: Uint8Array.of(2) }),
		);
		await first.commit(batchOf({ number: 3, puts: [{ sessionId: 7, octets: Uint8Array.of(3) }], forgetBelow: 2 }));
		await first.close();
		const second = new SqliteSessionStore(path);
		expect(await contentsOf(second)).toEqual(["session 1: 1,1", "session 3: 3", "counts 2: 2"]);
		await second.commit(batchOf({ number: 4, removals: [0xffffffff, 7], forgetBelow: 4 }));
		expect(await contentsOf(second)).toEqual([]);
		await second.close();
		expect(statSync(path).mode & 0o777).toBe(0o600);
	});

	test("a second HSE is kept from the file, whatever link it takes to it", async () => {
		const store = new SqliteSessionStore(path);
		symlinkSync(path, join(folder, "link.db"));
		for (const name of [path, join(folder, "link.db")])
			expect(() => new SqliteSessionStore(name)).toThrow(/in use by another HSE/);
		await store.close();
	});

	describe("a file that was set back", () => {
		const session = batchOf({ puts: [{ sessionId: 7, octets: Uint8Array.of(1) }], counts: Uint8Array.of(1) });
		/** Opens it, and what it has then. */
		const found = async (file: string, after: (store: SqliteSessionStore) => Promise<void> = async () => {}) => {
			const store = new SqliteSessionStore(file);
			const contents = await contentsOf(store);
			await after(store);
			await store.close();
			return [store.wasSetBack, contents.length];
		};
		const store = (into: SqliteSessionStore) => into.commit(session);
		const copyOf = (name: string) => {
			const raw = new Database(path);
			raw.exec("PRAGMA wal_checkpoint(TRUNCATE)");
			raw.close();
			const copy = join(folder, name);
			copyFileSync(path, copy);
			return copy;
		};
		/** As if it were put in the place of the file. */
		const withLock = (copy: string) => {
			copyFileSync(`${path}-lock`, `${copy}-lock`);
			return copy;
		};

		test("to a copy of an earlier run, or of the same run, has no sessions any more; from then on it has", async () => {
			let during = "";
			expect(await found(path, store)).toEqual([false, 0]);
			const earlier = copyOf("earlier.db");
			const took = async () => {
				during = copyOf("during.db");
			};
			expect(await found(path, took)).toEqual([false, 2]);
			for (const copy of [earlier, during]) {
				expect(await found(withLock(copy), store)).toEqual([true, 0]);
				expect(await found(copy)).toEqual([false, 2]);
			}
			expect(await found(path)).toEqual([false, 2]);
		});

		test("is told by its lock: without it, or with that of another, it has none", async () => {
			await found(path, store);
			expect(await found(copyOf("without.db"))).toEqual([true, 0]);
			const other = join(folder, "other.db");
			new HseDatabase(other).close();
			expect(await found(withLock(other))).toEqual([true, 0]);
		});

		test("cannot be told where the lock is no lock: that is said, and nothing is opened", () => {
			writeFileSync(`${path}-lock`, "no database at all, but some text ".repeat(40));
			expect(() => new SqliteSessionStore(path)).toThrow(/-lock cannot be used \(.*\): make room, or delete it/);
		});

		test("and cannot be marked: that is said at the start, and the end keeps what there is", async () => {
			const full = "CREATE TRIGGER full BEFORE INSERT ON run BEGIN SELECT RAISE(ABORT, 'full'); END";
			const raw = new Database(path);
			await found(path, async (into) => {
				await store(into);
				raw.exec(full);
			});
			expect(() => new SqliteSessionStore(path)).toThrow(DatabaseError);
			raw.exec("DROP TRIGGER full");
			raw.close();
			expect(await found(path)).toEqual([false, 2]);
		});

		test("is none where the process ended while it was marked, wherever", async () => {
			for (const step of [1, 2, 3]) {
				let steps = 0;
				const lock = new Database(join(folder, `lock-${step}`));
				lock.exec(LOCK_TABLE);
				const database = new HseDatabase(join(folder, `${step}.db`));
				const forget = jest.fn();
				expect(renewMark(lock, database, forget)).toBe(true);
				const ended = new Error("the process ends");
				const exec = lock.exec.bind(lock);
				const together = database.together.bind(database);
				const endAt = <T>(work: () => T): T => {
					if (++steps === step) throw ended;
					return work();
				};
				lock.exec = (sql) => endAt(() => exec(sql));
				database.together = (work) => endAt(() => together(work));
				expect(() => renewMark(lock, database, forget)).toThrow(ended);
				lock.exec = exec;
				database.together = together;
				expect(renewMark(lock, database, forget)).toBe(true);
				expect(forget).not.toHaveBeenCalled();
				lock.close();
				database.close();
			}
		});
	});

	test("a batch that cannot be written changes nothing and can be given again", async () => {
		const store = new SqliteSessionStore(path);
		const other = new Database(path);
		other.exec("CREATE TRIGGER full BEFORE INSERT ON uplink_counts BEGIN SELECT RAISE(ABORT, 'full'); END");
		const batch = batchOf({ puts: [{ sessionId: 7, octets: Uint8Array.of(1) }], counts: Uint8Array.of(1) });
		await expect(store.commit(batch)).rejects.toThrow(/full/);
		expect(await contentsOf(store)).toEqual([]);
		other.exec("DROP TRIGGER full");
		other.close();
		await store.commit(batch);
		await store.commit(batch);
		expect(await contentsOf(store)).toEqual(["session 1: 1", "counts 1: 1"]);
		await store.close();
	});

	test("a session that could not be removed is removed later, and whoever comes next takes nobody's place", async () => {
		const store = new SqliteSessionStore(path);
		await store.commit(batchOf({ puts: [1, 2].map((id) => ({ sessionId: id, octets: Uint8Array.of(id) })) }));
		const other = new Database(path);
		other.exec("CREATE TRIGGER full BEFORE DELETE ON session BEGIN SELECT RAISE(ABORT, 'full'); END");
		const removal = batchOf({ number: 2, removals: [1, 99] });
		await expect(store.commit(removal)).rejects.toThrow(/full/);
		other.exec("DROP TRIGGER full");
		other.close();
		await store.commit(removal);
		await store.close();
		const again = new SqliteSessionStore(path);
		// Not loaded before.
		await again.commit(
			batchOf({ number: 3, puts: [3, 1].map((id) => ({ sessionId: id, octets: Uint8Array.of(id) })) }),
		);
		expect(await contentsOf(again)).toEqual(["session 1: 2", "session 3: 3", "session 3: 1"]);
		await again.close();
	});

	test("sessions that come, change and go in any order are found as they are (seed 33163)", async () => {
		const random = new SeededRandom(33163);
		const wanted = new Map<number, number>();
		let store = new SqliteSessionStore(path);
		for (let number = 1; number <= 60; number++) {
			const changes = new Map(Array.from({ length: 40 }, () => [1 + (random.next() % 200), random.next() % 3]));
			const puts: { sessionId: number; octets: Uint8Array }[] = [];
			const removals: number[] = [];
			for (const [sessionId, kind] of changes) {
				if (kind === 0) removals.push(sessionId);
				else puts.push({ sessionId, octets: Uint8Array.of(sessionId) });
				if (kind === 0) wanted.delete(sessionId);
				else wanted.set(sessionId, number);
			}
			await store.commit(batchOf({ number, puts, removals }));
			if (number % 20 !== 0) continue;
			await store.close();
			store = new SqliteSessionStore(path);
			const sorted = Array.from(wanted, ([sessionId, batch]) => `session ${batch}: ${sessionId}`).sort();
			expect((await contentsOf(store)).sort()).toEqual(sorted);
		}
		await store.close();
	});

	test("COUNTs are written by the main thread, one batch of 256 and all on a slow medium by the other", async () => {
		const store = new SqliteSessionStore(path);
		const handedOver = jest.spyOn(DatabaseThread.prototype, "commit");
		let now = 0;
		let milliseconds = 0.5;
		const clock = jest.spyOn(performance, "now").mockImplementation(() => (now += milliseconds));
		let number = 0;
		const commit = async (batches: number) => {
			handedOver.mockClear();
			for (let i = 0; i < batches; i++)
				await store.commit(batchOf({ number: ++number, counts: Uint8Array.of(number) }));
			return handedOver.mock.calls.length;
		};
		try {
			expect(await commit(255)).toBe(0);
			expect(await commit(1)).toBe(1);
			milliseconds = 100;
			expect(await commit(15)).toBe(0);
			milliseconds = 0.5;
			expect(await commit(240)).toBe(0);
			milliseconds = 100;
			// Number 512 is the thread's turn, the next 16 say that the medium is slow, and 768 is tried again.
			expect(await commit(17)).toBe(1);
			expect(await commit(255)).toBe(254);
			milliseconds = 0.5;
			expect(await commit(2 * 256 - 16)).toBe(2 * 255 - 15);
			expect(await commit(100)).toBe(0);
		} finally {
			clock.mockRestore();
			handedOver.mockRestore();
		}
		const written = Array.from({ length: number }, (_, i) => `counts ${i + 1}: ${(i + 1) & 255}`);
		expect(await contentsOf(store)).toEqual(written);
		await store.close();
	});

	test("while another process writes COUNTs wait in the other thread, and nothing else does", async () => {
		const store = new SqliteSessionStore(path);
		await store.commit(batchOf({ counts: Uint8Array.of(1) }));
		const other = new HseDatabase(path);
		other.prepare("BEGIN IMMEDIATE").run([]);
		let isWritten = false;
		const written = store.commit(batchOf({ number: 2, counts: Uint8Array.of(2) })).then(() => {
			isWritten = true;
		});
		// This thread goes on: it would not come here before the other process is ready.
		expect(isWritten).toBe(false);
		other.prepare("COMMIT").run([]);
		other.close();
		await written;
		expect(await contentsOf(store)).toEqual(["counts 1: 1", "counts 2: 2"]);
		await store.close();
	});

	test("a file that has a session twice is refused", async () => {
		const raw = new Database(path);
		raw.exec("INSERT INTO session (session_id, batch, packed) VALUES (7, 1, x'01'), (7, 2, x'02')");
		raw.close();
		const store = new SqliteSessionStore(path);
		await expect(contentsOf(store)).rejects.toThrow(/twice/);
		await store.close();
	});

	test("COUNTs alone are written as well as sessions, in whatever order they come, and all of it is found again", async () => {
		const store = new SqliteSessionStore(path);
		for (let number = 1; number <= 200; number++) {
			const puts = number % 3 === 0 ? [{ sessionId: number, octets: Uint8Array.of(number) }] : [];
			await store.commit(batchOf({ number, puts, counts: Uint8Array.of(number) }));
		}
		const found = await contentsOf(store);
		expect(found.filter((text) => text.startsWith("session"))).toHaveLength(66);
		expect(found.filter((text) => text.startsWith("counts"))).toEqual(
			Array.from({ length: 200 }, (_, i) => `counts ${i + 1}: ${i + 1}`),
		);
		await store.close();
	});

	test("another process that opens the file and closes it leaves the log: this one's locks are on it", async () => {
		const { store, close } = await openStorage(path);
		await store.commit(batchOf({ puts: [{ sessionId: 7, octets: Uint8Array.of(1) }] }));
		await store.commit(batchOf({ number: 2, counts: Uint8Array.of(1) }));
		const { ino } = statSync(`${path}-wal`);
		const { status } = best(["subscriber", "list", "--database", path]);
		expect([status, existsSync(`${path}-wal`) && statSync(`${path}-wal`).ino]).toEqual([0, ino]);
		await close();
	});

	test("a file from before there were sessions is brought up to date", async () => {
		const old = join(folder, "old.db");
		const made = new HseDatabase(old);
		made.addSubscriber({
			imsi: IMSI,
			k: new Uint8Array(16),
			opc: new Uint8Array(16),
			amf: Uint8Array.of(0x80, 0),
			sqn: 32,
			enabled: true,
		});
		made.close();
		const raw = new Database(old);
		raw.exec(
			"DROP TABLE run; DROP TABLE session; DROP TABLE uplink_counts; DROP TABLE shared_key; DROP TABLE policy; PRAGMA user_version = 2",
		);
		raw.close();
		const opened = new HseDatabase(old);
		expect(opened.subscriber(IMSI)?.sqn).toBe(32);
		const store = new SqliteSessionStore(old);
		expect(await contentsOf(store)).toEqual([]);
		await store.close();
		opened.close();
	});

	test("sessions of a file in which they stood by their IDs are found, and keep their places", async () => {
		const raw = new Database(path);
		raw.exec(`DROP TABLE run; DROP TABLE session; DROP TABLE uplink_counts; ${SESSION_TABLES}; PRAGMA user_version = 4;
			INSERT INTO session VALUES (4294967295, 1, x'01'), (7, 2, x'02')`);
		raw.close();
		new HseDatabase(path).close();
		const store = new SqliteSessionStore(path);
		expect(await contentsOf(store)).toEqual(["session 2: 2", "session 1: 1"]);
		const puts = [8, 4294967295].map((sessionId) => ({ sessionId, octets: Uint8Array.of(3) }));
		await store.commit(batchOf({ number: 3, puts, removals: [7] }));
		expect(await contentsOf(store)).toEqual(["session 3: 3", "session 3: 3"]);
		await store.close();
	});
});

describe("the authentication centre of the SQLite session store", () => {
	const opc = new Uint8Array(16).fill(2);
	const usim = new Milenage(loadKernel(), new Uint8Array(16).fill(1), opc);
	const requestOf = (number: number, imsi = IMSI): VectorRequest => ({
		number,
		identity: { tag: TAG.imsi, value: encodeImsi(imsi) ?? new Uint8Array(0) },
		keyReference: undefined,
		resynchronisation: undefined,
	});
	/** The SQNs of answers; what is no vector stays as it is. */
	const sqnsOf = (answers: readonly (VectorAnswer | Error)[]) =>
		answers.map((answer) =>
			typeof answer === "object" && "vector" in answer
				? verifyAutn(usim, answer.vector.rand, answer.vector.autn)?.sqn
				: answer,
		);

	let database: HseDatabase;
	let store: SqliteSessionStore;
	beforeEach(() => {
		database = new HseDatabase(path);
		const subscriber = { k: new Uint8Array(16).fill(1), opc, amf: Uint8Array.of(0x80, 0), sqn: 32, enabled: true };
		for (const imsi of [IMSI, OTHER_IMSI]) database.addSubscriber({ ...subscriber, imsi });
		store = new SqliteSessionStore(path);
	});
	afterEach(async () => {
		await store.close();
		database.close();
	});

	test("answers each request in its place, under an SQN of its own that is in the file by then", async () => {
		const requests = [requestOf(1), requestOf(2, "001019999999999"), requestOf(3)];
		expect(sqnsOf(await store.centre.answerAll(requests))).toEqual([32, CAUSE.ueUnknown, 64]);
		expect(database.subscriber(IMSI)?.sqn).toBe(96);
		expect(sqnsOf(await store.centre.answerAll([requestOf(4)]))).toEqual([96]);
	});

	test("a subscriber whose SQN cannot be written is refused with an error; others get their vectors", async () => {
		const other = new Database(path);
		other.exec(
			`CREATE TRIGGER stuck BEFORE UPDATE ON subscriber WHEN old.imsi = '${IMSI}' BEGIN SELECT RAISE(FAIL, 'stuck'); END`,
		);
		const answers = await store.centre.answerAll([requestOf(1), requestOf(2, OTHER_IMSI)]);
		expect(answers[0]).toBeInstanceOf(Error);
		expect(sqnsOf(answers.slice(1))).toEqual([32]);
		other.exec("DROP TRIGGER stuck");
		other.close();
		expect(sqnsOf(await store.centre.answerAll([requestOf(3)]))).toEqual([32]);
	});

	test("what is asked for together is done together, and what fails fails alone", async () => {
		const other = new Database(path);
		other.exec("CREATE TRIGGER full BEFORE INSERT ON uplink_counts BEGIN SELECT RAISE(ABORT, 'full'); END");
		const bad = { number: 2, puts: [{ sessionId: 8, octets: Uint8Array.of(8) }], counts: Uint8Array.of(1) };
		const asked = [
			store.centre.answerAll([requestOf(1)]),
			store.commit(batchOf({ puts: [{ sessionId: 7, octets: Uint8Array.of(7) }] })),
			store.commit(batchOf(bad)),
			store.centre.answerAll([requestOf(2)]),
		] as const;
		const [first, , failed, second] = await Promise.allSettled(asked);
		expect([first, second].map((one) => one.status === "fulfilled" && sqnsOf(one.value))).toEqual([[32], [64]]);
		expect(failed).toMatchObject({ status: "rejected", reason: expect.any(DatabaseError) });
		expect(await contentsOf(store)).toEqual(["session 1: 7"]);
		other.exec("DROP TRIGGER full");
		other.close();
		await store.commit(batchOf(bad));
		expect(await contentsOf(store)).toEqual(["session 1: 7", "session 2: 8", "counts 2: 1"]);
	});
});

test("where the thread of the database ends, what waits for it fails, and what comes next has another thread", async () => {
	const elsewhere = join(folder, "later", "hse.db");
	const thread = new DatabaseThread({ path: elsewhere, homeNetworkKeys: new Map() });
	const batch = () => packBatch(batchOf({ puts: [{ sessionId: 7, octets: Uint8Array.of(7) }] }), new SessionPlaces());
	const both = await Promise.allSettled([thread.commit(batch()), thread.commit(batch())]);
	for (const one of both)
		expect(one).toMatchObject({ status: "rejected", reason: { message: expect.stringContaining("ENOENT") } });
	expect(thread.isBusy).toBe(false);
	mkdirSync(join(folder, "later"));
	await thread.commit(batch());
	await thread.close();
	const store = new SqliteSessionStore(elsewhere);
	expect(await contentsOf(store)).toEqual(["session 1: 7"]);
	await store.close();
});

/** A store that does as it is told, when it is told. */
class SlowStore extends MemorySessionStore {
	readonly waiting: { done(): void; fail(): void }[] = [];
	/** What it was given to store. */
	readonly given: Uint8Array[] = [];

	override commit(batch: SessionBatch): Promise<void> {
		return new Promise((resolve, reject) => {
			this.waiting.push({
				done: () => {
					this.put(batch);
					this.given.push(...batch.puts.map(({ octets }) => octets));
					resolve();
				},
				fail: () => reject(new Error("no space")),
			});
		});
	}
}

describe("outputs that wait for the store", () => {
	test("leave when their batch is durable, in order, and not before; a batch that failed is tried again", async () => {
		const pair = new Pair();
		pair.hse = pair.bootHse(pair.kernel, true);
		pair.connect();
		const store = new SlowStore();
		const sent: Outgoing[] = [];
		const told: HseEvent[] = [];
		const errors: string[] = [];
		const outputs = new HeldOutputs({
			hse: pair.hse,
			store,
			send: (out) => sent.push(out),
			flush: () => {},
			tell: (event) => told.push(event),
			hear: (uplink) => told.push(uplink.toEvent()),
			onError: ({ message }) => errors.push(message),
		});
		outputs.drain();
		store.waiting.shift()?.done();
		await new Promise(setImmediate);
		told.length = 0;
		const arrive = (text: string) => {
			const datagram = pair.send(text);
			pair.toHse.length = 0;
			pair.hse.handleDatagram(pair.now, "ue", datagram, datagram.length);
			outputs.drain();
		};
		arrive("one");
		arrive("two");
		arrive("three");
		pair.hse.send(pair.now, pair.hse.sessionOf(IMSI)?.sessionId ?? 0, Uint8Array.of(1));
		outputs.drain();
		await new Promise(setImmediate);
		expect(store.waiting).toHaveLength(1);
		expect([told.length, sent.length]).toEqual([0, 0]);
		// What depends on nothing that is stored does not wait.
		pair.hse.outbox.transmit("another UE", 4, true);
		outputs.drain();
		expect(sent.splice(0)).toMatchObject([{ to: "another UE" }]);
		let sentWhenHandedOver = -1;
		outputs.handedOver().then(() => {
			sentWhenHandedOver = sent.length;
		});
		store.waiting.shift()?.fail();
		while (store.waiting.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
		expect(errors).toEqual(["no space"]);
		expect(told).toHaveLength(0);
		store.waiting.shift()?.done();
		await new Promise(setImmediate);
		expect(told.map((event) => event.kind === "uplink" && new TextDecoder().decode(event.payload))).toEqual(["one"]);
		expect([sent.length, sentWhenHandedOver]).toEqual([0, -1]);
		const finished = outputs.finish();
		while (store.waiting.length > 0) {
			store.waiting.shift()?.done();
			await new Promise(setImmediate);
		}
		await finished;
		expect(told).toHaveLength(3);
		expect([sent.length, sentWhenHandedOver]).toEqual([1, 1]);
		expect(store.journal.size).toBe(0);
		expect(store.sessions.size).toBe(1);
		// What has been stored has keys: it is not left in memory.
		expect(store.given.length).toBeGreaterThan(0);
		for (const octets of store.given) expect(octets.every((octet) => octet === 0)).toBe(true);
	});
});
