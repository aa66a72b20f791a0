import { readFileSync } from "node:fs";
import { REFRESH_METHOD } from "../../firmware/emsdp/contents.js";
import { HEADER } from "../../firmware/emsdp/profile.js";
import { fromHex } from "../../host-tools/hex.js";
import type { Pair, SeededRandom } from "../support/pair.js";

const VECTORS = new URL("../vectors/emsdp/", import.meta.url);
const FILES = ["header", "invalid", "messages", "tlv", "transcripts"];
/** Where a vector holds a whole datagram, or a run of TLVs. */
const FIELDS: readonly string[] = ["datagram", "answer", "reply", "header", "tlv", "tlvs", "content"];

function collect(value: unknown, into: Map<string, Uint8Array>): void {
	if (Array.isArray(value)) for (const entry of value) collect(entry, into);
	else if (typeof value === "object" && value !== null)
		for (const [name, entry] of Object.entries(value)) {
			if (FIELDS.includes(name) && typeof entry === "string" && /^([\da-f]{2})+$/.test(entry))
				into.set(entry, fromHex(entry));
			else collect(entry, into);
		}
}

/** Every datagram of the vectors. */
export function vectorCorpus(): Uint8Array[] {
	const found = new Map<string, Uint8Array>();
	for (const file of FILES) collect(JSON.parse(readFileSync(new URL(`${file}.json`, VECTORS), "utf8")), found);
	return [...found.values()];
}

/** Lets everything on its way arrive, and keeps it. */
export function settleInto(pair: Pair, corpus: Uint8Array[]): void {
	while (pair.toHse.length + pair.toUe.length > 0) {
		for (const datagram of pair.toHse.splice(0)) {
			corpus.push(datagram);
			pair.deliverToHse(datagram);
		}
		for (const datagram of pair.toUe.splice(0)) {
			corpus.push(datagram);
			pair.deliverToUe(datagram);
		}
	}
}

/** Every datagram of a run in which a session is agreed, used, resumed and gets new keys. All of them have arrived. */
export function liveCorpus(pair: Pair): Uint8Array[] {
	const corpus: Uint8Array[] = [];
	pair.begin();
	settleInto(pair, corpus);
	for (const act of [
		() => pair.ue.resume(pair.now),
		() => pair.ue.refresh(pair.now, REFRESH_METHOD.chained),
		() => pair.ue.refresh(pair.now, REFRESH_METHOD.aka),
	]) {
		pair.send("uplink");
		pair.answerUe("downlink");
		settleInto(pair, corpus);
		act();
		pair.drainUe();
		settleInto(pair, corpus);
	}
	pair.answerUe("under the last key");
	settleInto(pair, corpus);
	return corpus;
}

/** One to four changes of a datagram; sometimes it is made one of a given session first. */
export function mutant(
	random: SeededRandom,
	corpus: readonly Uint8Array[],
	session?: { sessionId: number; keyId: number },
): Uint8Array {
	const below = (bound: number) => (random.next() >>> 5) % Math.max(1, bound);
	let octets = corpus[below(corpus.length)].slice();
	if (session !== undefined && octets.length >= HEADER.length && below(2) === 0) {
		octets[1] = (octets[1] & 0x87) | (session.keyId << HEADER.keyIdShift);
		for (let i = 0; i < 4; i++) octets[HEADER.sessionId + i] = session.sessionId >>> (24 - 8 * i);
	}
	for (let changes = 1 + below(4); changes > 0; changes--) {
		const at = below(octets.length);
		const what = below(8);
		if (what === 0) octets = octets.slice(0, at);
		else if (what === 1) octets = Uint8Array.of(...octets, ...random.octets(1 + below(40)));
		else if (what === 2) octets = Uint8Array.of(...octets.subarray(0, at), ...octets.subarray(at + 1 + below(4)));
		else if (what === 3)
			octets = Uint8Array.of(...octets.subarray(0, at), ...random.octets(1 + below(4)), ...octets.subarray(at));
		else if (what === 4) {
			const other = corpus[below(corpus.length)];
			octets = Uint8Array.of(...octets.subarray(0, at), ...other.subarray(below(other.length)));
		} else if (what === 5 && octets.length > 1) octets[1] = random.next() >>> 9;
		else if (octets.length > 0) octets[at] = what === 6 ? octets[at] ^ (1 << below(8)) : random.next() >>> 9;
	}
	return octets;
}
