import { REPLAY, WRONG_MAC } from "../../firmware/emsdp/count.js";
import { FailureLimit } from "../../firmware/emsdp/failure-limit.js";
import type { Header } from "../../firmware/emsdp/header.js";
import { equalInConstantTime } from "../../firmware/emsdp/octets.js";
import { COUNT, DIRECTION, HEADER, LIMITS, LONGEST_MESSAGE, MODE, SERVICE } from "../../firmware/emsdp/profile.js";
import { Plane } from "../../firmware/emsdp/security-context.js";
import type { Verdict } from "../../firmware/emsdp/verdict.js";
import type { Kernel, KeySet } from "../../firmware/kernels/kernel.js";
import { e2eKeys } from "../../firmware/keys/hierarchy.js";
import type { EasKey } from "./eas-key.js";
import { EasError } from "./errors.js";

/**
 * Downlinks that wait for the HSE's word at the most. An EAS that has lost its COUNTs asks the HSE for the next one and
 * goes on so many further, which no COUNT it had used can reach (profile section 7: blocks of 16 at the most).
 */
export const MOST_UNANSWERED = 16;

/** K_EAS_PSK of one Key ID and what is protected below it. */
class KeyInUse {
	readonly given: EasKey;
	readonly keyId: number;
	readonly plane: Plane;
	private readonly kernel: Kernel;
	private readonly keySet: KeySet;

	/** @param uplinksBelow UP COUNTs of the UE that count as taken */
	constructor(kernel: Kernel, given: EasKey, uplinksBelow: number) {
		const { configuration, sessionId } = given;
		const parameters = { ...configuration, sessionId };
		this.given = given;
		this.keyId = configuration.keyId;
		this.kernel = kernel;
		this.keySet = kernel.createKeySet();
		const { encryption, integrity } = e2eKeys(given.key, parameters);
		kernel.setKeys(this.keySet, encryption, integrity, configuration.encryption, configuration.integrity);
		encryption.fill(0);
		integrity.fill(0);
		this.plane = new Plane(kernel, this.keySet, parameters, true, DIRECTION.toUe);
		this.plane.received.raise(uplinksBelow - 1);
		this.plane.next = given.downlinkCount;
	}

	erase(): void {
		this.given.key.fill(0);
		this.kernel.eraseKeys(this.keySet);
	}
}

/** A session as the EAS holds it: only its user plane ends here, the control plane ends in the HSE (TS 33.163). */
export class EasSession {
	readonly failures = new FailureLimit();
	/** Downlinks that wait for the HSE's word. */
	unanswered = 0;
	/** When the HSE ends the session by itself. */
	expiresAt = Number.POSITIVE_INFINITY;
	private readonly kernel: Kernel;
	private inUse: KeyInUse;
	/** The keys before: they verify what was on its way, until a time (profile section 6, 4). */
	private old: { readonly key: KeyInUse; readonly until: number } | undefined;

	/**
	 * @param given taken over, with its key
	 * @param uplinksBelow UP COUNTs of the UE that count as taken
	 */
	constructor(kernel: Kernel, now: number, given: EasKey, uplinksBelow: number) {
		this.kernel = kernel;
		this.inUse = new KeyInUse(kernel, given, uplinksBelow);
		this.expire(now, given);
	}

	get ueId(): string {
		return this.inUse.given.ueId;
	}

	get sessionId(): number {
		return this.inUse.given.sessionId;
	}

	get keyId(): number {
		return this.inUse.keyId;
	}

	/** K_EAS_PSK in use, a copy. */
	get key(): Uint8Array {
		return this.inUse.given.key.slice();
	}

	get deadline(): number {
		return Math.min(this.expiresAt, this.old?.until ?? Number.POSITIVE_INFINITY);
	}

	hasKey(keyId: number): boolean {
		return keyId === this.inUse.keyId || keyId === this.old?.key.keyId;
	}

	/**
	 * Takes a key for this session: the one in use with what the HSE knows of the COUNTs, or the one that follows.
	 * @param given taken over, with its key
	 * @param uplinksBelow UP COUNTs of the UE that count as taken under a new key
	 * @returns whether it is another one than before
	 */
	take(now: number, given: EasKey, uplinksBelow: number): boolean {
		const known = [this.inUse, this.old?.key].find(
			(held) => held?.keyId === given.configuration.keyId && equalInConstantTime(held.given.key, given.key),
		);
		if (known !== undefined) {
			given.key.fill(0);
			// The answer to an earlier question may come late: what it says of the old key is of no use.
			if (known !== this.inUse) return false;
			// No counter ever goes back.
			known.plane.next = Math.max(known.plane.next, given.downlinkCount);
			this.expire(now, given);
			return false;
		}
		this.old?.key.erase();
		this.old = { key: this.inUse, until: now + LIMITS.oldKeys };
		this.inUse = new KeyInUse(this.kernel, given, uplinksBelow);
		this.unanswered = 0;
		this.expire(now, given);
		return true;
	}

	/** Goes on behind every COUNT that an EAS before this one can have used. */
	skipUsed(): void {
		this.inUse.plane.next += MOST_UNANSWERED;
	}

	forgetOld(now: number): void {
		if (this.old === undefined || now < this.old.until) return;
		this.old.key.erase();
		this.old = undefined;
	}

	/**
	 * Opens the UP message in the kernel's message buffer. The HSE says which COUNT it found; it alone is tried, and taken
	 * once.
	 * @returns where the payload starts, or why the message is dropped
	 */
	open(header: Header, count: number, length: number): number | Verdict {
		const held = header.keyId === this.inUse.keyId ? this.inUse : this.old?.key;
		if (held?.keyId !== header.keyId) return "session or Key ID unknown";
		const { plane } = held;
		const { service, mode } = held.given.configuration;
		if (service === SERVICE.keyAgreementOnly || mode !== MODE.ueToEas) return "service";
		const { message } = this.kernel;
		if (!header.readExtension(message, length, plane.headerOctets - HEADER.length)) return "length";
		if (length < plane.headerOctets + held.given.configuration.macLength) return "length";
		const { received } = plane;
		if (count > COUNT.highest || count % 2 ** received.bits !== header.countBits) return "wrong MAC or COUNT";
		let found: number;
		if (count > received.last) found = plane.openWith(count, length) ? count : WRONG_MAC;
		// With three bits nothing at or below the last one is taken; with more the window decides.
		else if (received.bits === HEADER.countBits) found = REPLAY;
		else found = plane.open(header.countBits, length);
		if (found === REPLAY) return "replay";
		if (found !== count) return "wrong MAC or COUNT";
		received.accept(count);
		return plane.headerOctets;
	}

	/** Octets of the payload of an opened message of `length` octets. */
	payloadEnd(length: number): number {
		return length - this.inUse.given.configuration.macLength;
	}

	/** Protects a payload. @returns its datagram and COUNT @throws EasError `state`, `too-long`, `count` */
	seal(payload: Uint8Array): { readonly count: number; readonly datagram: Uint8Array } {
		const { plane, given } = this.inUse;
		const { service, mode, macLength } = given.configuration;
		if (service === SERVICE.keyAgreementOnly || mode !== MODE.ueToEas)
			throw new EasError("state", "The session is not in UE-to-EAS mode: the HSE protects what goes to the UE.");
		const room = Math.min(given.largestMessage, LONGEST_MESSAGE) - plane.headerOctets - macLength;
		if (payload.length > room)
			throw new EasError(
				"too-long",
				`A payload of ${payload.length} octets does not fit: the UE takes ${room} at the most.`,
			);
		if (this.unanswered >= MOST_UNANSWERED)
			throw new EasError("count", `The HSE has not answered for ${MOST_UNANSWERED} downlinks: wait until it has.`);
		if (!plane.canSend)
			throw new EasError("count", "No COUNT is left under this key: the UE or the HSE must change it.");
		const count = plane.next;
		this.kernel.message.set(payload, plane.headerOctets);
		const octets = plane.seal(payload.length);
		this.unanswered++;
		return { count, datagram: this.kernel.message.slice(0, octets) };
	}

	erase(): void {
		this.inUse.erase();
		this.old?.key.erase();
		this.old = undefined;
	}

	private expire(now: number, { expiresIn }: EasKey): void {
		this.expiresAt = expiresIn === 0 ? Number.POSITIVE_INFINITY : now + 1000 * expiresIn;
	}
}
