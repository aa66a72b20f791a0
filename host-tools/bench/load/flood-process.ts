import { setImmediate as turn } from "node:timers/promises";
import { loadKernel } from "../../kernel.js";
import { imsiOf } from "../hse-core.js";
import { AttachingUes } from "./attaching-ue.js";
import { LoadSocket } from "./load-socket.js";

/** Forged Session Requests that differ. */
const REQUESTS = 1000;
/** Datagrams that the process hands over before it looks at what has become of them. */
const BURST = 64;

/** Sends forged Session Requests of subscribers that there are, as fast as the system takes them. It answers no cookie. */
export async function runFlood(address: string, port: number, firstSubscriber: number): Promise<void> {
	const ues = new AttachingUes(loadKernel(), imsiOf(firstSubscriber));
	const requests = Array.from({ length: REQUESTS }, (_, i) => ues.requestOf(imsiOf(firstSubscriber + i)));
	const socket = await LoadSocket.open(address);
	const to = `${address} ${port}`;
	process.on("disconnect", () => process.exit());
	let sent = 0;
	process.on("message", () => process.send?.(sent));
	process.send?.(0);
	for (let next = 0; ; ) {
		for (let i = 0; i < BURST; i++) socket.send(to, requests[next++ % REQUESTS]);
		socket.flush();
		sent += BURST;
		await turn();
	}
}
