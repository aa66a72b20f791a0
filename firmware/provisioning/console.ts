import { decodeIdentity, IDENTITY_KEY } from "../client/identity.js";
import { SESSION_KEY } from "../client/packed-session.js";
import { equalInConstantTime } from "../emsdp/octets.js";
import type { Kernel } from "../kernels/kernel.js";
import { SQN_KEY } from "../platform/common/soft-usim.js";
import type { Random } from "../ports/random.js";
import type { Store } from "../ports/store.js";
import { Channel, TO_DEVICE, TO_LAPTOP } from "./channel.js";
import { checkValues } from "./check-value.js";
import { fingerprintOf } from "./fingerprint.js";
import { FrameReader, LONGEST_CONTENTS, LONGEST_FRAME, writeFrame } from "./frame.js";
import { ANSWER, CONSOLE_VERSION, FRAME, PUBLIC_KEY_OCTETS, REFUSAL, REFUSED, REQUEST } from "./protocol.js";
import { publicKeyOf, x25519 } from "./x25519.js";

/** Key of the console's private key in the store: from the first start until the device is provisioned. */
export const CONSOLE_KEY = "console";

const SECRET_OCTETS = 32;

export interface ConsoleOptions {
	readonly kernel: Kernel;
	readonly random: Random;
	readonly store: Store;
	/** Whether an identity is taken: the device has none, or somebody pressed its button. Else everything is refused. */
	readonly isOpen: boolean;
	/** Whether the device could start with an identity; nothing else is written. */
	isUsable(record: Uint8Array): boolean;
}

function same(a: Uint8Array, b: Uint8Array, length: number): boolean {
	for (let i = 0; i < length; i++) if (a[i] !== b[i]) return false;
	return true;
}

/**
 * The device's end of the provisioning console (docs/provisioning.md): octets in, octets out. Requests are answered one by
 * one; whatever else comes is passed over and changes nothing. A repetition of the last request gets the same answer, so
 * a lost answer costs nothing. No answer contains a key, and none is longer than a public key and a seal.
 */
export class Console {
	/** What {@link take} wants sent. */
	readonly output = new Uint8Array(LONGEST_FRAME);
	/** Of the public key; undefined while the console is closed. */
	readonly fingerprint: string | undefined;
	private readonly options: ConsoleOptions;
	private readonly reader = new FrameReader();
	/** The last request and its answer, as contents of frames, with their lengths. */
	private readonly request = new Uint8Array(LONGEST_CONTENTS);
	private requestLength = -1;
	private readonly answer = new Uint8Array(FRAME.body + PUBLIC_KEY_OCTETS + SECRET_OCTETS);
	private answerLength = 0;
	private secret: Uint8Array | undefined;
	private publicKey: Uint8Array = new Uint8Array(0);
	private channel: Channel | undefined;
	private provisioned = false;

	/** Where it is open, this takes as long as one exchange of X25519. */
	constructor(options: ConsoleOptions) {
		this.options = options;
		if (!options.isOpen) return;
		this.secret = this.ownSecret();
		this.publicKey = publicKeyOf(this.secret);
		this.fingerprint = fingerprintOf(this.publicKey);
	}

	/** Whether an identity has been written; it stays so. */
	get isProvisioned(): boolean {
		return this.provisioned;
	}

	/** Takes an octet of the line. @returns how many octets of {@link output} are to be sent, mostly 0 */
	take(octet: number): number {
		const length = this.reader.take(octet);
		if (length < FRAME.body) return 0;
		const { contents } = this.reader;
		// An answer heard on a line that echoes is no request.
		if ((contents[FRAME.kind] & ANSWER) !== 0) return 0;
		if (length !== this.requestLength || !same(contents, this.request, length)) {
			this.request.set(contents.subarray(0, length));
			this.requestLength = length;
			this.respond(contents, length);
		}
		this.reader.erase();
		return writeFrame(this.output, this.answer, this.answerLength);
	}

	private respond(contents: Uint8Array, length: number): void {
		const { answer } = this;
		const kind = contents[FRAME.kind];
		answer[FRAME.version] = CONSOLE_VERSION;
		answer[FRAME.kind] = kind | ANSWER;
		answer[FRAME.tag] = contents[FRAME.tag];
		const refused = this.perform(kind, contents, length);
		if (refused === 0) return;
		answer[FRAME.kind] = REFUSAL;
		answer[FRAME.body] = refused;
		this.answerLength = FRAME.body + 1;
	}

	/** @returns 0 where the answer is made, else why the request is refused */
	private perform(kind: number, contents: Uint8Array, length: number): number {
		if (contents[FRAME.version] !== CONSOLE_VERSION) return REFUSED.version;
		if (this.secret === undefined) return REFUSED.closed;
		if (kind === REQUEST.identify) return this.identify(length);
		if (kind === REQUEST.agree) return this.agree(this.secret, contents, length);
		if (kind === REQUEST.write) return this.write(contents, length);
		return REFUSED.request;
	}

	private identify(length: number): number {
		if (length !== FRAME.body) return REFUSED.malformed;
		this.answer.set(this.publicKey, FRAME.body);
		this.answerLength = FRAME.body + PUBLIC_KEY_OCTETS;
		return 0;
	}

	private agree(secret: Uint8Array, contents: Uint8Array, length: number): number {
		if (length !== FRAME.body + PUBLIC_KEY_OCTETS) return REFUSED.malformed;
		this.forgetChannel();
		const laptop = contents.slice(FRAME.body, length);
		const shared = x25519(secret, laptop);
		// A point of low order (RFC 7748 6.1): anybody would know the keys.
		if (shared.every((octet) => octet === 0)) return REFUSED.publicKey;
		this.channel = new Channel(this.options.kernel, shared, this.publicKey, laptop);
		this.answerLength = this.channel.seal(this.answer, FRAME.body, TO_LAPTOP);
		return 0;
	}

	private write(contents: Uint8Array, length: number): number {
		const { channel } = this;
		if (channel === undefined) return REFUSED.notAgreed;
		const end = channel.open(contents, length, TO_DEVICE);
		if (end < 0) {
			this.forgetChannel();
			return REFUSED.authentication;
		}
		const record = contents.slice(FRAME.body, end);
		const refused = this.keep(record, channel);
		record.fill(0);
		if (refused === 0) this.close();
		return refused;
	}

	private keep(record: Uint8Array, channel: Channel): number {
		const { kernel, store } = this.options;
		const credentials = credentialsOf(record);
		if (credentials === undefined || !this.options.isUsable(record)) return REFUSED.identity;
		try {
			const old = this.storedCredentials();
			const isSame = old !== undefined && equalInConstantTime(old, credentials);
			old?.fill(0);
			// Each step is whole, and a device whose power is cut between any two of them works: with the old identity and
			// no session, or with the new one and SQNs of the old, which a resynchronisation puts right.
			store.delete(SESSION_KEY);
			store.write(IDENTITY_KEY, record);
			// Under the same keys, the challenges that have been taken stay taken.
			if (!isSame) store.delete(SQN_KEY);
			store.delete(CONSOLE_KEY);
			const written = this.storedCredentials();
			if (written === undefined) return REFUSED.store;
			const values = checkValues(kernel, written);
			written.fill(0);
			this.answer.set(values, FRAME.body);
			this.answerLength = channel.seal(this.answer, FRAME.body + values.length, TO_LAPTOP);
			return 0;
		} catch {
			return REFUSED.store;
		} finally {
			credentials.fill(0);
		}
	}

	private storedCredentials(): Uint8Array | undefined {
		const record = this.options.store.read(IDENTITY_KEY);
		const credentials = record && credentialsOf(record);
		record?.fill(0);
		return credentials;
	}

	private close(): void {
		this.forgetChannel();
		this.secret?.fill(0);
		this.secret = undefined;
		this.provisioned = true;
	}

	private forgetChannel(): void {
		this.channel?.erase();
		this.channel = undefined;
	}

	/** Kept in the store, so that the fingerprint stays the same over a power cut. */
	private ownSecret(): Uint8Array {
		const { random, store } = this.options;
		const stored = store.read(CONSOLE_KEY);
		if (stored?.length === SECRET_OCTETS) return stored;
		const secret = new Uint8Array(SECRET_OCTETS);
		random.fill(secret);
		store.write(CONSOLE_KEY, secret);
		return secret;
	}
}

/** @returns undefined where the record is none that the firmware can use */
function credentialsOf(record: Uint8Array): Uint8Array | undefined {
	try {
		return decodeIdentity(record).credentials;
	} catch {
		return undefined;
	}
}
