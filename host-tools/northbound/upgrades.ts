import { type IncomingMessage, type Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { WebSocket, WebSocketServer } from "ws";
import { answerProblem, Problem } from "./problem.js";

/** How long such a connection may be silent, in milliseconds, while it is no WebSocket. */
const PATIENCE = 30_000;

/** A connection that node has let go of, because its request asks for another protocol. */
interface LetGo {
	readonly sockets: WebSocketServer;
	readonly response: ServerResponse;
	readonly socket: Socket;
	/** What came after the request. */
	readonly head: Buffer;
}

const lettingGo = new WeakMap<IncomingMessage, LetGo>();

/**
 * Has requests that ask for another protocol answered as if they did not (RFC 9110 7.8), until {@link webSocketOf} takes
 * one. Node neither answers nor ends the connection of any of them: whoever listens for upgrades has them all.
 * @param sockets where the WebSockets belong
 */
export function takeUpgrades(listener: Server, sockets: WebSocketServer): void {
	const answering = new WeakSet<Socket>();
	listener.prependListener("request", ({ socket }, response) => {
		answering.add(socket);
		response.once("close", () => answering.delete(socket));
	});
	// Else it would answer a bad handshake itself, and not with ProblemDetails.
	sockets.on("wsClientError", () => {});
	listener.on("upgrade", (request: IncomingMessage, _, head) => {
		const { socket } = request;
		socket.on("error", () => socket.destroy());
		// The answer to the request before it would come too late: this one's would be taken for that.
		if (answering.has(socket)) {
			socket.destroy();
			return;
		}
		socket.setTimeout(PATIENCE, () => socket.destroy());
		const response = new ServerResponse(request);
		response.shouldKeepAlive = false;
		response.assignSocket(socket);
		response.once("finish", () => socket.destroySoon());
		if (request.method === "GET" || request.method === "HEAD") {
			lettingGo.set(request, { sockets, response, socket, head });
			listener.emit("request", request, response);
			return;
		}
		// Its body is not read: node takes it for the other protocol.
		socket.resume();
		const detail = "Another protocol can be asked for with GET only: leave the Upgrade header field out.";
		answerProblem(response, new Problem(400, "UPGRADE_NOT_POSSIBLE", detail));
	});
}

/**
 * What makes the connection of a request a WebSocket, after which no answer of that request is heard. It throws a Problem 400
 * where the WebSocket is not asked for as RFC 6455 has it.
 * @throws Problem 426 where none is asked for
 */
export function webSocketOf(request: IncomingMessage | undefined): () => WebSocket {
	const letGo = request && lettingGo.get(request);
	if (letGo === undefined || request?.headers.upgrade?.toLowerCase() !== "websocket")
		throw new Problem(426, "UPGRADE_NEEDED", "Only a WebSocket is there.", {
			headers: { Connection: "Upgrade", Upgrade: "websocket" },
		});
	return () => {
		const { sockets, response, socket, head } = letGo;
		let opened: WebSocket | undefined;
		sockets.handleUpgrade(request, socket, head, (webSocket) => {
			opened = webSocket;
		});
		if (opened === undefined)
			throw new Problem(400, "NO_HANDSHAKE", "This is no handshake of a WebSocket of version 13 (RFC 6455).", {
				headers: { "Sec-WebSocket-Version": "13" },
			});
		response.detachSocket(socket);
		return opened;
	};
}
