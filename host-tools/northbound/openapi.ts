import { z } from "zod";
import { type Api, type Operation, rootOf } from "./operation.js";
import { PROBLEM_TYPE } from "./problem.js";
import { ProblemDetailsSchema } from "./schemas.js";

type Json = Readonly<Record<string, unknown>>;

/** Named schemas stand under components; `$ref` leads there. */
class Components {
	readonly schemas: Record<string, unknown> = {};

	/** @param io whether a schema is of what comes in or of what goes out */
	of(schema: z.ZodType, io: "input" | "output"): Json {
		const {
			$defs,
			$schema: _,
			...json
		} = z.toJSONSchema(schema, {
			io,
			// OpenAPI 3.1 takes JSON Schema 2020-12 as it is.
			target: "draft-2020-12",
			unrepresentable: "any",
			override: ({ jsonSchema }) => {
				// Clients must take fields that a later version adds.
				if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
			},
		}) as Json & { $defs?: Record<string, Json> };
		for (const [name, definition] of Object.entries($defs ?? {})) this.schemas[name] = moved(definition);
		const { id, ...rest } = moved(json);
		if (typeof id !== "string") return rest;
		this.schemas[id] = rest;
		return { $ref: `#/components/schemas/${id}` };
	}
}

/** The same with references into components. */
function moved<T>(value: T): T & Json {
	const text = JSON.stringify(value).replaceAll("#/$defs/", "#/components/schemas/");
	const json = JSON.parse(text);
	if (json && typeof json === "object") delete json.$schema;
	return json;
}

/** Parameters `{name}` of a path. */
export function parametersOf(path: string): string[] {
	return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
}

const ERRORS: Readonly<Record<string, string>> = {
	"400": "A part of the request is not as it must be.",
	"401": "Who asks is not known.",
	"403": "It is not allowed.",
	"404": "There is no such resource.",
	"406": "Only JSON is there.",
	"409": "The state does not allow it.",
	"413": "The body is too long.",
	"415": "The body is of another type.",
	"422": "The idempotency key belongs to another request.",
	"429": "Too many requests.",
	default: "Another error.",
};

function documentOf(operation: Operation, components: Components): Json {
	const { id, tag, summary, query, body, bodyType = "application/json", responses, path, method } = operation;
	const parameters: Json[] = parametersOf(path).map((name) => ({
		name,
		in: "path",
		required: true,
		schema: { type: "string" },
	}));
	for (const [name, schema] of Object.entries(query?.shape ?? {}))
		parameters.push({ name, in: "query", required: false, schema: components.of(schema as z.ZodType, "input") });
	if (method === "post")
		parameters.push({
			name: "Idempotency-Key",
			in: "header",
			required: false,
			description: "A request that is repeated with its key is answered as before, and nothing is done again.",
			schema: { type: "string", minLength: 1, maxLength: 255, pattern: "^[!-~]+$" },
		});
	return {
		operationId: id,
		tags: [tag],
		summary,
		parameters,
		...(body && {
			requestBody: {
				required: operation.isBodyOptional !== true,
				content: { [bodyType]: { schema: components.of(body, "input") } },
			},
		}),
		responses: {
			...Object.fromEntries(
				Object.entries(responses).map(([status, { description, schema, location }]) => [
					status,
					{
						description,
						...(location && { headers: { Location: { required: true, schema: { type: "string" } } } }),
						...(schema && { content: { "application/json": { schema: components.of(schema, "output") } } }),
					},
				]),
			),
			...Object.fromEntries(
				Object.keys(ERRORS).map((status) => [status, { $ref: `#/components/responses/${status}` }]),
			),
		},
	};
}

/** The OpenAPI 3.1 document of an API, made from the schemas that its requests are checked against. */
export function openApiOf(
	api: Api,
	about: { readonly title: string; readonly description: string; readonly version: string },
	callback?: { readonly operation: string; readonly schema: z.ZodType },
): Json {
	const components = new Components();
	const paths: Record<string, Record<string, Json>> = {};
	for (const operation of api.operations) {
		let document = documentOf(operation, components);
		if (callback?.operation === operation.id)
			document = {
				...document,
				callbacks: {
					notification: {
						"{$request.body#/notificationDestination}": {
							post: {
								requestBody: {
									required: true,
									content: { "application/json": { schema: components.of(callback.schema, "output") } },
								},
								responses: { "204": { description: "Taken." }, "200": { description: "Taken." } },
							},
						},
					},
				},
			};
		paths[operation.path] = { ...paths[operation.path], [operation.method]: document };
	}
	const problem = components.of(ProblemDetailsSchema, "output");
	return {
		openapi: "3.1.0",
		info: { ...about, license: { name: "Apache-2.0", identifier: "Apache-2.0" } },
		servers: [{ url: rootOf(api) }],
		security: [{ oAuth2ClientCredentials: [] }, { clientCertificate: [] }],
		paths,
		components: {
			schemas: components.schemas,
			responses: Object.fromEntries(
				Object.entries(ERRORS).map(([status, description]) => [
					status,
					{ description, content: { [PROBLEM_TYPE]: { schema: problem } } },
				]),
			),
			securitySchemes: {
				oAuth2ClientCredentials: {
					type: "oauth2",
					flows: { clientCredentials: { tokenUrl: "/oauth2/token", scopes: {} } },
				},
				clientCertificate: { type: "mutualTLS" },
			},
		},
	};
}
