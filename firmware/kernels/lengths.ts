/** The guards that all kernels share. Written so that NaN fails them, too. */
import { KernelError, MESSAGE_CAPACITY } from "./kernel.js";

/** @throws KernelError `key-length` */
export function checkKeys(encryptionKey: Uint8Array, integrityKey: Uint8Array): void {
	if (encryptionKey.length !== 16 || integrityKey.length !== 16) {
		throw new KernelError("key-length", "An AES-128 key must have 16 octets.");
	}
}

/** For {@link Kernel.protect} and {@link Kernel.unprotect}. @throws KernelError `message-length` */
export function checkLengths(cipherStart: number, length: number, macLength: number): void {
	if (macLength !== 4 && macLength !== 8) {
		throw new KernelError("message-length", "macLength must be 4 or 8.");
	}
	if (!(length >= 0 && length + macLength <= MESSAGE_CAPACITY)) {
		throw new KernelError("message-length", `length + macLength must be at most ${MESSAGE_CAPACITY} octets.`);
	}
	if (!(cipherStart >= 0 && cipherStart <= length)) {
		throw new KernelError("message-length", "cipherStart must be in 0 .. length.");
	}
}

const LONGEST_IN_BITS = (MESSAGE_CAPACITY - 16) * 8;

/** For {@link Kernel.ctr} and {@link Kernel.cmac}, which need 16 octets more. @throws KernelError `message-length` */
export function checkBitLength(bitLength: number): void {
	if (!(bitLength >= 0 && bitLength <= LONGEST_IN_BITS)) {
		throw new KernelError("message-length", `bitLength must be in 0 .. ${LONGEST_IN_BITS}.`);
	}
}
