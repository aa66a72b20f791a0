import type { Kernel, KeySet } from "../kernels/kernel.js";
import { hmacSha256 } from "../keys/sha256.js";
import { FRAME, PUBLIC_KEY_OCTETS, SEAL_OCTETS } from "./protocol.js";

/** DIRECTION as in EMSDP: 0 from the laptop, 1 to it. BEARER 2: EMSDP has 0 and 1. */
const BEARER = 2;
export const TO_DEVICE = 0;
export const TO_LAPTOP = 1;

const KEY_OCTETS = 16;
/** "BEST provisioning 1" */
const SALT = Uint8Array.of(66, 69, 83, 84, 32, 112, 114, 111, 118, 105, 115, 105, 111, 110, 105, 110, 103, 32, 49);

/** HKDF-SHA-256 (RFC 5869). @param length at most 8,160 octets */
export function hkdf(secret: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array {
	const key = hmacSha256(salt, secret);
	const output = new Uint8Array(length);
	let block: Uint8Array = new Uint8Array(0);
	for (let at = 0, number = 1; at < length; number++) {
		const input = new Uint8Array(block.length + info.length + 1);
		input.set(block);
		input.set(info, block.length);
		input[input.length - 1] = number;
		block.fill(0);
		block = hmacSha256(key, input);
		input.fill(0);
		output.set(block.subarray(0, Math.min(block.length, length - at)), at);
		at += block.length;
	}
	key.fill(0);
	block.fill(0);
	return output;
}

/**
 * What two ends that share an X25519 secret say to each other: AES-128 in counter mode, then a CMAC of 8 octets over all of
 * the frame, with keys and a counter of their own for each direction. A frame is taken once and in order.
 */
export class Channel {
	private readonly kernel: Kernel;
	private readonly keySets: readonly [KeySet, KeySet];
	private readonly counts: [number, number] = [0, 0];

	/** @param secret of X25519, erased here; never all zero */
	constructor(kernel: Kernel, secret: Uint8Array, devicePublicKey: Uint8Array, laptopPublicKey: Uint8Array) {
		const info = new Uint8Array(2 * PUBLIC_KEY_OCTETS);
		info.set(devicePublicKey);
		info.set(laptopPublicKey, PUBLIC_KEY_OCTETS);
		const keys = hkdf(secret, SALT, info, 4 * KEY_OCTETS);
		const key = (index: number) => keys.subarray(index * KEY_OCTETS, (index + 1) * KEY_OCTETS);
		this.kernel = kernel;
		this.keySets = [kernel.createKeySet(), kernel.createKeySet()];
		kernel.setKeys(this.keySets[TO_DEVICE], key(0), key(1));
		kernel.setKeys(this.keySets[TO_LAPTOP], key(2), key(3));
		keys.fill(0);
		secret.fill(0);
	}

	/** Seals the body of a frame in place; the MAC follows at `length`. @returns the length with the MAC */
	seal(contents: Uint8Array, length: number, direction: 0 | 1): number {
		const { kernel } = this;
		kernel.message.set(contents.subarray(0, length));
		const count = this.counts[direction]++;
		kernel.protect(this.keySets[direction], count, placed(direction), FRAME.body, length, SEAL_OCTETS);
		contents.set(kernel.message.subarray(0, length + SEAL_OCTETS));
		kernel.erase();
		return length + SEAL_OCTETS;
	}

	/** Opens the body of a frame in place. @returns the length without the MAC, −1 where that is wrong */
	open(contents: Uint8Array, length: number, direction: 0 | 1): number {
		const { kernel } = this;
		const end = length - SEAL_OCTETS;
		if (end < FRAME.body) return -1;
		kernel.message.set(contents.subarray(0, length));
		const count = this.counts[direction];
		const isRight = kernel.unprotect(this.keySets[direction], count, placed(direction), FRAME.body, end, SEAL_OCTETS);
		if (isRight) {
			this.counts[direction]++;
			contents.set(kernel.message.subarray(0, end));
		}
		kernel.erase();
		return isRight ? end : -1;
	}

	/** The object is of no use afterwards. */
	erase(): void {
		for (const keySet of this.keySets) this.kernel.eraseKeys(keySet);
	}
}

function placed(direction: number): number {
	return (BEARER << 3) | (direction << 2);
}
