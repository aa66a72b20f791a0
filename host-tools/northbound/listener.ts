import { createServer as createHttpServer, type Server } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { getRequestListener, RequestError } from "@hono/node-server";
import type { WebSocketServer } from "ws";
import { Failure } from "../cli/errors.js";
import { answerProblem, PROBLEM_TYPE, Problem } from "./problem.js";
import { type NorthboundSettings, readTls } from "./settings.js";
import { takeUpgrades } from "./upgrades.js";

/** Answers a request. */
export type Fetch = Parameters<typeof getRequestListener>[0];

/** How many connections a listener has at once, WebSockets among them; more are closed as they come. */
const MOST_CONNECTIONS = 2000;
/** How long what is under way may take at the end, in milliseconds. */
const DRAIN = 10_000;

const connections = new WeakMap<Server, Set<Socket>>();

/**
 * Makes a server of HTTP, or of HTTPS.
 * @param sockets where its WebSockets belong; undefined: it has none
 */
export function makeListener(fetch: Fetch, tls: NorthboundSettings["tls"], sockets?: WebSocketServer): Server {
	const common = {
		requestTimeout: 30_000,
		headersTimeout: 10_000,
		keepAliveTimeout: 30_000,
		// Node looks at the first two every 30 s otherwise.
		connectionsCheckingInterval: 5000,
		// Node would refuse a request without one in its own words.
		requireHostHeader: false,
	};
	const answer = getRequestListener(fetch, { errorHandler: refuseNoRequest });
	const listener =
		tls === undefined
			? createHttpServer(common, answer)
			: createHttpsServer(
					{
						...common,
						minVersion: "TLSv1.2",
						handshakeTimeout: 10_000,
						...readTls({ ...tls, ca: tls.clientCa }, "northbound API"),
						requestCert: tls.clientCa !== undefined,
						// Refused with ProblemDetails and an audit record instead of a failed handshake.
						rejectUnauthorized: false,
					},
					answer,
				);
	// To that of a handshake that has failed, or takes too long, an answer would wait for its end for ever.
	listener.on("tlsClientError", (_, socket: Duplex) => socket.destroy());
	listener.maxConnections = MOST_CONNECTIONS;
	// The server itself does not know those in the middle of their handshake, and those that have become a WebSocket.
	const open = new Set<Socket>();
	connections.set(listener, open);
	listener.on("connection", (socket: Socket) => {
		open.add(socket);
		socket.once("close", () => open.delete(socket));
	});
	listener.on("checkExpectation", (_, response) => {
		const detail = "Only 100-continue can be expected: leave the Expect header field out.";
		answerProblem(response, new Problem(417, "EXPECTATION_FAILED", detail));
	});
	if (sockets !== undefined) takeUpgrades(listener, sockets);
	return listener.on("clientError", refuseNoHttp);
}

/** @returns the port. @throws Failure */
export function listen(listener: Server, address: string, port: number): Promise<number> {
	return new Promise((resolve, reject) => {
		listener.once("error", (error: NodeJS.ErrnoException) =>
			reject(
				new Failure(
					`The TCP port ${port} at ${address} cannot be had (${error.code}): choose another, or end what uses it.`,
				),
			),
		);
		listener.listen(port, address, () => resolve((listener.address() as AddressInfo).port));
	});
}

/** Takes no more connections; resolves when those that are there have been answered, or {@link DRAIN} is over. */
export async function ended(listener: Server): Promise<void> {
	const closed = new Promise((resolve) => listener.close(resolve));
	// A connection is idle once its last request has been answered.
	const idle = setInterval(() => listener.closeIdleConnections(), 50);
	const late = setTimeout(() => {
		for (const socket of connections.get(listener) ?? []) socket.destroy();
	}, DRAIN);
	await closed;
	clearInterval(idle);
	clearTimeout(late);
}

/** Answers what has no good Host or target; and what should not have come here. */
function refuseNoRequest(error: unknown): Response {
	const problem =
		error instanceof RequestError
			? new Problem(400, "NOT_HTTP", "The request needs a Host header field and a target that are well formed.")
			: new Problem(500, "SYSTEM_FAILURE", "Something went wrong here.");
	return new Response(JSON.stringify(problem.details), {
		status: problem.status,
		headers: { "Content-Type": PROBLEM_TYPE },
	});
}

/** Status and sentence for octets that are no request. */
const NO_HTTP: Readonly<Record<string, readonly [status: number, detail: string]>> = {
	HPE_HEADER_OVERFLOW: [431, "The header is too long."],
	ERR_HTTP_REQUEST_TIMEOUT: [408, "The request did not come to its end in time."],
};

/** Answers what node's parser refuses before there is a request. */
function refuseNoHttp({ code = "" }: NodeJS.ErrnoException, socket: Duplex): void {
	// On a connection that has answered before, an answer could be taken for that of another request.
	if (!socket.writable || !(socket instanceof Socket) || socket.bytesWritten > 0) {
		socket.destroy();
		return;
	}
	const [status, detail] = NO_HTTP[code] ?? [400, "This is no HTTP request."];
	const problem = new Problem(status, "NOT_HTTP", detail);
	const body = JSON.stringify(problem.details);
	const fields = `Connection: close\r\nContent-Type: ${PROBLEM_TYPE}\r\nContent-Length: ${body.length}`;
	socket.end(`HTTP/1.1 ${status} ${problem.title}\r\n${fields}\r\n\r\n${body}`);
}
