import type { WebSocket } from "ws";
import type { Attached, WhyClosed } from "./notifier.js";

/** The longest a WebSocket may lag behind, in octets. */
const MOST_UNSENT = 1_048_576;
/** How often a WebSocket is pinged, in milliseconds: below the time after which middleboxes usually forget a connection. */
export const PING_EVERY = 30_000;

/** Close codes: 1000 and 1013 are registered (RFC 6455 section 7.4, IANA); 4000 is this project's own. */
const CLOSINGS: Readonly<Record<WhyClosed, readonly [code: number, reason: string]>> = {
	over: [1000, "There is nothing more to be told here."],
	behind: [1013, "Too much waits to be read: connect again."],
	replaced: [4000, "Another connection has taken its place."],
};

/** A WebSocket for the {@link Notifier}. */
export function attachedTo(socket: WebSocket): Attached {
	return {
		send: (text) =>
			new Promise((resolve) => {
				if (socket.readyState !== socket.OPEN || socket.bufferedAmount > MOST_UNSENT) resolve(false);
				else socket.send(text, (error) => resolve(error === undefined || error === null));
			}),
		close: (why) => socket.close(...CLOSINGS[why]),
	};
}

/** Pings a WebSocket, and cuts it off when a ping stays unanswered until the next one. */
export function keepAlive(socket: WebSocket, every: number): void {
	let isAlive = true;
	socket.on("pong", () => {
		isAlive = true;
	});
	const timer = setInterval(() => {
		if (!isAlive) return socket.terminate();
		isAlive = false;
		socket.ping();
	}, every);
	timer.unref();
	socket.on("close", () => clearInterval(timer));
}
