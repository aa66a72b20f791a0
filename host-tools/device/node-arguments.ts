/** Checks of what a bundle hands to a function of `host`: the same rules and sentences as the XS host has. */

/** @throws TypeError */
export function octetsArgument(value: unknown, name: string): Uint8Array {
	// By tag, not by class: the bundle has classes of its own.
	if (!ArrayBuffer.isView(value) || (value as Uint8Array).BYTES_PER_ELEMENT !== 1) {
		throw new TypeError(`${name} must be a Uint8Array.`);
	}
	// Of a detached buffer, this throws TypeError.
	return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}

/** @throws RangeError if there are not exactly `length` octets */
export function exactArgument(value: unknown, name: string, length: number): Uint8Array {
	const octets = octetsArgument(value, name);
	if (octets.length !== length) throw new RangeError(`${name} must have ${length} octets.`);
	return octets;
}

/** @throws TypeError, RangeError */
export function unsignedArgument(value: unknown, name: string, most: number): number {
	if (typeof value !== "number") throw new TypeError(`${name} must be a number.`);
	if (!Number.isInteger(value) || value < 0 || value > most) {
		throw new RangeError(`${name} must be an integer from 0 to ${most}.`);
	}
	return value;
}

/** @throws TypeError, RangeError */
export function numberArgument(value: unknown, name: string): number {
	if (typeof value !== "number") throw new TypeError(`${name} must be a number.`);
	if (!Number.isFinite(value)) throw new RangeError(`${name} must be finite.`);
	return value;
}

/** @throws TypeError */
export function stringArgument(value: unknown, name: string): string {
	if (typeof value !== "string") throw new TypeError(`${name} must be a string.`);
	return value;
}
