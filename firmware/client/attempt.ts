import { CachedAnswer } from "../emsdp/cached-answer.js";
import {
	encodeUeConfiguration,
	type HseConfiguration,
	offers,
	offersSharedKey,
	readHseConfiguration,
} from "../emsdp/configuration.js";
import { checkContents, fitsServingNetwork, isAka } from "../emsdp/contents.js";
import { type Header, writeHeader } from "../emsdp/header.js";
import { equalInConstantTime, readUint16 } from "../emsdp/octets.js";
import { CAUSE, COMMAND, CONTENTS, DIRECTION, HEADER, LIMITS, TAG } from "../emsdp/profile.js";
import { Retransmission } from "../emsdp/retransmission.js";
import { TlvScan, writeTlv } from "../emsdp/tlv.js";
import type { Verdict } from "../emsdp/verdict.js";
import { baseKeyFromAka, baseKeyFromSharedKey } from "../keys/hierarchy.js";
import { SessionKeys } from "../keys/session-keys.js";
import { sha256 } from "../keys/sha256.js";
import type { AuthenticationResult } from "../ports/usim.js";
import { akaResponse, eraseResult, hasSeparationBit } from "./aka-result.js";
import { randomFraction, type UeOptions } from "./options.js";
import type { Challenge, Outbox } from "./outbox.js";
import { Session } from "./session.js";
import { ATTEMPT, type AttemptInput, type AttemptState, row } from "./states.js";

const DIGEST_OCTETS = 16;
/** Offset of M in an 11 of a new session, whose tag 10 comes first because M is read from it. */
const FIRST_TLV = HEADER.length + 1;
const MAC_LENGTH_OFFSET = FIRST_TLV + 2 + 5;
/** Milliseconds that a USIM may take; one that says nothing must not hold up the device for ever. */
const PATIENCE_WITH_USIM = 60_000;
const NONCE_OCTETS = 8;
const NO_OCTETS = new Uint8Array(0);

/** One try to get keys from the HSE: 10, 11, AKA, 12. */
export class Attempt {
	state: AttemptState = "idle";
	private readonly options: UeOptions;
	private readonly outbox: Outbox;
	private readonly adopt: (session: Session) => void;
	private readonly tlvs = new TlvScan();
	/** The Session Request sent last, and the first 16 octets of SHA-256 over it (tag 17). */
	private request: Retransmission | undefined;
	private digest: Uint8Array = NO_OCTETS;
	private cookie: Uint8Array = NO_OCTETS;
	private cookies = 0;
	/** When a back-off is over, or the USIM is not waited for any longer. */
	private waitUntil: number | undefined;
	private seconds = 0;
	/** The 11 being worked on, as it came, and what it holds. */
	private start: Uint8Array = NO_OCTETS;
	private chosen: HseConfiguration | undefined;
	private sessionId = 0;
	/** RAND ‖ AUTN that the USIM has seen last, and what it made of them. */
	private challenge: Uint8Array = NO_OCTETS;
	private result: AuthenticationResult | undefined;
	/** The challenge that the USIM is at work on. */
	private running: Challenge | undefined;
	/** Value of tag 02 in the request, where the IMSI is concealed. */
	private suci: Uint8Array | undefined;
	/** The nonces of agreements 5 to 7. */
	private readonly ueNonce = new Uint8Array(NONCE_OCTETS);
	private hseNonce: Uint8Array = NO_OCTETS;
	private session: Session | undefined;
	private cause: number | undefined;

	/** @param adopt is given the session when its 11 has been verified */
	constructor(options: UeOptions, outbox: Outbox, adopt: (session: Session) => void) {
		this.options = options;
		this.outbox = outbox;
		this.adopt = adopt;
	}

	get deadline(): number | undefined {
		return this.state === "requesting" ? this.request?.dueAt : this.waitUntil;
	}

	/** @throws ClientError `state` if an attempt is under way */
	begin(now: number): void {
		this.feed("begin", now);
	}

	cancel(now: number): void {
		this.feed("cancel", now);
	}

	/** @returns whether anything was due */
	handleTimeout(now: number): boolean {
		const { deadline } = this;
		if (deadline === undefined || now < deadline) return false;
		const isRequest = this.state === "requesting" && this.request !== undefined;
		this.feed(isRequest && !this.request?.again(now) ? "exhausted" : "timeout", now);
		return true;
	}

	/** Handles the 11 of a new session in the kernel's message buffer. Any fault in it: dropped, and the attempt waits on. */
	handleStart(now: number, header: Header, length: number): Verdict {
		if (this.state !== "requesting") return "not expected";
		const { tlvs } = this;
		const { message } = this.options.kernel;
		if (length <= MAC_LENGTH_OFFSET || message[FIRST_TLV] !== TAG.hseConfiguration) return "contents";
		const end = length - message[MAC_LENGTH_OFFSET];
		if (end < FIRST_TLV || tlvs.scan(message, FIRST_TLV, end) !== 0) return "contents";
		if (checkContents(tlvs, CONTENTS.newSessionStart) !== 0) return "contents";
		const chosen = readHseConfiguration(message, tlvs.offsets[TAG.hseConfiguration]);
		if (chosen.keyId !== header.keyId || !this.isOffered(chosen)) return "contents";
		if (!equalInConstantTime(tlvs.value(TAG.requestDigest), this.digest)) return "contents";
		// The first message under a key has COUNT 0; no other is tried (profile section 2.1).
		if (header.countBits !== 0) return "wrong MAC or COUNT";
		this.start = message.slice(0, length);
		this.chosen = chosen;
		this.sessionId = header.sessionId;
		if (!isAka(chosen.agreement)) {
			const reference = this.options.sharedKey?.reference ?? NO_OCTETS;
			if (!equalInConstantTime(tlvs.value(TAG.keyReference), reference)) return "contents";
			this.hseNonce = tlvs.value(TAG.hseNonce);
			return this.feed("shared key", now);
		}
		const challenge = tlvs.value(TAG.akaChallenge);
		const known = this.result !== undefined && equalInConstantTime(challenge, this.challenge);
		if (!known) {
			this.forget();
			this.challenge = challenge;
		}
		return this.feed(known ? "known challenge" : "challenge", now);
	}

	/** What the USIM made of the challenge. It is of no use any more if the attempt was cancelled. */
	handleAuthentication(now: number, challenge: Challenge, result: AuthenticationResult): Verdict {
		if (this.state !== "authenticating" || challenge !== this.running) {
			eraseResult(result);
			return "not expected";
		}
		this.result = result;
		return this.useAka(now);
	}

	/** Handles an unprotected 80 that answers the request: a hint. Its contents have been checked. */
	handleReject(now: number, tlvs: TlvScan): Verdict {
		if (this.state !== "requesting") return "unprotected reject";
		const at = tlvs.offsets[TAG.cause];
		this.cause = tlvs.octets[at];
		if (this.cause === CAUSE.cookieNeeded && this.cookies < LIMITS.cookies) {
			this.cookie = tlvs.value(TAG.cookie);
			this.feed("cookie", now);
		} else if (this.cause === CAUSE.congestion) {
			this.seconds = Math.min(readUint16(tlvs.octets, at + 1), this.options.longestBackOff);
			this.feed("congestion", now);
		} else this.feed("rejected", now);
		return "hint";
	}

	private feed(input: AttemptInput, now: number): Verdict {
		const [action, next] = row(ATTEMPT, this.state, input);
		this.state = next;
		return this[action](now) ?? "accept";
	}

	/** Whether the UE offered all that the HSE chose (profile section 4). */
	private isOffered(chosen: HseConfiguration): boolean {
		const { offer, servingNetwork } = this.options;
		return (
			offers(offer.agreements, chosen.agreement) &&
			fitsServingNetwork(chosen.agreement, servingNetwork) &&
			offers(offer.encryptionAlgorithms, chosen.encryption) &&
			offers(offer.integrityAlgorithms, chosen.integrity) &&
			offers(offer.counterSchemes, chosen.counterScheme) &&
			offers(offer.macLengths, chosen.macLength) &&
			chosen.service === offer.service &&
			chosen.mode === offer.mode
		);
	}

	/** A Session Request that is not a repetition: a SUCI is new, and with agreements 5 to 7 there is a new nonce. */
	private sendRequest(now: number): void {
		const { conceal, identity, offer, random } = this.options;
		if (offersSharedKey(offer.agreements)) random.fill(this.ueNonce);
		this.suci = conceal?.(identity.value);
		this.transmitRequest(now);
	}

	private transmitRequest(now: number): void {
		const { kernel, random, retransmission, identity, offer, easId, servingNetwork, sharedKey } = this.options;
		const { message } = kernel;
		message[HEADER.length] = COMMAND.sessionRequest;
		let end = writeHeader(message, false, 0, 0, 0, 0) + 1;
		const { suci } = this;
		end =
			suci === undefined
				? writeTlv(message, end, identity.tag, identity.value)
				: writeTlv(message, end, TAG.suci, suci);
		end = writeTlv(message, end, TAG.ueConfiguration, encodeUeConfiguration(offer));
		end = writeTlv(message, end, TAG.easId, easId);
		if (servingNetwork.length > 0) end = writeTlv(message, end, TAG.servingNetwork, servingNetwork);
		if (this.cookie.length > 0) end = writeTlv(message, end, TAG.cookie, this.cookie);
		if (sharedKey !== undefined && offersSharedKey(offer.agreements)) {
			end = writeTlv(message, end, TAG.keyReference, sharedKey.reference);
			end = writeTlv(message, end, TAG.ueNonce, this.ueNonce);
		}
		const datagram = message.subarray(0, end);
		this.digest = sha256(datagram).slice(0, DIGEST_OCTETS);
		this.request = new Retransmission(datagram, retransmission, randomFraction(random), now);
		this.outbox.transmit(end);
	}

	private repeatRequest(): void {
		if (this.request !== undefined) this.outbox.transmitAgain(this.request.datagram);
	}

	/** After cause 10 the same request goes out with the cookie added, twice at most in an attempt (profile section 4). */
	private sendRequestWithCookie(now: number): void {
		this.cookies++;
		this.transmitRequest(now);
	}

	private backOff(now: number): void {
		this.waitUntil = now + this.seconds * 1000;
		this.outbox.tell({ kind: "back-off", seconds: this.seconds });
	}

	private runAka(now: number): Verdict {
		const autn = this.challenge.subarray(16);
		// A wrong separation bit is refused like a wrong MAC, without troubling the USIM (profile section 5).
		if (!hasSeparationBit(this.chosen?.agreement ?? 0, autn)) return this.feed("MAC failure", now);
		this.running = { rand: this.challenge.subarray(0, 16), autn };
		this.waitUntil = now + PATIENCE_WITH_USIM;
		this.outbox.authenticate(this.running);
		return "accept";
	}

	private useAka(now: number): Verdict {
		const { result } = this;
		if (result?.status !== "success")
			return this.feed(result?.status === "synchronisation failure" ? result.status : "MAC failure", now);
		const baseKey = baseKeyFromAka(this.chosen?.agreement ?? 0, {
			ck: result.ck,
			ik: result.ik,
			sqnXorAk: this.challenge.subarray(16, 22),
			servingNetwork: this.options.servingNetwork.subarray(1),
		});
		return this.feed(this.verify(baseKey) ? "verified" : "spoilt", now);
	}

	private useSharedKey(now: number): Verdict {
		const baseKey = baseKeyFromSharedKey(this.options.sharedKey?.key ?? NO_OCTETS, this.hseNonce, this.ueNonce);
		return this.feed(this.verify(baseKey) ? "verified" : "spoilt", now);
	}

	/** Derives the keys below K_base and verifies the 11 with them, and only with COUNT 0. */
	private verify(baseKey: Uint8Array): boolean {
		const { chosen, options, start } = this;
		if (chosen === undefined) return false;
		const parameters = { ...chosen, sessionId: this.sessionId };
		const keys = new SessionKeys(options.kernel, parameters, baseKey, options.easId, DIRECTION.fromUe);
		const { control } = keys.context;
		const session = new Session(options, this.outbox, keys, chosen);
		options.kernel.message.set(start);
		if (!control.openWith(0, start.length)) {
			session.erase();
			return false;
		}
		control.received.accept(0);
		this.session = session;
		return true;
	}

	private adoptSession(now: number): void {
		const { session, result, options } = this;
		if (session === undefined) return;
		const { agreement } = session.configuration;
		const octets =
			isAka(agreement) && result?.status === "success"
				? session.transmitControl(
						COMMAND.sessionStartConfirmation,
						TAG.akaResponse,
						akaResponse(agreement, options.servingNetwork.subarray(1), this.challenge.subarray(0, 16), result),
					)
				: session.transmitControl(COMMAND.sessionStartConfirmation);
		session.cached = new CachedAnswer(this.start, options.kernel.message.subarray(0, octets));
		session.beginLifetime(now);
		this.end();
		this.adopt(session);
	}

	private keepWaiting(): Verdict {
		return "wrong MAC or COUNT";
	}

	private sendAuts(): Verdict {
		if (this.result?.status === "synchronisation failure")
			this.reject(CAUSE.akaSynchronisationFailure, this.result.auts);
		return "reject";
	}

	private sendMacFailure(): Verdict {
		this.reject(CAUSE.akaMacFailure);
		this.outbox.tell({ kind: "attempt over", cause: CAUSE.akaMacFailure });
		this.end();
		return "reject";
	}

	/** Sends an unprotected 80, which carries the Session ID of the message it answers (profile section 4). */
	private reject(cause: number, auts?: Uint8Array): void {
		const { message } = this.options.kernel;
		let end = writeHeader(message, false, 0, this.sessionId, 0, 0);
		message[end++] = COMMAND.messageReject;
		if (auts !== undefined) end = writeTlv(message, end, TAG.auts, auts);
		end = writeTlv(message, end, TAG.cause, Uint8Array.of(cause));
		this.outbox.transmit(end);
	}

	private giveUp(): void {
		this.outbox.tell({ kind: "attempt over", cause: this.cause });
		this.end();
	}

	private abandon(): void {
		this.end();
	}

	private end(): void {
		this.forget();
		this.request = undefined;
		this.waitUntil = undefined;
		this.session = undefined;
		this.cookie = NO_OCTETS;
		this.cookies = 0;
		this.cause = undefined;
	}

	/** Erases CK and IK. */
	private forget(): void {
		if (this.result !== undefined) eraseResult(this.result);
		this.result = undefined;
		this.running = undefined;
	}
}
