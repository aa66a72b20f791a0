import { equalInConstantTime } from "../../firmware/emsdp/octets.js";
import { hmacSha256 } from "../../firmware/keys/sha256.js";
import type { LoadPolicy } from "./hse.js";

const COOKIE_OCTETS = 16;
/** Length of a time slot of the cookie, and life of its key (profile section 6, 8: changed hourly). */
const SLOT = 60_000;
const KEY_LIFE = 3_600_000;

/** No cookie and no back-off, whatever the load. */
export const UNLOADED: LoadPolicy = { cookie: () => undefined, backOff: () => undefined };

/** Stateless cookies: HMAC over source, UE identity and a time slot. */
export class Cookies {
	private readonly randomKey: () => Uint8Array;
	private key: Uint8Array;
	private keySince: number;
	/** Filled again for each cookie: a flood asks for many. */
	private input = new Uint8Array(256);

	/** @param randomKey draws 32 octets */
	constructor(randomKey: () => Uint8Array, now: number) {
		this.randomKey = randomKey;
		this.key = randomKey();
		this.keySince = now;
	}

	/**
	 * What to ask a source for.
	 * @param given the cookie its request brought
	 * @returns undefined where that is good: of this time slot or the one before
	 */
	demand(now: number, source: string, identity: Uint8Array, given: Uint8Array | undefined): Uint8Array | undefined {
		if (now - this.keySince >= KEY_LIFE) {
			this.key.fill(0);
			this.key = this.randomKey();
			this.keySince = now;
		}
		const slot = Math.floor(now / SLOT);
		const wanted = this.make(slot, source, identity);
		const isGood =
			given !== undefined &&
			(equalInConstantTime(given, wanted) || equalInConstantTime(given, this.make(slot - 1, source, identity)));
		return isGood ? undefined : wanted;
	}

	private make(slot: number, source: string, identity: Uint8Array): Uint8Array {
		const text = `${slot} ${source} `;
		const length = text.length + identity.length;
		if (this.input.length < length) this.input = new Uint8Array(length);
		const { input } = this;
		for (let i = 0; i < text.length; i++) input[i] = text.charCodeAt(i);
		input.set(identity, text.length);
		return hmacSha256(this.key, input.subarray(0, length)).subarray(0, COOKIE_OCTETS);
	}
}

/** Session Requests in a tenth of a second from which on a cookie is asked for, and for how many milliseconds it is then. */
const REQUESTS_WITHOUT_COOKIE = 20;
const STAYS_HIGH = 1000;

/** Counts Session Requests, by tenths of a second: those that come one by one before a flood is noticed cost vectors. */
export class LoadMeter {
	private tenth = 0;
	private requests = 0;
	private highUntil = 0;

	/** So many wait to be looked at: where they are too many, the first of them is asked for a cookie as well. */
	expect(now: number, requests: number): void {
		if (requests > REQUESTS_WITHOUT_COOKIE) this.highUntil = now + STAYS_HIGH;
	}

	/** Counts one more. */
	isHigh(now: number): boolean {
		const tenth = Math.floor(now / 100);
		if (tenth !== this.tenth) {
			this.tenth = tenth;
			this.requests = 0;
		}
		this.expect(now, ++this.requests);
		return now < this.highUntil;
	}
}

/**
 * Session Requests that are looked at in a tenth of a second: enough for 7,000 new sessions in a second with their cookies.
 * It is above what the batched socket takes, which drops nothing that it has taken.
 */
const REQUESTS_IN_A_TENTH = 1500;

/** Lets Session Requests in, so many and no more, so that a flood of them leaves the HSE time for its sessions. */
export class RequestGate {
	private tenth = 0;
	private requests = 0;

	/** Counts one more. */
	isShut(now: number): boolean {
		const tenth = Math.floor(now / 100);
		if (tenth !== this.tenth) {
			this.tenth = tenth;
			this.requests = 0;
		}
		return ++this.requests > REQUESTS_IN_A_TENTH;
	}
}
