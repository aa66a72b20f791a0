import { AGREEMENT } from "../../firmware/emsdp/profile.js";
import type { AuthenticationVector } from "../../firmware/keys/aka.js";
import { baseKeyFromAka, resStar } from "../../firmware/keys/hierarchy.js";
import type { Credentials } from "./events.js";

/** Erases the secrets of a vector. */
function eraseVector({ xres, ck, ik }: AuthenticationVector): void {
	for (const secret of [xres, ck, ik]) secret.fill(0);
}

/** Erases the secrets of an authentication centre's answer. */
export function eraseCredentials(credentials: Credentials): void {
	if ("vector" in credentials) eraseVector(credentials.vector);
	else credentials.sharedKey.fill(0);
}

/**
 * K_base and the response to wait for; the vector is erased.
 * @param network value of tag 05 behind its form octet
 */
export function useVector(agreement: number, network: Uint8Array, vector: AuthenticationVector) {
	const { rand, autn, xres, ck, ik } = vector;
	const baseKey = baseKeyFromAka(agreement, { ck, ik, sqnXorAk: autn.subarray(0, 6), servingNetwork: network });
	const expectedResponse = agreement === AGREEMENT.fiveGAka ? resStar(ck, ik, network, rand, xres) : xres.slice();
	eraseVector(vector);
	return { baseKey, expectedResponse };
}
