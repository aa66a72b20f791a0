import { readFileSync } from "node:fs";
import { Agent, createServer, type IncomingHttpHeaders, request } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { z } from "zod";
import { loadKernel } from "../../host-tools/kernel.js";
import type { Operation } from "../../host-tools/northbound/operation.js";
import { BestDocument } from "../northbound/best-document.js";
import { Cases, type Json } from "../northbound/cases.js";
import { isPublished, PublishedNidd } from "../northbound/published.js";
import { base64, World } from "../northbound/world.js";
import { SeededRandom } from "../support/pair.js";
import { LiveUe } from "./live-ue.js";
import { MILLISECONDS, PATIENCE, SEED } from "./minutes.js";
import { RunningHse } from "./running-hse.js";

const UES = 3;
/** Requests under way at once. */
const AT_ONCE = 8;
/** Resources of a kind that are left in place: the oldest are removed. */
const LEFT = 40;
/** A token is renewed long before it expires, in milliseconds. */
const TOKEN_LIFE = 240_000;
/** Where requests with bad credentials come from: their failures hold off their own address only. */
const STRANGER = "127.0.0.9";

// The operations are the same as those of the process.
const { northbound } = await World.make();
const [nidd, best] = northbound.apis;
const described = new BestDocument(best);
const published = isPublished ? new PublishedNidd() : undefined;
const PREFIX = "/3gpp-";

interface Reply {
	readonly status: number;
	readonly headers: IncomingHttpHeaders;
	readonly text: string;
}

const agent = new Agent({ keepAlive: true, maxSockets: 2 * AT_ONCE });

function ask(
	root: string,
	method: string,
	path: string,
	body: string | undefined,
	headers: Record<string, string>,
	localAddress?: string,
): Promise<Reply> {
	return new Promise((resolve, reject) => {
		const asked = request(
			`${root}${path}`,
			{ method, headers, ...(localAddress ? { localAddress, agent: false } : { agent }) },
			(response) => {
				let text = "";
				response.setEncoding("utf8").on("data", (part) => {
					text += part;
				});
				response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
			},
		);
		asked.on("error", reject).end(body);
	});
}

/** Octets that are no HTTP, and what was answered. */
function babble(port: number, octets: Uint8Array): Promise<void> {
	return new Promise((resolve) => {
		const socket = connect(port, "127.0.0.1", () => socket.end(octets));
		socket.resume().on("error", () => {});
		socket.setTimeout(2000, () => socket.destroy());
		socket.on("close", () => resolve());
	});
}

/** Headers that somebody may send, good ones mostly. `authorization` undefined: that of the server. */
const HEADERS = fc.record({
	authorization: fc.oneof(
		{ weight: 40, arbitrary: fc.constant(undefined) },
		fc.constantFrom("", "Bearer x", "Basic eDp5", "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJkZW1vIn0."),
		fc.string({ maxLength: 30 }).map((text) => `Bearer ${encodeURIComponent(text)}`),
	),
	type: fc.oneof(
		{ weight: 30, arbitrary: fc.constant(undefined) },
		fc.constantFrom("text/plain", "x", "application/xml"),
	),
	accept: fc.oneof(
		{ weight: 30, arbitrary: fc.constant("application/json") },
		fc.constantFrom("text/html", "*/*", ";", "application/problem+json"),
	),
	key: fc.oneof({ weight: 20, arbitrary: fc.constant(undefined) }, fc.constantFrom("a", "b", "c"), fc.uuid()),
});

test(
	"anything asked of a running HSE's APIs, by their own documents, while UEs use it: documented answers, no failure, and memory that does not grow",
	async () => {
		console.log(`BEST_FUZZ_SEED=${SEED}, ${MILLISECONDS / 1000} s`);
		const hse = await new RunningHse(new SeededRandom(SEED), UES).start();
		const sink = createServer((asked, reply) => asked.resume().on("end", () => reply.writeHead(204).end()));
		await new Promise<void>((resolve) => sink.listen(0, "127.0.0.1", resolve));
		const destination = `http://127.0.0.1:${(sink.address() as AddressInfo).port}/`;
		const names = hse.subscribers.map(({ imsi }) => `${imsi}@ue.demo`);
		const cases = new Cases({
			externalId: [...names, ...names, "001019999999999@ue.demo", "x@elsewhere"],
			msisdn: ["491700000001"],
			notificationDestination: [destination, destination, destination, "http://127.0.0.1:9/", "ftp://x/"],
			data: [base64("x"), base64("x".repeat(1300)), ""],
			duration: ["2051-01-01T00:00:00Z", "2001-01-01T00:00:00+01:00"],
			pdnEstablishmentOption: ["WAIT_FOR_UE", "INDICATE_ERROR"],
			maximumLatency: [0, 1, 60],
		});
		const statuses = new Map<string, number>();
		/** Paths of what there is, by the last fixed part of their path. */
		const there = new Map<string, string[]>();
		let token = "";
		let tokenUntil = 0;
		const client = JSON.parse(readFileSync(hse.at("client.json"), "utf8"));
		const renew = async () => {
			const form = new URLSearchParams({ grant_type: "client_credentials", ...client, token_url: "" });
			const headers = { "Content-Type": "application/x-www-form-urlencoded" };
			const { text } = await ask(hse.api, "POST", "/oauth2/token", String(form), headers);
			token = JSON.parse(text).access_token;
			tokenUntil = performance.now() + TOKEN_LIFE;
		};

		/** Fills in a path: mostly what there is. */
		const pathOf = (pattern: string, at: number, extra: string): string => {
			const strays = [extra, "x", "..", "%", "\u0000"];
			const isStray = at % 8 === 0;
			const parts = pattern.split("/").filter((part) => part !== "");
			let path = "";
			for (const [i, part] of parts.entries()) {
				if (!part.startsWith("{")) path += `/${part}`;
				else if (part === "{scsAsId}") path += at % 97 === 0 ? "/pumps" : "/demo";
				else {
					const known = there.get(parts[i - 1])?.filter((one) => one.startsWith(path)) ?? [];
					const choice = known.map((one) => one.split("/").at(-1) ?? "");
					const from = isStray || choice.length === 0 ? strays.map(encodeURIComponent) : choice;
					path += `/${from[(at >> 3) % from.length]}`;
				}
			}
			return path;
		};

		const learn = (prefix: string, body: Json): void => {
			const selves = [
				body,
				...Object.values(body ?? {})
					.filter(Array.isArray)
					.flat(),
				...(Array.isArray(body) ? body : []),
			];
			for (const { self } of selves.filter((one) => typeof one?.self === "string")) {
				const path = self.slice(hse.api.length + prefix.length);
				const kind = path.split("/").at(-2) ?? "";
				const known = there.get(kind) ?? [];
				if (!known.includes(path)) there.set(kind, [...known, path]);
			}
		};

		const operations = new Map<string, { operation: Operation; isBest: boolean; schema: Json; root: Json }>();
		for (const operation of best.operations) {
			const schema = described.describes(operation).requestBody?.content["application/json"].schema;
			operations.set(`BEST ${operation.id}`, { operation, isBest: true, schema, root: described.document });
		}
		for (const operation of nidd.operations) {
			const schema = operation.body && z.toJSONSchema(operation.body, { io: "input", unrepresentable: "any" });
			operations.set(`NIDD ${operation.id}`, { operation, isBest: false, schema, root: schema });
		}
		const asking = fc.constantFrom(...operations.keys()).chain((name) => {
			const { schema, root } = operations.get(name) ?? {};
			return fc.record({
				name: fc.constant(name),
				at: fc.nat(),
				extra: fc.string({ maxLength: 20 }),
				headers: HEADERS,
				body: cases.bodies(schema, root),
			});
		});
		type Asking = typeof asking extends fc.Arbitrary<infer T> ? T : never;

		const perform = async ({ name, at, extra, headers, body }: Asking): Promise<void> => {
			const { operation, isBest } = operations.get(name) as { operation: Operation; isBest: boolean };
			const prefix = `${PREFIX}${isBest ? "best" : "nidd"}/v1`;
			const method = operation.method.toUpperCase();
			const { authorization, type, accept, key } = headers;
			const text = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
			const {
				status,
				headers: given,
				text: answered,
			} = await ask(
				hse.api,
				method,
				prefix + pathOf(operation.path, at, extra),
				text,
				{
					Authorization: authorization ?? `Bearer ${token}`,
					Accept: accept,
					...(text !== undefined && { "Content-Type": type ?? operation.bodyType ?? "application/json" }),
					...(key !== undefined && { "Idempotency-Key": key }),
				},
				authorization === undefined ? undefined : STRANGER,
			);
			const isJson = /json/.test(given["content-type"] ?? "");
			const answer = isJson ? JSON.parse(answered) : undefined;
			statuses.set(`${status}`, (statuses.get(`${status}`) ?? 0) + 1);
			if (authorization !== undefined) expect([401, 404, 405, 429]).toContain(status);
			// The one 500 is that of the published document: the UE does not listen, and buffering is not allowed.
			if (status >= 500) expect(answer?.problemDetail?.cause).toBe("TEMPORARILY_NOT_REACHABLE");
			if (status >= 400 && answer?.problemDetail === undefined) {
				expect(given["content-type"]).toBe("application/problem+json");
				expect(answer?.status).toBe(status);
			}
			const headersOf = new Headers(Object.entries(given).map(([name, value]) => [name, String(value)]));
			if (isBest) described.expectAnswer(operation, { status, body: answer });
			// What is published has no body for these: ours says why. A segment of dots is that of another path, where the method may be none.
			else if (![405, 406, 422].includes(status) && answer?.cause !== "RESOURCE_URI_STRUCTURE_NOT_FOUND")
				published?.expectAnswer(operation.method, operation.path, {
					status,
					body: answer,
					headers: headersOf,
					text: answered,
				});
			if (status < 300) learn(prefix, answer);
		};

		/** Removes the oldest of each kind, and forgets what is gone. */
		const tidy = async () => {
			for (const [kind, paths] of there) {
				const prefix = `${PREFIX}${["configurations", "downlink-data-deliveries"].includes(kind) ? "nidd" : "best"}/v1`;
				for (const path of paths.slice(0, -LEFT))
					if (kind !== "sessions")
						await ask(hse.api, "DELETE", prefix + path, undefined, { Authorization: `Bearer ${token}` });
				there.set(kind, paths.slice(-LEFT));
			}
		};

		const kernel = loadKernel();
		const ues = hse.subscribers.map((one, i) => new LiveUe(one, kernel, SEED + i, hse.port, () => {}));
		const failures: unknown[] = [];
		const seconds = setInterval(() => {
			for (const ue of ues) ue.tick("reading");
			hse.measure().catch((error) => failures.push(error));
		}, 500);
		const random = new SeededRandom(SEED);
		let requests = 0;
		try {
			await renew();
			await fc.assert(
				fc.asyncProperty(fc.array(asking, { minLength: 1, maxLength: AT_ONCE }), async (batch) => {
					if (performance.now() > tokenUntil) await renew();
					requests += batch.length;
					await Promise.all(batch.map(perform));
					expect(failures).toEqual([]);
					if (requests % 16 === 0) await babble(Number(new URL(hse.api).port), random.octets(200));
					if (requests % 50 === 0) await tidy();
				}),
				{
					seed: SEED,
					numRuns: Number.MAX_SAFE_INTEGER,
					interruptAfterTimeLimit: MILLISECONDS,
					markInterruptAsFailure: false,
				},
			);
			await hse.measure();
			const memory = hse.memoryFigures();
			const downlinks = ues.reduce((sum, ue) => sum + ue.downlinks, 0);
			const met = Object.fromEntries([...statuses].sort());
			console.log(JSON.stringify({ seed: SEED, requests, statuses: met, downlinks, memory }));
			expect(Object.keys(met)).toEqual(expect.arrayContaining(["200", "201", "204", "400", "401", "404"]));
			expect(downlinks).toBeGreaterThan(0);
			expect(hse.errors()).not.toMatch(/^ {4}at |"level":50/m);
			expect(memory).toMatchObject({ isBounded: true });
		} finally {
			clearInterval(seconds);
			for (const ue of ues) ue.close();
			agent.destroy();
			const fate = await hse.stop();
			await new Promise((resolve) => {
				sink.close(resolve);
				sink.closeAllConnections();
			});
			expect(fate).toBe("code 0, signal null");
		}
	},
	PATIENCE,
);
