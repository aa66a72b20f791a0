import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { PostgresEasRegistrations } from "../../host-tools/hse/postgres/eas-registrations.js";
import { PostgresSubscribers } from "../../host-tools/hse/postgres/subscribers.js";
import type { StandingRegistration } from "../../host-tools/hse/shared-eas.js";
import { NO_POSTGRES, Postgres } from "../support/postgres.js";

/** Less than the time after which all of it is read anyway, in milliseconds. */
const AT_ONCE = 3000;

const registration = (id: string, easId = "meter.test") => ({ easId, id, callback: `https://192.0.2.1/${id}` });

/** The registrations as one HSE knows them. */
class Known {
	readonly registrations: PostgresEasRegistrations;
	readonly errors: string[] = [];
	standing: readonly StandingRegistration[] = [];
	private wake = () => {};

	constructor(url: string) {
		this.registrations = new PostgresEasRegistrations(url, (error) => this.errors.push(error.message));
	}

	begin(): Promise<void> {
		return this.registrations.begin((standing) => {
			this.standing = standing;
			this.wake();
		});
	}

	get ids(): string[] {
		return this.standing.map(({ id }) => id).sort();
	}

	/** Waits until these are known, however long that takes; the test's own limit ends it otherwise. */
	async until(ids: readonly string[]): Promise<void> {
		while (this.ids.join() !== ids.join())
			await new Promise<void>((resolve) => {
				this.wake = resolve;
			});
	}
}

if (NO_POSTGRES !== undefined) test.skip(`EASs in a PostgreSQL: ${NO_POSTGRES}`, () => {});
else
	describe("EASs in the PostgreSQL of several HSEs", () => {
		let postgres: Postgres;
		let here: Known;
		let there: Known;

		beforeAll(async () => {
			postgres = new Postgres();
			await postgres.start();
			const subscribers = new PostgresSubscribers(postgres.url);
			await subscribers.migrate();
			await subscribers.close();
			here = new Known(postgres.url);
			there = new Known(postgres.url);
			await here.begin();
			await there.begin();
		}, 60_000);

		beforeEach(async () => {
			await postgres.query("DELETE FROM best_eas");
			await here.registrations.refresh();
			await there.registrations.refresh();
		});

		afterAll(async () => {
			await here?.registrations.close();
			await there?.registrations.close();
			await postgres?.remove();
		}, 60_000);

		test(
			"what one HSE has taken all know at once, and that it is gone",
			async () => {
				await here.registrations.put(registration("one"), 60);
				expect(here.ids).toEqual(["one"]);
				await there.until(["one"]);
				const [{ remaining, ...rest }] = there.standing;
				expect(rest).toEqual(registration("one"));
				expect(remaining).toBeGreaterThan(50_000);
				expect(remaining).toBeLessThanOrEqual(60_000);
				await there.registrations.remove("one");
				expect(there.ids).toEqual([]);
				await here.until([]);
			},
			AT_ONCE,
		);

		test(
			"an EAS that registers anew, with another HSE, has one registration",
			async () => {
				await here.registrations.put(registration("old"), 60);
				await here.registrations.put(registration("other", "other.test"), 60);
				await there.registrations.put(registration("new"), 60);
				await here.until(["new", "other"]);
				expect(await here.registrations.renew("old", 60)).toBe(false);
				// Nor does what comes late from the old one end the new one.
				await here.registrations.remove("old");
				expect(here.ids).toEqual(["new", "other"]);
			},
			AT_ONCE,
		);

		test("it holds as long as it is renewed, at whichever HSE", async () => {
			await here.registrations.put(registration("one"), 1);
			expect(await there.registrations.renew("one", 60)).toBe(true);
			await postgres.query("SELECT pg_sleep(1.1)");
			await here.registrations.refresh();
			expect(here.ids).toEqual(["one"]);
			await there.registrations.renew("one", 0.2);
			await postgres.query("SELECT pg_sleep(0.3)");
			expect(await here.registrations.renew("one", 60)).toBe(false);
			expect(here.ids).toEqual([]);
		}, 15_000);

		test("after a crash of PostgreSQL it is there still, and others are told of again", async () => {
			await here.registrations.put(registration("one"), 60);
			await postgres.stop("SIGQUIT");
			await expect(here.registrations.renew("one", 60)).rejects.toThrow(/cannot be used/);
			await postgres.start();
			expect(await here.registrations.renew("one", 60)).toBe(true);
			// Whoever listens does so again when it has looked once, which it does by itself.
			await there.registrations.refresh();
			await here.registrations.put(registration("two", "other.test"), 60);
			await there.until(["one", "two"]);
		}, 30_000);
	});
