import { decodeImsi } from "../../firmware/emsdp/imsi.js";
import { TAG } from "../../firmware/emsdp/profile.js";
import type { AuthenticationVector } from "../../firmware/keys/aka.js";
import type { VectorRequest } from "./events.js";
import type { VectorAnswer } from "./hse.js";
import { eraseCredentials } from "./vector.js";

/*
 * What the authentication centre is asked and answers, on its way between two threads. Objects are copied part by part
 * there, which costs more than to make them; so what is usual goes as a text and as octets.
 */

/** The digits of an IMSI of which a vector is asked, and nothing else; or a request as it is. */
export type PackedRequest = string | VectorRequest;

/** @param Other what may stand in place of an answer */
export interface PackedAnswers<Other> {
	/** The digits of the IMSI of a vector; any other answer as it is. */
	readonly answers: readonly (string | VectorAnswer | Other)[];
	/** The vectors, in order. Secret. */
	readonly vectors: Uint8Array<ArrayBuffer>;
}

const RAND = 0;
const AUTN = 16;
const CK = 32;
const IK = 48;
const XRES_LENGTH = 64;
const XRES = 65;
const VECTOR_OCTETS = 81;

export function packRequest(request: VectorRequest): PackedRequest {
	const { identity, keyReference, resynchronisation } = request;
	const isUsual = identity.tag === TAG.imsi && keyReference === undefined && resynchronisation === undefined;
	return (isUsual ? decodeImsi(identity.value) : undefined) ?? request;
}

/** @returns a copy, whose octets can be handed over; the vectors are erased */
export function packAnswers<Other>(answers: readonly (VectorAnswer | Other)[]): PackedAnswers<Other> {
	const vectors = new Uint8Array(VECTOR_OCTETS * answers.length);
	let at = 0;
	const packed = answers.map((answer) => {
		if (typeof answer !== "object" || answer === null || !("vector" in answer)) return answer;
		const { rand, autn, ck, ik, xres } = answer.vector;
		vectors.set(rand, at + RAND);
		vectors.set(autn, at + AUTN);
		vectors.set(ck, at + CK);
		vectors.set(ik, at + IK);
		vectors[at + XRES_LENGTH] = xres.length;
		vectors.set(xres, at + XRES);
		at += VECTOR_OCTETS;
		eraseCredentials(answer);
		return answer.imsi;
	});
	return { answers: packed, vectors };
}

/** The reverse of {@link packAnswers}; the octets are erased. */
export function unpackAnswers<Other>({ answers, vectors }: PackedAnswers<Other>): (VectorAnswer | Other)[] {
	let at = 0;
	const unpacked = answers.map((answer) => {
		if (typeof answer !== "string") return answer;
		const vector = vectorAt(vectors, at);
		at += VECTOR_OCTETS;
		return { imsi: answer, vector };
	});
	vectors.fill(0);
	return unpacked;
}

function vectorAt(octets: Uint8Array, at: number): AuthenticationVector {
	const part = (start: number, length = 16) => octets.slice(at + start, at + start + length);
	return {
		rand: part(RAND),
		autn: part(AUTN),
		xres: part(XRES, octets[at + XRES_LENGTH]),
		ck: part(CK),
		ik: part(IK),
	};
}
