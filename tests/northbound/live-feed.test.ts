import { expect, test } from "@jest/globals";
import { coreHsePort } from "../../host-tools/northbound/core-hse-port.js";
import { LiveFeed } from "../../host-tools/northbound/live-feed.js";
import { Pair } from "../support/pair.js";

/** A pair of UE and HSE whose messages a feed is told of, in the order of the server: the datagram, then its events. */
class Fed extends Pair {
	readonly feed = new LiveFeed(
		coreHsePort(this.hse, { send() {}, refresh() {}, terminate() {}, async handedOver() {} }),
		() => this.now,
		() => {},
	);
	private told = 0;

	override deliverToHse(datagram = this.toHse.shift(), source = "127.0.0.1 5000") {
		if (datagram === undefined) throw new Error("nothing is on its way");
		const copy = datagram.slice();
		const before = this.toUe.length;
		const verdict = this.hse.handleDatagram(this.now, source, datagram, datagram.length);
		this.feed.handleTraffic({ at: this.now, fromUe: true, peer: source, datagram: copy, verdict });
		this.drainHse();
		for (const sent of this.toUe.slice(before))
			this.feed.handleTraffic({ at: this.now, fromUe: false, peer: source, datagram: sent, verdict: undefined });
		while (this.told < this.hseEvents.length) this.feed.handleEvent(this.hseEvents[this.told++]);
		return verdict;
	}

	/** Names of the fields of the newest message of a name. */
	fieldsOf(name: string): string[] | undefined {
		const message = this.feed.messages().findLast((candidate) => candidate.name.startsWith(name));
		return message && this.feed.explain(message.number)?.fields.map((field) => field.name);
	}
}

test("the fields of a message are those of its session, also after the session is over", () => {
	const pair = new Fed();
	pair.connect();
	pair.send("reading");
	pair.settle();
	const names = ["UP message", "12", "20", "21"];
	const live = names.map((name) => pair.fieldsOf(name));
	expect(live[0]).toContain("MAC");
	pair.stop();
	pair.settle();
	expect(pair.hse.sessionCount).toBe(0);
	expect(pair.fieldsOf("UP message")).toEqual(live[0]);
	expect(pair.fieldsOf("12")).toEqual(live[1]);
	for (const name of ["20", "21"]) expect(pair.fieldsOf(name)).toContain("MAC");
});
