import { type AkaFunctions, makeAuts, verifyAutn } from "../../keys/aka.js";
import { AcceptedSqns } from "../../keys/sqn.js";
import type { Store } from "../../ports/store.js";
import type { AuthenticationResult, Usim } from "../../ports/usim.js";

/** Key of the accepted SQNs in the store. */
export const SQN_KEY = "sqn";

/** A USIM in software, for boards without a SIM: K and OPc are in the device's store, and so are the SQNs accepted. */
export class SoftUsim implements Usim {
	private readonly functions: AkaFunctions;
	private readonly imsi: Uint8Array;
	private readonly store: Store;
	private readonly sqns: AcceptedSqns;

	/**
	 * @param imsi EF_IMSI bytes 2–9
	 * @param sqnMs SQN to begin with where the store holds none
	 * @param ageLimit L of TS 33.102 C.2.2, none by default
	 * @throws Error if the store holds what is no record of SQNs: to begin anew would make old challenges fresh again
	 */
	constructor(functions: AkaFunctions, imsi: Uint8Array, store: Store, sqnMs = 0, ageLimit?: number) {
		this.functions = functions;
		this.imsi = imsi;
		this.store = store;
		const stored = store.read(SQN_KEY);
		const sqns = stored === undefined ? new AcceptedSqns(sqnMs, ageLimit) : AcceptedSqns.decode(stored, ageLimit);
		if (sqns === undefined) throw new Error("The SQNs in the store are damaged: provision the device again.");
		this.sqns = sqns;
	}

	readImsi(done: (imsi: Uint8Array) => void): void {
		done(this.imsi);
	}

	authenticate(rand: Uint8Array, autn: Uint8Array, done: (result: AuthenticationResult) => void): void {
		const verified = verifyAutn(this.functions, rand, autn);
		if (verified === undefined) {
			done({ status: "MAC failure" });
			return;
		}
		const { res, ck, ik } = verified.vectors;
		if (!this.sqns.accept(verified.sqn)) {
			ck.fill(0);
			ik.fill(0);
			const auts = makeAuts(this.functions, rand, this.sqns.highest());
			done({ status: "synchronisation failure", auts });
			return;
		}
		// Written before RES leaves the device: no SQN is accepted twice, whatever happens to the power supply.
		this.store.write(SQN_KEY, this.sqns.encode());
		done({ status: "success", res, ck, ik });
	}
}
