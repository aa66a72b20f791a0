import { randomBytes } from "node:crypto";
import type { Server } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
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
	plain,
	type Received,
	type TlsIdentity,
} from "../eas/https.js";
import type { EasGateway, ForEas } from "./eas-gateway.js";
import type { Hse } from "./hse.js";

/** Seconds after which an EAS must have registered again. */
const REGISTERED_FOR = 60;
/** Failures in a row from which on an EAS counts as out of reach, and milliseconds between two tries. */
const MOST_FAILURES = 3;
const FIRST_PAUSE = 200;
const LONGEST_PAUSE = 5000;
/** What waits for one EAS at the most; beyond, UP messages are dropped, which EMSDP does not acknowledge anyway. */
const MOST_QUEUED = 10_000;

/** The type of what an EAS posts, by the last part of the path. */
const TYPES: ReadonlyMap<string, string> = new Map([
	["requests", XML_TYPE],
	["downlinks", FORWARDED_TYPE],
]);

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
	/** An EAS has registered or is gone. */
	readonly onEas?: ((easId: string, isThere: boolean) => void) | undefined;
	onError(error: Error): void;
}

/** An EAS that has registered, until it has not for a while or has done so anew. */
interface RegisteredEas {
	readonly easId: string;
	readonly id: string;
	readonly url: string;
	readonly client: MutualClient;
	expiresAt: number;
	/** In order: what it must get. */
	queue: ForEas[];
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
	deliver(item: ForEas): void {
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

	async close(): Promise<void> {
		this.isClosed = true;
		clearInterval(this.timer);
		for (const eas of [...this.byId.values()]) this.forget(eas);
		await close(this.server);
	}

	private answer(received: Received): Answer {
		try {
			return this.handle(received);
		} catch (error) {
			if (error instanceof EasError) return plain(400, error.message);
			throw error;
		}
	}

	private handle({ method, path, type, names, body }: Received): Answer {
		if (!path.startsWith(HSE_PATH)) return plain(404, "There is no such resource.");
		const [id = "", action = "", ...more] = path.slice(HSE_PATH.length + 1).split("/");
		if (id === "") {
			if (method !== "POST") return plain(405, "Only POST is allowed.");
			return type === XML_TYPE ? this.register(names, body) : plain(415, `The type must be ${XML_TYPE}.`);
		}
		const eas = this.byId.get(id);
		// A certificate and a session id go together: neither is enough.
		if (eas === undefined || !names.includes(eas.easId) || more.length > 0)
			return plain(404, "There is no such session of an EAS.");
		if (action === "" && method === "DELETE") {
			this.forget(eas);
			return { status: 204 };
		}
		if (method !== "POST") return plain(405, "Only POST is allowed, and DELETE for the session itself.");
		if (action === "") {
			eas.expiresAt = this.options.now() + 1000 * REGISTERED_FOR;
			return { status: 204 };
		}
		const wanted = TYPES.get(action);
		if (wanted === undefined) return plain(404, "There is no such resource.");
		if (type !== wanted) return plain(415, `The type must be ${wanted}.`);
		return action === "requests" ? this.giveKey(eas, body) : this.forward(eas, body);
	}

	/** EAS Session Register. */
	private register(names: readonly string[], body: Uint8Array): Answer {
		const { easId, callback } = decodeRegistration(body);
		const { easIds, tls, now, onEas } = this.options;
		if (!names.includes(easId)) return plain(403, "The certificate does not bear this EAS_Id.");
		if (easIds?.includes(easId) === false) return plain(403, "No EAS of this EAS_Id is known here.");
		const before = this.byEasId.get(easId);
		const eas: RegisteredEas = {
			easId,
			id: randomBytes(16).toString("hex"),
			url: callback.replace(/\/$/, ""),
			client: new MutualClient(tls, easId),
			expiresAt: now() + 1000 * REGISTERED_FOR,
			// What was on its way may have got there: an EAS that has begun anew does not get it again, but asks for its keys.
			queue: before?.queue.splice(before.inFlight) ?? [],
			inFlight: 0,
			isPumping: false,
			failures: 0,
			isOver: false,
		};
		if (before !== undefined) this.forget(before);
		this.byEasId.set(easId, eas);
		this.byId.set(eas.id, eas);
		onEas?.(easId, true);
		this.pump(eas).catch((error) => this.options.onError(error));
		const document = encodeRegistered({ easSessionId: eas.id, expiresIn: REGISTERED_FOR });
		return { status: 201, type: XML_TYPE, body: document, location: `${HSE_PATH}/${eas.id}` };
	}

	/** EAS Session Request of an EAS: answered by an EAS Session Start, with the key or a cause. */
	private giveKey(eas: RegisteredEas, body: Uint8Array): Answer {
		const wanted = decodeKeyRequest(body);
		const given = this.options.gateway.handleKeyRequest(this.options.now(), eas.easId, wanted);
		if (typeof given === "number") return { status: 200, type: XML_TYPE, body: encodeStart(wanted, given) };
		const document = encodeKey("EAS_Session_Start", given);
		given.key.fill(0);
		return { status: 200, type: XML_TYPE, body: document };
	}

	private forward(eas: RegisteredEas, body: Uint8Array): Answer {
		const { hse, now, drain } = this.options;
		const verdicts = decodeForwarded(body).map(({ datagram }) =>
			hse.handleEasDatagram(now(), eas.easId, datagram, datagram.length),
		);
		drain();
		return { status: 200, type: "application/json", body: JSON.stringify(verdicts) };
	}

	/** Sends what waits for an EAS, one request after another. */
	private async pump(eas: RegisteredEas): Promise<void> {
		if (eas.isPumping) return;
		eas.isPumping = true;
		while (eas.queue.length > 0 && !eas.isOver) {
			const items = batchOf(eas.queue);
			eas.inFlight = items.length;
			try {
				await this.post(eas, items);
				eas.failures = 0;
			} catch (error) {
				eas.failures++;
				if (eas.failures === MOST_FAILURES) this.options.onError(reachError(eas.easId, error));
				await sleep(Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** eas.failures), undefined, { ref: false });
				continue;
			}
			if (eas.isOver) break;
			eas.inFlight = 0;
			for (const item of eas.queue.splice(0, items.length)) drop(item);
		}
		eas.isPumping = false;
	}

	/** @throws Error where the EAS cannot be reached or does not take it */
	private async post({ client, url, id }: RegisteredEas, items: readonly ForEas[]): Promise<void> {
		const [first] = items;
		const at = (path: string) => `${url}/${id}/${path}`;
		if (first.kind === "key") {
			const document = encodeKey("EAS_Session_Request", first.key);
			const { status, body } = await client.send("POST", at(EAS_PATHS.requests), XML_TYPE, document, LONGEST_DOCUMENT);
			if (status !== 200) throw new Error(`The status is ${status}.`);
			if (causeOf(decodeNamed(body, "EAS_Session_Start")) !== 0) this.refuse(first.key.sessionId);
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

	private refuse(sessionId: number): void {
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

/** One key, one end, or all UP messages up to the next of these. */
function batchOf(queue: readonly ForEas[]): ForEas[] {
	if (queue[0].kind !== "message") return [queue[0]];
	const end = queue.findIndex(({ kind }) => kind !== "message");
	return queue.slice(0, Math.min(MOST_FORWARDED, end < 0 ? queue.length : end));
}

function drop(item: ForEas): void {
	if (item.kind === "key") item.key.key.fill(0);
}

function reachError(easId: string, error: unknown): Error {
	return new Error(`The EAS ${easId} cannot be reached: ${error instanceof Error ? error.message : error}`);
}
