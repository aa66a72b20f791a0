import { describe, expect, test } from "@jest/globals";
import { COMMAND, HEADER } from "../../firmware/emsdp/profile.js";
import { toHex } from "../../host-tools/hex.js";
import { Pair, SeededRandom } from "../support/pair.js";

const INPUTS = 20_000;
/** What only a genuine message may meet. */
const FORBIDDEN: readonly string[] = ["accept", "repetition"];

/** Octets that are now random, now a real message that was changed. */
function mutant(random: SeededRandom, corpus: readonly Uint8Array[]): Uint8Array {
	if (random.next() % 4 === 0) return random.octets(random.next() % 64);
	const octets = corpus[random.next() % corpus.length].slice();
	for (let changes = 1 + (random.next() % 3); changes > 0; changes--)
		if (octets.length > 0) octets[random.next() % octets.length] = random.next() >>> 7;
	return random.next() % 5 === 0 ? octets.subarray(0, random.next() % (octets.length + 1)) : octets;
}

describe("garbage", () => {
	for (const seed of [1, 2, 3])
		test(`${INPUTS} changed and random datagrams neither throw nor reach the application (seed ${seed})`, () => {
			const pair = new Pair({ seed });
			const random = new SeededRandom(seed + 100);
			pair.begin();
			const corpus = [pair.toHse[0]];
			pair.deliverToHse();
			corpus.push(pair.toUe[0]);
			pair.deliverToUe();
			corpus.push(pair.toHse[0]);
			pair.settle();
			corpus.push(pair.send("uplink"));
			pair.settle();
			corpus.push(pair.answerUe("downlink"));
			pair.settle();
			const genuine = new Set(corpus.map(String));
			const session = pair.ue.session;
			for (let i = 0; i < INPUTS; i++) {
				const octets = mutant(random, corpus);
				if (genuine.has(String(octets))) continue;
				const toHse = pair.deliverToHse(octets, `source ${i % 7}`);
				const toUe = pair.deliverToUe(octets);
				// A Session Request is not protected: a changed one is a new one, and the same change twice a repetition.
				const isRequest = octets[HEADER.length] === COMMAND.sessionRequest;
				if (FORBIDDEN.includes(toUe) || (FORBIDDEN.includes(toHse) && !isRequest))
					throw new Error(`seed ${seed}, input ${i}, ${toHex(octets)}: HSE "${toHse}", UE "${toUe}"`);
				pair.toHse.length = 0;
				pair.toUe.length = 0;
				pair.now += 10;
			}
			expect(pair.uplinks).toEqual(["uplink"]);
			expect(pair.downlinks).toEqual(["downlink"]);
			expect(pair.ue.session).toBe(session);
			pair.send("after all that");
			expect(pair.deliverToHse()).toBe("accept");
		});
});
