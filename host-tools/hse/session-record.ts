import type { ReceivedCount } from "../../firmware/emsdp/count.js";
import { extensionOctets } from "../../firmware/emsdp/header.js";
import { IMSI_OCTETS } from "../../firmware/emsdp/imsi.js";
import { HEADER } from "../../firmware/emsdp/profile.js";
import type { SecurityParameters, TrafficKeys } from "../../firmware/emsdp/security-context.js";
import { copyOctets } from "../octets.js";

/**
 * A packed session: what a session that waits for nothing but its next message costs, and what of it is stored. Words
 * of 32 bits in the order of the machine, named by their index; octets by their offset.
 */
export const WORD = {
	sessionId: 0,
	/** Octets: Key ID, agreement, encryption, integrity. */
	algorithms: 1,
	/** Octets: counter scheme, M, service, mode. */
	protection: 2,
	/** Octets: release, lengths of the EAS Id, of the address and of the response waited for. */
	lengths: 3,
	/** Largest message the HSE takes in the low half, that the UE takes in the high one. */
	largestMessages: 4,
	/** Of tag 10, in seconds. */
	lifetime: 5,
	/** A double: when the lifetime is over, in the clock's milliseconds. */
	expiresAt: 6,
	userNext: 8,
	controlNext: 9,
	/** The highest COUNT accepted plus one. */
	userReceived: 10,
	controlReceived: 11,
	windowHigh: 12,
	windowLow: 13,
	/** Of this process, 0 where the record is stored: number of the serving network, place of the expanded keys plus one. */
	network: 14,
	context: 15,
	/** 8 octets, as EF_IMSI has them. */
	imsi: 16,
} as const;

const OCTET = {
	keyId: 4,
	agreement: 5,
	encryption: 6,
	integrity: 7,
	counterScheme: 8,
	macLength: 9,
	service: 10,
	mode: 11,
	release: 12,
	easIdLength: 13,
	addressLength: 14,
	responseLength: 15,
	imsi: 64,
	baseKey: 72,
	trafficKeys: 104,
	response: 168,
	easId: 184,
	address: 248,
} as const;

export const RECORD_OCTETS = 296;
export const RECORD_WORDS = RECORD_OCTETS / 4;
const BASE_KEY_OCTETS = 32;
const TRAFFIC_KEYS_OCTETS = 64;
/** The longest address that stands in the record: IPv6 with a port and more. */
export const LONGEST_ADDRESS = 48;
/** Length of an address that does not: it is kept elsewhere. */
const ADDRESS_ELSEWHERE = 0xff;

/** Memory for some records. */
export class RecordMemory {
	readonly words: Uint32Array;
	readonly octets: Uint8Array;
	readonly times: Float64Array;

	constructor(records: number) {
		this.words = new Uint32Array(records * RECORD_WORDS);
		this.octets = new Uint8Array(this.words.buffer);
		this.times = new Float64Array(this.words.buffer);
	}
}

/** Looks at one record at a time; one object is pointed at record after record. */
export class SessionRecord {
	private memory: RecordMemory;
	/** Word at which the record starts. */
	private word = 0;

	constructor(memory = new RecordMemory(1)) {
		this.memory = memory;
	}

	/** Points at a record. */
	select(memory: RecordMemory, index: number): this {
		this.memory = memory;
		this.word = index * RECORD_WORDS;
		return this;
	}

	get sessionId(): number {
		return this.memory.words[this.word];
	}

	get keyId(): number {
		return this.memory.octets[4 * this.word + OCTET.keyId];
	}

	get macLength(): number {
		return this.memory.octets[4 * this.word + OCTET.macLength];
	}

	get service(): number {
		return this.memory.octets[4 * this.word + OCTET.service];
	}

	get mode(): number {
		return this.memory.octets[4 * this.word + OCTET.mode];
	}

	/** Octets of the counter extension of its UP messages. */
	get extension(): number {
		return extensionOctets(this.memory.octets[4 * this.word + OCTET.counterScheme]);
	}

	get headerOctets(): number {
		return HEADER.length + this.extension;
	}

	/** A word by its index in {@link WORD}. */
	get(word: number): number {
		return this.memory.words[this.word + word];
	}

	set(word: number, value: number): void {
		this.memory.words[this.word + word] = value;
	}

	/** Infinity where the session has no lifetime. */
	get expiresAt(): number {
		return this.memory.times[(this.word + WORD.expiresAt) >> 1];
	}

	set expiresAt(at: number) {
		this.memory.times[(this.word + WORD.expiresAt) >> 1] = at;
	}

	get parameters(): SecurityParameters {
		const { octets } = this.memory;
		const at = 4 * this.word;
		return {
			sessionId: this.sessionId,
			keyId: octets[at + OCTET.keyId],
			agreement: octets[at + OCTET.agreement],
			encryption: octets[at + OCTET.encryption],
			integrity: octets[at + OCTET.integrity],
			counterScheme: octets[at + OCTET.counterScheme],
			macLength: octets[at + OCTET.macLength],
			service: octets[at + OCTET.service],
			mode: octets[at + OCTET.mode],
		};
	}

	set parameters(parameters: SecurityParameters) {
		const { octets } = this.memory;
		const at = 4 * this.word;
		this.set(WORD.sessionId, parameters.sessionId);
		octets[at + OCTET.keyId] = parameters.keyId;
		octets[at + OCTET.agreement] = parameters.agreement;
		octets[at + OCTET.encryption] = parameters.encryption;
		octets[at + OCTET.integrity] = parameters.integrity;
		octets[at + OCTET.counterScheme] = parameters.counterScheme;
		octets[at + OCTET.macLength] = parameters.macLength;
		octets[at + OCTET.service] = parameters.service;
		octets[at + OCTET.mode] = parameters.mode;
	}

	/** All parameters but Session ID and Key ID as one number: none needs more than four bits. */
	get suite(): number {
		const { octets } = this.memory;
		let suite = 0;
		for (let at = 4 * this.word + OCTET.agreement; at <= 4 * this.word + OCTET.mode; at++)
			suite = (suite << 4) | octets[at];
		return suite;
	}

	get release(): number {
		return this.memory.octets[4 * this.word + OCTET.release];
	}

	set release(release: number) {
		this.memory.octets[4 * this.word + OCTET.release] = release;
	}

	/** 8 octets, not a copy. */
	get imsi(): Uint8Array {
		return this.part(OCTET.imsi, IMSI_OCTETS);
	}

	set imsi(imsi: Uint8Array) {
		this.put(OCTET.imsi, imsi);
	}

	copyImsi(into: Uint8Array): void {
		const { octets } = this.memory;
		const at = 4 * this.word + OCTET.imsi;
		for (let i = 0; i < IMSI_OCTETS; i++) into[i] = octets[at + i];
	}

	/** K_base, not a copy. */
	get baseKey(): Uint8Array {
		return this.part(OCTET.baseKey, BASE_KEY_OCTETS);
	}

	set baseKey(baseKey: Uint8Array) {
		this.put(OCTET.baseKey, baseKey);
	}

	/** K_E2Menc, K_E2Mint, K_E2Eenc and K_E2Eint, not a copy. */
	get trafficKeys(): Uint8Array {
		return this.part(OCTET.trafficKeys, TRAFFIC_KEYS_OCTETS);
	}

	set trafficKeys(trafficKeys: Uint8Array) {
		this.put(OCTET.trafficKeys, trafficKeys);
	}

	/** The XRES of a 12 that has not come; not a copy, undefined where there is none. */
	get expectedResponse(): Uint8Array | undefined {
		const length = this.memory.octets[4 * this.word + OCTET.responseLength];
		return length === 0 ? undefined : this.part(OCTET.response, length);
	}

	set expectedResponse(response: Uint8Array | undefined) {
		this.memory.octets[4 * this.word + OCTET.responseLength] = response?.length ?? 0;
		if (response !== undefined) this.put(OCTET.response, response);
	}

	/** Not a copy. */
	get easId(): Uint8Array {
		return this.part(OCTET.easId, this.memory.octets[4 * this.word + OCTET.easIdLength]);
	}

	set easId(easId: Uint8Array) {
		this.memory.octets[4 * this.word + OCTET.easIdLength] = easId.length;
		this.put(OCTET.easId, easId);
	}

	/** Whether {@link address} stands in the record. */
	get hasOwnAddress(): boolean {
		return this.memory.octets[4 * this.word + OCTET.addressLength] !== ADDRESS_ELSEWHERE;
	}

	/** Undefined where it is too long for the record, or is not of octets: then it is kept elsewhere. */
	get address(): string | undefined {
		const { octets } = this.memory;
		const at = 4 * this.word;
		const length = octets[at + OCTET.addressLength];
		if (length === ADDRESS_ELSEWHERE) return undefined;
		let address = "";
		for (let i = 0; i < length; i++) address += String.fromCharCode(octets[at + OCTET.address + i]);
		return address;
	}

	/** @returns false where the address must be kept elsewhere */
	setAddress(address: string): boolean {
		const { octets } = this.memory;
		const at = 4 * this.word;
		octets[at + OCTET.addressLength] = ADDRESS_ELSEWHERE;
		if (address.length > LONGEST_ADDRESS) return false;
		for (let i = 0; i < address.length; i++) {
			const character = address.charCodeAt(i);
			if (character > 0xff) return false;
			octets[at + OCTET.address + i] = character;
		}
		octets[at + OCTET.addressLength] = address.length;
		return true;
	}

	/** Whether an address is that of the record; false where that is kept elsewhere. */
	hasAddress(address: string): boolean {
		const { octets } = this.memory;
		const at = 4 * this.word;
		const { length } = address;
		if (octets[at + OCTET.addressLength] !== length || length > LONGEST_ADDRESS) return false;
		// From the end: the addresses of many sources begin alike.
		for (let i = length - 1; i >= 0; i--) if (octets[at + OCTET.address + i] !== address.charCodeAt(i)) return false;
		return true;
	}

	/** Puts the COUNTs received on the user plane where a message is opened. */
	loadReceived(received: ReceivedCount): void {
		const { words } = this.memory;
		const { word } = this;
		received.last = words[word + WORD.userReceived] - 1;
		received.windowHigh = words[word + WORD.windowHigh];
		received.windowLow = words[word + WORD.windowLow];
	}

	storeReceived(received: ReceivedCount): void {
		const { words } = this.memory;
		const { word } = this;
		words[word + WORD.userReceived] = received.last + 1;
		words[word + WORD.windowHigh] = received.windowHigh;
		words[word + WORD.windowLow] = received.windowLow;
	}

	/** Copies the traffic keys into four keys of 16 octets. */
	copyTrafficKeys({ e2mEncryption, e2mIntegrity, e2eEncryption, e2eIntegrity }: TrafficKeys): void {
		const { octets } = this.memory;
		const at = 4 * this.word + OCTET.trafficKeys;
		for (let i = 0; i < 16; i++) {
			e2mEncryption[i] = octets[at + i];
			e2mIntegrity[i] = octets[at + 16 + i];
			e2eEncryption[i] = octets[at + 32 + i];
			e2eIntegrity[i] = octets[at + 48 + i];
		}
	}

	/** All octets of the record, not a copy. */
	get octets(): Uint8Array {
		return this.part(0, RECORD_OCTETS);
	}

	/** Fills the record with zero. */
	erase(): void {
		this.octets.fill(0);
	}

	private put(offset: number, octets: Uint8Array): void {
		copyOctets(this.memory.octets, 4 * this.word + offset, octets, 0, octets.length);
	}

	private part(offset: number, length: number): Uint8Array {
		const start = 4 * this.word + offset;
		return this.memory.octets.subarray(start, start + length);
	}
}
