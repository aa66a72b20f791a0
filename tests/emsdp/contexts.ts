import { ALGORITHM, DIRECTION, MODE, SERVICE } from "../../firmware/emsdp/profile.js";
import { type Plane, SecurityContext, type SecurityParameters } from "../../firmware/emsdp/security-context.js";
import type { Kernel } from "../../firmware/kernels/kernel.js";

export const CONFIDENTIAL: SecurityParameters = {
	sessionId: 0x89abcdef,
	keyId: 5,
	agreement: 1,
	encryption: ALGORITHM.aes,
	integrity: ALGORITHM.aes,
	counterScheme: 0,
	macLength: 4,
	service: SERVICE.confidential,
	mode: MODE.ueToHse,
};

/** Both ends of one set of keys. @param seed any octet: other seeds are other keys */
export function bothEnds(kernel: Kernel, changes: Partial<SecurityParameters> = {}, seed = 1) {
	const parameters = { ...CONFIDENTIAL, ...changes };
	const key = (number: number) => new Uint8Array(16).fill(seed).fill(number, 8);
	const keys = { e2mEncryption: key(1), e2mIntegrity: key(2), e2eEncryption: key(3), e2eIntegrity: key(4) };
	const ends = {
		ue: new SecurityContext(kernel, parameters, keys, DIRECTION.fromUe),
		hse: new SecurityContext(kernel, parameters, keys, DIRECTION.toUe),
	};
	return ends;
}

/** Protects contents. @returns the datagram */
export function sealed(kernel: Kernel, plane: Plane, contents: Uint8Array): Uint8Array {
	kernel.message.fill(0xee);
	kernel.message.set(contents, plane.headerOctets);
	return kernel.message.slice(0, plane.seal(contents.length));
}

/** Everything of a plane that a message can move. */
export function photograph({ next, received }: Plane) {
	return [next, received.last, received.windowHigh, received.windowLow];
}
