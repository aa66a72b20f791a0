import type { BestClient } from "./client/best-client.js";
import type { UeEvent } from "./client/events.js";
import { CAUSE_NAMES, LONGEST_MESSAGE } from "./emsdp/profile.js";
import type { Platform } from "./ports/platform.js";

/** What the readings port gives where there is no reading now, and where there will be none any more. */
const NONE = -1;
const END = -2;

/** Sends what the readings port brings and tells what happens, a line of JSON for each event, until the readings end. */
export class Application {
	private readonly platform: Platform;
	private readonly client: BestClient;
	private readonly buffer = new Uint8Array(LONGEST_MESSAGE);
	private uplinks = 0;
	private milliseconds = 0;

	constructor(platform: Platform, client: BestClient) {
		this.platform = platform;
		this.client = client;
	}

	/** To be given every event of the client. */
	tell(event: UeEvent): void {
		if (event.kind === "downlink") this.print({ event: "downlink", payload: hex(event.payload) });
		else if (event.kind === "session started" || event.kind === "new keys")
			this.print({ event: event.kind, keyId: event.keyId });
		else if (event.kind === "session over")
			this.print({ event: event.kind, by: event.by, cause: CAUSE_NAMES[event.cause] ?? "unknown" });
		else if (event.kind === "rejected" || event.kind === "attempt over")
			this.print({ event: event.kind, cause: event.cause === undefined ? "no answer" : CAUSE_NAMES[event.cause] });
		else if (event.kind === "back-off") this.print({ event: event.kind, seconds: event.seconds });
		else this.print({ event: event.kind });
	}

	/** Agrees keys, then sends reading by reading. */
	run(): void {
		this.client.start().then(
			() => {
				this.platform.readings.onReadable = () => this.sendReading();
			},
			(error: unknown) => this.fail(error),
		);
	}

	private sendReading(): void {
		const { readings, clock } = this.platform;
		const length = readings.read(this.buffer);
		if (length === NONE) return;
		if (length === END) {
			readings.onReadable = undefined;
			this.client.stop().then(
				() => this.finish(0),
				(error: unknown) => this.fail(error),
			);
			return;
		}
		// What was cut off is longer than any message: the client refuses it with the right words.
		const payload = length > this.buffer.length ? new Uint8Array(length) : this.buffer.subarray(0, length);
		const before = clock.now();
		const sent = this.client.send(payload);
		this.milliseconds += clock.now() - before;
		this.uplinks++;
		sent.catch((error: unknown) => this.print({ event: "not sent", why: textOf(error) }));
	}

	private fail(error: unknown): void {
		this.print({ event: "failed", why: textOf(error) });
		this.finish(1);
	}

	private finish(status: number): void {
		const { kernel, statistics } = this.platform;
		const microsecondsPerUplink = this.uplinks === 0 ? 0 : (1000 * this.milliseconds) / this.uplinks;
		const { uplinks } = this;
		this.print({ event: "end", uplinks, microsecondsPerUplink, kernel: kernel.name, ...statistics?.() });
		this.platform.exit(status);
	}

	private print(line: object): void {
		this.platform.print(JSON.stringify(line));
	}
}

function textOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}

const DIGITS = "0123456789abcdef";

function hex(octets: Uint8Array): string {
	let text = "";
	for (let i = 0; i < octets.length; i++) text += DIGITS[octets[i] >> 4] + DIGITS[octets[i] & 15];
	return text;
}
