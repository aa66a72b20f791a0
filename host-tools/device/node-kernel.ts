import { type Kernel, MESSAGE_CAPACITY } from "../../firmware/kernels/kernel.js";
import { exactArgument, octetsArgument, unsignedArgument } from "./node-arguments.js";

const KEY_OCTETS = 16;
const BLOCK_OCTETS = 16;
/** A key set is here the two keys: the kernel expands them again when they are not the ones it had last. */
const KEY_SET_OCTETS = 2 * KEY_OCTETS;

function messageArgument(value: unknown, least: number): Uint8Array {
	const message = octetsArgument(value, "message");
	if (message.length < least) throw new RangeError(`message must have at least ${least} octets.`);
	return message;
}

/** A length in bits of data that leave room for one block more in `message`. */
function bitLengthArgument(value: unknown): number {
	return unsignedArgument(value, "bitLength", (MESSAGE_CAPACITY - BLOCK_OCTETS) * 8);
}

/** `host.kernel…` over the WebAssembly kernel. */
export function nodeKernel(kernel: Kernel) {
	const expanded = kernel.createKeySet();
	const last = new Uint8Array(KEY_SET_OCTETS);
	kernel.setKeys(expanded, last.subarray(0, KEY_OCTETS), last.subarray(KEY_OCTETS));

	function use(value: unknown) {
		const keySet = exactArgument(value, "keySet", KEY_SET_OCTETS);
		if (keySet.some((octet, index) => octet !== last[index])) {
			last.set(keySet);
			kernel.setKeys(expanded, last.subarray(0, KEY_OCTETS), last.subarray(KEY_OCTETS));
		}
		return expanded;
	}

	/** Runs `action` over the first octets of the bundle's message. */
	function inPlace<T>(message: Uint8Array, length: number, action: () => T): T {
		kernel.message.set(message.subarray(0, length));
		const result = action();
		message.set(kernel.message.subarray(0, length));
		return result;
	}

	type MessageArguments = [unknown, unknown, unknown, unknown, unknown, unknown, unknown];
	function messageArguments(given: MessageArguments) {
		const count = unsignedArgument(given[2], "count", 0xffffffff);
		const bearerAndDirection = unsignedArgument(given[3], "bearerAndDirection", 255);
		const length = unsignedArgument(given[5], "length", MESSAGE_CAPACITY - 4);
		const macLength = unsignedArgument(given[6], "macLength", 8);
		const cipherStart = unsignedArgument(given[4], "cipherStart", length);
		if (macLength !== 4 && macLength !== 8) throw new RangeError("macLength must be 4 or 8.");
		unsignedArgument(length + macLength, "length + macLength", MESSAGE_CAPACITY);
		const keySet = use(given[0]);
		const message = messageArgument(given[1], length + macLength);
		return { keySet, message, count, bearerAndDirection, cipherStart, length, macLength };
	}

	return {
		kernelName: "best-ct (WebAssembly)",
		kernelKeySetOctets: KEY_SET_OCTETS,
		kernelSetKeys(keySet: unknown, encryptionKey: unknown, integrityKey: unknown): void {
			const target = exactArgument(keySet, "keySet", KEY_SET_OCTETS);
			target.set(exactArgument(encryptionKey, "encryptionKey", KEY_OCTETS));
			target.set(exactArgument(integrityKey, "integrityKey", KEY_OCTETS), KEY_OCTETS);
		},
		kernelProtect(...given: MessageArguments): void {
			const m = messageArguments(given);
			inPlace(m.message, m.length + m.macLength, () =>
				kernel.protect(m.keySet, m.count, m.bearerAndDirection, m.cipherStart, m.length, m.macLength),
			);
		},
		kernelUnprotect(...given: MessageArguments): boolean {
			const m = messageArguments(given);
			return inPlace(m.message, m.length + m.macLength, () =>
				kernel.unprotect(m.keySet, m.count, m.bearerAndDirection, m.cipherStart, m.length, m.macLength),
			);
		},
		kernelEncryptBlocks(keySet: unknown, message: unknown): void {
			const used = use(keySet);
			inPlace(messageArgument(message, 2 * BLOCK_OCTETS), 2 * BLOCK_OCTETS, () => kernel.encryptBlocks(used));
		},
		kernelCtr(keySet: unknown, message: unknown, bitLength: unknown): void {
			const used = use(keySet);
			const bits = bitLengthArgument(bitLength);
			const length = BLOCK_OCTETS + Math.ceil(bits / 8);
			inPlace(messageArgument(message, length), length, () => kernel.ctr(used, bits));
		},
		kernelCmac(keySet: unknown, message: unknown, bitLength: unknown): void {
			const used = use(keySet);
			const bits = bitLengthArgument(bitLength);
			const length = Math.ceil(bits / 8) + BLOCK_OCTETS;
			inPlace(messageArgument(message, length), length, () => kernel.cmac(used, bits));
		},
		kernelErase(): void {
			kernel.erase();
		},
	};
}
