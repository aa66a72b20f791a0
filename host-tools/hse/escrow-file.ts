import { constants, createPublicKey, type KeyObject, publicEncrypt } from "node:crypto";
import { closeSync, fsyncSync, openSync } from "node:fs";
import { sessionIdText, toHex } from "../hex.js";
import { appendLine } from "./append-line.js";

/** A K_EAS_PSK that is about to leave the HSE. */
export interface EscrowCopy {
	/** The EAS of the session. */
	readonly easId: string;
	/** The application server that is given the key by a northbound API. */
	readonly applicationServer?: string;
	readonly imsi: string;
	readonly sessionId: number;
	readonly keyId: number;
	/** Secret; the caller erases it. */
	readonly key: Uint8Array;
}

/** Where copies of keys go before the keys leave the HSE. */
export interface Escrow {
	/** @throws what the medium says; then the key is not given out */
	put(copy: EscrowCopy): void;
}

/**
 * Copies of keys in a file, each as one line of JSON, enciphered to somebody whose private key is not on this machine
 * (RSA-OAEP with SHA-256). A line is on the medium when {@link put} returns.
 */
export class EscrowFile implements Escrow {
	private readonly file: number;
	private readonly recipient: KeyObject;

	/** @param recipient RSA public key or certificate, PEM @throws Error where it is none, or of node:fs */
	constructor(path: string, recipient: string) {
		this.recipient = createPublicKey(recipient);
		const size = this.recipient.asymmetricKeyDetails?.modulusLength ?? 0;
		if (this.recipient.asymmetricKeyType !== "rsa" || size < 2048)
			throw new Error("it must be an RSA public key of 2,048 bits or more");
		this.file = openSync(path, "a", 0o600);
	}

	put({ key, sessionId, ...rest }: EscrowCopy): void {
		const padding = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" };
		const line = {
			time: new Date().toISOString(),
			...rest,
			sessionId: sessionIdText(sessionId),
			key: toHex(publicEncrypt({ key: this.recipient, ...padding }, key)),
		};
		appendLine(this.file, JSON.stringify(line));
		fsyncSync(this.file);
	}

	close(): void {
		closeSync(this.file);
	}
}
