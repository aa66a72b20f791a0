import type { Kernel } from "../kernels/kernel.js";

const PART = 16;
const CHECK_OCTETS = 3;

/**
 * Key check values: for each 16 octets, in order, the first 3 octets of the CMAC (RFC 4493) of 16 zero octets under them; a
 * last part that is shorter is filled up with zeros. They tell that two sides hold the same credentials and, of 128 bits,
 * give 24 away.
 */
export function checkValues(kernel: Kernel, credentials: Uint8Array): Uint8Array {
	const values = new Uint8Array(CHECK_OCTETS * Math.ceil(credentials.length / PART));
	const keySet = kernel.createKeySet();
	const key = new Uint8Array(PART);
	for (let part = 0; part * PART < credentials.length; part++) {
		key.fill(0);
		key.set(credentials.subarray(part * PART, (part + 1) * PART));
		kernel.setKeys(keySet, key, key);
		kernel.message.fill(0, 0, PART);
		kernel.cmac(keySet, 8 * PART);
		values.set(kernel.message.subarray(PART, PART + CHECK_OCTETS), part * CHECK_OCTETS);
	}
	key.fill(0);
	kernel.eraseKeys(keySet);
	kernel.erase();
	return values;
}
