/**
 * What an attacker without keys tries. Also on the list, each where its procedure is tested: forged rejects and cookie
 * theft (rejects.test.ts), floods in a UE's name (resistance.test.ts), false challenges (aka.test.ts), the path that a
 * comparison takes (kernels/constant-path.test.ts).
 */
import { describe, expect, test } from "@jest/globals";
import { REFRESH_METHOD } from "../../firmware/emsdp/contents.js";
import { Header, writeHeader } from "../../firmware/emsdp/header.js";
import { writeUint32 } from "../../firmware/emsdp/octets.js";
import { CAUSE, COMMAND, HEADER, TAG } from "../../firmware/emsdp/profile.js";
import { TlvScan, writeTlv } from "../../firmware/emsdp/tlv.js";
import { flipped, IMSI, Pair, type PairOptions, SeededRandom } from "../support/pair.js";

/** What an attacker must not change: who has which session, its keys and COUNTs, and what the applications have. */
function stateOf(pair: Pair): unknown {
	const ends = [pair.ue.session, pair.hse.sessionOf(IMSI)].map((session) => {
		if (session === undefined) return undefined;
		const { parameters, control, user } = session.context;
		const counts = [control, user].map(({ next, received }) => [next, received.last, received.windowLow]);
		return { parameters, counts, state: session.state };
	});
	return { ends, uplinks: pair.uplinks, downlinks: pair.downlinks, attempting: pair.ue.isAttempting };
}

/** A session in which every command has gone both ways, and all its datagrams. */
function recorded(options: PairOptions = {}) {
	const pair = new Pair(options);
	const fromUe: Uint8Array[] = [];
	const fromHse: Uint8Array[] = [];
	const settle = () => {
		while (pair.toHse.length + pair.toUe.length > 0) {
			for (const datagram of pair.toHse.splice(0)) {
				fromUe.push(datagram);
				pair.deliverToHse(datagram);
			}
			for (const datagram of pair.toUe.splice(0)) {
				fromHse.push(datagram);
				pair.deliverToUe(datagram);
			}
		}
	};
	const exchange = (text: string) => {
		pair.send(`${text} up`);
		pair.answerUe(`${text} down`);
		settle();
	};
	pair.begin();
	settle();
	exchange("first");
	pair.ue.resume(pair.now);
	pair.drainUe();
	settle();
	exchange("resumed");
	for (const method of [REFRESH_METHOD.chained, REFRESH_METHOD.aka]) {
		pair.ue.refresh(pair.now, method);
		pair.drainUe();
		settle();
		exchange(`method ${method}`);
	}
	return { pair, fromUe, fromHse };
}

/** Brings a datagram to an end from an address of its own, so that no block hides what becomes of it. */
class Forger {
	private addresses = 0;
	constructor(private readonly pair: Pair) {}

	toHse(datagram: Uint8Array): string {
		this.addresses++;
		const verdict = this.pair.deliverToHse(datagram, `forger ${this.addresses}`);
		this.pair.toUe.length = 0;
		return verdict;
	}

	/** After a block of the one source that a UE knows has gone by. */
	toUe(datagram: Uint8Array): string {
		this.pair.now += 64_000;
		const verdict = this.pair.deliverToUe(datagram);
		this.pair.toHse.length = 0;
		return verdict;
	}
}

const DATA = [0, 1, 2].flatMap((counterScheme) => [4, 8].map((macLength) => ({ counterScheme, macLength })));
const policyOf = ({ counterScheme, macLength }: (typeof DATA)[number]) => ({
	policy: { counterSchemes: [counterScheme], macLengths: [macLength] },
});
const isRequest = (datagram: Uint8Array) =>
	datagram[HEADER.length] === COMMAND.sessionRequest && (datagram[1] & 0x38) === 0;

describe.each(DATA)("counter scheme $counterScheme, M = $macLength", (choice) => {
	test("replay: every message of a session again, to where it went", () => {
		const { pair, fromUe, fromHse } = recorded(policyOf(choice));
		const forger = new Forger(pair);
		const before = stateOf(pair);
		for (const datagram of fromUe) {
			const verdict = forger.toHse(datagram);
			if (!isRequest(datagram)) expect(verdict).not.toBe("accept");
		}
		for (const datagram of fromHse) expect(forger.toUe(datagram)).not.toBe("accept");
		expect(stateOf(pair)).toEqual(before);
		expect(fromUe.length + fromHse.length).toBeGreaterThan(16);
	});

	test("reflection: every message back to its sender", () => {
		const { pair, fromUe, fromHse } = recorded(policyOf(choice));
		const forger = new Forger(pair);
		const before = stateOf(pair);
		for (const datagram of fromUe) expect(["accept", "repetition"]).not.toContain(forger.toUe(datagram));
		for (const datagram of fromHse) expect(["accept", "repetition"]).not.toContain(forger.toHse(datagram));
		expect(stateOf(pair)).toEqual(before);
	});

	test("cut and paste: a message of another session, of the other plane, of another direction, under another Key ID", () => {
		const { pair } = recorded(policyOf(choice));
		const other = recorded({ ...policyOf(choice), seed: 99 }).pair;
		const forger = new Forger(pair);
		const sessionId = pair.ue.session?.context.parameters.sessionId ?? 0;
		const up = pair.send("cut me up");
		const down = pair.answerUe("cut me down");
		pair.toHse.length = 0;
		pair.toUe.length = 0;
		const before = stateOf(pair);
		const foreign = [other.send("foreign"), other.answerUe("foreign")].map((datagram) => {
			const pasted = datagram.slice();
			writeUint32(pasted, HEADER.sessionId, sessionId);
			return pasted;
		});
		const planes = [up, down].map((datagram) => flipped(datagram, 1, 7));
		const keyIds = [up, down].flatMap((datagram) =>
			[1, 2, 3, 4, 5, 6, 7].map((change) => {
				const pasted = datagram.slice();
				pasted[1] ^= change << HEADER.keyIdShift;
				return pasted;
			}),
		);
		for (const datagram of [...foreign, ...planes, ...keyIds]) {
			expect(["accept", "repetition", "hint"]).not.toContain(forger.toHse(datagram));
			expect(["accept", "repetition", "hint"]).not.toContain(forger.toUe(datagram));
		}
		expect(["accept", "repetition"]).not.toContain(forger.toUe(up));
		expect(["accept", "repetition"]).not.toContain(forger.toHse(down));
		expect(stateOf(pair)).toEqual(before);
		pair.now += 64_000;
		expect(pair.deliverToHse(up)).toBe("accept");
		expect(pair.deliverToUe(down)).toBe("accept");
	});

	test("a MAC that is cut short, made longer or left away", () => {
		const { pair } = recorded(policyOf(choice));
		const forger = new Forger(pair);
		const up = pair.send("whole");
		pair.stop();
		const datagrams = [up, pair.toHse.at(-1) as Uint8Array];
		pair.toHse.length = 0;
		const before = stateOf(pair);
		for (const datagram of datagrams) {
			for (let left = 0; left < datagram.length; left++)
				expect(["accept", "repetition"]).not.toContain(forger.toHse(datagram.subarray(0, left)));
			for (const more of [1, 4, 8])
				for (const filler of [0, 0xff, datagram.at(-1) ?? 0])
					expect(["accept", "repetition"]).not.toContain(
						forger.toHse(Uint8Array.of(...datagram, ...new Uint8Array(more).fill(filler))),
					);
		}
		expect(stateOf(pair)).toEqual(before);
		expect(pair.deliverToHse(up)).toBe("accept");
	});
});

describe("downgrade", () => {
	test("every bit of the Session Request on its way: the UE takes no answer to it, and its USIM does not run", () => {
		const pair = new Pair({ policy: { macLengths: [8, 4], counterSchemes: [0, 1, 2] } });
		pair.begin();
		const request = pair.toHse.shift() as Uint8Array;
		let answered = 0;
		for (let bit = 0; bit < 8 * request.length; bit++) {
			pair.deliverToHse(flipped(request, bit >> 3, bit & 7), `attacker ${bit}`);
			for (const answer of pair.toUe.splice(0)) {
				// An unprotected 80 may end the attempt: an attacker can always deny it (profile section 6, 6).
				if (answer[HEADER.length] !== COMMAND.sessionStart) continue;
				answered++;
				expect(pair.deliverToUe(answer)).toBe("contents");
			}
		}
		expect(answered).toBeGreaterThan(100);
		expect(pair.usimRuns).toBe(0);
		expect(pair.ue.session).toBeUndefined();
		pair.deliverToHse(request);
		pair.settle();
		expect(pair.hse.sessionOf(IMSI)?.isLive).toBe(true);
		expect(pair.ue.session?.configuration.macLength).toBe(8);
	});

	test("every bit of the Session Start on its way: no session comes of it, and the good one is taken after all", () => {
		const pair = new Pair({ policy: { macLengths: [8, 4], lifetime: 3600 } });
		pair.begin();
		pair.deliverToHse();
		const start = pair.toUe.shift() as Uint8Array;
		const digest = new TlvScan();
		digest.scan(start, HEADER.length + 1, start.length - 8);
		const challengeAt = digest.offsets[TAG.akaChallenge];
		for (let bit = 0; bit < 8 * start.length; bit++) {
			// A changed AUTN is refused by the USIM and told to the HSE; that has its own tests (aka.test.ts).
			if (bit >> 3 >= challengeAt && bit >> 3 < challengeAt + 32) continue;
			pair.deliverToUe(flipped(start, bit >> 3, bit & 7));
			expect(pair.ue.session).toBeUndefined();
			expect(pair.toHse).toHaveLength(0);
		}
		expect(pair.usimRuns).toBe(1);
		pair.deliverToUe(start);
		expect(pair.ue.session?.configuration).toMatchObject({ macLength: 8, lifetime: 3600 });
	});
});

describe("termination", () => {
	test("forged: without a key, with a wrong MAC, of another session", () => {
		const pair = new Pair().connect();
		const other = new Pair({ seed: 8 }).connect();
		const forger = new Forger(pair);
		const random = new SeededRandom(3);
		const sessionId = pair.ue.session?.context.parameters.sessionId ?? 0;
		other.stop();
		other.terminate();
		const before = stateOf(pair);
		for (const command of [COMMAND.sessionTerminateRequest, COMMAND.sessionTerminateResponse])
			for (let keyId = 0; keyId <= 7; keyId++)
				for (let tries = 0; tries < 16; tries++) {
					const datagram = new Uint8Array(14);
					const end = writeHeader(datagram, false, keyId, sessionId, tries, 0);
					datagram[end] = command;
					writeTlv(datagram, end + 1, TAG.cause, Uint8Array.of(CAUSE.normalRelease));
					datagram.set(random.octets(4), 10);
					expect(["accept", "repetition"]).not.toContain(forger.toHse(datagram));
					expect(["accept", "repetition"]).not.toContain(forger.toUe(datagram));
				}
		for (const datagram of [...other.toHse, ...other.toUe]) {
			const pasted = datagram.slice();
			writeUint32(pasted, HEADER.sessionId, sessionId);
			forger.toHse(pasted);
			forger.toUe(pasted);
		}
		expect(stateOf(pair)).toEqual(before);
	});
});

describe("key confusion", () => {
	test("messages under every earlier key of the session, when their time is over", () => {
		const pair = new Pair().connect();
		const late: Uint8Array[][] = [[], []];
		for (let round = 0; round < 7; round++) {
			late[0].push(pair.send(`late ${round}`));
			late[1].push(pair.answerUe(`late ${round}`));
			pair.toHse.length = 0;
			pair.toUe.length = 0;
			pair.hse.refresh(pair.now, pair.hse.sessionOf(IMSI)?.sessionId ?? 0, REFRESH_METHOD.chained);
			pair.drainHse();
			pair.settle();
			while (pair.wait());
		}
		// Seven refreshes on, Key ID 1 stands for other keys than at first.
		expect(pair.ue.session?.context.parameters.keyId).toBe(1);
		const forger = new Forger(pair);
		const before = stateOf(pair);
		for (const datagram of late[0]) expect(forger.toHse(datagram)).not.toBe("accept");
		for (const datagram of late[1]) expect(forger.toUe(datagram)).not.toBe("accept");
		expect(stateOf(pair)).toEqual(before);
	});

	test("a Key ID in the header of 11 that is not that of tag 10", () => {
		const pair = new Pair();
		pair.begin();
		pair.deliverToHse();
		const start = pair.toUe.shift() as Uint8Array;
		const header = new Header();
		for (let keyId = 2; keyId <= 7; keyId++) {
			const changed = start.slice();
			header.read(changed, changed.length);
			writeHeader(changed, false, keyId, header.sessionId, 0, 0);
			expect(pair.deliverToUe(changed)).toBe("contents");
		}
		expect(pair.usimRuns).toBe(0);
	});
});

describe("guessing Session IDs", () => {
	test("a source learns one a second at the most, and a right guess is answered with nothing at all", () => {
		const pair = new Pair().connect();
		const sessionId = pair.hse.sessionOf(IMSI)?.sessionId ?? 0;
		const random = new SeededRandom(11);
		const since = pair.now;
		let told = 0;
		const guess = (id: number) => {
			const datagram = random.octets(20);
			writeHeader(datagram, true, 1, id, random.next(), 0);
			const verdict = pair.deliverToHse(datagram, "guesser");
			told += pair.toUe.splice(0).length;
			return verdict;
		};
		for (; pair.now - since < 10_000; pair.now++) expect(["reject", "rate limit"]).toContain(guess(random.next()));
		expect(told).toBe(10);
		const verdicts = Array.from({ length: 200 }, () => guess(sessionId));
		expect(told).toBe(10);
		// 16 forged messages are verified, then the source is blocked.
		expect(verdicts.filter((verdict) => verdict === "wrong MAC or COUNT")).toHaveLength(16);
		expect(verdicts.slice(16)).toEqual(new Array(184).fill("rate limit"));
		// A source in the midst of a block is told of no other session either, nor is the UE held up.
		pair.send("undisturbed");
		expect(pair.deliverToHse()).toBe("accept");
	});
});
