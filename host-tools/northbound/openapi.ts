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

/** What a parameter of a path names. */
const PATH_PARAMETERS: Readonly<Record<string, string>> = {
	scsAsId: "The application server (SCS/AS) that asks.",
	sessionId: "Session ID of EMSDP: 8 hex digits.",
	commandId: "The last part of the URI of the command.",
	subscriptionId: "The last part of the URI of the subscription.",
};

interface ErrorRow {
	readonly description: string;
	/** Header fields that come with it. */
	readonly headers?: Readonly<Record<string, string>>;
	/** Where it can happen; everywhere by default. */
	readonly of?: (operation: Operation) => boolean;
}

const RETRY_AFTER = { "Retry-After": "After how many seconds to ask again." };
const hasBody = ({ body }: Operation) => body !== undefined;

const ERRORS: Readonly<Record<string, ErrorRow>> = {
	"400": { description: "A part of the request is not as it must be: invalidParams says which." },
	"401": {
		description: "Who asks is not known: credentials are missing, wrong or expired.",
		headers: { "WWW-Authenticate": "How to authenticate (RFC 6750)." },
	},
	"403": {
		description: "It is not allowed: the path, UE or session is another application server's, or policy denies it.",
	},
	"404": { description: "There is no such resource." },
	"406": { description: "Only JSON is there." },
	"409": { description: "The state does not allow it: cause says why.", of: ({ method }) => method !== "get" },
	"413": { description: "The body is too long.", of: hasBody },
	"415": { description: "The body is of another type.", of: hasBody },
	"422": { description: "The idempotency key belongs to another request.", of: ({ method }) => method === "post" },
	"429": { description: "Too many requests, or too many failed attempts.", headers: RETRY_AFTER },
	"503": {
		description: "Something that is needed is not there now: the store, or the issuer of tokens.",
		headers: RETRY_AFTER,
	},
	default: { description: "Another error." },
};

function headersOf(headers: Readonly<Record<string, string>>): Json {
	return Object.fromEntries(
		Object.entries(headers).map(([name, description]) => [name, { description, schema: { type: "string" } }]),
	);
}

function documentOf(operation: Operation, components: Components): Json {
	const { id, tag, summary, description, query, body, responses, path, method } = operation;
	const { bodyType = "application/json" } = operation;
	const parameters: Json[] = parametersOf(path).map((name) => ({
		name,
		in: "path",
		required: true,
		description: PATH_PARAMETERS[name],
		schema: { type: "string" },
	}));
	for (const [name, part] of Object.entries(query?.shape ?? {})) {
		const { description: about, ...schema } = components.of(part as z.ZodType, "input");
		parameters.push({ name, in: "query", required: false, description: about, schema });
	}
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
		...(description && { description }),
		parameters,
		...(body && {
			requestBody: {
				required: operation.isBodyOptional !== true,
				content: { [bodyType]: { schema: components.of(body, "input") } },
			},
		}),
		responses: {
			...Object.fromEntries(
				Object.entries(responses).map(([status, { description: about, schema, location }]) => [
					status,
					{
						description: about,
						...(location && { headers: headersOf({ Location: "URI of the resource that was made." }) }),
						...(schema && { content: { "application/json": { schema: components.of(schema, "output") } } }),
					},
				]),
			),
			...Object.fromEntries(
				Object.entries(ERRORS)
					.filter(([, { of }]) => of === undefined || of(operation))
					.map(([status]) => [status, { $ref: `#/components/responses/${status}` }]),
			),
		},
	};
}

/** What an API posts to the notification destination of a request. */
interface Callback {
	/** The operation whose body names the destination. */
	readonly operation: string;
	readonly tag: string;
	readonly schema: z.ZodType;
}

function callbackOf({ operation, tag, schema }: Callback, components: Components): Json {
	const post = {
		operationId: `${operation}Notification`,
		tags: [tag],
		summary: "What is told of.",
		description: "Sent again with growing delays until it is taken. Redirections are not followed.",
		requestBody: {
			required: true,
			content: { "application/json": { schema: components.of(schema, "output") } },
		},
		responses: {
			"200": { description: "Taken." },
			"204": { description: "Taken." },
			"4XX": { description: "Not taken: it is sent again later." },
			default: { description: "Not taken: it is sent again later." },
		},
	};
	return { notification: { "{$request.body#/notificationDestination}": { post } } };
}

/** What stands at the head of a document. */
interface About {
	readonly title: string;
	readonly description: string;
	readonly version: string;
}

/** The OpenAPI 3.1 document of an API, made from the schemas that its requests are checked against. */
export function openApiOf(
	api: Api,
	about: About,
	tags: readonly { readonly name: string; readonly description: string }[],
	callback?: Callback,
): Json {
	const components = new Components();
	const paths: Record<string, Record<string, Json>> = {};
	for (const operation of api.operations) {
		const document = documentOf(operation, components);
		const callbacks = callback?.operation === operation.id && callbackOf(callback, components);
		paths[operation.path] = {
			...paths[operation.path],
			[operation.method]: { ...document, ...(callbacks && { callbacks }) },
		};
	}
	const problem = components.of(ProblemDetailsSchema, "output");
	return {
		openapi: "3.1.0",
		info: { ...about, license: { name: "Apache-2.0", identifier: "Apache-2.0" } },
		servers: [{ url: rootOf(api), description: "On the server that this document comes from." }],
		security: [{ oAuth2ClientCredentials: [] }, { clientCertificate: [] }],
		tags,
		paths,
		components: {
			schemas: components.schemas,
			responses: Object.fromEntries(
				Object.entries(ERRORS).map(([status, { description, headers }]) => [
					status,
					{
						description,
						...(headers && { headers: headersOf(headers) }),
						content: { [PROBLEM_TYPE]: { schema: problem } },
					},
				]),
			),
			securitySchemes: {
				oAuth2ClientCredentials: {
					type: "oauth2",
					description: "An access token of the issuer inside the server, or of the one that it is configured for.",
					flows: { clientCredentials: { tokenUrl: "/oauth2/token", scopes: {} } },
				},
				clientCertificate: {
					type: "mutualTLS",
					description: "A client certificate whose subjectAltName has a DNS name of the application server.",
				},
			},
		},
	};
}
