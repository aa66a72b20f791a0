/** The numbers of the provisioning console (docs/provisioning.md). All of them are this project's own. */

export const CONSOLE_VERSION = 1;

/** Contents of a frame: version, kind, tag, then the body. The tag of a request comes back in its answer. */
export const FRAME = { version: 0, kind: 1, tag: 2, body: 3 } as const;

/** Requests. An answer has {@link ANSWER} set as well. */
export const REQUEST = {
	/** Nothing → the device's public key. */
	identify: 1,
	/** The laptop's public key → nothing, sealed: the device has the private key. */
	agree: 2,
	/** A record of the identity, sealed → check values of its secrets, sealed: it is in the store. */
	write: 3,
} as const;

export const ANSWER = 0x80;
/** In place of an answer: one octet, why. In clear, so a hint only. */
export const REFUSAL = 0xff;

export const REFUSED = {
	/** The version of the refusal is the one to use. */
	version: 1,
	request: 2,
	malformed: 3,
	closed: 4,
	notAgreed: 5,
	publicKey: 6,
	authentication: 7,
	identity: 8,
	store: 9,
} as const;

export const PUBLIC_KEY_OCTETS = 32;
/** Octets of the MAC of a sealed body. */
export const SEAL_OCTETS = 8;
