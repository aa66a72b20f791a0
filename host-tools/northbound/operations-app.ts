import { isIP } from "node:net";
import type { HttpBindings } from "@hono/node-server";
import { Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { ENERGY_MODEL, type LiveChange, type LiveFeed } from "./live-feed.js";
import type { Metrics } from "./metrics.js";
import { pageFile } from "./page-files.js";

/** How often a page is told what is new, in milliseconds, and of how many messages and latencies at most. */
const TELL_EVERY = 250;
const MOST_TOLD = 200;

export interface OperationsAppOptions {
	readonly feed: LiveFeed;
	readonly metrics: Metrics;
	/** Whether the server is about to end. */
	isDraining(): boolean;
	/** What the page shows as counters. */
	counters(): Readonly<Record<string, unknown>>;
}

/** What the people who run an HSE look at: its page, its health, its metrics. For this machine, not for the network. */
export function operationsApp({
	feed,
	metrics,
	isDraining,
	counters,
}: OperationsAppOptions): Hono<{ Bindings: HttpBindings }> {
	const app = new Hono<{ Bindings: HttpBindings }>();
	app.use(async (context, next) => {
		// A page of another origin that had its name point here would come with that name.
		const { hostname } = new URL(context.req.url);
		const name = hostname.replace(/^\[|\]$/g, "");
		if (name !== "localhost" && isIP(name) === 0) return context.text("Ask by address or as localhost.", 421);
		await next();
	});
	app.use(async (context, next) => {
		await next();
		if (isDraining()) context.header("Connection", "close");
	});
	app.get("/", () => pageFile("live.html"));
	for (const name of ["live.js", "plots.js", "element.js", "page.css"]) app.get(`/${name}`, () => pageFile(name));
	app.get("/healthz", (context) =>
		isDraining() ? context.json({ status: "draining" }, 503) : context.json({ status: "ok" }),
	);
	app.get("/metrics", async (context) =>
		context.body(await metrics.text(), 200, { "Content-Type": metrics.registry.contentType }),
	);
	app.get("/live/messages/:number{[0-9]{1,15}}", (context) => {
		const explained = feed.explain(Number(context.req.param("number")));
		return explained === undefined ? context.json({ error: "no longer kept" }, 404) : context.json(explained);
	});
	app.get("/live", (context) =>
		streamSSE(context, async (stream) => {
			let waiting: LiveChange[] = [];
			let skipped = 0;
			const end = feed.listen((change) => {
				const isOfSession = change.kind === "session" || change.kind === "over";
				// A page that missed one of these would show a session that is not there.
				if (isOfSession || waiting.length < MOST_TOLD) waiting.push(change);
				else if (change.kind === "message") skipped++;
			});
			stream.onAbort(end);
			try {
				const first = {
					sessions: feed.sessions(),
					messages: feed.messages(),
					latencies: feed.newestLatencies(),
					model: ENERGY_MODEL,
					counters: counters(),
				};
				await stream.writeSSE({ event: "all", data: JSON.stringify(first) });
				while (!stream.aborted && !isDraining()) {
					await stream.sleep(TELL_EVERY);
					const changes = waiting;
					waiting = [];
					await stream.writeSSE({ event: "changes", data: JSON.stringify({ changes, skipped, counters: counters() }) });
					skipped = 0;
				}
			} finally {
				end();
			}
		}),
	);
	return app;
}
