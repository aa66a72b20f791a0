import { expect, test } from "@jest/globals";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { BestDocument } from "./best-document.js";
import type { Json } from "./cases.js";
import { World } from "./world.js";

const world = await World.make();
const { document } = new BestDocument(world.northbound.apis[1]);
const ajv = new Ajv2020({ strict: false, allErrors: true });
formats.default(ajv);
ajv.addSchema(document, "best");

const schemas = Object.entries<Json>(document.components.schemas);
const operations: [string, Json][] = Object.entries<Json>(document.paths).flatMap(([path, methods]) =>
	Object.entries<Json>(methods).map(([method, operation]): [string, Json] => [`${method} ${path}`, operation]),
);

/** What a reader of a schema is told of it: beside a reference, or where that leads. */
function descriptionOf(schema: Json): string | undefined {
	const name = schema.$ref?.split("/").at(-1);
	return schema.description ?? document.components.schemas[name]?.description;
}

/** Places below a schema, with what stands there. */
function* partsOf(schema: Json, at: string): Generator<[string, Json]> {
	yield [at, schema];
	for (const [name, part] of Object.entries<Json>(schema.properties ?? {})) yield* partsOf(part, `${at}.${name}`);
	if (schema.items !== undefined) yield* partsOf(schema.items, `${at}[]`);
	for (const part of (schema.anyOf ?? []).filter(({ type }: Json) => type === "object")) yield* partsOf(part, at);
}

test("every schema, field and parameter is described", () => {
	const silent: string[] = [];
	for (const [name, schema] of schemas)
		for (const [at, part] of partsOf(schema, name))
			if (!at.endsWith("[]") && descriptionOf(part) === undefined) silent.push(at);
	for (const [at, { parameters }] of operations)
		for (const parameter of parameters)
			if (parameter.description === undefined) silent.push(`${at}: ${parameter.name}`);
	expect(silent).toEqual([]);
});

test("enumerations and objects have names, so that a generated client has them too", () => {
	const nameless: string[] = [];
	for (const [name, schema] of schemas)
		for (const [at, part] of partsOf(schema, name))
			if (at !== name && (part.enum !== undefined || part.type === "object")) nameless.push(at);
	for (const [at, { parameters, requestBody, responses }] of operations) {
		for (const { schema, name } of parameters) if (schema.enum !== undefined) nameless.push(`${at}: ${name}`);
		for (const { content = {} } of [requestBody ?? {}, ...Object.values<Json>(responses)])
			for (const { schema } of Object.values<Json>(content)) if (schema.$ref === undefined) nameless.push(at);
	}
	expect(nameless).toEqual([]);
});

test("every operation has its identifier, summary, description, a tag that is explained, and what it may be refused with", () => {
	const tags = document.tags.map(({ name }: Json) => name);
	expect(document.tags.every(({ description }: Json) => description.length > 0)).toBe(true);
	const notification = Object.values<Json>(document.paths["/{scsAsId}/subscriptions"].post.callbacks).flatMap(
		(callback) => Object.values<Json>(callback).map(({ post }): [string, Json] => ["notification", post]),
	);
	for (const [at, operation] of [...operations, ...notification]) {
		const { operationId, summary, description, responses } = operation;
		expect([at, typeof operationId, typeof summary, typeof description]).toEqual([at, "string", "string", "string"]);
		expect(operation.tags.filter((tag: string) => !tags.includes(tag))).toEqual([]);
		expect(Object.keys(responses).some((status) => status.startsWith("4"))).toBe(true);
		if (at.startsWith("get")) expect(Object.keys(responses)).not.toContain("415");
	}
	const identifiers = [...operations, ...notification].map(([, { operationId }]) => operationId);
	expect(new Set(identifiers).size).toBe(identifiers.length);
});

test("refusals name the header fields that come with them", () => {
	const { responses } = document.components;
	expect(Object.keys(responses["401"].headers)).toEqual(["WWW-Authenticate"]);
	expect(Object.keys(responses["429"].headers)).toEqual(["Retry-After"]);
	expect(Object.keys(responses["503"].headers)).toEqual(["Retry-After"]);
});

test("examples fit their schemas, and what is exchanged has one", () => {
	const without: string[] = [];
	for (const [name, { type, examples = [] }] of schemas) {
		if (type === "object" && examples.length === 0) without.push(name);
		for (const example of examples) {
			const isValid = ajv.validate({ $ref: `best#/components/schemas/${name}` }, example);
			expect([name, isValid ? [] : ajv.errors]).toEqual([name, []]);
		}
	}
	expect(without).toEqual([]);
});
