import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import fc from "fast-check";
import { bestDocument } from "../../host-tools/northbound/best/document.js";
import { ROOT } from "../support/best.js";
import { isPublished, PublishedNidd } from "./published.js";
import { type Answer, base64, DESTINATION, FOREIGN_UE, OTHER_UE, UE, World } from "./world.js";

// biome-ignore lint/suspicious/noExplicitAny: a document is looked at field by field.
type Json = any;

const published = isPublished ? new PublishedNidd() : undefined;
const world = await World.make();
const [nidd, best] = world.northbound.apis;
const document: Json = bestDocument(best);
const ajv = new Ajv2020({ strict: false, allErrors: true });
formats.default(ajv);
ajv.addSchema(document, "best");

const RUNS = Number(process.env.BEST_FUZZ_RUNS ?? 300);

/** Values that mean something here, by the name of their field, so that more than the outermost check is reached. */
const WORDS: Readonly<Record<string, readonly unknown[]>> = {
	externalId: [UE, UE, UE, OTHER_UE, FOREIGN_UE],
	msisdn: ["491700000001", "491700000009"],
	notificationDestination: [DESTINATION, DESTINATION, "http://127.0.0.1/"],
	data: [base64("x"), base64("x".repeat(1300)), ""],
	duration: ["2031-01-01T00:00:00Z", "2001-01-01T00:00:00+01:00"],
	pdnEstablishmentOption: ["WAIT_FOR_UE", "INDICATE_ERROR"],
};
const ANY_WORD = Object.values(WORDS).flat();
/** Fields that make most requests end early. */
const RARE = ["externalGroupId", "msisdn", "reliableDataService", "rdsPort", "rdsPorts", "niddDownlinkDataTransfers"];

/** Values that fit a JSON schema, now and then ones that do not. */
function valuesOf(schema: Json, root: Json = document, name = ""): fc.Arbitrary<unknown> {
	if (schema?.$ref !== undefined) {
		const path = schema.$ref.split("/").slice(1);
		return valuesOf(
			path.reduce((value: Json, part: string) => value[part], root),
			root,
		);
	}
	const stray = { weight: 1, arbitrary: fc.oneof(fc.jsonValue(), fc.constantFrom(...ANY_WORD)) };
	const known = WORDS[name];
	if (known !== undefined) return fc.oneof(stray, { weight: 25, arbitrary: fc.constantFrom(...known) });
	return fc.oneof(stray, { weight: 25, arbitrary: fitting(schema ?? {}, root) });
}

function fitting(schema: Json, root: Json): fc.Arbitrary<unknown> {
	if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
	if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map((one: Json) => valuesOf(one, root)));
	switch (schema.type) {
		case "object": {
			const fields = Object.entries<Json>(schema.properties ?? {}).map(([name, one]) => {
				const isNeeded = schema.required?.includes(name) || name === "externalId";
				const values = valuesOf(one, root, name).map((value) => [[name, value] as const]);
				const weight = isNeeded ? 30 : RARE.includes(name) ? 1 / 20 : 1 / 2;
				return fc.oneof(
					{ weight: Math.round(100 * weight), arbitrary: values },
					{ weight: 100, arbitrary: fc.constant([]) },
				);
			});
			return fc.tuple(...fields).map((pairs) => Object.fromEntries(pairs.flat()));
		}
		case "array":
			return fc.array(valuesOf(schema.items, root), { minLength: schema.minItems ?? 0, maxLength: 3 });
		case "integer":
		case "number":
			return fc.integer({ min: schema.minimum ?? -10, max: Math.min(schema.maximum ?? 10, 1e6) });
		case "boolean":
			return fc.boolean();
		case "string":
			return fc.oneof(fc.constantFrom(...(ANY_WORD as string[])), fc.string({ maxLength: 40 }));
		default:
			return fc.jsonValue();
	}
}

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
		const strays = [extra, "x", "..", "%"];
		const there =
			name === "sessionId"
				? [world.sessionPath.slice("/sessions/".length)]
				: world.context.store.ofServer(kinds[name as keyof typeof kinds] ?? "delivery", "meters").map(({ id }) => id);
		const isStray = at % 8 === 0 || there.length === 0;
		const choice = isStray ? strays : there;
		return encodeURIComponent(choice[(at >> 3) % choice.length]);
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
	const cases = operations.chain((operation) => {
		const described = document.paths[operation.path][operation.method];
		const schema = described.requestBody?.content["application/json"].schema;
		const query = (described.parameters as Json[]).filter((parameter) => parameter.in === "query");
		return fc.record({
			operation: fc.constant(operation),
			step,
			body:
				schema === undefined
					? fc.constant(undefined)
					: fc.oneof({ weight: 9, arbitrary: valuesOf(schema) }, fc.string()),
			query: fc.record(
				Object.fromEntries(
					query.map(({ name, schema: one }) => [name, valuesOf(one, document, name).map((value) => String(value))]),
				),
				{ requiredKeys: [] },
			),
		});
	});
	await fc.assert(
		fc.asyncProperty(cases, async ({ operation, step: { at, extra, isHeard }, body, query }) => {
			if (isHeard) live();
			const path = `/3gpp-best/v1${pathOf(operation.path, { at, extra })}?${new URLSearchParams(query as Record<string, string>)}`;
			const answer = await world.request(operation.method.toUpperCase(), path, body);
			expect(answer.status).toBeLessThan(500);
			sane(operation.id, answer);
			const { responses } = document.paths[operation.path][operation.method];
			const key = responses[answer.status] === undefined ? "default" : String(answer.status);
			if (key === "default") expect(answer.status).toBeGreaterThanOrEqual(400);
			if (answer.status >= 300 || answer.body === undefined) return;
			const pointer = `#/paths/${operation.path.replaceAll("~", "~0").replaceAll("/", "~1")}/${operation.method}/responses/${key}/content/application~1json/schema`;
			const isValid = ajv.validate({ $ref: `best${encodeURI(pointer)}` }, answer.body);
			expect({ body: answer.body, errors: isValid ? [] : ajv.errors }).toEqual({ body: answer.body, errors: [] });
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
	const cases = fc.constantFrom(...nidd.operations).chain((operation) => {
		const schema = schemas.get(operation.id);
		return fc.record({
			operation: fc.constant(operation),
			step,
			body:
				schema === undefined
					? fc.constant(undefined)
					: fc.oneof({ weight: 9, arbitrary: valuesOf(schema, schema) }, fc.string()),
		});
	});
	await fc.assert(
		fc.asyncProperty(cases, async ({ operation, step: { at, extra, isHeard }, body }) => {
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
