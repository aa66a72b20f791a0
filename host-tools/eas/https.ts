import type { IncomingMessage, ServerResponse } from "node:http";
import { Agent, createServer, request, type Server } from "node:https";
import type { Socket } from "node:net";
import type { PeerCertificate, TLSSocket } from "node:tls";

/** TS 33.310 Annex E, which Annex B of TS 33.163 names, wants TLS 1.2 and 1.3. */
const LEAST_TLS = "TLSv1.2";
/** Milliseconds for one request, and for a body to come in. */
const PATIENCE = 5000;
/** Milliseconds between two tries to reach the other end. */
const FIRST_PAUSE = 200;
const LONGEST_PAUSE = 5000;

const connections = new WeakMap<Server, Set<Socket>>();

/** One end's certificate, its private key, and the authority that the other end's certificate must be of; all PEM. */
export interface TlsIdentity {
	readonly certificate: string;
	readonly key: string;
	readonly authority: string;
}

/** The names of a certificate: its DNS names and its common name. */
export function namesOf(certificate: PeerCertificate): string[] {
	const alternatives = (certificate.subjectaltname ?? "")
		.split(", ")
		.filter((name) => name.startsWith("DNS:"))
		.map((name) => name.slice(4));
	// A name that OpenSSL had to quote is not taken apart: it could hold a comma.
	const common: string | readonly string[] = certificate.subject?.CN ?? [];
	return [...alternatives.filter((name) => !name.startsWith('"')), ...(typeof common === "string" ? [common] : [])];
}

/** The names of whoever is at the other end of a request. */
export function clientNames(message: IncomingMessage): string[] {
	return namesOf((message.socket as TLSSocket).getPeerCertificate());
}

/** A request that has been read. `body` has at most as many octets as was allowed. */
export interface Received {
	readonly method: string;
	/** Path without query. */
	readonly path: string;
	readonly type: string;
	readonly names: readonly string[];
	readonly body: Uint8Array;
}

export interface Answer {
	readonly status: number;
	readonly type?: string;
	readonly body?: string | Uint8Array;
	readonly location?: string;
}

/** A sentence as an answer. */
export function plain(status: number, text: string): Answer {
	return { status, type: "text/plain; charset=utf-8", body: `${text}\n` };
}

/**
 * A server of HTTPS with mutual TLS: who has no certificate of the authority does not get as far as HTTP.
 * @param most octets of a body
 */
export function createMutualServer(
	{ certificate, key, authority }: TlsIdentity,
	most: number,
	answer: (received: Received) => Answer | Promise<Answer>,
	onError: (error: Error) => void,
): Server {
	const options = {
		cert: certificate,
		key,
		ca: authority,
		requestCert: true,
		rejectUnauthorized: true,
		handshakeTimeout: PATIENCE,
	};
	const server = createServer({ ...options, minVersion: LEAST_TLS }, (message, response) => {
		const run = async () => {
			const body = await bodyOf(message, most);
			if (body === undefined) return plain(413, `At most ${most} octets are allowed.`);
			const { method = "", url = "", headers } = message;
			const type = (headers["content-type"] ?? "").split(";")[0].trim().toLowerCase();
			return answer({ method, path: url.split("?")[0], type, names: clientNames(message), body });
		};
		run()
			.catch((error) => {
				onError(error instanceof Error ? error : new Error(String(error)));
				return plain(500, "The request failed.");
			})
			.then((result) => send(response, result));
	});
	// Those in the middle of their handshake are not among the connections that the server itself can close.
	const sockets = new Set<Socket>();
	connections.set(server, sockets);
	server.on("connection", (socket: Socket) => {
		sockets.add(socket);
		socket.once("close", () => sockets.delete(socket));
	});
	server.requestTimeout = PATIENCE;
	server.headersTimeout = PATIENCE;
	server.on("tlsClientError", (error) => onError(new Error(`TLS was refused: ${error.message}`)));
	return server;
}

/** Listens at a port, 0 for any. @returns the port. @throws Error of node:net where it cannot be had */
export function listen(server: Server, address: string, port: number): Promise<number> {
	return new Promise((resolve, reject) => {
		server.once("error", reject);
		server.listen(port, address, () => {
			server.off("error", reject);
			const bound = server.address();
			resolve(typeof bound === "object" && bound !== null ? bound.port : port);
		});
	});
}

/** Takes no more connections and ends those that there are. */
export function close(server: Server): Promise<void> {
	return new Promise((resolve) => {
		server.close(() => resolve());
		for (const socket of connections.get(server) ?? []) socket.destroy();
	});
}

/** Sends requests to one peer, one at a time and in order, over connections that are kept. */
export class MutualClient {
	private readonly agent: Agent;

	/** @param name that the peer's certificate must have, whatever the host of the URL */
	constructor({ certificate, key, authority }: TlsIdentity, name: string) {
		this.agent = new Agent({
			cert: certificate,
			key,
			ca: authority,
			minVersion: LEAST_TLS,
			keepAlive: true,
			maxSockets: 1,
			checkServerIdentity: (_host: string, peer: PeerCertificate) =>
				namesOf(peer).includes(name) ? undefined : new Error(`The certificate is not that of ${name}.`),
		});
	}

	/** @param most octets of the answer @throws Error where there is no answer */
	send(
		method: string,
		url: string,
		type: string,
		body: string | Uint8Array,
		most: number,
	): Promise<Answer & { body: Uint8Array }> {
		return new Promise((resolve, reject) => {
			const headers = { "content-type": type, "content-length": Buffer.byteLength(body) };
			const outgoing = request(url, { method, agent: this.agent, headers, timeout: PATIENCE }, (message) => {
				bodyOf(message, most).then((answer) => {
					if (answer === undefined) reject(new Error("The answer is too long or was cut off."));
					else
						resolve({
							status: message.statusCode ?? 0,
							type: (message.headers["content-type"] ?? "").split(";")[0],
							body: answer,
						});
				}, reject);
			});
			outgoing.on("timeout", () => outgoing.destroy(new Error("There is no answer.")));
			outgoing.on("error", reject);
			outgoing.end(body);
		});
	}

	close(): void {
		this.agent.destroy();
	}
}

/** @returns undefined where there is more than `most` */
async function bodyOf(message: IncomingMessage, most: number): Promise<Uint8Array | undefined> {
	const parts: Uint8Array[] = [];
	let length = 0;
	for await (const part of message as AsyncIterable<Uint8Array>) {
		length += part.length;
		if (length > most) {
			// The rest is read and dropped, so that the answer can be heard, but not for ever.
			message.resume();
			return undefined;
		}
		parts.push(part);
	}
	return Uint8Array.from(Buffer.concat(parts));
}

function send(response: ServerResponse, { status, type, body, location }: Answer): void {
	if (response.destroyed) return;
	if (type !== undefined) response.setHeader("content-type", type);
	if (location !== undefined) response.setHeader("location", location);
	// Keys are in some answers.
	response.setHeader("cache-control", "no-store");
	response.writeHead(status);
	response.end(body);
}

/** Milliseconds before something that has failed so many times is tried again. */
export function pauseAfter(failures: number): number {
	return Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** failures);
}
