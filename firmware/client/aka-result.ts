import { AGREEMENT } from "../emsdp/profile.js";
import { resStar } from "../keys/hierarchy.js";
import type { AuthenticationResult } from "../ports/usim.js";

/** AMF separation bit: b8 of the first octet of AMF, octet 6 of AUTN (TS 33.401 6.1.2, TS 33.501 6.1.3). */
const AMF_OFFSET = 6;
const SEPARATION_BIT = 0x80;

/** Whether AUTN may be used with a key agreement: 2 to 4 need the separation bit (profile section 5). */
export function hasSeparationBit(agreement: number, autn: Uint8Array): boolean {
	return agreement === AGREEMENT.umtsAka || (autn[AMF_OFFSET] & SEPARATION_BIT) !== 0;
}

/** RES, or RES* for 5G AKA (TS 33.501 A.4): the value of tag 12. */
export function akaResponse(
	agreement: number,
	servingNetworkName: Uint8Array,
	rand: Uint8Array,
	{ ck, ik, res }: AuthenticationResult & { status: "success" },
): Uint8Array {
	return agreement === AGREEMENT.fiveGAka ? resStar(ck, ik, servingNetworkName, rand, res) : res;
}

/** Erases CK and IK. */
export function eraseResult(result: AuthenticationResult): void {
	if (result.status !== "success") return;
	result.ck.fill(0);
	result.ik.fill(0);
}
