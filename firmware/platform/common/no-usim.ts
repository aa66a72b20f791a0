import type { AuthenticationResult, Usim } from "../../ports/usim.js";

/** In place of a USIM where keys come from a pre-shared key: an IMSI, and no AKA. */
export class NoUsim implements Usim {
	private readonly imsi: Uint8Array;

	/** @param imsi EF_IMSI bytes 2–9 */
	constructor(imsi: Uint8Array) {
		this.imsi = imsi;
	}

	readImsi(done: (imsi: Uint8Array) => void): void {
		done(this.imsi);
	}

	authenticate(_rand: Uint8Array, _autn: Uint8Array, done: (result: AuthenticationResult) => void): void {
		done({ status: "MAC failure" });
	}
}
