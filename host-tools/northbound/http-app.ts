import type { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { HttpBindings } from "@hono/node-server";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { z } from "zod";
import type { AuditLog } from "../hse/audit.js";
import { isStoreFailure } from "../hse/store-failure.js";
import type { Awaitable } from "../hse/subscriber-database.js";
import { issueInWords } from "../issue-words.js";
import type { ApplicationServer } from "./application-server.js";
import type { Northbound } from "./northbound.js";
import type { Notifications } from "./notifier.js";
import { type Api, type ApiResponse, type Operation, rootOf } from "./operation.js";
import { invalid, notAllowed, notFound, PROBLEM_TYPE, Problem } from "./problem.js";
import { type Authenticator, type Evidence, thumbprintOf } from "./security/authenticate.js";
import type { Idempotency } from "./security/idempotency.js";
import type { RateLimit } from "./security/rate-limit.js";
import { type LocalIssuer, TOKEN_LIFETIME } from "./security/tokens.js";
import type { Steps } from "./steps.js";
import { webSocketOf } from "./upgrades.js";
import { attachedTo, keepAlive, PING_EVERY } from "./websocket.js";

/** The longest body of a request, in octets. */
const LONGEST_BODY = 65_536;
const FORM_TYPE = "application/x-www-form-urlencoded";
/** Seconds after which to ask again where a store cannot be used. */
const STORE_RETRY_AFTER = 5;

export interface HttpAppOptions {
	readonly northbound: Northbound;
	readonly notifier: Notifications;
	readonly authenticator: Authenticator;
	readonly audit: AuditLog;
	readonly rateLimit: RateLimit;
	readonly idempotency: Idempotency;
	/** Undefined: tokens come from elsewhere, or are not taken. */
	readonly issuer: LocalIssuer | undefined;
	/** Where clients find the APIs: `https://hse.example:8443`. */
	readonly origin: string;
	now(): number;
	/** Whether the server is about to end: no further request is wanted on a connection. */
	isDraining?(): boolean;
	/** Told of what should not have happened. */
	onError(error: unknown): void;
	/** Told of each request that was answered. */
	onRequest?(operation: string, status: number, milliseconds: number): void;
}

type Bindings = { Bindings: HttpBindings };
type AppContext = Context<Bindings>;

/** The northbound APIs over HTTP. */
export function httpApp(options: HttpAppOptions): Hono<Bindings> {
	const app = new Hono<Bindings>();
	app.onError((error, context) => problemResponse(options, context, error));
	app.notFound((context) =>
		problemResponse(options, context, new Problem(404, "RESOURCE_URI_STRUCTURE_NOT_FOUND", "There is nothing here.")),
	);
	app.use(async (context, next) => {
		await next();
		context.header("Cache-Control", "no-store");
		context.header("X-Content-Type-Options", "nosniff");
		if (options.isDraining?.()) context.header("Connection", "close", { append: true });
	});
	app.use(
		bodyLimit({
			maxSize: LONGEST_BODY,
			onError: () => {
				throw new Problem(413, "BODY_TOO_LONG", `A body of more than ${LONGEST_BODY} octets is not taken.`);
			},
		}),
	);
	if (options.issuer !== undefined) addIssuer(app, options, options.issuer);
	for (const api of options.northbound.apis) addApi(app, options, api);
	addWebSocket(app, options, "/3gpp-nidd/v1/:scsAsId/configurations/:id/websocket", (server, id) =>
		options.northbound.read(() => options.northbound.nidd.websocket(server, id)),
	);
	addWebSocket(app, options, "/3gpp-best/v1/:scsAsId/subscriptions/:id/websocket", (server, id) =>
		options.northbound.read(() => options.northbound.best.websocket(server, id)),
	);
	return app;
}

/** What a connection says about who asks. */
function evidenceOf(context: AppContext): Evidence {
	const socket = context.env?.incoming?.socket as TLSSocket | undefined;
	const certificate = (socket?.getPeerX509Certificate?.() ?? undefined) as X509Certificate | undefined;
	return {
		remote: socket?.remoteAddress ?? "local",
		certificate,
		certificateFault:
			certificate === undefined || socket?.authorized ? undefined : String(socket?.authorizationError ?? "unknown"),
		authorization: context.req.header("authorization"),
	};
}

function problemResponse({ onError }: HttpAppOptions, context: AppContext, error: unknown): Response {
	let problem: Problem;
	if (error instanceof Problem) problem = error;
	else if (isBrokenOff(context)) problem = new Problem(400, "BODY_BROKEN_OFF", "The body was broken off.");
	else {
		onError(error);
		problem = isStoreFailure(error)
			? new Problem(503, "STORE_NOT_AVAILABLE", "What is stored cannot be used now: try again later.", {
					headers: { "Retry-After": String(STORE_RETRY_AFTER) },
				})
			: new Problem(500, "SYSTEM_FAILURE", "Something went wrong here; it is on record.");
	}
	for (const [name, value] of Object.entries(problem.headers)) context.header(name, value);
	return context.body(JSON.stringify(problem.details), problem.status as 500, { "Content-Type": PROBLEM_TYPE });
}

/** Whether a body did not come to its end: then nothing was done, and it is no fault of the server. */
function isBrokenOff({ env }: AppContext): boolean {
	const incoming = env?.incoming;
	return incoming?.destroyed === true && !incoming.complete;
}

/** Who asks. @throws Problem */
async function identify(context: AppContext, options: HttpAppOptions): Promise<ApplicationServer> {
	const server = await options.authenticator.identify(evidenceOf(context));
	checkRate(server, options);
	return server;
}

/** @throws Problem 429 where the server has asked too much */
function checkRate({ id, rate }: ApplicationServer, { rateLimit, now }: HttpAppOptions): void {
	const seconds = rateLimit.take(id, rate, now());
	if (seconds > 0)
		throw new Problem(429, "TOO_MANY_REQUESTS", `There are too many requests: try again in ${seconds} s.`, {
			headers: { "Retry-After": String(seconds) },
		});
}

/**
 * A browser shows its client certificate whichever page makes it ask, and asks without a body or for a WebSocket without
 * leave. So these come from the server's own page, or from no browser.
 * @throws Problem 403
 */
function checkOrigin(context: AppContext, { origin: own }: HttpAppOptions): void {
	const origin = context.req.header("origin");
	if (origin !== undefined && origin !== own && origin !== new URL(context.req.url).origin)
		throw new Problem(403, "OTHER_ORIGIN", "A page of another origin may not ask for this.");
}

/** @throws Problem where the path is not the server's own, or of nothing that there could be */
function checkPath(context: AppContext, { id }: ApplicationServer): void {
	if (context.req.param("scsAsId") !== id)
		throw new Problem(403, "OTHER_APPLICATION_SERVER", "The path is that of another application server.");
	// No identifier has one, and a NUL is no text for a PostgreSQL.
	if (Object.values(context.req.param()).some((value) => /\p{Cc}/u.test(value))) throw notFound("resource");
}

/** Leaves an audit record where a request was not allowed. */
function recordRefusal(
	context: AppContext,
	{ audit }: HttpAppOptions,
	server: string | undefined,
	error: unknown,
): void {
	if (!(error instanceof Problem) || error.status !== 403) return;
	const { remote } = evidenceOf(context);
	audit.record("not authorised", {
		remote,
		applicationServer: server,
		method: context.req.method,
		path: context.req.path,
		cause: error.code,
	});
}

function addApi(app: Hono<Bindings>, options: HttpAppOptions, api: Api): void {
	const byPath = new Map<string, Operation[]>();
	for (const operation of api.operations) {
		const path = rootOf(api) + operation.path.replaceAll(/\{(\w+)\}/g, ":$1");
		byPath.set(path, [...(byPath.get(path) ?? []), operation]);
	}
	for (const [path, operations] of byPath)
		app.all(path, async (context) => {
			const begun = performance.now();
			// HEAD is a GET whose body the router leaves out (RFC 9110 9.3.2).
			const wanted = context.req.method === "HEAD" ? "GET" : context.req.method;
			const operation = operations.find(({ method }) => method.toUpperCase() === wanted);
			let server: ApplicationServer | undefined;
			let response: Response;
			try {
				if (operation === undefined) throw notAllowed(operations.map(({ method }) => method.toUpperCase()));
				server = await identify(context, options);
				checkPath(context, server);
				if (operation.method !== "get") checkOrigin(context, options);
				response = responseOf(context, await perform(context, options, server, operation));
			} catch (error) {
				recordRefusal(context, options, server?.id, error);
				response = problemResponse(options, context, error);
			}
			options.onRequest?.(operation?.id ?? "none", response.status, performance.now() - begun);
			return response;
		});
}

async function perform(
	context: AppContext,
	{ idempotency, northbound }: HttpAppOptions,
	applicationServer: ApplicationServer,
	operation: Operation,
): Promise<ApiResponse> {
	checkAccept(context.req.header("accept"));
	const text = operation.body === undefined ? "" : await context.req.text();
	const body = operation.body && bodyOf(context, operation, operation.body, text);
	const query = operation.query ? check(operation.query, context.req.query(), "query ") : {};
	const path = context.req.param() as Record<string, string>;
	const answer = async (last?: (response: ApiResponse) => Steps<void>) =>
		northbound.perform(operation, { applicationServer, path, query: query as Record<string, unknown>, body }, last);
	const key = context.req.header("idempotency-key");
	if (key === undefined || operation.method !== "post") return answer();
	const request = `${context.req.method} ${context.req.path}\n${text}`;
	return idempotency.once(applicationServer.id, key, request, operation.isSecret !== true, answer);
}

function responseOf(context: AppContext, { status, body, headers = {} }: ApiResponse): Response {
	for (const [name, value] of Object.entries(headers)) context.header(name, value);
	if (body === undefined || body === null) return context.body(null, status as 204);
	return context.body(JSON.stringify(body), status as 200, { "Content-Type": "application/json", ...headers });
}

/** @throws Problem 406 where JSON is not among what is wanted (RFC 9110 12.5.1) */
function checkAccept(accept: string | undefined): void {
	if (accept === undefined) return;
	const ranges = new Map<string, boolean>();
	for (const part of accept.split(",")) {
		const [range, ...parameters] = part.split(";").map((text) => text.trim().toLowerCase());
		ranges.set(range, !parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter)));
	}
	// Of the ranges that fit, the narrowest holds.
	const fitting = ["application/json", "application/*", "*/*"].find((range) => ranges.has(range));
	if (!ranges.get(fitting ?? PROBLEM_TYPE)) throw new Problem(406, "NOT_ACCEPTABLE", "Only application/json is there.");
}

function bodyOf(context: AppContext, operation: Operation, schema: z.ZodType, text: string): unknown {
	if (text === "") return check(schema, operation.isBodyOptional ? {} : undefined, "/");
	const { bodyType = "application/json" } = operation;
	if (mediaTypeOf(context) !== bodyType)
		throw new Problem(415, "UNSUPPORTED_MEDIA_TYPE", `The body must be ${bodyType}.`, {
			headers: { [operation.method === "patch" ? "Accept-Patch" : "Accept-Post"]: bodyType },
		});
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch {
		throw invalid("/", "must be JSON");
	}
	return check(schema, value, "/");
}

/** The type of the body, without parameters. */
function mediaTypeOf(context: AppContext): string | undefined {
	return context.req.header("content-type")?.split(";")[0].trim().toLowerCase();
}

/** @param prefix of the names of parameters that are at fault @throws Problem 400 that names all of them */
function check(schema: z.ZodType, value: unknown, prefix: string): unknown {
	const { success, data, error } = schema.safeParse(value, { error: issueInWords });
	if (success) return data;
	const invalidParams = error.issues
		.slice(0, 20)
		.map(({ path, message }) => ({ param: prefix + path.join("/"), reason: message }));
	const [{ param, reason }] = invalidParams;
	throw new Problem(400, "INVALID_PARAMETER", `${param}: ${reason}`, { invalidParams });
}

function addIssuer(app: Hono<Bindings>, options: HttpAppOptions, issuer: LocalIssuer): void {
	app.get("/oauth2/jwks", (context) => context.json(issuer.keys));
	app.post("/oauth2/token", async (context) => {
		const begun = performance.now();
		let response: Response;
		try {
			response = await tokenResponse(context, options, issuer);
		} catch (error) {
			response = problemResponse(options, context, error);
		}
		options.onRequest?.("IssueToken", response.status, performance.now() - begun);
		return response;
	});
	for (const [path, method] of [
		["/oauth2/jwks", "GET"],
		["/oauth2/token", "POST"],
	])
		app.all(path, () => {
			throw notAllowed([method]);
		});
}

/** By RFC 6749: its errors are its own, not ProblemDetails. */
async function tokenResponse(context: AppContext, options: HttpAppOptions, issuer: LocalIssuer): Promise<Response> {
	const { authenticator, audit, now } = options;
	const form = new URLSearchParams(await context.req.text());
	const refusal = refusalOf(mediaTypeOf(context), form);
	if (refusal !== undefined) {
		const [error, error_description] = refusal;
		return context.json({ error, error_description }, 400);
	}
	const evidence = evidenceOf(context);
	const [id, secret] = basicOf(evidence.authorization) ?? [
		form.get("client_id") ?? "",
		form.get("client_secret") ?? "",
	];
	let server: ApplicationServer;
	try {
		server = authenticator.client(evidence, id, secret);
		checkRate(server, options);
	} catch (error) {
		if (!(error instanceof Problem)) throw error;
		const isBusy = error.status === 429;
		const body = { error: isBusy ? "temporarily_unavailable" : "invalid_client", error_description: error.message };
		return context.json(
			body,
			isBusy ? 429 : 401,
			isBusy ? error.headers : { "WWW-Authenticate": 'Basic realm="best-northbound"' },
		);
	}
	const { certificate, certificateFault, remote } = evidence;
	const thumbprint = certificate && certificateFault === undefined ? thumbprintOf(certificate) : undefined;
	const token = await issuer.issue(server, now(), thumbprint);
	audit.record("token issued", { remote, applicationServer: server.id });
	return context.json({ access_token: token, token_type: "Bearer", expires_in: TOKEN_LIFETIME });
}

/** Code and sentence for a request that is none for a token (RFC 6749 3.2, 5.2). */
function refusalOf(type: string | undefined, form: URLSearchParams): readonly [code: string, why: string] | undefined {
	if (type !== FORM_TYPE) return ["invalid_request", `The body must be ${FORM_TYPE}.`];
	const names = [...form.keys()];
	if (new Set(names).size < names.length) return ["invalid_request", "A parameter is there twice."];
	// One without a value counts as one that is not there.
	if (!form.get("grant_type")) return ["invalid_request", "grant_type is missing: it must be client_credentials."];
	if (form.get("grant_type") !== "client_credentials")
		return ["unsupported_grant_type", "grant_type must be client_credentials."];
	return undefined;
}

/** Name and password of RFC 7617, each encoded as RFC 6749 2.3.1 asks. */
function basicOf(authorization: string | undefined): [string, string] | undefined {
	const encoded = /^Basic +([A-Za-z0-9+/]+=*)$/i.exec(authorization ?? "")?.[1];
	if (encoded === undefined) return undefined;
	const text = Buffer.from(encoded, "base64").toString("utf8");
	const colon = text.indexOf(":");
	try {
		return [decodeURIComponent(text.slice(0, colon)), decodeURIComponent(text.slice(colon + 1))];
	} catch {
		return undefined;
	}
}

/** @param channelOf the channel of a resource, or a Problem */
function addWebSocket(
	app: Hono<Bindings>,
	options: HttpAppOptions,
	path: string,
	channelOf: (server: ApplicationServer, id: string) => Awaitable<string>,
): void {
	const { notifier } = options;
	app.get(path, async (context) => {
		let server: ApplicationServer | undefined;
		try {
			server = await identify(context, options);
			checkPath(context, server);
			checkOrigin(context, options);
			const open = webSocketOf(context.env?.incoming);
			const channel = await channelOf(server, context.req.param("id") ?? "");
			// It would be the last to hold the server up.
			if (options.isDraining?.())
				throw new Problem(503, "SERVER_ENDS", "The server ends: connect again.", { headers: { "Retry-After": "1" } });
			const socket = open();
			const attached = attachedTo(socket);
			keepAlive(socket, PING_EVERY);
			socket.on("close", () => notifier.detach(channel, attached));
			socket.on("error", () => socket.terminate());
			notifier.attach(channel, attached);
			return context.body(null);
		} catch (error) {
			recordRefusal(context, options, server?.id, error);
			throw error;
		}
	});
	app.all(path, () => {
		throw notAllowed(["GET"]);
	});
}
