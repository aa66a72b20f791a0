import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { REPLAY, ReceivedCount } from "../../firmware/emsdp/count.js";
import { seeded } from "./arbitraries.js";

const HIGHEST = 0xfffffffen;

/** Section 2.1 over again, from the set of all COUNTs ever accepted. */
class Model {
	last = -1n;
	private readonly taken = new Set<bigint>();
	private readonly modulus: bigint;
	private readonly trials: bigint;

	constructor(bits: number, trials: number) {
		this.modulus = 2n ** BigInt(bits);
		this.trials = BigInt(trials);
	}

	accept(count: bigint): void {
		this.taken.add(count);
		if (count > this.last) this.last = count;
	}

	/** @returns the candidates in order, or "replay" */
	candidates(bits: bigint): bigint[] | "replay" {
		if (this.modulus === 8n) {
			const all: bigint[] = [];
			for (let count = this.last + 1n; count <= this.last + 8n * this.trials; count++)
				if (count % 8n === bits && count <= HIGHEST) all.push(count);
			return all;
		}
		// From the top of [last − 63, last − 64 + 2^n] down to the right remainder.
		let count = this.last - 64n + this.modulus;
		count -= (((count - bits) % this.modulus) + this.modulus) % this.modulus;
		if (count < 0n || count > HIGHEST) return [];
		return this.taken.has(count) ? "replay" : [count];
	}
}

interface Arrival {
	readonly offset: number;
	readonly isGenuine: boolean;
}

/** What became of an arrival: its fate, the candidates tried and the highest COUNT accepted then. */
type Line = readonly [fate: string, tried: readonly bigint[], last: bigint];

function fateOf(result: bigint, last: bigint): string {
	if (result === BigInt(REPLAY)) return "replay";
	if (result < 0n) return "refused";
	return result > last ? `newest ${result}` : `older ${result}`;
}

function byModel(model: Model, sent: bigint, low: bigint, isGenuine: boolean): Line {
	const candidates = model.candidates(low);
	if (candidates === "replay") return ["replay", [], model.last];
	const found = isGenuine ? candidates.indexOf(sent) : -1;
	if (found < 0) return ["refused", candidates, model.last];
	const fate = fateOf(sent, model.last);
	model.accept(sent);
	return [fate, candidates.slice(0, found + 1), model.last];
}

function byReceiver(received: ReceivedCount, sent: bigint, low: bigint, isGenuine: boolean): Line {
	const tried: bigint[] = [];
	const result = received.search(Number(low), (count) => {
		tried.push(BigInt(count));
		return isGenuine && BigInt(count) === sent;
	});
	const fate = fateOf(BigInt(result), BigInt(received.last));
	if (result >= 0) received.accept(result);
	return [fate, tried, BigInt(received.last)];
}

/** Plays arrivals to both. @returns the fates that were met */
function play(bits: number, trials: number, start: number, arrivals: readonly Arrival[]): string[] {
	const received = new ReceivedCount(bits, trials);
	const model = new Model(bits, trials);
	if (start >= 0) {
		received.accept(start);
		model.accept(BigInt(start));
	}
	const found: Line[] = [];
	const expected: Line[] = [];
	for (const { offset, isGenuine } of arrivals) {
		const sent = model.last + BigInt(offset);
		if (sent < 0n || sent > HIGHEST + 8n) continue;
		const low = sent % 2n ** BigInt(bits);
		expected.push(byModel(model, sent, low, isGenuine));
		found.push(byReceiver(received, sent, low, isGenuine));
	}
	expect(found).toEqual(expected);
	return expected.map(([fate, tried]) => (tried.length > 0 || fate === "replay" ? fate.split(" ")[0] : "no candidate"));
}

const starts = fc.oneof(
	fc.constant(-1),
	fc.integer({ min: 0, max: 200 }),
	fc.integer({ min: 0x7fffffc0, max: 0x80000040 }),
	fc.integer({ min: 0xffffff00, max: 0xfffffffe }),
	fc.integer({ min: 0, max: 0xfffffffe }),
);

test.each([
	[3, 4],
	[3, 8],
	[11, 1],
	[19, 1],
])("%d bits, %d trials: any arrivals are judged as by the model", (bits, trials) => {
	const near = fc.integer({ min: -70, max: 70 });
	const far = fc.integer({ min: 2 ** bits - 80, max: 2 ** bits + 8 * trials });
	const arrival = fc.record({
		offset: fc.oneof({ weight: 8, arbitrary: near }, { weight: 1, arbitrary: far }),
		isGenuine: fc.integer({ min: 0, max: 7 }).map((number) => number > 0),
	});
	const met: Record<string, number> = {};
	fc.assert(
		fc.property(starts, fc.array(arrival, { minLength: 1, maxLength: 60, size: "max" }), (start, arrivals) => {
			for (const fate of play(bits, trials, start, arrivals)) met[fate] = (met[fate] ?? 0) + 1;
		}),
		seeded(200),
	);
	// All fates that there are have been met, and often.
	const fates = ["newest", "refused", "no candidate", ...(bits === 3 ? [] : ["older", "replay"])];
	expect(Object.keys(met).sort()).toEqual(fates.sort());
	expect(Math.min(...Object.values(met))).toBeGreaterThan(10);
});
