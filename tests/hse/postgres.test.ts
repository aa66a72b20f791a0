import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { ReceivedCount } from "../../firmware/emsdp/count.js";
import { Fleet } from "../../host-tools/bench/hse-core.js";
import type { SharedKeySubscriber, Subscriber } from "../../host-tools/hse/database.js";
import { Connection } from "../../host-tools/hse/postgres/connection.js";
import { PostgresSessionStore } from "../../host-tools/hse/postgres/session-store.js";
import { PostgresSubscribers } from "../../host-tools/hse/postgres/subscribers.js";
import { SessionRecord } from "../../host-tools/hse/session-record.js";
import type { Claimed } from "../../host-tools/hse/shared-store.js";
import type { SessionBatch } from "../../host-tools/hse/store.js";
import { decodeStored } from "../../host-tools/hse/stored-session.js";
import { loadKernel } from "../../host-tools/kernel.js";
import { best } from "../support/best.js";
import { NO_POSTGRES, Postgres } from "../support/postgres.js";

const IMSI = "901700000000001";
const AMF = Uint8Array.of(0x80, 0);

function aSubscriber(imsi = IMSI): Subscriber {
	return { imsi, k: randomBytes(16), opc: randomBytes(16), amf: AMF, sqn: 32, enabled: true };
}

function aSharedKey(imsi = IMSI, reference = "meter 1"): SharedKeySubscriber {
	return { imsi, reference: new TextEncoder().encode(reference), key: randomBytes(32), enabled: true };
}

/** Hears nothing of what other processes say. */
const DEAF = { onAsked: () => {}, onFree: () => {}, onSuperseded: () => {}, onDeleted: () => {}, onLost: () => {} };

if (NO_POSTGRES !== undefined) test.skip(`with a PostgreSQL: ${NO_POSTGRES}`, () => {});
else {
	let postgres: Postgres;
	let folder: string;
	beforeAll(async () => {
		folder = mkdtempSync(join(tmpdir(), "best-test-"));
		postgres = new Postgres();
		await postgres.start();
	}, 60_000);
	afterAll(async () => {
		await postgres?.remove();
		rmSync(folder, { recursive: true });
	});

	beforeEach(async () => {
		await postgres.query("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
	});

	describe("subscribers in a PostgreSQL", () => {
		let one: PostgresSubscribers;
		let other: PostgresSubscribers;
		beforeEach(async () => {
			one = new PostgresSubscribers(postgres.url);
			other = new PostgresSubscribers(postgres.url);
			await Promise.all([one.migrate(), other.migrate()]);
		});
		afterEach(() => Promise.all([one.close(), other.close()]));

		test("what went in comes out, for each kind of subscriber", async () => {
			const tuak = {
				...aSubscriber("901700000000002"),
				opc: randomBytes(32),
				tuak: { resOctets: 8, iterations: 2 },
			} as const;
			const shared = aSharedKey("901700000000003");
			const milenage = aSubscriber();
			await one.addSubscriber(milenage);
			await one.addSubscriber(tuak);
			await one.addSharedKey(shared);
			const plain = ({ k, opc, ...rest }: Subscriber) => ({ ...rest, k: [...k], opc: [...opc], amf: [...rest.amf] });
			for (const given of [milenage, tuak]) {
				const found = await other.subscriber(given.imsi);
				expect(found && plain(found)).toEqual(plain({ tuak: undefined, ...given }));
			}
			const known = await other.sharedKey(shared.reference);
			expect(known && { ...known, key: [...known.key], reference: [...known.reference] }).toEqual({
				...shared,
				key: [...shared.key],
				reference: [...shared.reference],
			});
			expect((await other.sharedKeyOf(shared.imsi))?.imsi).toBe(shared.imsi);
			expect(await other.subscriber(shared.imsi)).toBeUndefined();
			expect(await other.sharedKeyOf(IMSI)).toBeUndefined();
			expect(await other.takeSqn(shared.imsi)).toBeUndefined();
			expect(await other.easKeyPolicy(IMSI)).toBeUndefined();
			await one.setEasKeyPolicy(IMSI, "allow");
			expect(await other.easKeyPolicy(IMSI)).toBe("allow");
		});

		test("an IMSI is one subscriber's, and a reference one key's", async () => {
			await one.addSubscriber(aSubscriber());
			await expect(other.addSubscriber(aSubscriber())).rejects.toThrow(/in the database already/);
			await expect(other.addSharedKey(aSharedKey())).rejects.toThrow(/in the database already/);
			await one.addSharedKey(aSharedKey("901700000000002"));
			await expect(other.addSharedKey(aSharedKey("901700000000003"))).rejects.toThrow(/in the database already/);
		});

		test("no SQN is taken twice, however many take them at once; with one set anew it goes on from there", async () => {
			const imsis = Array.from({ length: 7 }, (_, i) => `90170000000000${i}`);
			for (const imsi of imsis) await one.addSubscriber(aSubscriber(imsi));
			const taken = await Promise.all(
				Array.from({ length: 700 }, (_, i) => (i % 2 === 0 ? one : other).takeSqn(imsis[(i * 5) % 7])),
			);
			const names = taken.map((subscriber) => `${subscriber?.imsi} ${subscriber?.sqn}`);
			expect(new Set(names).size).toBe(700);
			const next = (await one.subscriber(IMSI))?.sqn ?? 0;
			expect(next).toBe(32 + 32 * 100);
			expect(await other.replaceSqn(IMSI, next - 32, 9999)).toBe(false);
			expect(await other.replaceSqn(IMSI, next, 64_000)).toBe(true);
			expect((await one.takeSqn(IMSI))?.sqn).toBe(64_000);
		});

		test("lists go on page by page", async () => {
			await postgres.query(
				`INSERT INTO best_subscriber (imsi, k, opc, amf, sqn, enabled)
				SELECT 901700000000000 + i, '\\x00', '\\x00', '\\x8000', 32, true FROM generate_series(1, 1201) i`,
			);
			const imsis: string[] = [];
			for await (const { imsi } of one.summaries()) imsis.push(imsi);
			expect(imsis).toHaveLength(1201);
			expect(imsis).toEqual([...imsis].sort());
			let count = 0;
			for await (const _ of one.subscribers()) count++;
			expect(count).toBe(1201);
		});

		test("tables of a newer version are left alone", async () => {
			await postgres.query("UPDATE best_version SET version = 99");
			await expect(one.migrate()).rejects.toThrow(/newer version of this program/);
		});
	});

	describe("sessions in a PostgreSQL", () => {
		let one: PostgresSessionStore;
		let other: PostgresSessionStore;
		let lost: string[];
		beforeEach(async () => {
			const subscribers = new PostgresSubscribers(postgres.url);
			await subscribers.migrate();
			await subscribers.close();
			one = new PostgresSessionStore(postgres.url);
			other = new PostgresSessionStore(postgres.url);
			lost = [];
			one.listen({ ...DEAF, onLost: (error) => lost.push(error.message) });
			other.listen({ ...DEAF, onLost: (error) => lost.push(error.message) });
			await one.begin();
			await other.begin();
		});
		afterEach(() => Promise.all([one.close(), other.close()]));

		const batch = (number: number, rest: Partial<SessionBatch>): SessionBatch => ({
			number,
			puts: [],
			removals: [],
			counts: new Uint8Array(0),
			forgetBelow: 0,
			...rest,
		});
		/** A session of the first process that has accepted COUNT 5, which is in the journal only. */
		async function aSession(): Promise<number> {
			const fleet = new Fleet(loadKernel(), 1, undefined, true);
			fleet.grow(1);
			const octets = fleet.hse.takeBatch()?.puts[0].octets ?? new Uint8Array(0);
			const sessionId = one.drawSessionId() ?? 0;
			await one.commit(batch(1, { puts: [{ sessionId, octets }], confirmations: [sessionId] }));
			const counts = new Uint8Array(8);
			new DataView(counts.buffer).setUint32(0, sessionId);
			counts[7] = 5;
			await one.commit(batch(2, { counts }));
			return sessionId;
		}
		function lastCount(octets: Uint8Array): number {
			const record = new SessionRecord();
			decodeStored(octets, record);
			const received = new ReceivedCount(3, 8);
			record.loadReceived(received);
			return received.last;
		}
		/** Nobody's lease ends while PostgreSQL has just begun. */
		async function leasesCount(): Promise<void> {
			for (let isOld = false; !isOld; await new Promise((resolve) => setTimeout(resolve, 100)))
				[{ isOld }] = await postgres.query<{ isOld: boolean }>(
					`SELECT pg_postmaster_start_time() < clock_timestamp() - interval '4.5 s' AS "isOld"`,
				);
		}
		const endLease = () =>
			postgres.query(
				"UPDATE best_hse SET lease_until = now() - interval '1 h' WHERE id = (SELECT min(id) FROM best_hse)",
			);

		test("a session is of one process until that one gives it up, with the COUNTs that the journal has", async () => {
			const sessionId = await aSession();
			const refused = await other.claim([sessionId, 0xffffffff], 0);
			expect(refused).toEqual({ taken: [], absent: [0xffffffff] });
			await one.close();
			const { taken } = await other.claim([sessionId], 0);
			expect(taken.map(({ octets }) => lastCount(octets))).toEqual([5]);
		});

		test("whoever was silent for longer than its lease has lost its sessions, and nothing that it writes counts", async () => {
			const sessionId = await aSession();
			await leasesCount();
			let taken: Claimed["taken"] = [];
			// The process renews its lease every second: it may come between.
			while (taken.length === 0) {
				await endLease();
				await other.claim([sessionId], 0);
				({ taken } = await other.claim([sessionId], 0));
			}
			expect(taken.map(({ octets }) => lastCount(octets))).toEqual([5]);
			await expect(one.commit(batch(3, { removals: [sessionId] }))).rejects.toThrow(/silent for longer/);
			expect(lost[0]).toMatch(/silent for longer/);
			expect(
				await postgres.query("SELECT owner = $1 AS is_taken FROM best_session WHERE session_id = $2", [
					(await postgres.query<{ id: string }>("SELECT id FROM best_hse"))[0].id,
					sessionId,
				]),
			).toEqual([{ is_taken: true }]);
		}, 20_000);

		test("a process that stands still in the middle of a write holds nobody up for long", async () => {
			const sessionId = await aSession();
			await leasesCount();
			const [{ id }] = await postgres.query<{ id: string }>(
				"INSERT INTO best_hse (lease_until) VALUES (now() - interval '1 h') RETURNING id",
			);
			await postgres.query("UPDATE best_session SET owner = $1 WHERE session_id = $2", [id, sessionId]);
			const still = new Connection(postgres.url);
			const written = still.transaction(async (client) => {
				await client.query("SELECT FROM best_hse WHERE id = $1 FOR KEY SHARE", [id]);
				await new Promise((_resolve, reject) => client.once("end", () => reject(new Error("cut off"))));
			});
			const cutOff = expect(written).rejects.toThrow("cut off");
			await other.claim([sessionId], 0);
			expect((await other.claim([sessionId], 0)).taken).toHaveLength(1);
			await cutOff;
			await still.end();
		}, 20_000);

		test("what was superseded while its process stood still is not taken up after it, and its end is told", async () => {
			const earlier = await aSession();
			const [{ packed }] = await postgres.query<{ packed: Buffer }>(
				"SELECT packed FROM best_session WHERE packed IS NOT NULL",
			);
			const later = other.drawSessionId() ?? 0;
			await other.commit(batch(1, { puts: [{ sessionId: later, octets: packed }], confirmations: [later] }));
			const deleted: number[] = [];
			const { length } = await postgres.query("SELECT FROM best_session WHERE packed IS NOT NULL");
			expect(length).toBe(2);
			await one.close();
			other.listen({ ...DEAF, onDeleted: ({ imsi }) => deleted.push(imsi.length) });
			expect(await other.claim([earlier], 1)).toEqual({ taken: [], absent: [earlier] });
			expect(deleted).toEqual([15]);
			expect((await other.claim([later], 1)).absent).toEqual([]);
		});

		test("what no UE has confirmed is forgotten once it is nobody's for a while; a confirmed session stays", async () => {
			const confirmed = await aSession();
			const [{ packed }] = await postgres.query<{ packed: Buffer }>(
				"SELECT packed FROM best_session WHERE packed IS NOT NULL",
			);
			const sessionId = one.drawSessionId() ?? 0;
			await one.commit(batch(3, { puts: [{ sessionId, octets: packed }] }));
			await one.close();
			await postgres.query("UPDATE best_session SET forget_at = forget_at - interval '1 h'");
			const third = new PostgresSessionStore(postgres.url);
			await third.begin();
			await third.close();
			const kept = await postgres.query("SELECT session_id::text FROM best_session WHERE packed IS NOT NULL");
			expect(kept.map(({ session_id }) => Number(session_id))).toEqual([confirmed]);
		});
	});

	describe("the commands", () => {
		test("best provision and best subscriber do there what they do in a file", () => {
			const database = ["--database", postgres.url];
			const store = join(folder, "store");
			expect(best(["provision", "--store", store, ...database, "--imsi", IMSI])).toMatchObject({
				status: 0,
				stderr: "",
			});
			expect(best(["provision", "--store", `${store}2`, ...database, "--imsi", IMSI]).stderr).toMatch(/already/);
			expect(best(["subscriber", "disable", "--imsi", IMSI, ...database]).stdout).toMatch(/milenage +disabled/);
			expect(best(["subscriber", "policy", "--imsi", IMSI, "--eas-key", "escrow", ...database]).stdout).toMatch(
				/escrow/,
			);
			const { stdout } = best(["subscriber", "list", ...database, "--json"]);
			expect(JSON.parse(stdout)).toMatchObject({ imsi: IMSI, enabled: false, easKey: "escrow", amf: "8000", sqn: 32 });
			expect(best(["subscriber", "export", "--format", "pysim", ...database]).stdout).toMatch(
				new RegExp(`,${IMSI},[0-9a-f]{32},`),
			);
			expect(best(["subscriber", "show", "--imsi", "901700000000009", ...database]).stderr).toMatch(
				/There is no subscriber/,
			);
		}, 60_000);

		test.each([
			["a password in the address", "postgres://best:secret@localhost/best", /PGPASSWORD/],
			["nobody there", "postgres://best@127.0.0.1:1/best", /cannot be used.*see that it runs/],
		])(
			"%s: one sentence, and no password in it",
			(_what, url, sentence) => {
				for (const words of [["hse"], ["subscriber", "list"], ["provision", "--store", join(folder, "none")]]) {
					const { status, stderr } = best([...words, "--database", url]);
					expect(status).toBe(1);
					expect(stderr).toMatch(sentence);
					expect(stderr).not.toMatch(/secret/);
					expect(stderr.trim().split("\n")).toHaveLength(1);
				}
			},
			60_000,
		);
	});
}
