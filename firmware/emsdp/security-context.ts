import type { Kernel, KeySet } from "../kernels/kernel.js";
import { hasAlgorithms } from "./algorithms.js";
import { ReceivedCount, WRONG_MAC } from "./count.js";
import { extensionOctets, writeHeader } from "./header.js";
import { ALGORITHM, BEARER, COMMANDS, COUNT, DIRECTION, HEADER, MODE } from "./profile.js";

/** What the two ends agreed on for one Key ID of a session. */
export interface SecurityParameters {
	/** 1 .. 2^32 − 1. */
	readonly sessionId: number;
	/** 1–7. */
	readonly keyId: number;
	readonly agreement: number;
	readonly encryption: number;
	readonly integrity: number;
	readonly counterScheme: number;
	/** 4 or 8. */
	readonly macLength: number;
	readonly service: number;
	readonly mode: number;
}

/** The traffic keys of a security context, 16 octets each. */
export interface TrafficKeys {
	readonly e2mEncryption: Uint8Array;
	readonly e2mIntegrity: Uint8Array;
	/** Used in UE-to-EAS mode only. */
	readonly e2eEncryption: Uint8Array;
	readonly e2eIntegrity: Uint8Array;
}

/** A cipher key and an integrity key, 16 octets each. */
export interface PlaneKeys {
	readonly encryption: Uint8Array;
	readonly integrity: Uint8Array;
}

/** The keys of a context that was asleep: those of the user plane, and how those of the control plane are made where they are others. */
export interface WakingKeys {
	readonly user: PlaneKeys;
	readonly deriveControl: () => PlaneKeys;
}

/** Commands whose octets after the command octet are enciphered, as a set for the path of a message. */
const CIPHERED_COMMANDS: readonly number[] = COMMANDS.filter((row) => row.ciphered).map((row) => row.command);

/** One plane (control or user) of a security context: its keys and its COUNTs both ways. */
export class Plane {
	/** COUNT of the next message to send; never used twice, never above {@link COUNT.highest}. */
	next = 0;
	readonly received: ReceivedCount;
	/** Octets of the header of a message of this plane. */
	readonly headerOctets: number;
	readonly userPlane: boolean;
	/** Octets of the shortest message: header, command octet in the control plane, MAC. */
	private readonly shortest: number;
	private readonly kernel: Kernel;
	private readonly keySet: KeySet;
	private readonly parameters: SecurityParameters;
	private readonly ciphers: boolean;
	private readonly extension: number;
	private readonly sendWord: number;
	private readonly receiveWord: number;
	/** Octets of the datagram being opened, and its verification with one COUNT, made once: no closure per message. */
	private length = 0;
	private readonly verify = (count: number) => this.openWith(count, this.length);

	/**
	 * @param direction of what this end sends: {@link DIRECTION}
	 * @param relays whether messages only pass through here: they are verified and stay as they are
	 */
	constructor(
		kernel: Kernel,
		keySet: KeySet,
		parameters: SecurityParameters,
		userPlane: boolean,
		direction: number,
		relays = false,
	) {
		this.kernel = kernel;
		this.keySet = keySet;
		this.parameters = parameters;
		this.userPlane = userPlane;
		this.ciphers = parameters.encryption !== ALGORITHM.null && !relays;
		this.extension = userPlane ? extensionOctets(parameters.counterScheme) : 0;
		this.headerOctets = HEADER.length + this.extension;
		this.shortest = this.headerOctets + (userPlane ? 0 : 1) + parameters.macLength;
		// The octet behind COUNT: BEARER in b8–b4, DIRECTION in b3 (TS 33.401 B.1.3, B.2.3).
		const bearer = (userPlane ? BEARER.userPlane : BEARER.controlPlane) << 3;
		this.sendWord = bearer | (direction << 2);
		this.receiveWord = bearer | ((1 - direction) << 2);
		const trials = direction === DIRECTION.fromUe ? COUNT.trialsAtUe : COUNT.trialsAtHse;
		this.received = new ReceivedCount(HEADER.countBits + 8 * this.extension, trials);
	}

	/** Whether there is a COUNT left to send with. */
	get canSend(): boolean {
		return this.next <= COUNT.highest;
	}

	/**
	 * Protects the message whose contents stand in the kernel's message buffer from {@link headerOctets} on: writes the
	 * header, enciphers, appends the MAC and uses up one COUNT.
	 * @param length octets of the contents: the payload, or the command octet and its TLVs
	 * @returns octets of the datagram, 0 where no COUNT is left: then there is none
	 */
	seal(length: number): number {
		const { kernel, parameters } = this;
		if (this.next > COUNT.highest) return 0;
		const count = this.next++;
		const end = writeHeader(
			kernel.message,
			this.userPlane,
			parameters.keyId,
			parameters.sessionId,
			count,
			this.extension,
		);
		const covered = end + length;
		kernel.protect(this.keySet, count, this.sendWord, this.cipherStart(covered), covered, parameters.macLength);
		return covered + parameters.macLength;
	}

	/**
	 * Verifies and deciphers the datagram in the kernel's message buffer, in place. Nothing moves: the caller checks what
	 * else there is to check and then calls {@link ReceivedCount.accept} with the COUNT.
	 * @param bits the COUNT bits received
	 * @param length octets of the datagram
	 * @returns the COUNT whose MAC is right, or NO_CANDIDATE, REPLAY or WRONG_MAC
	 */
	open(bits: number, length: number): number {
		if (length < this.shortest) return WRONG_MAC;
		this.length = length;
		return this.received.search(bits, this.verify);
	}

	/** Verifies with one COUNT only. @returns true if the MAC is right; then the contents are deciphered */
	openWith(count: number, length: number): boolean {
		const covered = length - this.parameters.macLength;
		return this.kernel.unprotect(
			this.keySet,
			count,
			this.receiveWord,
			this.cipherStart(covered),
			covered,
			this.parameters.macLength,
		);
	}

	/** The first octet that is enciphered; `covered` where none is (profile section 2.2). */
	private cipherStart(covered: number): number {
		if (!this.ciphers) return covered;
		if (this.userPlane) return this.headerOctets;
		return CIPHERED_COMMANDS.includes(this.kernel.message[HEADER.length]) ? HEADER.length + 1 : covered;
	}
}

/** All that one end holds for one (session, Key ID): keys, algorithms and COUNTs (profile sections 2.1, 2.2). */
export class SecurityContext {
	readonly parameters: SecurityParameters;
	readonly control: Plane;
	readonly user: Plane;
	private readonly kernel: Kernel;
	private readonly keySets: KeySet[] = [];
	private readonly controlKeySet: KeySet;
	private deriveControl: (() => PlaneKeys) | undefined;

	/**
	 * @param direction of what this end sends: {@link DIRECTION}
	 * @param relays whether UP messages of UE-to-EAS mode only pass through here: they are verified and stay as they are
	 * @throws RangeError if the kernel does not have the algorithms: neither end agrees on what it does not have
	 */
	constructor(
		kernel: Kernel,
		parameters: SecurityParameters,
		keys: TrafficKeys | WakingKeys,
		direction: number,
		relays = false,
	) {
		if (!hasAlgorithms(kernel, parameters))
			throw new RangeError(`The kernel does not have EEA${parameters.encryption} and EIA${parameters.integrity}.`);
		this.kernel = kernel;
		this.parameters = parameters;
		// CP always uses the K_E2M keys; UP those of its mode (TS 33.163).
		const isSplit = parameters.mode === MODE.ueToEas;
		let user: KeySet;
		if ("user" in keys) {
			user = this.expand(keys.user.encryption, keys.user.integrity);
			this.controlKeySet = isSplit ? this.emptyKeySet() : user;
			if (isSplit) this.deriveControl = keys.deriveControl;
		} else {
			this.controlKeySet = this.expand(keys.e2mEncryption, keys.e2mIntegrity);
			user = isSplit ? this.expand(keys.e2eEncryption, keys.e2eIntegrity) : this.controlKeySet;
		}
		this.control = new Plane(kernel, this.controlKeySet, parameters, false, direction);
		this.user = new Plane(kernel, user, parameters, true, direction, relays && isSplit);
	}

	/** To be called before {@link control} is used: makes its keys where a context that was asleep does not have them yet. */
	prepareControl(): void {
		const { deriveControl } = this;
		if (deriveControl === undefined) return;
		this.deriveControl = undefined;
		const { kernel, parameters } = this;
		const { encryption, integrity } = deriveControl();
		kernel.setKeys(this.controlKeySet, encryption, integrity, parameters.encryption, parameters.integrity);
		encryption.fill(0);
		integrity.fill(0);
	}

	/**
	 * Expands other traffic keys in place of those before: for another session or Key ID, which whoever made the context
	 * writes into its parameters. All else is as it was; the COUNTs are the caller's to set.
	 */
	setKeys(keys: TrafficKeys): void {
		const { kernel, keySets } = this;
		const { encryption, integrity } = this.parameters;
		kernel.setKeys(keySets[0], keys.e2mEncryption, keys.e2mIntegrity, encryption, integrity);
		if (keySets.length > 1) kernel.setKeys(keySets[1], keys.e2eEncryption, keys.e2eIntegrity, encryption, integrity);
	}

	/** Erases the keys. The context is of no use afterwards. */
	erase(): void {
		for (const keySet of this.keySets) this.kernel.eraseKeys(keySet);
	}

	private expand(encryption: Uint8Array, integrity: Uint8Array): KeySet {
		const { parameters } = this;
		const keySet = this.emptyKeySet();
		this.kernel.setKeys(keySet, encryption, integrity, parameters.encryption, parameters.integrity);
		return keySet;
	}

	private emptyKeySet(): KeySet {
		const keySet = this.kernel.createKeySet();
		this.keySets.push(keySet);
		return keySet;
	}
}
