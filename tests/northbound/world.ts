import { createHash } from "node:crypto";
import { SERVICE } from "../../firmware/emsdp/profile.js";
import type { AuditLog } from "../../host-tools/hse/audit.js";
import type { HseEvent } from "../../host-tools/hse/events.js";
import type { ApplicationServer } from "../../host-tools/northbound/application-server.js";
import { LIMITS_OF_A_SERVER, type NorthboundContext } from "../../host-tools/northbound/context.js";
import { coreHsePort } from "../../host-tools/northbound/core-hse-port.js";
import { httpApp } from "../../host-tools/northbound/http-app.js";
import { KeyRelease, type KeyReleaseOptions } from "../../host-tools/northbound/key-release.js";
import { newId } from "../../host-tools/northbound/new-id.js";
import { Northbound } from "../../host-tools/northbound/northbound.js";
import { NorthboundStore } from "../../host-tools/northbound/northbound-store.js";
import { Notifier } from "../../host-tools/northbound/notifier.js";
import { Reachability } from "../../host-tools/northbound/reachability.js";
import { Authenticator } from "../../host-tools/northbound/security/authenticate.js";
import { Idempotency } from "../../host-tools/northbound/security/idempotency.js";
import { RateLimit } from "../../host-tools/northbound/security/rate-limit.js";
import { LocalIssuer } from "../../host-tools/northbound/security/tokens.js";
import { UeDirectory, type UeEntry } from "../../host-tools/northbound/ue-directory.js";
import { IMSI, Pair, type PairOptions } from "../support/pair.js";

export const API_ROOT = "https://hse.example";
export const UE = "meter-1@meters.example";
export const OTHER_UE = "meter-2@meters.example";
export const FOREIGN_UE = "pump-1@pumps.example";
export const DESTINATION = "https://as.example/notify";
export const SECRET = "0123456789abcdef0123456789abcdef";
/** A day in 2030. */
const START = Date.UTC(2030, 0, 1);

export const METERS: ApplicationServer = {
	id: "meters",
	certificateNames: ["meters.example"],
	clientSecretSha256: createHash("sha256").update(SECRET).digest("hex"),
	notificationOrigins: ["https://as.example"],
	rate: { perSecond: 1000, burst: 1000 },
};
export const PUMPS: ApplicationServer = { ...METERS, id: "pumps", certificateNames: ["pumps.example"] };

const UES: readonly UeEntry[] = [
	{ imsi: IMSI, externalId: UE, msisdn: "491700000001", applicationServer: "meters", keyPolicy: "allow" },
	{ imsi: "001010000000002", externalId: OTHER_UE, applicationServer: "meters", keyPolicy: "deny" },
	{ imsi: "001010000000003", externalId: FOREIGN_UE, applicationServer: "pumps", keyPolicy: "allow" },
];

export interface Answer {
	readonly status: number;
	readonly headers: Headers;
	// biome-ignore lint/suspicious/noExplicitAny: what came over HTTP is looked at field by field.
	readonly body: any;
	readonly text: string;
}

export interface WorldOptions extends PairOptions {
	readonly ues?: readonly UeEntry[];
	readonly servers?: readonly ApplicationServer[];
	readonly keys?: Pick<KeyReleaseOptions, "escrow" | "subscriberPolicy">;
	/** How long a request waits for the UE, in milliseconds of real time. */
	readonly answerWithin?: number;
	readonly store?: never;
	readonly storePath?: string;
}

/** A UE, an HSE and the northbound API over it, with a link and a clock that a test moves. */
export class World extends Pair {
	readonly context: NorthboundContext;
	readonly northbound: Northbound;
	/** What the context has, of which answers are there at once. */
	readonly resources: NorthboundStore;
	readonly issuer: LocalIssuer;
	/** Whether the application server takes notifications. */
	isTaking = true;
	readonly notifications: { readonly destination: string; readonly body: Record<string, unknown> }[] = [];
	readonly attempts: number[] = [];
	readonly records: { readonly event: string; readonly [field: string]: unknown }[] = [];
	readonly errors: unknown[] = [];
	/** Whether what is sent arrives by itself. */
	isConnected = false;
	private readonly app: ReturnType<typeof httpApp>;
	private readonly rateLimit = new RateLimit();
	private token = "";
	private told = 0;

	static async make(options: WorldOptions = {}): Promise<World> {
		const issuer = await LocalIssuer.make(API_ROOT, API_ROOT);
		const world = new World(options, issuer);
		world.token = await issuer.issue(METERS, world.time(), undefined);
		return world;
	}

	private constructor(options: WorldOptions, issuer: LocalIssuer) {
		super(options);
		this.issuer = issuer;
		const now = () => this.time();
		const store = new NorthboundStore(options.storePath);
		this.resources = store;
		const servers = options.servers ?? [METERS, PUMPS];
		const notifier = new Notifier({
			store,
			retry: { first: 1000, longest: 8000, giveUpAfter: 60_000, mostWaiting: 100 },
			now,
			fraction: () => 1,
			post: async (destination, body) => {
				this.attempts.push(this.now);
				if (this.isTaking) this.notifications.push({ destination, body: JSON.parse(body) });
				return this.isTaking;
			},
			onError: (error) => this.errors.push(error),
		});
		const audit: AuditLog = {
			record: (event, fields) => this.records.push({ event, ...fields }),
			close() {},
		};
		const flow = () => {
			this.drainHse();
			if (this.isConnected) this.settle();
		};
		this.context = {
			hse: coreHsePort(this.hse, {
				send: (sessionId, payload) => {
					this.hse.send(this.now, sessionId, payload);
					flow();
				},
				refresh: (sessionId, method) => {
					this.hse.refresh(this.now, sessionId, method);
					flow();
				},
				handedOver: async () => {},
				terminate: (sessionId, cause) => {
					this.hse.terminate(this.now, sessionId, cause);
					flow();
				},
			}),
			store,
			directory: new UeDirectory(options.ues ?? UES),
			notifier,
			reachability: new Reachability(10_000),
			limits: { ...LIMITS_OF_A_SERVER, buffered: 4 },
			apiRoot: API_ROOT,
			now,
			newId: () => newId(this.time()),
		};
		this.northbound = new Northbound(
			this.context,
			new KeyRelease({ audit, ...options.keys }),
			options.answerWithin ?? 0,
		);
		this.app = httpApp({
			northbound: this.northbound,
			notifier,
			authenticator: new Authenticator(servers, issuer, audit, now),
			audit,
			rateLimit: this.rateLimit,
			idempotency: new Idempotency(store, now, (error) => this.errors.push(error)),
			issuer,
			origin: API_ROOT,
			now,
			onError: (error) => this.errors.push(error),
		});
	}

	/** Milliseconds since 1970. */
	time(): number {
		return START + this.now;
	}

	override drainHse(): void {
		super.drainHse();
		// Whoever is told of an event may send at once, and be told of more.
		while (this.told < this.hseEvents.length) this.tell(this.hseEvents[this.told++]);
	}

	/** Gives the northbound side an event, such as one of a UE that is not here. */
	tell(event: HseEvent): void {
		// The constructor of the pair does not drain.
		this.northbound.handleEvent(event);
	}

	/** Lets time go by. */
	async pass(milliseconds: number): Promise<void> {
		this.now += milliseconds;
		this.token = await this.issuer.issue(METERS, this.time(), undefined);
		this.northbound.handleTimeout();
		await this.quiet();
	}

	/** Lets what is under way come to its end. */
	async quiet(): Promise<void> {
		await new Promise((resolve) => setImmediate(resolve));
		await new Promise((resolve) => setImmediate(resolve));
	}

	/** Sends a request as the server of the meters, unless it has an Authorization of its own. */
	async request(
		method: string,
		path: string,
		body?: unknown,
		headers: Readonly<Record<string, string>> = {},
	): Promise<Answer> {
		const hasBody = body !== undefined;
		const response = await this.app.request(path.replace(API_ROOT, ""), {
			method,
			headers: {
				Authorization: `Bearer ${this.token}`,
				...(hasBody && { "Content-Type": method === "PATCH" ? "application/merge-patch+json" : "application/json" }),
				...headers,
			},
			...(hasBody && { body: typeof body === "string" ? body : JSON.stringify(body) }),
		});
		const text = await response.text();
		const isJson = text !== "" && /json/.test(response.headers.get("content-type") ?? "");
		await this.quiet();
		return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined };
	}

	/** @param path below `/3gpp-nidd/v1/meters` */
	nidd(method: string, path: string, body?: unknown): Promise<Answer> {
		return this.request(method, `/3gpp-nidd/v1/meters${path}`, body);
	}

	/** @param path below `/3gpp-best/v1/meters` */
	best(method: string, path: string, body?: unknown): Promise<Answer> {
		return this.request(method, `/3gpp-best/v1/meters${path}`, body);
	}

	/** The path of the UE's session in the BEST API. */
	get sessionPath(): string {
		const sessionId = this.hse.sessionOf(IMSI)?.sessionId ?? 0;
		return `/sessions/${sessionId.toString(16).padStart(8, "0")}`;
	}
}

/** Key agreement only: no user plane. */
export const KEYS_ONLY: WorldOptions = { service: SERVICE.keyAgreementOnly };

export function base64(text: string): string {
	return Buffer.from(text).toString("base64");
}
