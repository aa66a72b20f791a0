import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from "@jest/globals";
import pg from "pg";
import { DatabaseError } from "../../host-tools/hse/database.js";
import { PostgresSessionStore } from "../../host-tools/hse/postgres/session-store.js";
import { PostgresSubscribers } from "../../host-tools/hse/postgres/subscribers.js";
import { openPostgresResources, type PostgresResources } from "../../host-tools/northbound/postgres/resources.js";
import type { Resource } from "../../host-tools/northbound/resources.js";
import { Idempotency } from "../../host-tools/northbound/security/idempotency.js";
import { type Steps, wait } from "../../host-tools/northbound/steps.js";
import { pause } from "../several-hses/waiting.js";
import { NO_POSTGRES, Postgres } from "../support/postgres.js";

const IMSI = "001010000000001";
const RESOURCE: Resource<{ readonly n: number }> = {
	id: "one",
	kind: "delivery",
	applicationServer: "meters",
	imsi: IMSI,
	parent: "",
	until: undefined,
	body: { n: 0 },
};

async function until(isThere: () => unknown): Promise<void> {
	for (let i = 0; i < 500 && !(await isThere()); i++) await pause(20);
	expect(await isThere()).toBeTruthy();
}

if (NO_POSTGRES !== undefined) test.skip(`the northbound side's resources in a PostgreSQL: ${NO_POSTGRES}`, () => {});
else
	describe("the northbound side's resources in a PostgreSQL", () => {
		let postgres: Postgres;
		/** Of two processes, of which the first one ends in some tests. */
		let stores: PostgresSessionStore[];
		let one: PostgresResources;
		let other: PostgresResources;
		let errors: Error[];

		beforeAll(async () => {
			postgres = new Postgres();
			await postgres.start();
			const subscribers = new PostgresSubscribers(postgres.url);
			await subscribers.migrate();
			await subscribers.close();
		}, 60_000);
		afterAll(() => postgres?.remove());

		beforeEach(async () => {
			errors = [];
			await postgres.query("TRUNCATE best_resource, best_reply, best_channel, best_notification");
			stores = [new PostgresSessionStore(postgres.url), new PostgresSessionStore(postgres.url)];
			for (const store of stores) await store.begin();
			const open = ({ process }: PostgresSessionStore) =>
				openPostgresResources(postgres.url, process, (error) => errors.push(error));
			one = await open(stores[0]);
			other = await open(stores[1]);
		});
		afterEach(async () => {
			await Promise.all([one.close(), other.close()]);
			for (const store of stores) await store.close();
		});

		/** Adds one to what is stored, as whoever reads, thinks and writes. */
		function* count(resources: PostgresResources): Steps<void> {
			const found = yield* wait(resources.get<{ n: number }>("delivery", "meters", "one"));
			yield* wait(pause(1));
			yield* wait(resources.put({ ...RESOURCE, body: { n: (found?.body.n ?? 0) + 1 } }));
		}
		const counted = async () => (await one.get<{ n: number }>("delivery", "meters", "one"))?.body.n;

		test("what two processes read and write at once is all counted", async () => {
			await one.put(RESOURCE);
			const units = Array.from({ length: 40 }, (_, i) => {
				const resources = i % 2 === 0 ? one : other;
				return resources.unit(false, () => count(resources));
			});
			await Promise.all(units);
			expect(await counted()).toBe(40);
		});

		test("a unit that throws stores nothing, but for what it has committed", async () => {
			await one.put(RESOURCE);
			const fail = one.unit(false, function* () {
				yield* count(one);
				yield* wait(one.commit());
				yield* count(one);
				throw new Error("no more");
			});
			await expect(fail).rejects.toThrow("no more");
			expect(await counted()).toBe(1);
		});

		test("of two units that wait for each other, one is done again", async () => {
			await one.put(RESOURCE);
			await one.put({ ...RESOURCE, id: "two" });
			let tries = 0;
			const both = (resources: PostgresResources, ids: readonly string[]) =>
				resources.unit(false, function* () {
					tries++;
					for (const id of ids) {
						yield* wait(resources.get("delivery", "meters", id));
						yield* wait(pause(100));
					}
					yield* count(resources);
				});
			await Promise.all([both(one, ["one", "two"]), both(other, ["two", "one"])]);
			expect(await counted()).toBe(2);
			// On a machine that is busy it can meet the other one again.
			expect(tries).toBeGreaterThan(2);
		});

		test("units of one UE keep their order, and one that only stores is repeated after a crash of PostgreSQL", async () => {
			await one.put(RESOURCE);
			const done: string[] = [];
			let isHolding = false;
			let letGo = () => {};
			const held = new Promise<void>((resolve) => {
				letGo = resolve;
			});
			one.inTurn(IMSI, true, function* () {
				yield* count(one);
				isHolding = true;
				yield* wait(held);
				yield* wait(one.get("delivery", "meters", "one"));
				done.push("first");
			});
			one.inTurn(IMSI, false, function* () {
				yield* count(one);
				done.push("second");
			});
			await until(() => isHolding);
			// The connection breaks while it is in the hands of the unit and nothing is asked of it.
			await postgres.stop("SIGQUIT");
			letGo();
			await pause(100);
			await postgres.start();
			await until(() => done.length === 2);
			expect(done).toEqual(["first", "second"]);
			await until(async () => (await counted()) === 2);
			expect(errors[0]?.message).toMatch(/PostgreSQL of --database cannot be used/);
		});

		test("a value that PostgreSQL never takes holds up nothing of its UE, and is told once", async () => {
			let tries = 0;
			one.inTurn(IMSI, true, function* () {
				tries++;
				yield* wait(one.put({ ...RESOURCE, parent: "a\0b" }));
			});
			const next = new Promise<void>((resolve) => {
				one.inTurn(IMSI, true, function* () {
					yield* wait(one.put(RESOURCE));
					resolve();
				});
			});
			await next;
			expect(tries).toBe(1);
			expect(errors.map(({ message }) => message)).toEqual([expect.stringMatching(/does not take a value/)]);
			expect(await one.get("delivery", "meters", "\0")).toBeUndefined();
		});

		test("a PostgreSQL that is silent is asked nothing more: the request ends, after 5 s", async () => {
			const { pool } = one as unknown as { pool: pg.Pool };
			expect(pool.options.query_timeout).toBe(5000);
			pool.options.query_timeout = 50;
			let letGo = () => {};
			const holding = new Promise<void>((resolve) => {
				letGo = resolve;
			});
			const isHeld = jest.fn();
			const unit = other.unit(false, function* () {
				yield* wait(other.lockUe(IMSI));
				isHeld();
				yield* wait(holding);
			});
			await until(() => isHeld.mock.calls.length);
			const asked = jest.spyOn(pg.Client.prototype, "query");
			await expect(one.unit(false, () => wait(one.lockUe(IMSI)))).rejects.toThrow(
				"cannot be used (Query read timeout)",
			);
			expect(asked.mock.calls.map(([statement]) => statement)).not.toContain("ROLLBACK");
			asked.mockRestore();
			letGo();
			await unit;
			await one.unit(false, () => wait(one.lockUe(IMSI)));
		});

		test("the other process sees at once what is watched", async () => {
			expect([other.isWatched(IMSI), other.isSubscribed("meters")]).toEqual([false, false]);
			const told: string[] = [];
			other.listen({ onAnnounced: (imsi) => told.push(imsi), onCommandOver: (id) => told.push(id) });
			await one.unit(false, function* () {
				yield* wait(one.put(RESOURCE));
				yield* wait(one.announce(RESOURCE));
				yield* wait(one.announce({ imsi: "", applicationServer: "meters" }));
				yield* wait(one.announceOver("command"));
			});
			await until(() => told.length === 2);
			expect(told).toEqual([IMSI, "command"]);
			expect([other.isWatched(IMSI), other.isSubscribed("meters")]).toEqual([true, true]);
		});

		const REPLY = { digest: "d", status: 200, headers: "{}", body: "{}" };

		test("an idempotency key is one process's until it has answered or has ended", async () => {
			const now = Date.now();
			const later = now + 500;
			expect(await one.claimReply("meters", "key", now, later)).toBe(true);
			expect(await other.claimReply("meters", "key", now, later)).toBe(false);
			await stores[0].close();
			expect(await other.claimReply("meters", "key", now, later)).toBe(true);
			expect(await one.keepReply("meters", "key", REPLY, now + 1000)).toBe(false);
			expect(await other.keepReply("meters", "key", REPLY, now + 1000)).toBe(true);
			expect(await one.reply("meters", "key", now)).toEqual(REPLY);
			expect(await one.claimReply("meters", "key", now, later)).toBe(false);
			expect(await one.reply("meters", "key", now + 1000)).toBeUndefined();
			stores = [stores[1]];
		});

		test("an idempotency key holds over a failure: what it did is stored with its answer, or is not", async () => {
			let now = Date.now();
			const failures: unknown[] = [];
			const keysOf = (resources: PostgresResources) =>
				new Idempotency(
					resources,
					() => now,
					(error) => failures.push(error),
				);
			const post = (keys: Idempotency, resources: PostgresResources, id: string) =>
				keys.once("meters", "key", "POST", true, (last) =>
					resources.unit(false, function* () {
						yield* wait(resources.put({ ...RESOURCE, id }));
						const response = { status: 201, body: { id } };
						yield* last(response);
						return response;
					}),
				);
			const down = new DatabaseError("The PostgreSQL of --database cannot be used.");
			const failing = [
				jest.spyOn(one, "keepReply").mockRejectedValue(down),
				jest.spyOn(one, "dropReply").mockRejectedValue(down),
			];
			const keys = { one: keysOf(one), other: keysOf(other) };
			await expect(post(keys.one, one, "first")).rejects.toBe(down);
			expect(failures).toEqual([down]);
			expect(await one.ofServer("delivery", "meters")).toEqual([]);
			for (const spy of failing) spy.mockRestore();
			// The other one cannot know that it failed: after a time it can.
			await expect(post(keys.other, other, "second")).rejects.toThrow("is being answered");
			now += 120_000;
			expect(await post(keys.other, other, "third")).toEqual({ status: 201, body: { id: "third" } });
			expect((await post(keys.one, one, "fourth")).body).toEqual({ id: "third" });
			expect((await one.ofServer("delivery", "meters")).map(({ id }) => id)).toEqual(["third"]);
		});

		test("of the answers of one application server so many are kept, and claims stay", async () => {
			const now = Date.now();
			for (const [index, key] of ["first", "second", "third"].entries())
				await one.keepReply("meters", key, REPLY, now + 1000 + index);
			await one.keepReply("pumps", "first", REPLY, now + 1000);
			await one.claimReply("meters", "claimed", now, now + 500);
			await one.forgetOld(now, 2);
			const left = await postgres.query<{ name: string }>(
				"SELECT application_server || ' ' || key AS name FROM best_reply ORDER BY name",
			);
			expect(left.map(({ name }) => name)).toEqual(["meters claimed", "meters second", "meters third", "pumps first"]);
		});

		test("what expires is taken by one of them", async () => {
			await one.put({ ...RESOURCE, until: 5 });
			const found: number[] = [];
			const look = (resources: PostgresResources) =>
				resources.unit(false, function* () {
					const over = yield* wait(resources.over(5));
					found.push(over.length);
					yield* wait(pause(100));
					for (const { id } of over) yield* wait(resources.remove(id));
				});
			await Promise.all([look(one), look(other)]);
			expect(found.sort()).toEqual([0, 1]);
		});
	});
