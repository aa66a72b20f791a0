import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import { readUint32 } from "../../../firmware/emsdp/octets.js";
import { COMMAND, DIRECTION, HEADER } from "../../../firmware/emsdp/profile.js";
import type { SecurityContext } from "../../../firmware/emsdp/security-context.js";
import { loadKernel } from "../../kernel.js";
import { contextOf, imsiOf, PAYLOAD_OCTETS } from "../hse-core.js";
import { AttachingUes } from "./attaching-ue.js";
import { Latencies, writeTime } from "./latencies.js";
import { LoadSocket } from "./load-socket.js";
import { CREDIT_COUNT, CREDIT_OCTETS } from "./messages.js";

/** Sessions that send, in turn. */
const LIVE_SESSIONS = 1000;
/** Datagrams on their way at the most. Beyond it the generator waits, so what is measured is what the server takes. */
const WINDOW = 256;
/** Milliseconds without a credit after which what is on its way counts as lost. */
const LOST_AFTER = 50;
/** UEs that agree sessions at the same time, each on a socket of its own. */
const UES_AT_ONCE = 256;
/** Milliseconds after which such a UE sends its Session Request again. */
const REPEAT_AFTER = 500;
const NO_OCTETS = new Uint8Array(0);
/** Datagrams that are handed to the system together. */
const BURST = 32;

/** Keeps a window of datagrams on their way until a time. @param send sends one @param taken how many have arrived by now */
async function keepWindow(
	socket: LoadSocket,
	milliseconds: number,
	send: () => void,
	taken: () => number,
): Promise<void> {
	let sent = taken();
	let before = sent;
	let movedAt = performance.now();
	const end = movedAt + milliseconds;
	let wake: (() => void) | undefined;
	socket.onBatch = () => wake?.();
	for (let now = movedAt; now < end; now = performance.now()) {
		const arrived = taken();
		if (arrived !== before) {
			before = arrived;
			movedAt = now;
		} else if (now - movedAt > LOST_AFTER) {
			sent = arrived;
			movedAt = now;
		}
		if (sent - arrived >= WINDOW) {
			await new Promise<void>((resolve) => {
				const timer = setTimeout(resolve, LOST_AFTER);
				wake = () => {
					clearTimeout(timer);
					resolve();
				};
			});
			wake = undefined;
			continue;
		}
		for (let i = 0; i < BURST && sent - arrived < WINDOW; i++, sent++) send();
		socket.flush();
		await turn();
	}
	socket.onBatch = () => {};
}

/** Sends so many in a second, each when it is due, whatever becomes of them. */
async function keepPace(socket: LoadSocket, perSecond: number, milliseconds: number, send: () => void): Promise<void> {
	const start = performance.now();
	for (let sent = 0; ; ) {
		const elapsed = performance.now() - start;
		if (elapsed >= milliseconds) return;
		while (sent < (perSecond * elapsed) / 1000) {
			for (let i = 0; i < BURST && sent < (perSecond * elapsed) / 1000; i++, sent++) send();
			socket.flush();
		}
		// Leaves the processor to the server until the next are due.
		await sleep(1);
	}
}

/** Sends protected uplinks of 64 octets of sessions 0 .. 999. */
export class UplinkLoad {
	private readonly socket: LoadSocket;
	private readonly to: string;
	private readonly kernel = loadKernel();
	private readonly contexts: SecurityContext[];
	private next = 0;
	private told = 0;

	/** @param socket where the HSE says how many uplinks it has told of */
	constructor(socket: LoadSocket, address: string, port: number) {
		this.socket = socket;
		this.to = `${address} ${port}`;
		this.contexts = Array.from(
			{ length: LIVE_SESSIONS },
			(_, number) => contextOf(this.kernel, number, 1, DIRECTION.fromUe).context,
		);
		socket.onDatagram = (credit, length) => {
			if (length === CREDIT_OCTETS) this.told = readUint32(credit, CREDIT_COUNT);
		};
	}

	run(milliseconds: number): Promise<void> {
		return keepWindow(
			this.socket,
			milliseconds,
			() => this.sendOne(),
			() => this.told,
		);
	}

	/** Sends so many in a second, whatever becomes of them. */
	pace(perSecond: number, milliseconds: number): Promise<void> {
		return keepPace(this.socket, perSecond, milliseconds, () => this.sendOne());
	}

	private sendOne(): void {
		const { message } = this.kernel;
		const { user } = this.contexts[this.next++ % LIVE_SESSIONS];
		message.fill(0x55, user.headerOctets, user.headerOctets + PAYLOAD_OCTETS);
		writeTime(message, user.headerOctets);
		this.socket.send(this.to, message.subarray(0, user.seal(PAYLOAD_OCTETS)));
	}
}

/** What a bare echo does with datagrams of as many octets as a protected uplink. */
export interface EchoFigures {
	/** Round trips in a second. */
	readonly perSecond: number;
	/** Milliseconds of a round trip at a pace: 99 of 100 take no longer. */
	readonly p99Ms: number;
}

/** @param pace datagrams in a second while the time of a round trip is measured */
export async function echoFigures(
	address: string,
	port: number,
	milliseconds: number,
	pace: number,
): Promise<EchoFigures> {
	const socket = await LoadSocket.open(address);
	const to = `${address} ${port}`;
	// As a UP message is.
	const datagram = new Uint8Array(6 + PAYLOAD_OCTETS + 4).fill(0xff);
	let echoes = 0;
	socket.onDatagram = () => {
		echoes++;
	};
	const run = (time: number) =>
		keepWindow(
			socket,
			time,
			() => socket.send(to, datagram),
			() => echoes,
		);
	await run(milliseconds / 4);
	const before = echoes;
	const start = performance.now();
	await run(milliseconds);
	const perSecond = (1000 * (echoes - before)) / (performance.now() - start);

	// What is still on its way has no time in it.
	await sleep(LOST_AFTER);
	const latencies = new Latencies((pace * milliseconds) / 1000 + BURST);
	socket.onDatagram = (octets) => latencies.add(octets, 0);
	await keepPace(socket, pace, milliseconds, () => {
		writeTime(datagram, 0);
		socket.send(to, datagram);
	});
	await sleep(LOST_AFTER);
	await socket.close();
	return { perSecond, p99Ms: latencies.take99thOf100() };
}

/** Agrees a session for one subscriber after another until a time: the server counts those that are confirmed. */
export async function agreeSessions(
	address: string,
	port: number,
	firstSubscriber: number,
	subscribers: number,
	milliseconds: number,
): Promise<void> {
	const kernel = loadKernel();
	const ues = new AttachingUes(kernel, imsiOf(firstSubscriber));
	const to = `${address} ${port}`;
	let next = 0;
	const open = async () => {
		const socket = await LoadSocket.open(address);
		let request: Uint8Array = NO_OCTETS;
		let sentAt = 0;
		const send = (datagram: Uint8Array) => {
			socket.send(to, datagram);
			socket.flush();
			sentAt = performance.now();
		};
		const begin = () => {
			if (next === subscribers) return;
			request = ues.requestOf(imsiOf(firstSubscriber + next++));
			send(request);
		};
		socket.onDatagram = (datagram, length) => {
			const octets = ues.answer(request, datagram, length);
			if (octets === 0) return;
			const isConfirmation = kernel.message[HEADER.length] === COMMAND.sessionStartConfirmation;
			send(kernel.message.subarray(0, octets));
			if (isConfirmation) begin();
		};
		const repeat = (now: number) => {
			if (now - sentAt > REPEAT_AFTER) send(request);
		};
		return { begin, repeat, close: () => socket.close() };
	};
	const all = await Promise.all(Array.from({ length: UES_AT_ONCE }, open));
	const end = performance.now() + milliseconds;
	for (const { begin } of all) begin();
	for (let now = performance.now(); now < end && next < subscribers; now = performance.now()) {
		for (const { repeat } of all) repeat(now);
		await sleep(Math.min(REPEAT_AFTER / 10, end - now));
	}
	await Promise.all(all.map(({ close }) => close()));
}
