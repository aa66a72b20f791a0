import { randomBytes } from "node:crypto";
import type { Server } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { Header } from "../../firmware/emsdp/header.js";
import { screen } from "../../firmware/emsdp/screening.js";
import type { Verdict } from "../../firmware/emsdp/verdict.js";
import {
	causeOf,
	decodeKeyRequest,
	decodeNamed,
	decodeRegistration,
	EAS_PATHS,
	encodeEnd,
	encodeKey,
	encodeRegistered,
	encodeStart,
	HSE_PATH,
	LONGEST_DOCUMENT,
	type NamedKey,
	XML_TYPE,
} from "../eas/annex-b.js";
import { EasError } from "../eas/errors.js";
import {
	decodeForwarded,
	encodeForwarded,
	FORWARDED_TYPE,
	LONGEST_FORWARDED,
	MOST_FORWARDED,
} from "../eas/forwarded.js";
import {
	type Answer,
	close,
	createMutualServer,
	listen,
	MutualClient,
	pauseAfter,
	plain,
	type Received,
	type TlsIdentity,
} from "../eas/https.js";
import type { EasGateway, ForEas } from "./eas-gateway.js";
import type { Hse } from "./hse.js";
import type { EasKeyPolicy } from "./policy.js";
import type { EasRegistration, SharedEas, StandingRegistration } from "./shared-eas.js";

/** Seconds after which an EAS must have registered again. */
const REGISTERED_FOR = 60;
/** Failures in a row from which on an EAS counts as out of reach. */
const MOST_FAILURES = 3;
/** How often a session is brought here that another HSE takes meanwhile. */
const MOST_BRINGS = 5;
/** What waits for one EAS at the most; beyond, UP messages are dropped, which EMSDP does not acknowledge anyway. */
const MOST_QUEUED = 10_000;

/** The type of what an EAS posts, by the last part of the path. */
const TYPES: ReadonlyMap<string, string> = new Map([
	["requests", XML_TYPE],
	["downlinks", FORWARDED_TYPE],
]);

/** Milliseconds that what waits for an EAS has at the end, and how often it is looked at. */
const LAST_PATIENCE = 2000;
const LAST_LOOK = 10;

const NO_REGISTRATION = "There is no such session of an EAS.";
/** Another HSE stands still, or the database does. */
const NOT_NOW = plain(503, "A session cannot be brought to this HSE now: ask again.");

export interface EasInterfaceOptions {
	readonly hse: Hse;
	readonly gateway: EasGateway;
	readonly tls: TlsIdentity;
	readonly address: string;
	/** 0: any free port. */
	readonly port: number;
	/** EASs that may register; undefined: every one whose certificate bears its EAS Id. */
	readonly easIds: readonly string[] | undefined;
	now(): number;
	/** Called after an input of the HSE. */
	drain(): void;
	/** Where other HSEs have sessions, and EASs register with any of them. */
	readonly shared?: SharedEas | undefined;
	/** An EAS has registered or is gone. */
	readonly onEas?: ((easId: string, isThere: boolean) => void) | undefined;
	onError(error: Error): void;
}

/** What an EAS gets once that is known. */
export interface AwaitedForEas {
	readonly easId: string;
	readonly kind: "awaited";
	/** Does not fail. undefined: nothing. */
	readonly item: Promise<ForEas | undefined>;
}

/** An EAS that has registered, until it has not for a while or has done so anew. */
interface RegisteredEas extends EasRegistration {
	readonly client: MutualClient;
	expiresAt: number;
	/** In order: what it must get. */
	queue: (ForEas | AwaitedForEas)[];
	/** How many of the queue are on their way. */
	inFlight: number;
	isPumping: boolean;
	failures: number;
	isOver: boolean;
}

/** The HSE's end of the interface to EASs (TS 33.163 Annex B), on HTTPS with mutual TLS. */
export class EasInterface {
	private readonly options: EasInterfaceOptions;
	private readonly server: Server;
	private readonly byEasId = new Map<string, RegisteredEas>();
	private readonly byId = new Map<string, RegisteredEas>();
	private timer: NodeJS.Timeout | undefined;
	private isClosed = false;

	constructor(options: EasInterfaceOptions) {
		this.options = options;
		this.server = createMutualServer(
			options.tls,
			LONGEST_FORWARDED,
			(received) => this.answer(received),
			(error) => options.onError(error),
		);
	}

	/** @returns the port. @throws Error of node:net where it cannot be had */
	async listen(): Promise<number> {
		await this.options.shared?.registrations.begin((registrations) => this.follow(registrations));
		const port = await listen(this.server, this.options.address, this.options.port);
		this.timer = setInterval(() => this.expire(), 1000);
		this.timer.unref();
		return port;
	}

	/** Whether an EAS has registered and can be reached. */
	isReachable(easId: string): boolean {
		const eas = this.byEasId.get(easId);
		return eas !== undefined && eas.failures < MOST_FAILURES;
	}

	/** Brings something to an EAS, in order; keys in it are erased afterwards. */
	deliver(item: ForEas | AwaitedForEas): void {
		const eas = this.byEasId.get(item.easId);
		const isFull = item.kind === "message" && eas !== undefined && eas.queue.length >= MOST_QUEUED;
		if (eas === undefined || isFull || this.isClosed) {
			// An EAS that comes later asks for the keys of the messages that it gets.
			drop(item);
			return;
		}
		eas.queue.push(item);
		this.pump(eas).catch((error) => this.options.onError(error));
	}

	/** Takes no more requests. What is delivered still goes out. */
	async stop(): Promise<void> {
		clearInterval(this.timer);
		await close(this.server);
	}

	/** What waits for EASs that answer goes out first, within {@link LAST_PATIENCE}. */
	async close(): Promise<void> {
		await this.stop();
		const isOnItsWay = () => [...this.byId.values()].some(({ queue, failures }) => queue.length > 0 && failures === 0);
		for (let waited = 0; waited < LAST_PATIENCE && isOnItsWay(); waited += LAST_LOOK) await sleep(LAST_LOOK);
		this.isClosed = true;
		for (const eas of [...this.byId.values()]) this.forget(eas);
	}

	private async answer(received: Received): Promise<Answer> {
		try {
			return await this.handle(received);
		} catch (error) {
			if (error instanceof EasError) return plain(400, error.message);
			throw error;
		}
	}

	private async handle({ method, path, type, names, body }: Received): Promise<Answer> {
		if (path !== HSE_PATH && !path.startsWith(`${HSE_PATH}/`)) return plain(404, "There is no such resource.");
		const [id = "", action = "", ...more] = path.slice(HSE_PATH.length + 1).split("/");
		if (id === "") {
			if (method !== "POST") return plain(405, "Only POST is allowed.");
			return type === XML_TYPE ? this.register(names, body) : plain(415, `The type must be ${XML_TYPE}.`);
		}
		const { shared } = this.options;
		// It may have registered with another HSE a moment ago.
		if (!this.byId.has(id)) await shared?.registrations.refresh();
		const eas = this.byId.get(id);
		// A certificate and a session id go together: neither is enough.
		if (eas === undefined || !names.includes(eas.easId) || more.length > 0) return plain(404, NO_REGISTRATION);
		if (action === "" && method === "DELETE") {
			await shared?.registrations.remove(id);
			this.forget(eas);
			return { status: 204 };
		}
		if (method !== "POST") return plain(405, "Only POST is allowed, and DELETE for the session itself.");
		if (action === "") {
			if ((await shared?.registrations.renew(id, REGISTERED_FOR)) === false) return plain(404, NO_REGISTRATION);
			eas.expiresAt = this.options.now() + 1000 * REGISTERED_FOR;
			return { status: 204 };
		}
		const wanted = TYPES.get(action);
		if (wanted === undefined) return plain(404, "There is no such resource.");
		if (type !== wanted) return plain(415, `The type must be ${wanted}.`);
		return action === "requests" ? this.giveKey(eas, body) : this.forward(eas, body);
	}

	/** EAS Session Register. */
	private async register(names: readonly string[], body: Uint8Array): Promise<Answer> {
		const { easId, callback } = decodeRegistration(body);
		const { easIds, shared } = this.options;
		if (!names.includes(easId)) return plain(403, "The certificate does not bear this EAS_Id.");
		if (easIds?.includes(easId) === false) return plain(403, "No EAS of this EAS_Id is known here.");
		const registration = { easId, id: randomBytes(16).toString("hex"), callback: callback.replace(/\/$/, "") };
		if (shared !== undefined) await shared.registrations.put(registration, REGISTERED_FOR);
		else this.take(registration, 1000 * REGISTERED_FOR);
		const { id } = registration;
		const document = encodeRegistered({ easSessionId: id, expiresIn: REGISTERED_FOR });
		return { status: 201, type: XML_TYPE, body: document, location: `${HSE_PATH}/${id}` };
	}

	/** An EAS is registered from now on. @param remaining milliseconds */
	private take(registration: EasRegistration, remaining: number): void {
		const { tls, now, onEas } = this.options;
		const { easId, id } = registration;
		const before = this.byEasId.get(easId);
		const eas: RegisteredEas = {
			...registration,
			client: new MutualClient(tls, easId),
			expiresAt: now() + remaining,
			// What was on its way may have got there: an EAS that has begun anew does not get it again, but asks for its keys.
			queue: before?.queue.splice(before.inFlight) ?? [],
			inFlight: 0,
			isPumping: false,
			failures: 0,
			isOver: false,
		};
		if (before !== undefined) this.forget(before);
		this.byEasId.set(easId, eas);
		this.byId.set(id, eas);
		onEas?.(easId, true);
		this.pump(eas).catch((error) => this.options.onError(error));
	}

	/** EASs that are registered with any HSE. */
	private follow(registrations: readonly StandingRegistration[]): void {
		if (this.isClosed) return;
		for (const { remaining, ...registration } of registrations) {
			const known = this.byId.get(registration.id);
			if (known === undefined) this.take(registration, remaining);
			else known.expiresAt = this.options.now() + remaining;
		}
		const ids = new Set(registrations.map(({ id }) => id));
		for (const eas of [...this.byId.values()]) if (!ids.has(eas.id)) this.forget(eas);
	}

	/** EAS Session Request of an EAS: answered by an EAS Session Start, with the key or a cause. */
	private async giveKey(eas: RegisteredEas, body: Uint8Array): Promise<Answer> {
		const wanted = decodeKeyRequest(body);
		const policy = await this.options.shared?.bringForKey(wanted.sessionId);
		return policy === false ? NOT_NOW : this.keyOrCause(eas, wanted, policy);
	}

	private keyOrCause({ easId }: RegisteredEas, wanted: NamedKey, policy: EasKeyPolicy | undefined): Answer {
		const given = this.options.gateway.handleKeyRequest(this.options.now(), easId, wanted, policy);
		if (typeof given === "number") return { status: 200, type: XML_TYPE, body: encodeStart(wanted, given) };
		const document = encodeKey("EAS_Session_Start", given);
		given.key.fill(0);
		return { status: 200, type: XML_TYPE, body: document };
	}

	private async forward({ easId }: RegisteredEas, body: Uint8Array): Promise<Answer> {
		const { hse, now, drain, shared } = this.options;
		const datagrams = decodeForwarded(body).map(({ datagram }) => datagram);
		if (shared !== undefined && !(await this.bringAll(shared, datagrams))) return NOT_NOW;
		const verdicts = datagrams.map(
			(datagram): Verdict => hse.handleEasDatagram(now(), easId, datagram, datagram.length),
		);
		drain();
		return { status: 200, type: "application/json", body: JSON.stringify(verdicts) };
	}

	/** @returns false where the session of one of them cannot be had now: the EAS sends them again, and none is taken twice */
	private async bringAll({ bring }: SharedEas, datagrams: readonly Uint8Array[]): Promise<boolean> {
		const { hse } = this.options;
		const header = new Header();
		const sessionIds = new Set<number>();
		for (const datagram of datagrams)
			if (screen(header, datagram, datagram.length, true) === undefined) sessionIds.add(header.sessionId);
		// While one is brought here another HSE may take another one.
		for (let tries = 0; tries < MOST_BRINGS; tries++) {
			const absent = [...sessionIds].filter((sessionId) => !hse.knows(sessionId));
			if (absent.length === 0) return true;
			const brought = absent.map(async (sessionId) => {
				const isClear = await bring(sessionId);
				// One that does not exist is not asked for again.
				if (isClear && !hse.knows(sessionId)) sessionIds.delete(sessionId);
				return isClear;
			});
			if ((await Promise.all(brought)).includes(false)) return false;
		}
		return false;
	}

	/** Sends what waits for an EAS, one request after another. */
	private async pump(eas: RegisteredEas): Promise<void> {
		if (eas.isPumping) return;
		eas.isPumping = true;
		while (eas.queue.length > 0 && !eas.isOver) {
			const [first] = eas.queue;
			if (first.kind === "awaited") {
				const item = await first.item;
				// Where the EAS has registered anew meanwhile, it is in the other queue, too, and waited for there.
				if (eas.isOver) break;
				eas.queue.splice(0, 1, ...(item === undefined ? [] : [item]));
				continue;
			}
			const items = batchOf(eas.queue);
			eas.inFlight = items.length;
			try {
				await this.post(eas, items);
				eas.failures = 0;
			} catch (error) {
				eas.failures++;
				if (eas.failures === MOST_FAILURES) this.options.onError(reachError(eas.easId, error));
				await sleep(pauseAfter(eas.failures), undefined, { ref: false });
				continue;
			}
			if (eas.isOver) break;
			eas.inFlight = 0;
			for (const item of eas.queue.splice(0, items.length)) drop(item);
		}
		eas.isPumping = false;
	}

	/** @throws Error where the EAS cannot be reached or does not take it */
	private async post({ client, callback, id }: RegisteredEas, items: readonly ForEas[]): Promise<void> {
		const [first] = items;
		const at = (path: string) => `${callback}/${id}/${path}`;
		if (first.kind === "key") {
			const document = encodeKey("EAS_Session_Request", first.key);
			const { status, body } = await client.send("POST", at(EAS_PATHS.requests), XML_TYPE, document, LONGEST_DOCUMENT);
			if (status !== 200) throw new Error(`The status is ${status}.`);
			if (causeOf(decodeNamed(body, "EAS_Session_Start")) !== 0) await this.refuse(first.key.sessionId);
			return;
		}
		const isEnd = first.kind === "over";
		const body = isEnd
			? encodeEnd(first.sessionId, first.cause)
			: encodeForwarded(items.flatMap((item) => (item.kind === "message" ? [item.message] : [])));
		const path = at(isEnd ? EAS_PATHS.ends : EAS_PATHS.uplinks);
		const { status } = await client.send("POST", path, isEnd ? XML_TYPE : FORWARDED_TYPE, body, LONGEST_DOCUMENT);
		if (status !== 204) throw new Error(`The status is ${status}.`);
	}

	private async refuse(sessionId: number): Promise<void> {
		await this.options.shared?.bring(sessionId);
		this.options.gateway.handleRefusal(this.options.now(), sessionId);
		this.options.drain();
	}

	private expire(): void {
		const now = this.options.now();
		for (const eas of this.byId.values()) if (now >= eas.expiresAt) this.forget(eas);
	}

	private forget(eas: RegisteredEas): void {
		eas.isOver = true;
		eas.client.close();
		for (const item of eas.queue.splice(0)) drop(item);
		this.byId.delete(eas.id);
		if (this.byEasId.get(eas.easId) !== eas) return;
		this.byEasId.delete(eas.easId);
		this.options.onEas?.(eas.easId, false);
	}
}

/** One key, one end, or all UP messages up to the next of these. @param queue begins with one that is there */
function batchOf(queue: readonly (ForEas | AwaitedForEas)[]): ForEas[] {
	const items: ForEas[] = [];
	for (const item of queue) {
		if (item.kind === "awaited" || items.length === MOST_FORWARDED) break;
		if (item.kind !== "message") return items.length === 0 ? [item] : items;
		items.push(item);
	}
	return items;
}

function drop(item: ForEas | AwaitedForEas | undefined): void {
	if (item?.kind === "awaited") item.item.then(drop);
	if (item?.kind === "key") item.key.key.fill(0);
}

function reachError(easId: string, error: unknown): Error {
	return new Error(`The EAS ${easId} cannot be reached: ${error instanceof Error ? error.message : error}`);
}
