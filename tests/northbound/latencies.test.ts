import { describe, expect, test } from "@jest/globals";
import { REFRESH_METHOD } from "../../firmware/emsdp/contents.js";
import { Latencies, type Latency } from "../../host-tools/northbound/latencies.js";
import { IMSI, Pair, type PairOptions } from "../support/pair.js";

const SOURCE = "127.0.0.1 5000";

/** A pair whose HSE takes a time for answers, another for events, and whose UE takes a third; all in milliseconds. */
class Timed extends Pair {
	readonly found: Latency[] = [];
	readonly latencies = new Latencies();
	answerTakes = 2;
	eventTakes = 3;
	private told = 0;

	constructor(options: PairOptions = {}) {
		super({ ...options });
		this.source = SOURCE;
	}

	override deliverToHse(datagram = this.toHse.shift(), source = SOURCE) {
		if (datagram === undefined) throw new Error("nothing is on its way");
		const copy = datagram.slice();
		const at = this.now;
		const before = this.toUe.length;
		const verdict = this.hse.handleDatagram(at, source, datagram, datagram.length);
		this.keep(this.latencies.handleTraffic({ at, fromUe: true, peer: source, datagram: copy, verdict }));
		this.drainHse();
		this.sent(before, source);
		return verdict;
	}

	/** What the HSE has sent since. */
	sent(before: number, source = SOURCE): void {
		const at = this.now + this.answerTakes;
		for (const datagram of this.toUe.slice(before))
			this.keep(this.latencies.handleTraffic({ at, fromUe: false, peer: source, datagram, verdict: undefined }));
		while (this.told < this.hseEvents.length)
			this.keep(this.latencies.handleEvent(this.now + this.eventTakes, this.hseEvents[this.told++]));
	}

	takeFound(): [string, number][] {
		return this.found.splice(0).map(({ kind, milliseconds }) => [kind, milliseconds]);
	}

	private keep(latency: Latency | undefined): void {
		if (latency !== undefined) this.found.push(latency);
	}
}

/** Lets everything arrive; the way to the UE and back takes a time. */
function settle(pair: Timed, takes: number): void {
	while (pair.toHse.length + pair.toUe.length > 0) {
		while (pair.toHse.length > 0) pair.deliverToHse();
		pair.now += takes;
		while (pair.toUe.length > 0) pair.deliverToUe();
	}
}

function connected(): Timed {
	const pair = new Timed();
	pair.begin();
	settle(pair, 50);
	return pair;
}

describe("what an HSE can measure", () => {
	test("of a set-up: its answer to the 10, and the way of the 11 to the UE and of the 12 back", () => {
		// The 11 leaves 2 ms after the 10 has come, and the 12 comes 50 ms after that.
		expect(connected().takeFound()).toEqual([
			["answer", 2],
			["round trip", 48],
		]);
	});

	test("of an uplink: until it is handed over, and nothing of the downlink that may follow", () => {
		const pair = connected();
		pair.takeFound();
		pair.send("one");
		pair.send("two");
		settle(pair, 0);
		const before = pair.toUe.length;
		pair.answerUe("an answer of the application");
		pair.sent(before);
		expect(pair.takeFound()).toEqual([
			["hand-over", 3],
			["hand-over", 3],
		]);
	});

	test("of an uplink that is handed over late, while others wait too", () => {
		const { latencies } = connected();
		const datagram = (bits: number) => Uint8Array.of(0, 0x88 | bits, 0, 0, 0, 7, 1, 2, 3, 4, 5);
		const take = (at: number, bits: number) =>
			latencies.handleTraffic({ at, fromUe: true, peer: SOURCE, datagram: datagram(bits), verdict: "accept" });
		for (const [at, bits] of [
			[0, 6],
			[10, 7],
			[20, 0],
		])
			take(at, bits);
		const uplink = (count: number) =>
			({ kind: "uplink", imsi: IMSI, sessionId: 7, count, payload: new Uint8Array() }) as const;
		// That of COUNT 6 was lost on the way to the application.
		expect(latencies.handleEvent(30, uplink(7))?.milliseconds).toBe(20);
		expect(latencies.handleEvent(30, uplink(8))?.milliseconds).toBe(10);
		expect(latencies.handleEvent(30, uplink(9))).toBeUndefined();
	});

	test("of new keys and of the end: the UE's answers", () => {
		const pair = connected();
		pair.takeFound();
		const sessionId = pair.hse.sessionOf(IMSI)?.sessionId ?? 0;
		pair.hse.refresh(pair.now, sessionId, REFRESH_METHOD.chained);
		pair.drainHse();
		pair.sent(0);
		settle(pair, 70);
		pair.terminate();
		pair.sent(0);
		settle(pair, 90);
		expect(pair.takeFound().filter(([kind]) => kind === "round trip")).toEqual([
			["round trip", 68],
			["round trip", 88],
		]);
	});

	test("but not of what was sent again: nobody can tell which of them was answered", () => {
		const pair = new Timed();
		pair.begin();
		pair.deliverToHse();
		// The 11 is lost, and sent again.
		pair.toUe.length = 0;
		pair.wait();
		pair.sent(0);
		settle(pair, 50);
		expect(pair.ue.session?.canSend).toBe(true);
		expect(pair.takeFound().filter(([kind]) => kind === "round trip")).toEqual([]);
	});

	test("of a reject: the time to it", () => {
		const pair = connected();
		pair.takeFound();
		const unknown = pair.send("x").slice();
		pair.toHse.length = 0;
		unknown[5] ^= 1;
		pair.deliverToHse(unknown);
		expect(pair.takeFound()).toEqual([["answer", 2]]);
	});
});
