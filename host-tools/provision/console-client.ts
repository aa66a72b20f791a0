/** The laptop's end of the provisioning console (docs/provisioning.md). */
import { createPublicKey, diffieHellman, generateKeyPairSync, type KeyObject, randomInt } from "node:crypto";
import type { Kernel } from "../../firmware/kernels/kernel.js";
import { Channel, TO_DEVICE, TO_LAPTOP } from "../../firmware/provisioning/channel.js";
import { fingerprintOf } from "../../firmware/provisioning/fingerprint.js";
import { FrameReader, LONGEST_CONTENTS, LONGEST_FRAME, writeFrame } from "../../firmware/provisioning/frame.js";
import {
	ANSWER,
	CONSOLE_VERSION,
	FRAME,
	PUBLIC_KEY_OCTETS,
	REFUSAL,
	REFUSED,
	REQUEST,
	SEAL_OCTETS,
} from "../../firmware/provisioning/protocol.js";
import { Failure } from "../cli/errors.js";
import { DeviceFailure, type DeviceFailureCode } from "./device-failure.js";
import type { Line } from "./line.js";

const REFUSALS: Readonly<Record<number, [DeviceFailureCode, string]>> = {
	[REFUSED.version]: ["refused", "It speaks another version of the console: use the best command of its firmware."],
	[REFUSED.request]: ["refused", "It does not know this request: is its firmware older than this program?"],
	[REFUSED.malformed]: ["refused", "It found the request malformed: is its firmware older than this program?"],
	[REFUSED.closed]: [
		"provisioned already",
		"The device is provisioned already: its console opens again only while its button is pressed at the start.",
	],
	[REFUSED.notAgreed]: ["refused", "It has lost the keys of this conversation: try again."],
	[REFUSED.publicKey]: ["not authentic", "It got a public key that was not sent: somebody is on the line."],
	[REFUSED.authentication]: ["not authentic", "It got something that was not sent: somebody is on the line."],
	[REFUSED.identity]: ["refused", "It cannot use this identity: is its firmware older than this program?"],
	[REFUSED.store]: [
		"refused",
		"Its store failed: start it again, then see which identity it has, the old or the new one.",
	],
};

export interface Patience {
	/** Milliseconds after which a request goes out again, and how often it goes out. */
	readonly interval: number;
	readonly times: number;
}

/** A slow processor takes seconds for X25519. */
export const DEFAULT_PATIENCE: Patience = { interval: 1500, times: 5 };

/** DER in front of a raw public key of X25519 (RFC 8410). */
const SPKI_PREFIX = Buffer.from("302a300506032b656e032100", "hex");

function sharedSecret(privateKey: KeyObject, publicKey: Uint8Array): Uint8Array {
	const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, publicKey]), format: "der", type: "spki" });
	try {
		return Uint8Array.from(diffieHellman({ privateKey, publicKey: key }));
	} catch {
		// A point of low order.
		throw new DeviceFailure("not authentic", "The device sent a public key that nobody can use: is it a BEST device?");
	}
}

/** One conversation with a device. Requests one at a time. */
export class ConsoleClient {
	private readonly line: Line;
	private readonly kernel: Kernel;
	private readonly patience: Patience;
	private readonly reader = new FrameReader();
	private readonly contents = new Uint8Array(LONGEST_CONTENTS + 2);
	private readonly frame = new Uint8Array(LONGEST_FRAME);
	private tag = randomInt(256);
	private publicKey: Uint8Array | undefined;
	private channel: Channel | undefined;

	constructor(line: Line, kernel: Kernel, patience = DEFAULT_PATIENCE) {
		this.line = line;
		this.kernel = kernel;
		this.patience = patience;
	}

	/** Asks for the device's public key. @returns its fingerprint @throws DeviceFailure */
	async identify(): Promise<string> {
		const answer = await this.request(REQUEST.identify, new Uint8Array(0));
		if (answer.length !== FRAME.body + PUBLIC_KEY_OCTETS) throw spoilt();
		this.publicKey = answer.slice(FRAME.body);
		return fingerprintOf(this.publicKey);
	}

	/** Agrees keys with the device of that public key, and with no other. After {@link identify}. @throws DeviceFailure */
	async agree(): Promise<void> {
		if (this.publicKey === undefined) throw new Error("identify() comes first.");
		const { publicKey, privateKey } = generateKeyPairSync("x25519");
		const own = Uint8Array.from(publicKey.export({ format: "der", type: "spki" }).subarray(SPKI_PREFIX.length));
		const channel = new Channel(this.kernel, sharedSecret(privateKey, this.publicKey), this.publicKey, own);
		this.open(channel, await this.request(REQUEST.agree, own));
		this.channel = channel;
	}

	/**
	 * Hands an identity to the device. After {@link agree}.
	 * @param record as the device stores it
	 * @returns check values of the secrets that are in the device's store
	 * @throws DeviceFailure; after "no answer" and "line gone" the device may have it
	 */
	async write(record: Uint8Array): Promise<Uint8Array> {
		const { channel } = this;
		if (channel === undefined) throw new Error("agree() comes first.");
		if (FRAME.body + record.length + SEAL_OCTETS > LONGEST_CONTENTS)
			throw new Failure("The identity is too long for the console: shorten the EAS Id or the key's id.");
		const answer = await this.request(REQUEST.write, record, channel);
		return answer.subarray(FRAME.body, this.open(channel, answer));
	}

	/** Erases the keys; the line stays open. */
	erase(): void {
		this.channel?.erase();
		this.channel = undefined;
		this.contents.fill(0);
		this.reader.erase();
	}

	private open(channel: Channel, answer: Uint8Array): number {
		const end = channel.open(answer, answer.length, TO_LAPTOP);
		if (end < 0)
			throw new DeviceFailure(
				"not authentic",
				"The answer is not from the device of this fingerprint: somebody is on the line.",
			);
		return end;
	}

	/** Sends a request until its answer comes. @returns the contents of that */
	private request(kind: number, body: Uint8Array, channel?: Channel): Promise<Uint8Array> {
		const { contents, line, patience } = this;
		if (!line.isOpen) return Promise.reject(new DeviceFailure("line gone", LINE_GONE));
		const tag = this.tag;
		this.tag = (tag + 1) & 0xff;
		contents[FRAME.version] = CONSOLE_VERSION;
		contents[FRAME.kind] = kind;
		contents[FRAME.tag] = tag;
		contents.set(body, FRAME.body);
		let length = FRAME.body + body.length;
		if (channel !== undefined) length = channel.seal(contents, length, TO_DEVICE);
		const frame = this.frame.subarray(0, writeFrame(this.frame, contents, length));
		return new Promise((resolve, reject) => {
			let left = patience.times;
			const settle = (outcome: () => void) => {
				clearInterval(timer);
				line.onOctets = undefined;
				line.onGone = undefined;
				outcome();
			};
			const send = () => {
				if (left-- > 0) line.write(frame);
				else settle(() => reject(new DeviceFailure("no answer", NO_ANSWER)));
			};
			const timer = setInterval(send, patience.interval);
			line.onGone = () => settle(() => reject(new DeviceFailure("line gone", LINE_GONE)));
			line.onOctets = (octets) => {
				for (const octet of octets) {
					const end = this.reader.take(octet);
					if (end < FRAME.body || this.reader.contents[FRAME.tag] !== tag) continue;
					const answer = this.reader.contents.slice(0, end);
					// Not this one's: an echo, or an answer to somebody else.
					if (answer[FRAME.kind] !== REFUSAL && answer[FRAME.kind] !== (kind | ANSWER)) continue;
					const refused = answer[FRAME.kind] === REFUSAL;
					return settle(() => (refused ? reject(refusal(answer)) : resolve(answer)));
				}
			};
			send();
		});
	}
}

const NO_ANSWER =
	"The device does not answer: is it on, is this its port, and is it unprovisioned or was its button pressed at the start?";
const LINE_GONE = "The line to the device is gone: was it unplugged?";

function spoilt(): DeviceFailure {
	return new DeviceFailure("refused", "The device gives an answer of another form: is its firmware newer?");
}

function refusal(answer: Uint8Array): DeviceFailure {
	const known = REFUSALS[answer[FRAME.body] ?? 0];
	return known === undefined ? spoilt() : new DeviceFailure(...known);
}
