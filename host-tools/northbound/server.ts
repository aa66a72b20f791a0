import { createHash, randomBytes } from "node:crypto";
import { lstatSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import type { HttpBindings } from "@hono/node-server";
import type { Context, Hono } from "hono";
import type { Logger } from "pino";
import { WebSocketServer } from "ws";
import type { Verdict } from "../../firmware/emsdp/verdict.js";
import { Failure, UsageError } from "../cli/errors.js";
import type { HseEvent } from "../hse/events.js";
import type { Traffic } from "../hse/server.js";
import type { Awaitable } from "../hse/subscriber-database.js";
import type { ApplicationServer } from "./application-server.js";
import { bestDocument } from "./best/document.js";
import { LIMITS_OF_A_SERVER, type NorthboundContext } from "./context.js";
import type { HsePort } from "./hse-port.js";
import { httpApp } from "./http-app.js";
import { KeyRelease, type KeyReleaseOptions } from "./key-release.js";
import { ended, listen, makeListener } from "./listener.js";
import { LiveFeed } from "./live-feed.js";
import { Metrics } from "./metrics.js";
import { newId } from "./new-id.js";
import { Northbound } from "./northbound.js";
import { NorthboundStore } from "./northbound-store.js";
import { type Notifications, Notifier, type NotifierOptions, RETRY } from "./notifier.js";
import { operationsApp } from "./operations-app.js";
import { pageFile } from "./page-files.js";
import { SharedNotifier } from "./postgres/notifier.js";
import { PostgresSessions } from "./postgres/other-hses.js";
import { openPostgresResources, type PostgresResources } from "./postgres/resources.js";
import { notAllowed } from "./problem.js";
import { Reachability } from "./reachability.js";
import type { Resources } from "./resources.js";
import { Authenticator } from "./security/authenticate.js";
import { Idempotency } from "./security/idempotency.js";
import { RateLimit } from "./security/rate-limit.js";
import { LocalIssuer, remoteIssuer } from "./security/tokens.js";
import { checkServers, directoryOf, isLoopback, type NorthboundSettings, readTls } from "./settings.js";
import { Webhooks } from "./webhook.js";

type Bindings = { Bindings: HttpBindings };

/** How often expiries are looked at, in milliseconds. */
const TICK = 500;
const TIDY_EVERY = 60_000;
/** How long a webhook may still take to answer at the end, in milliseconds. */
const WEBHOOKS_END = 1000;
/** Name of the one application server where none is configured. */
const DEMO = "demo";

/** A PostgreSQL that several HSEs share, with their sessions in it. */
export interface SharedDatabase {
	readonly url: string;
	/** The number of this process among them. */
	readonly process: number;
	/** Brings a session here. @returns whether it is here now */
	bring(sessionId: number): Promise<boolean>;
}

export interface NorthboundServerOptions extends KeyReleaseOptions {
	readonly hse: HsePort;
	/** How many datagrams met each fate. */
	verdicts(): Readonly<Partial<Record<Verdict, number>>>;
	sessionCount(): number;
	readonly logger: Logger;
	/** Where the APIs are; undefined: nowhere. Port 0: any free one. */
	readonly api?: { readonly address: string; readonly port: number } | undefined;
	/** Where the page, the metrics and the health are; undefined: nowhere. */
	readonly operations?: { readonly address: string; readonly port: number } | undefined;
	/** A file. */
	readonly database: string;
	/** In place of the file, the PostgreSQL of several HSEs. */
	readonly shared?: SharedDatabase | undefined;
	/** Where the credentials of the one server go that there is where none is configured. */
	readonly demoClient: string;
	readonly settings: NorthboundSettings;
}

/** The northbound side of an HSE with its inputs and outputs attached. */
export class NorthboundServer {
	/** Where the APIs and the page are, as URIs. */
	apiRoot = "";
	page = "";
	private readonly options: NorthboundServerOptions;
	private readonly feed: LiveFeed;
	private readonly metrics: Metrics;
	private readonly store: Resources;
	private readonly others: PostgresSessions | undefined;
	private readonly webhooks: Webhooks;
	private readonly notifier: Notifications;
	private readonly rateLimit = new RateLimit();
	private readonly idempotency: Idempotency;
	private readonly sockets = new WebSocketServer({ noServer: true, maxPayload: 1024 });
	private apiListener: Server | undefined;
	private operationsListener: Server | undefined;
	private northbound: Northbound | undefined;
	private authenticator: Authenticator | undefined;
	private timer: NodeJS.Timeout | undefined;
	private tidyAt = 0;
	private isLooking = false;
	private isDraining = false;

	/** @param resources of the PostgreSQL, where there is one */
	private constructor(options: NorthboundServerOptions, resources: PostgresResources | undefined) {
		this.options = options;
		const { hse, settings } = options;
		this.feed = new LiveFeed(
			hse,
			() => performance.timeOrigin + performance.now(),
			(latency) => this.metrics.latency(latency),
		);
		this.metrics = new Metrics({
			verdicts: options.verdicts,
			sessions: options.sessionCount,
			rejects: () => this.feed.rejects,
			waitingNotifications: () => this.notifier.waiting,
		});
		this.webhooks = new Webhooks(readTls(settings.webhooks, "webhooks"));
		const delivery: Omit<NotifierOptions, "store"> = {
			retry: RETRY,
			now: Date.now,
			fraction: Math.random,
			post: (destination, body) => this.webhooks.post(destination, body),
			onFate: (fate) => this.metrics.notification(fate),
			onError: (error) => this.report(error),
		};
		if (resources === undefined) {
			const store = new NorthboundStore(options.database);
			this.store = store;
			this.notifier = new Notifier({ ...delivery, store });
		} else {
			this.store = resources;
			this.notifier = new SharedNotifier({ ...delivery, resources });
		}
		const { shared } = options;
		this.others = shared && new PostgresSessions(shared.url, (sessionId) => shared.bring(sessionId));
		this.idempotency = new Idempotency(this.store, Date.now, (error) => this.report(error));
	}

	/** @throws UsageError or Failure for what a person can mend */
	static async start(options: NorthboundServerOptions): Promise<NorthboundServer> {
		const { shared, logger } = options;
		const resources =
			shared &&
			(await openPostgresResources(shared.url, shared.process, (error) =>
				logger.error({ err: error }, "the northbound side failed"),
			));
		let server: NorthboundServer;
		try {
			server = new NorthboundServer(options, resources);
		} catch (error) {
			await resources?.close();
			throw error;
		}
		try {
			if (options.api !== undefined) await server.startApi(options.api);
			if (options.operations !== undefined) await server.startOperations(options.operations);
		} catch (error) {
			await server.close();
			throw error;
		}
		server.notifier.start();
		server.timer = setInterval(() => server.tick(), TICK);
		server.timer.unref();
		return server;
	}

	handleEvent(event: HseEvent): void {
		this.metrics.event(event.kind);
		this.feed.handleEvent(event);
		this.guard(() => this.northbound?.handleEvent(event));
	}

	/** Whether so much waits for the store that the HSE should take no more input. */
	get isBehind(): boolean {
		return this.store.isBehind;
	}

	handleTraffic(traffic: Traffic): void {
		if (this.options.operations !== undefined) this.feed.handleTraffic(traffic);
	}

	/**
	 * Takes no more requests, and finishes those under way; the HSE is still needed for that. Health and metrics are there
	 * until {@link close}, for whoever asks why.
	 */
	async drain(): Promise<void> {
		if (this.isDraining) return;
		this.isDraining = true;
		for (const socket of this.sockets.clients) socket.close(1001, "The server ends.");
		if (this.apiListener !== undefined) await ended(this.apiListener);
	}

	/** Ends. What the HSE has told until now is stored; what has not been delivered goes out after the next start. */
	async close(): Promise<void> {
		await this.drain();
		clearInterval(this.timer);
		// A notification that is cut off goes out again after the next start.
		const late = setTimeout(() => this.webhooks.close(), WEBHOOKS_END);
		await this.notifier.stop();
		clearTimeout(late);
		if (this.operationsListener !== undefined) await ended(this.operationsListener);
		this.webhooks.close();
		await this.store.close();
		await this.others?.close();
	}

	private async startApi({ address, port }: { readonly address: string; readonly port: number }): Promise<void> {
		const { settings, hse, logger, audit } = this.options;
		const { tls } = settings;
		if (tls === undefined && !isLoopback(address))
			throw new UsageError(
				`The northbound API at ${address} needs a certificate: give "tls" in the configuration file, or listen at 127.0.0.1.`,
			);
		if (settings.apiRoot === undefined && (address === "0.0.0.0" || address === "::"))
			throw new UsageError(
				`At ${address} the northbound API cannot tell under which name clients find it: give "apiRoot" in the configuration file.`,
			);
		const isDemo = settings.applicationServers.length === 0;
		if (isDemo && !isLoopback(address))
			throw new UsageError(
				`The northbound API at ${address} needs application servers: give "applicationServers" in the configuration file.`,
			);
		// Requests that come before the routes stand wait for them.
		let ready: (app: Hono<Bindings>) => void = () => {};
		const app = new Promise<Hono<Bindings>>((resolve) => {
			ready = resolve;
		});
		this.apiListener = makeListener(
			async (request, env) => (await app).fetch(request, env as Bindings["Bindings"]),
			tls,
			this.sockets,
		);
		const bound = await listen(this.apiListener, address, port);
		const scheme = tls === undefined ? "http" : "https";
		this.apiRoot = settings.apiRoot?.replace(/\/$/, "") ?? `${scheme}://${literal(address)}:${bound}`;
		const servers = isDemo ? [this.demoServer()] : settings.applicationServers;
		checkServers(servers);
		const { oauth } = settings;
		const issuer = oauth === undefined ? await this.makeIssuer() : undefined;
		const verifier = oauth ? remoteIssuer(oauth.issuer, oauth.jwksUri, oauth.audience) : issuer;
		const context: NorthboundContext = {
			hse,
			others: this.others,
			store: this.store,
			directory: directoryOf(
				isDemo ? { ues: settings.ues, otherUes: settings.otherUes ?? DEMO_UES } : settings,
				servers,
			),
			notifier: this.notifier,
			reachability: new Reachability(1000 * settings.listensFor),
			limits: LIMITS_OF_A_SERVER,
			apiRoot: this.apiRoot,
			now: Date.now,
			newId: () => newId(Date.now()),
		};
		this.northbound = new Northbound(context, new KeyRelease(this.options), 1000 * settings.answerWithin);
		this.authenticator = new Authenticator(servers, verifier, audit, Date.now);
		const routes = httpApp({
			northbound: this.northbound,
			notifier: this.notifier,
			authenticator: this.authenticator,
			audit,
			rateLimit: this.rateLimit,
			idempotency: this.idempotency,
			issuer,
			origin: new URL(this.apiRoot).origin,
			now: Date.now,
			isDraining: () => this.isDraining,
			onError: (error) => logger.error({ err: error }, "a request failed"),
			onRequest: (operation, status, milliseconds) => {
				this.metrics.request(operation, status, milliseconds);
				logger.info({ operation, status, milliseconds: Math.round(milliseconds) }, "request");
			},
		});
		addDocumentation(routes, this.northbound);
		ready(routes);
	}

	/** Several HSEs have one key, so that a token of one is good at all of them. */
	private makeIssuer(): Promise<LocalIssuer> {
		const { apiRoot, store } = this;
		const isShared = "tokenKey" in store;
		return LocalIssuer.make(
			apiRoot,
			apiRoot,
			isShared ? (fresh) => (store as PostgresResources).tokenKey(fresh) : undefined,
		);
	}

	private async startOperations({ address, port }: { readonly address: string; readonly port: number }): Promise<void> {
		if (!isLoopback(address))
			throw new UsageError(
				`The operations page at ${address} would be open to the network: listen at 127.0.0.1, behind a proxy that asks who comes.`,
			);
		const app = operationsApp({
			feed: this.feed,
			metrics: this.metrics,
			isDraining: () => this.isDraining,
			counters: () => ({
				verdicts: this.options.verdicts(),
				sessions: this.options.sessionCount(),
				rejects: Object.fromEntries(this.feed.rejects),
				notifications: this.notifier.waiting,
			}),
		});
		this.operationsListener = makeListener(
			(request, env) => app.fetch(request, env as Bindings["Bindings"]),
			undefined,
		);
		const bound = await listen(this.operationsListener, address, port);
		this.page = `http://${literal(address)}:${bound}/`;
	}

	/** An application server with a fresh secret, for trying things on this machine. */
	private demoServer(): ApplicationServer {
		const { demoClient } = this.options;
		const secret = randomBytes(32).toString("hex");
		const client = { client_id: DEMO, client_secret: secret, token_url: `${this.apiRoot}/oauth2/token` };
		try {
			// A file that is there would keep its mode, whoever it lets read; what is no file is left alone.
			if (lstatSync(demoClient, { throwIfNoEntry: false })?.isFile()) rmSync(demoClient);
			writeFileSync(demoClient, `${JSON.stringify(client, undefined, "\t")}\n`, { mode: 0o600, flag: "wx" });
		} catch (error) {
			throw new Failure(
				`The file ${demoClient} cannot be written (${(error as NodeJS.ErrnoException).code}): name another with --demo-client.`,
			);
		}
		return {
			id: DEMO,
			certificateNames: [],
			clientSecretSha256: createHash("sha256").update(secret).digest("hex"),
			notificationOrigins: ["*"],
			rate: { perSecond: 1000, burst: 1000 },
		};
	}

	private tick(): void {
		this.guard(() => {
			this.lookAtTimes();
			if (Date.now() < this.tidyAt) return;
			this.tidyAt = Date.now() + TIDY_EVERY;
			this.wait(this.idempotency.tidy());
			this.authenticator?.tidy();
			this.rateLimit.tidy(Date.now());
		});
	}

	private lookAtTimes(): void {
		if (this.isLooking) return;
		const done = this.northbound?.handleTimeout();
		if (!(done instanceof Promise)) return;
		this.isLooking = true;
		this.wait(
			done.finally(() => {
				this.isLooking = false;
			}),
		);
	}

	private wait(work: Awaitable<void>): void {
		if (work instanceof Promise) work.catch((error) => this.report(error));
	}

	/** What fails on this side does not end the HSE. */
	private guard(action: () => void): void {
		try {
			action();
		} catch (error) {
			this.report(error);
		}
	}

	private report(error: unknown): void {
		this.options.logger.error({ err: error }, "the northbound side failed");
	}
}

/** The OpenAPI document, and a page to try it. They tell no secrets, so nobody is asked who he is. */
function addDocumentation(app: Hono<Bindings>, { apis: [, best] }: Northbound): void {
	const document = JSON.stringify(bestDocument(best), undefined, "\t");
	const get = (path: string, answer: (context: Context) => Response) => {
		app.get(path, answer);
		app.all(path, () => {
			throw notAllowed(["GET"]);
		});
	};
	get("/3gpp-best/v1/openapi.json", (context) => context.body(document, 200, { "Content-Type": "application/json" }));
	get("/", (context) => context.redirect("/3gpp-best/v1/"));
	get("/3gpp-best/v1/", () => pageFile("try.html"));
	for (const name of ["try.js", "element.js", "page.css"]) get(`/3gpp-best/v1/${name}`, () => pageFile(name));
}

const DEMO_UES = { applicationServer: DEMO, domain: "ue.demo", keyPolicy: "allow" } as const;

/** An address as it stands in a URI. */
function literal(address: string): string {
	return address.includes(":") ? `[${address}]` : address;
}
