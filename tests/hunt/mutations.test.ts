import { describe, expect, test } from "@jest/globals";
import { REFRESH_METHOD } from "../../firmware/emsdp/contents.js";
import { EmsdpError } from "../../firmware/emsdp/errors.js";
import { decodeMessage } from "../../firmware/emsdp/message.js";
import { toHex } from "../../host-tools/hex.js";
import { loadKernel } from "../../host-tools/kernel.js";
import { IMSI, Pair, type PairOptions, SeededRandom } from "../support/pair.js";
import { liveCorpus, mutant, vectorCorpus } from "./corpus.js";
import { TIMES } from "./times.js";

/** Inputs for the decoders and for all live ends together: 50,000, or 1,000,000 at night. */
const DECODER_INPUTS = 20_000 * TIMES;
const LIVE_INPUTS = 30_000 * TIMES;
/** After so many inputs the two ends must still talk to each other. */
const CHECK_EVERY = 500;

const vectors = vectorCorpus();
const kernel = loadKernel();

test("there is a corpus", () => {
	expect(vectors.length).toBeGreaterThan(900);
});

test(`${DECODER_INPUTS} changed messages: a message or the one error class`, () => {
	const random = new SeededRandom(1);
	let messages = 0;
	for (let i = 0; i < DECODER_INPUTS; i++) {
		const octets = mutant(random, vectors);
		try {
			decodeMessage(octets, (i & 1) === 0, i % 3);
			messages++;
		} catch (error) {
			if (!(error instanceof EmsdpError)) throw new Error(`input ${i}, ${toHex(octets)}: ${error}`);
		}
	}
	expect(messages).toBeGreaterThan(DECODER_INPUTS / 20);
	expect(messages).toBeLessThan(DECODER_INPUTS);
});

/** What nobody without the keys may change. A hint may start a resume or an attempt; it touches none of this. */
function authenticState(pair: Pair): string {
	const of = (session: Pair["ue"]["session"] | ReturnType<Pair["hse"]["sessionOf"]>) => {
		if (session === undefined) return "none";
		const { parameters, control, user } = session.context;
		return `${parameters.sessionId} ${parameters.keyId} ${control.received.last} ${user.received.last} ${user.received.windowLow} ${user.next}`;
	};
	return `${of(pair.ue.session)} / ${of(pair.hse.sessionOf(IMSI))} / ${pair.uplinks.length} ${pair.downlinks.length}`;
}

interface Situation {
	readonly name: string;
	readonly options: PairOptions;
	/** Brings the two ends into the situation. Outputs are on their way, and stay so. */
	readonly enter: (pair: Pair) => void;
}

const sessionIdOf = (pair: Pair) => pair.hse.sessionOf(IMSI)?.sessionId ?? 0;
const SITUATIONS: readonly Situation[] = [
	{ name: "a live session, 3 bits, M = 4", options: {}, enter: () => {} },
	{
		name: "a live session, 11 bits, M = 8",
		options: { policy: { counterSchemes: [1], macLengths: [8] } },
		enter: () => {},
	},
	{ name: "integrity only, 19 bits", options: { service: 1, policy: { counterSchemes: [2] } }, enter: () => {} },
	{
		name: "a resume after a power cut",
		options: {},
		enter: (pair) => {
			pair.cutPower();
			pair.ue.resume(pair.now);
		},
	},
	{
		name: "new keys on offer",
		options: { policy: { macLengths: [8] } },
		enter: (pair) => pair.hse.refresh(pair.now, sessionIdOf(pair), REFRESH_METHOD.aka),
	},
	{ name: "new keys asked for", options: {}, enter: (pair) => pair.ue.refresh(pair.now, REFRESH_METHOD.chained) },
	{ name: "a new session under way", options: {}, enter: (pair) => pair.ue.begin(pair.now) },
];

describe("changed messages at both ends", () => {
	const inputs = Math.ceil(LIVE_INPUTS / SITUATIONS.length);

	test.each(SITUATIONS)(
		"$name: neither throws, nor changes what only the other end may change",
		({ options, enter }) => {
			const pair = new Pair({ ...options, kernel });
			const random = new SeededRandom(33163);
			const corpus = liveCorpus(pair);
			const all = [...corpus, ...corpus, ...vectors];
			let number = 0;
			for (let i = 0; i < inputs; ) {
				enter(pair);
				pair.drainUe();
				pair.drainHse();
				const onTheirWay = [pair.toHse.splice(0), pair.toUe.splice(0)];
				const before = authenticState(pair);
				const { sessionId = 1, keyId = 1 } = pair.ue.session?.context.parameters ?? {};
				for (const end = i + CHECK_EVERY; i < end && i < inputs; i++) {
					const octets = mutant(random, all, { sessionId, keyId });
					try {
						pair.deliverToHse(octets, `source ${i % 50}`);
						pair.deliverToUe(octets);
					} catch (error) {
						throw new Error(`input ${i}, ${toHex(octets)}: ${error}`);
					}
					const after = authenticState(pair);
					if (after !== before) throw new Error(`input ${i}, ${toHex(octets)}: ${before} became ${after}`);
					pair.toHse.length = 0;
					pair.toUe.length = 0;
					pair.now += 1000;
				}
				// What was on its way arrives late, if anybody still waits for it; then the ends go on.
				pair.toHse.push(...onTheirWay[0]);
				pair.toUe.push(...onTheirWay[1]);
				pair.now += 64_000;
				pair.settle();
				for (let tries = 0; !pair.uplinks.includes(`after ${number}`); tries++) {
					if (tries > 5) throw new Error(`after input ${i} the ends are lost to each other`);
					while ((pair.ue.isAttempting || !pair.ue.session?.canSend) && pair.wait()) pair.settle();
					number++;
					pair.send(`after ${number}`);
					pair.settle();
				}
				pair.answerUe(`answer ${number}`);
				pair.settle();
				expect(pair.downlinks).toContain(`answer ${number}`);
				while ((pair.ue.isAttempting || pair.ue.session?.state !== "live") && pair.wait()) pair.settle();
				pair.hseEvents.length = 0;
				pair.ueEvents.length = 0;
			}
		},
	);
});
