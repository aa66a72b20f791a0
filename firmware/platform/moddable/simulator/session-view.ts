import type { UeEvent } from "../../../client/events.js";
import { CAUSE_NAMES } from "../../../emsdp/profile.js";
import type { Clock } from "../../../ports/clock.js";
import type { Datagram } from "../../../ports/datagram.js";
import type { Readings } from "../../../ports/readings.js";

/** Characters of a payload in hexadecimal digits that fit a line of the screen. */
const MOST_DIGITS = 22;

/** What passed in one direction. */
interface Passed {
	/** Payloads of the application. */
	messages: number;
	/** On the wire, set-up and commands included. */
	octets: number;
	/** The last payload. */
	last: string;
}

/** What the simulator's screen shows of a session: a line of text for each of {@link ROWS}. */
export const ROWS = ["state", "keys", "uplink", "last uplink", "downlink", "last downlink", "note"] as const;

export type Row = (typeof ROWS)[number];

/** Watches the client's events and the ports around it, and puts into words what it saw. */
export class SessionView {
	private readonly clock: Clock;
	private state = "asking for a session";
	private note = "";
	private keyId: number | undefined;
	private keysSince = 0;
	private readonly up: Passed = { messages: 0, octets: 0, last: "none yet" };
	private readonly down: Passed = { messages: 0, octets: 0, last: "none yet" };

	constructor(clock: Clock) {
		this.clock = clock;
	}

	/** To be given every event of the client. */
	tell(event: UeEvent): void {
		const { kind } = event;
		this.note = kind === "downlink" ? "" : kind;
		if (kind === "downlink") {
			this.down.messages++;
			this.down.last = digitsOf(event.payload, event.payload.length);
		} else if (kind === "session started") {
			this.state = `session ${event.sessionId.toString(16).padStart(8, "0")}`;
			this.changeKeys(event.keyId);
		} else if (kind === "new keys") this.changeKeys(event.keyId);
		else if (kind === "session over") {
			this.state = "no session";
			this.keyId = undefined;
			this.note += ` by the ${event.by}: ${CAUSE_NAMES[event.cause] ?? "unknown cause"}`;
		} else if (kind === "attempt over" || kind === "rejected")
			this.note += `: ${event.cause === undefined ? "no answer" : CAUSE_NAMES[event.cause]}`;
		else if (kind === "session resumed") this.state = "session resumed";
		else if (kind === "back-off") this.note += `: ${event.seconds} s`;
	}

	/** The firmware does not run. */
	fail(why: string): void {
		this.state = "not running";
		this.note = why;
	}

	/** The text of a row. */
	text(row: Row): string {
		if (row === "state") return this.state;
		if (row === "keys") return this.keys();
		if (row === "uplink") return counters(this.up);
		if (row === "last uplink") return this.up.last;
		if (row === "downlink") return counters(this.down);
		if (row === "last downlink") return this.down.last;
		return this.note;
	}

	/** A datagram port that counts. */
	watchDatagram(datagram: Datagram): Datagram {
		const { up, down } = this;
		return {
			set onReadable(callback: ((count: number) => void) | undefined) {
				datagram.onReadable = callback;
			},
			get onReadable() {
				return datagram.onReadable;
			},
			read(into) {
				const length = datagram.read(into);
				if (length >= 0) down.octets += length;
				return length;
			},
			write(octets, length) {
				up.octets += length;
				datagram.write(octets, length);
			},
			close() {
				datagram.close();
			},
		};
	}

	/** A readings port that keeps the last payload to show it. */
	watchReadings(readings: Readings): Readings {
		const { up } = this;
		return {
			set onReadable(callback: ((count: number) => void) | undefined) {
				readings.onReadable = callback;
			},
			get onReadable() {
				return readings.onReadable;
			},
			read(into) {
				const length = readings.read(into);
				if (length >= 0) {
					up.messages++;
					up.last = digitsOf(into, length);
				}
				return length;
			},
		};
	}

	private changeKeys(keyId: number): void {
		this.keyId = keyId;
		this.keysSince = this.clock.now();
	}

	private keys(): string {
		if (this.keyId === undefined) return this.state === "session resumed" ? "from before the start" : "none";
		const seconds = Math.floor((this.clock.now() - this.keysSince) / 1000);
		const minutes = Math.floor(seconds / 60);
		return `Key ID ${this.keyId}, ${minutes}:${String(seconds % 60).padStart(2, "0")} old`;
	}
}

function counters({ messages, octets }: Passed): string {
	return `${messages} messages, ${octets} octets`;
}

function digitsOf(octets: Uint8Array, length: number): string {
	let digits = "";
	for (let i = 0; i < Math.min(length, octets.length) && digits.length < MOST_DIGITS; i++)
		digits += octets[i].toString(16).padStart(2, "0");
	return 2 * length > digits.length ? `${digits}…` : digits;
}
