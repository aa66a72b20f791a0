import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { FLAGS_OCTET, HEADER } from "../../firmware/emsdp/profile.js";
import { projectRoot } from "../device/project-root.js";
import {
	type DatagramReceiver,
	type DatagramSocket,
	type DatagramSocketOptions,
	RECEIVE_OCTETS,
} from "./datagram-socket.js";
import { PEER_WORDS, PeerTexts } from "./peer-texts.js";

/** As in batched-udp.c. */
const SLOTS = 128;
const SLOT_OCTETS = 1536;
const SESSIONS = 0;
const REQUESTS = 1;
const READABLE = 1;
const WRITABLE = 2;

/** Batches of one turn of the event loop: then what they brought about goes out, and others have their turn. */
const BATCHES_OF_A_TURN = 8;
/** Octets of Session Requests that wait in the system. When there are more, requests are lost, and nothing else is. */
const REQUEST_OCTETS = 1024 * 1024;
/**
 * Session Requests wait for some milliseconds, so that a flood is seen before the first of its requests is answered. So
 * many are taken at once, and 12 in a millisecond in the long run, which leaves the HSE time for its sessions; what is
 * beyond is the system's to drop.
 */
const REQUEST_PAUSE = 5;
const REQUESTS_OF_A_TURN = 40;
const REQUESTS_OF_A_MILLISECOND = 12;
/** For so many milliseconds as are over without any, requests are made up for. */
const MOST_SAVED = 15;

/** Datagrams on their way between the system and this process. */
interface Batch {
	readonly octets: Uint8Array;
	readonly lengths: Int32Array;
	/** Socket addresses of the system, PEER_WORDS words each. */
	readonly peers: Uint8Array;
}

/** A socket of batched-udp.c. */
type Handle = object;

interface BatchedUdp {
	open(
		address: string,
		port: number,
		receiveOctets: number,
		requestOctets: number,
		octet: number,
		bits: number,
		into: Batch,
		out: Batch,
		listener: (queue: number, events: number) => void,
	): Handle;
	receive(handle: Handle, queue: number, most: number): number;
	send(handle: Handle, first: number, count: number): number;
	watch(handle: Handle, queue: number, events: number): void;
	peerText(handle: Handle, slot: number): string;
	setPeer(handle: Handle, slot: number, text: string): boolean;
	portOf(handle: Handle): number;
	close(handle: Handle): void;
}

function makeBatch(): Batch {
	return {
		octets: new Uint8Array(SLOTS * SLOT_OCTETS),
		lengths: new Int32Array(SLOTS),
		peers: new Uint8Array(4 * SLOTS * PEER_WORDS),
	};
}

const slotsOf = ({ octets }: Batch) =>
	Array.from({ length: SLOTS }, (_, slot) => octets.subarray(slot * SLOT_OCTETS, (slot + 1) * SLOT_OCTETS));

/** @returns undefined where it was not built: on another system than Linux, or without a C compiler */
export function loadBatchedUdp(): BatchedUdp | undefined {
	const path = join(projectRoot(), "build/udp/batched-udp.node");
	if (!existsSync(path)) return undefined;
	return createRequire(import.meta.url)(path) as BatchedUdp;
}

/**
 * A socket that takes and sends many datagrams with one call of the system, without making anything for each. Session
 * Requests have a queue of their own in the system.
 */
export class BatchedSocket implements DatagramSocket {
	readonly port: number;
	private readonly udp: BatchedUdp;
	private readonly handle: Handle;
	private readonly receiver: DatagramReceiver;
	private readonly into = makeBatch();
	private readonly out = makeBatch();
	private readonly received = slotsOf(this.into);
	private readonly sending = slotsOf(this.out);
	private readonly peerWords = new Uint32Array(this.into.peers.buffer);
	private readonly texts = new PeerTexts();
	private readonly textOf: (slot: number) => string;
	/** Slots that wait to be sent: the first one, and how many. */
	private first = 0;
	private waiting = 0;
	/** When the Session Requests taken so far would all have been taken one by one, by performance.now(). */
	private requestsPaidUntil = Number.NEGATIVE_INFINITY;
	private isClosed = false;

	/** @throws Error with the code of an errno */
	constructor(udp: BatchedUdp, { address, port, receiver, hasOneQueue = false }: DatagramSocketOptions) {
		this.udp = udp;
		this.receiver = receiver;
		const listener = (queue: number, events: number) => this.handleEvents(queue, events);
		// Session Requests are told by Key ID 0, as unprotected rejects are.
		const keyId = HEADER.keyIdMask << HEADER.keyIdShift;
		const { into, out } = this;
		const requestOctets = hasOneQueue ? 0 : REQUEST_OCTETS;
		this.handle = udp.open(address, port, RECEIVE_OCTETS, requestOctets, FLAGS_OCTET, keyId, into, out, listener);
		this.textOf = (slot) => udp.peerText(this.handle, slot);
		this.port = udp.portOf(this.handle);
	}

	send(to: string, datagram: Uint8Array): void {
		if (this.isClosed || datagram.length > SLOT_OCTETS) return;
		if (this.first + this.waiting === SLOTS) this.flush();
		const slot = this.first + this.waiting;
		if (slot === SLOTS || !this.udp.setPeer(this.handle, slot, to)) return;
		this.sending[slot].set(datagram);
		this.out.lengths[slot] = datagram.length;
		this.waiting++;
	}

	flush(): void {
		if (this.waiting === 0 || this.isClosed) return;
		const done = this.udp.send(this.handle, this.first, this.waiting);
		this.first += done;
		this.waiting -= done;
		if (this.waiting > 0) this.udp.watch(this.handle, SESSIONS, READABLE | WRITABLE);
		else this.first = 0;
	}

	async close(): Promise<void> {
		if (this.isClosed) return;
		this.flush();
		this.isClosed = true;
		this.udp.close(this.handle);
	}

	private handleEvents(queue: number, events: number): void {
		if (queue === REQUESTS) {
			this.udp.watch(this.handle, REQUESTS, 0);
			setTimeout(() => this.takeRequests(), REQUEST_PAUSE);
			return;
		}
		if ((events & WRITABLE) !== 0) {
			this.udp.watch(this.handle, SESSIONS, READABLE);
			this.flush();
		}
		if ((events & READABLE) === 0) return;
		let count = SLOTS;
		for (let batch = 0; batch < BATCHES_OF_A_TURN && count === SLOTS && !this.isClosed; batch++) {
			count = this.udp.receive(this.handle, SESSIONS, SLOTS);
			this.take(count);
		}
		this.endTurn();
	}

	private takeRequests(): void {
		if (this.isClosed) return;
		const now = performance.now();
		const requests = this.udp.receive(this.handle, REQUESTS, REQUESTS_OF_A_TURN);
		this.requestsPaidUntil = Math.max(this.requestsPaidUntil, now - MOST_SAVED) + requests / REQUESTS_OF_A_MILLISECOND;
		this.receiver.expectRequests?.(requests);
		this.take(requests);
		this.endTurn();
		if (this.isClosed) return;
		if (requests < REQUESTS_OF_A_TURN) {
			this.udp.watch(this.handle, REQUESTS, READABLE);
			return;
		}
		const wait = this.requestsPaidUntil - performance.now();
		// Between two turns are those of the sessions.
		if (wait < 1) setImmediate(() => this.takeRequests());
		else setTimeout(() => this.takeRequests(), wait);
	}

	/** Hands the first slots over. */
	private take(count: number): void {
		const { receiver, received, peerWords, texts, into } = this;
		for (let slot = 0; slot < count; slot++) {
			const from = texts.textOf(peerWords, slot, this.textOf);
			// A source port of 0 asks for no answer (RFC 768), and none can be sent there.
			if (!from.endsWith(" 0")) receiver.receive(from, received[slot], into.lengths[slot]);
		}
	}

	/** What a turn has brought about is done once for all of its batches: it may have to be brought to a medium. */
	private endTurn(): void {
		this.receiver.endBatch();
		this.flush();
	}
}
