import { expect, test } from "@jest/globals";
import { RETRANSMISSION } from "../../firmware/emsdp/profile.js";
import { Retransmission } from "../../firmware/emsdp/retransmission.js";

const DATAGRAM = Uint8Array.of(1, 2, 3);

/** When a request is sent, in milliseconds after the first time, and when it is given up. */
function timesOf(fraction: number, policy = RETRANSMISSION as { firstAfter: number; times: number }) {
	const start = 1_000_000;
	const request = new Retransmission(DATAGRAM, policy, fraction, start);
	const sent: number[] = [];
	for (let tries = 0; tries < 20; tries++) {
		const { dueAt } = request;
		if (!request.again(dueAt)) return { sent, givenUp: dueAt - start };
		sent.push(dueAt - start);
	}
	throw new Error("a request is repeated for ever");
}

test("after 2 s, then doubling, 4 times, and given up after as long again", () => {
	expect(timesOf(0)).toEqual({ sent: [2000, 6000, 14000, 30000], givenUp: 62000 });
});

test("the random factor is 1.0 to 1.5 and is drawn once", () => {
	expect(timesOf(1)).toEqual({ sent: [3000, 9000, 21000, 45000], givenUp: 93000 });
	expect(timesOf(0.5)).toEqual({ sent: [2500, 7500, 17500, 37500], givenUp: 77500 });
});

test("all of it can be configured", () => {
	expect(timesOf(0, { firstAfter: 100, times: 1 })).toEqual({ sent: [100], givenUp: 300 });
	expect(timesOf(0, { firstAfter: 100, times: 0 })).toEqual({ sent: [], givenUp: 100 });
});

test("a late call counts from when it was made, so that two never follow each other at once", () => {
	const request = new Retransmission(DATAGRAM, RETRANSMISSION, 0, 0);
	request.again(10_000);
	expect(request.dueAt).toBe(14_000);
});

test("once given up it stays so", () => {
	const request = new Retransmission(DATAGRAM, { firstAfter: 1, times: 1 }, 0, 0);
	expect([request.again(1), request.again(3), request.again(9)]).toEqual([true, false, false]);
});

test("the datagram is a copy", () => {
	const octets = DATAGRAM.slice();
	const request = new Retransmission(octets, RETRANSMISSION, 0, 0);
	octets.fill(0);
	expect([...request.datagram]).toEqual([1, 2, 3]);
});
