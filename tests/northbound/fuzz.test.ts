import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { ROOT } from "../support/best.js";
import { BestDocument } from "./best-document.js";
import { Cases, type Json, type Words } from "./cases.js";
import { isPublished, PublishedNidd } from "./published.js";
import { type Answer, base64, DESTINATION, FOREIGN_UE, METERS, OTHER_UE, PUMPS, UE, World } from "./world.js";

const published = isPublished ? new PublishedNidd() : undefined;
// Time stands still here: with a rate only the first requests of a long run would reach more than its check.
const unbounded = { perSecond: Number.MAX_SAFE_INTEGER, burst: Number.MAX_SAFE_INTEGER };
const world = await World.make({ servers: [{ ...METERS, rate: unbounded }, PUMPS] });
const [nidd, best] = world.northbound.apis;
const described = new BestDocument(best);
const { document } = described;

const RUNS = Number(process.env.BEST_FUZZ_RUNS ?? 300);

/** Values that mean something here, by the name of their field, so that more than the outermost check is reached. */
const WORDS: Words = {
	externalId: [UE, UE, UE, OTHER_UE, FOREIGN_UE],
	msisdn: ["491700000001", "491700000009"],
	notificationDestination: [DESTINATION, DESTINATION, "http://127.0.0.1/"],
	data: [base64("x"), base64("x".repeat(1300)), ""],
	duration: ["2031-01-01T00:00:00Z", "2001-01-01T00:00:00+01:00"],
	pdnEstablishmentOption: ["WAIT_FOR_UE", "INDICATE_ERROR"],
	// What a store can take otherwise than JSON does, in any field of text.
	mtcProviderId: ["provider", "\0", "a\0b", "\ud800", `${DESTINATION}/\0x`, `${DESTINATION}/\udc00`, "%00"],
};
const cases = new Cases(WORDS);
/** What the parameters of a path can be: mostly what is there. */
function pathOf(pattern: string, { at, extra }: { at: number; extra: string }): string {
	const kinds = {
		configurationId: "configuration",
		downlinkDataDeliveryId: "delivery",
		commandId: "command",
		subscriptionId: "subscription",
	} as const;
	return pattern.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
		if (name === "scsAsId") return "meters";
		const strays = [extra, "x", "..", "%", "\0", "x\0"].map(encodeURIComponent);
		const there =
			name === "sessionId"
				? [world.sessionPath.slice("/sessions/".length)]
				: world.resources.ofServer(kinds[name as keyof typeof kinds] ?? "delivery", "meters").map(({ id }) => id);
		const isStray = at % 8 === 0 || there.length === 0;
		// The last two are no UTF-8: a half of a surrogate pair, and an octet that begins nothing.
		const choice = isStray ? [...strays, "%ED%A0%80", "%80"] : there.map(encodeURIComponent);
		return choice[(at >> 3) % choice.length];
	});
}

function sane(operation: string, answer: Answer): void {
	met.add(`${operation} ${answer.status < 300 ? "succeeds" : "is refused"}`);
	expect(world.errors).toEqual([]);
	if (answer.status >= 400 && answer.body?.problemDetail === undefined) {
		expect(answer.headers.get("content-type")).toBe("application/problem+json");
		expect(answer.body.status).toBe(answer.status);
	}
}

/** Statuses that were met: a run in which nothing succeeds shows nothing. */
const met = new Set<string>();

const step = fc.record({ at: fc.nat(), extra: fc.string({ maxLength: 20 }), isHeard: fc.boolean() });

test("whatever is asked of the BEST API, its answers are those of its OpenAPI document, and none is a failure of its own", async () => {
	world.connect();
	const operations = fc.constantFrom(...best.operations);
	const requests = operations.chain((operation) => {
		const { requestBody, parameters } = described.describes(operation);
		const query = (parameters as Json[]).filter((parameter) => parameter.in === "query");
		return fc.record({
			operation: fc.constant(operation),
			step,
			body: cases.bodies(requestBody?.content["application/json"].schema, document),
			query: fc.record(
				Object.fromEntries(
					query.map(({ name, schema: one }) => [
						name,
						cases.valuesOf(one, document, name).map((value) => String(value)),
					]),
				),
				{ requiredKeys: [] },
			),
		});
	});
	await fc.assert(
		fc.asyncProperty(requests, async ({ operation, step: { at, extra, isHeard }, body, query }) => {
			if (isHeard) live();
			const path = `/3gpp-best/v1${pathOf(operation.path, { at, extra })}?${new URLSearchParams(query as Record<string, string>)}`;
			const answer = await world.request(operation.method.toUpperCase(), path, body);
			expect(answer.status).toBeLessThan(500);
			sane(operation.id, answer);
			described.expectAnswer(operation, answer);
		}),
		{ numRuns: RUNS, seed: 33163 },
	);
	expect([...met]).toEqual(
		expect.arrayContaining([
			"ListSessions succeeds",
			"RequestSession succeeds",
			"TerminateSession succeeds",
			"RefreshKeys succeeds",
			"TakeEasKey succeeds",
			"Subscribe succeeds",
			"Unsubscribe succeeds",
			"ReadSession is refused",
		]),
	);
}, 600_000);

test("whatever is asked of NIDD, its answers are documented, and none is a failure of its own", async () => {
	const schemas = new Map<string, Json>();
	const { z } = await import("zod");
	for (const operation of nidd.operations)
		if (operation.body !== undefined)
			schemas.set(operation.id, z.toJSONSchema(operation.body, { io: "input", unrepresentable: "any" }));
	const requests = fc.constantFrom(...nidd.operations).chain((operation) => {
		const schema = schemas.get(operation.id);
		return fc.record({ operation: fc.constant(operation), step, body: cases.bodies(schema, schema) });
	});
	await fc.assert(
		fc.asyncProperty(requests, async ({ operation, step: { at, extra, isHeard }, body }) => {
			if (isHeard) live();
			const path = `/3gpp-nidd/v1${pathOf(operation.path, { at, extra })}`;
			const answer = await world.request(operation.method.toUpperCase(), path, body);
			sane(operation.id, answer);
			// The one 500 is that of the published document: the UE does not listen, and buffering is not allowed.
			if (answer.status >= 500) expect(answer.body.problemDetail.cause).toBe("TEMPORARILY_NOT_REACHABLE");
			if (answer.body?.cause !== "RESOURCE_URI_STRUCTURE_NOT_FOUND")
				published?.expectAnswer(operation.method, operation.path, answer);
		}),
		{ numRuns: RUNS, seed: 33163 },
	);
	expect([...met]).toEqual(
		expect.arrayContaining(["CreateNIDDConfiguration succeeds", "CreateDownlinkDataDelivery succeeds"]),
	);
}, 600_000);

/** The UE is heard from, in a new session if it has none. */
function live(): void {
	if (world.ue.session === undefined) world.begin();
	else world.send("reading");
	world.settle();
}

test("the document is OpenAPI 3.1: every reference leads somewhere, and every operation says how it answers", () => {
	expect(document.openapi).toBe("3.1.0");
	const text = JSON.stringify(document);
	for (const [, pointer] of text.matchAll(/"\$ref":"#([^"]*)"/g)) {
		const target = pointer
			.split("/")
			.slice(1)
			.reduce((value: Json, part) => value?.[part], document);
		expect([pointer, typeof target]).toEqual([pointer, "object"]);
	}
	// The same as the one that is served: `curl …/3gpp-best/v1/openapi.json` writes it anew.
	expect(JSON.parse(readFileSync(join(ROOT, "docs/3gpp-best.openapi.json"), "utf8"))).toEqual(document);
	const ids = best.operations.map(({ id }) => id);
	expect(new Set(ids).size).toBe(ids.length);
	for (const { id, responses } of best.operations)
		expect([id, Object.keys(responses).some((status) => Number(status) < 300)]).toEqual([id, true]);
});
