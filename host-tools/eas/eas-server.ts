import type { Server } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { CAUSE } from "../../firmware/emsdp/profile.js";
import type { Verdict } from "../../firmware/emsdp/verdict.js";
import type { Kernel } from "../../firmware/kernels/kernel.js";
import {
	causeOf,
	decodeKey,
	decodeNamed,
	decodeRegistered,
	EAS_PATHS,
	encodeKeyRequest,
	encodeRegistration,
	encodeStart,
	HSE_PATH,
	LONGEST_DOCUMENT,
	type NamedKey,
	readEnd,
	XML_TYPE,
} from "./annex-b.js";
import { Eas } from "./eas.js";
import { EasError } from "./errors.js";
import type { Downlink, EasEvent } from "./events.js";
import { decodeForwarded, encodeForwarded, FORWARDED_TYPE, LONGEST_FORWARDED, MOST_FORWARDED } from "./forwarded.js";
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
} from "./https.js";

/** How often a renewal that fails is tried before its time is over; of several HSEs another one may answer. */
const RENEWALS_IN_VAIN = 10;
/** How often a key is asked for that messages wait for, until the HSE gives it or refuses it. */
const MOST_PULLS = 5;
const CALLBACK_PATH = "/best/v1/hse";
const LONGEST_TIMER = 2 ** 31 - 1;

/** The type of what the HSE posts, by the last part of the path. */
const TYPES: ReadonlyMap<string, string> = new Map([
	[EAS_PATHS.requests, XML_TYPE],
	[EAS_PATHS.uplinks, FORWARDED_TYPE],
	[EAS_PATHS.ends, XML_TYPE],
]);

export interface EasServerOptions {
	readonly kernel: Kernel;
	readonly easId: string;
	/** Of the HSE's interface to EASs, such as "https://127.0.0.1:33164". */
	readonly hseUrl: string;
	/** A name that the HSE's certificate must bear. */
	readonly hseName: string;
	readonly tls: TlsIdentity;
	/** Address to listen at. */
	readonly address: string;
	/** 0: any free port. */
	readonly port: number;
	/** Host under which the HSE reaches this EAS; the address by default. */
	readonly host?: string;
	readonly onEvent?: (event: EasEvent) => void;
	/** The HSE has taken or lost the registration. */
	readonly onRegistered?: (isRegistered: boolean) => void;
	readonly onError?: (error: Error) => void;
}

/** An EAS on HTTPS with mutual TLS (TS 33.163 Annex B): the sans-IO core with its inputs and outputs attached. */
export class EasServer {
	readonly eas: Eas;
	private readonly options: EasServerOptions;
	private readonly server: Server;
	/** Apart from each other, since a client sends one request at a time. */
	private readonly registrar: MutualClient;
	private readonly puller: MutualClient;
	private readonly sender: MutualClient;
	/** The session id that the HSE gave, undefined while this EAS is not registered. */
	private id: string | undefined;
	private readonly downlinks: Downlink[] = [];
	private isPumping = false;
	private isRegistering = false;
	private renewal: NodeJS.Timeout | undefined;
	private timer: NodeJS.Timeout | undefined;
	private isClosed = false;
	private callback = "";
	private registration = "";

	constructor(options: EasServerOptions) {
		this.options = options;
		const { kernel, tls, hseName } = options;
		this.eas = new Eas({ kernel });
		this.registrar = new MutualClient(tls, hseName);
		this.puller = new MutualClient(tls, hseName);
		this.sender = new MutualClient(tls, hseName);
		this.server = createMutualServer(
			tls,
			LONGEST_FORWARDED,
			(received) => this.answer(received),
			(error) => options.onError?.(error),
		);
	}

	/** Listens, and registers once the HSE can be reached. @returns the port @throws Error of node:net, EasError for an EAS Id that XML cannot hold */
	async listen(): Promise<number> {
		const { address, host = address, port } = this.options;
		const bound = await listen(this.server, address, port);
		this.callback = `https://${host.includes(":") ? `[${host}]` : host}:${bound}${CALLBACK_PATH}`;
		this.registration = encodeRegistration({ easId: this.options.easId, callback: this.callback });
		this.register();
		return bound;
	}

	get isRegistered(): boolean {
		return this.id !== undefined;
	}

	/** Sends a payload to a UE. @throws EasError */
	send(sessionId: number, payload: Uint8Array): void {
		this.eas.send(sessionId, payload);
		this.drain();
	}

	/** Asks the HSE for a key by name (pull). @throws EasError `refused` with the cause, or Error where the HSE cannot be reached */
	async pull(wanted: NamedKey): Promise<void> {
		const { id } = this;
		if (id === undefined) throw new EasError("refused", "This EAS is not registered with the HSE.");
		const document = encodeKeyRequest(wanted);
		const { status, body } = await this.puller.send(
			"POST",
			this.at(`/${id}/requests`),
			XML_TYPE,
			document,
			LONGEST_DOCUMENT,
		);
		if (status !== 200) {
			if (status === 404) this.lose(id);
			throw new Error(`The HSE answers with status ${status}.`);
		}
		const fields = decodeNamed(body, "EAS_Session_Start");
		const cause = causeOf(fields);
		if (cause !== 0) {
			this.eas.handleKeyRefused(wanted, cause);
			this.drain();
			throw new EasError("refused", `The HSE gives no key, with cause ${cause.toString(16).padStart(2, "0")}.`);
		}
		this.eas.handleKey(this.now(), decodeKey(fields), false);
		this.drain();
	}

	/** Says goodbye to the HSE, if it can be reached, and erases all keys. */
	async close(): Promise<void> {
		this.isClosed = true;
		clearTimeout(this.renewal);
		clearTimeout(this.timer);
		if (this.id !== undefined)
			await this.registrar.send("DELETE", this.at(`/${this.id}`), XML_TYPE, "", LONGEST_DOCUMENT).catch(() => {});
		for (const client of [this.registrar, this.puller, this.sender]) client.close();
		await close(this.server);
		this.eas.erase();
	}

	private at(path: string): string {
		return `${this.options.hseUrl.replace(/\/$/, "")}${HSE_PATH}${path}`;
	}

	private now(): number {
		return performance.timeOrigin + performance.now();
	}

	/** EAS Session Register, until the HSE takes it. */
	private async register(): Promise<void> {
		if (this.isRegistering || this.isClosed) return;
		this.isRegistering = true;
		let told = "";
		for (let tries = 0; !this.isClosed; tries++) {
			try {
				const { status, body } = await this.registrar.send(
					"POST",
					this.at(""),
					XML_TYPE,
					this.registration,
					LONGEST_DOCUMENT,
				);
				if (status !== 201)
					throw new Error(`The HSE answers with status ${status}: ${new TextDecoder().decode(body).trim()}`);
				const { easSessionId, expiresIn } = decodeRegistered(body);
				this.id = easSessionId;
				this.renewLater(500 * expiresIn, 500 * expiresIn);
				break;
			} catch (error) {
				const why = textOf(error);
				// Each reason once, however often it is tried.
				if (why !== told && !this.isClosed) this.options.onError?.(new Error(`This EAS is not registered: ${why}`));
				told = why;
				await sleep(pauseAfter(tries), undefined, { ref: false });
			}
		}
		this.isRegistering = false;
		if (this.isClosed) return;
		this.options.onRegistered?.(true);
		this.pump();
	}

	/** @param interval milliseconds between renewals */
	private renewLater(interval: number, milliseconds: number): void {
		clearTimeout(this.renewal);
		this.renewal = setTimeout(() => this.renew(interval), milliseconds);
		this.renewal.unref();
	}

	private async renew(interval: number): Promise<void> {
		const { id } = this;
		if (id === undefined) return;
		let isRenewed = false;
		try {
			const { status } = await this.registrar.send("POST", this.at(`/${id}`), XML_TYPE, "", LONGEST_DOCUMENT);
			if (status === 404) this.lose(id);
			isRenewed = status === 204;
		} catch {
			// It is tried again; an HSE that has begun anew says 404.
		}
		if (this.id === id && !this.isClosed) this.renewLater(interval, isRenewed ? interval : interval / RENEWALS_IN_VAIN);
	}

	/** The HSE does not know the registration any more. */
	private lose(id: string): void {
		if (this.id !== id) return;
		this.id = undefined;
		this.options.onRegistered?.(false);
		this.register();
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
		const [id = "", action = "", ...more] = path.startsWith(`${CALLBACK_PATH}/`)
			? path.slice(CALLBACK_PATH.length + 1).split("/")
			: [];
		// Another EAS has a certificate of the same authority: the name is checked, and the id that only the HSE knows.
		const isHse = names.includes(this.options.hseName);
		if (id === "" || id !== this.id || !isHse || more.length > 0) return plain(404, "There is no such resource.");
		if (method !== "POST") return plain(405, "Only POST is allowed.");
		const wanted = TYPES.get(action);
		if (wanted === undefined) return plain(404, "There is no such resource.");
		if (type !== wanted) return plain(415, `The type must be ${wanted}.`);
		const answer = this.take(action, body);
		this.drain();
		return answer;
	}

	private take(action: string, body: Uint8Array): Answer {
		const now = this.now();
		if (action === EAS_PATHS.uplinks) {
			for (const message of decodeForwarded(body)) this.eas.handleDatagram(now, message);
			return { status: 204 };
		}
		if (action === EAS_PATHS.ends) {
			const { sessionId, cause } = readEnd(decodeNamed(body, "EAS_Session_End"));
			this.eas.handleOver(sessionId, cause);
			return { status: 204 };
		}
		const key = decodeKey(decodeNamed(body, "EAS_Session_Request"));
		const name = { sessionId: key.sessionId, keyId: key.configuration.keyId };
		const cause = this.eas.handleKey(now, key, true) ?? 0;
		return { status: 200, type: XML_TYPE, body: encodeStart(name, cause) };
	}

	private drain(): void {
		const { outbox } = this.eas;
		for (let request = outbox.takeKeyRequest(); request !== undefined; request = outbox.takeKeyRequest()) {
			this.pullUntilAnswered({ ...request, ueId: undefined });
		}
		for (let downlink = outbox.takeDownlink(); downlink !== undefined; downlink = outbox.takeDownlink())
			this.downlinks.push(downlink);
		this.pump();
		clearTimeout(this.timer);
		const { deadline } = this.eas;
		if (deadline !== undefined && !this.isClosed) {
			const wait = Math.min(LONGEST_TIMER, Math.max(1, deadline - this.now()));
			this.timer = setTimeout(() => {
				this.eas.handleTimeout(this.now());
				this.drain();
			}, wait);
			this.timer.unref();
		}
		for (let event = outbox.takeEvent(); event !== undefined; event = outbox.takeEvent()) this.options.onEvent?.(event);
	}

	/** Messages wait for this key: an HSE that cannot give it now may do so soon, or another one may. */
	private async pullUntilAnswered(wanted: NamedKey): Promise<void> {
		for (let tries = 0; tries < MOST_PULLS; tries++) {
			if (tries > 0) await sleep(pauseAfter(tries), undefined, { ref: false });
			if (this.isClosed) return;
			try {
				await this.pull(wanted);
				return;
			} catch (error) {
				// A refusal has been told as an event; without a registration there is none yet.
				if (error instanceof EasError && error.code === "refused" && this.isRegistered) return;
			}
		}
		// Messages that come later ask again.
		this.eas.handleKeyRefused(wanted, CAUSE.unspecified);
		this.drain();
	}

	/** Sends downlinks in order; one that may not have arrived goes again, octet-identical, and the HSE takes it once. */
	private async pump(): Promise<void> {
		if (this.isPumping) return;
		this.isPumping = true;
		let isRepeated = false;
		for (let failures = 0; this.downlinks.length > 0 && this.id !== undefined && !this.isClosed; ) {
			const batch = this.downlinks.slice(0, MOST_FORWARDED);
			const verdicts = await this.forward(this.id, batch);
			if (verdicts === undefined) {
				isRepeated = true;
				await sleep(pauseAfter(failures++), undefined, { ref: false });
				continue;
			}
			failures = 0;
			this.downlinks.splice(0, batch.length);
			batch.forEach((downlink, i) => {
				const verdict = verdicts[i] ?? "length";
				// The first time its answer was lost.
				this.eas.handleForwarded(downlink, isRepeated && verdict === "replay" ? "accept" : verdict);
			});
			isRepeated = false;
			this.drain();
		}
		this.isPumping = false;
	}

	private async forward(id: string, batch: readonly Downlink[]): Promise<Verdict[] | undefined> {
		try {
			const url = this.at(`/${id}/downlinks`);
			const { status, body } = await this.sender.send(
				"POST",
				url,
				FORWARDED_TYPE,
				encodeForwarded(batch),
				LONGEST_DOCUMENT,
			);
			if (status === 404) this.lose(id);
			if (status !== 200) return undefined;
			const verdicts: unknown = JSON.parse(new TextDecoder().decode(body));
			return Array.isArray(verdicts) ? verdicts.map((verdict) => String(verdict) as Verdict) : undefined;
		} catch {
			return undefined;
		}
	}
}

function textOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}
