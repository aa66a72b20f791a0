import { describe, expect, test } from "@jest/globals";
import { COUNT, HEADER } from "../../firmware/emsdp/profile.js";
import { flipped, IMSI, Pair } from "../support/pair.js";

describe("data", () => {
	test("counter scheme 0: seven messages lost in a row are bridged, a replay is not taken", () => {
		const pair = new Pair().connect();
		const sent = Array.from({ length: 60 }, (_, i) => {
			pair.send(`r${i}`);
			return pair.toHse.pop() as Uint8Array;
		});
		for (const i of [0, 8, 9, 25, 57]) expect(pair.deliverToHse(sent[i])).toBe("accept");
		expect(pair.deliverToHse(sent[25])).toBe("wrong MAC or COUNT");
		expect(pair.deliverToHse(sent[56])).toBe("wrong MAC or COUNT");
		expect(pair.uplinks).toEqual(["r0", "r8", "r9", "r25", "r57"]);
	});

	test("counter scheme 1: reordering is taken, a replay is told before any MAC is computed", () => {
		const pair = new Pair({ policy: { counterSchemes: [1] } }).connect();
		const sent = Array.from({ length: 100 }, (_, i) => {
			pair.send(`r${i}`);
			return pair.toHse.pop() as Uint8Array;
		});
		for (const i of [3, 1, 0, 2, 70, 8, 7]) expect(pair.deliverToHse(sent[i])).toBe("accept");
		for (const i of [70, 8, 7]) expect(pair.deliverToHse(sent[i])).toBe("replay");
		// Below the window there is one candidate only, a whole turn of the counter ahead.
		expect(pair.deliverToHse(sent[6])).toBe("wrong MAC or COUNT");
		expect(pair.uplinks).toEqual(["r3", "r1", "r0", "r2", "r70", "r8", "r7"]);
	});

	test("every single bit of a message counts", () => {
		const pair = new Pair().connect();
		const datagram = pair.send("reading");
		pair.toHse.shift();
		for (let octet = 0; octet < datagram.length; octet++)
			for (let bit = 0; bit < 8; bit++) {
				const verdict = pair.deliverToHse(flipped(datagram, octet, bit), `forger ${octet}`);
				expect(["accept", "repetition", "hint"]).not.toContain(verdict);
			}
		expect(pair.uplinks).toEqual([]);
		expect(pair.deliverToHse(datagram)).toBe("accept");
		expect(pair.uplinks).toEqual(["reading"]);
	});

	test("the HSE answers to the source of the newest valid message", () => {
		const pair = new Pair({ policy: { counterSchemes: [1] } }).connect();
		const old = pair.send("old");
		pair.toHse.shift();
		pair.source = "ue behind another NAT";
		pair.send("new");
		pair.deliverToHse();
		pair.answerUe("answer");
		expect(pair.lastDestination).toBe("ue behind another NAT");
		// A late message is taken but moves no address.
		expect(pair.deliverToHse(old, "old address")).toBe("accept");
		pair.answerUe("answer");
		expect(pair.lastDestination).toBe("ue behind another NAT");
	});

	test("an empty payload is a message; one that is too long is refused with its bound", () => {
		const pair = new Pair().connect();
		pair.send("");
		pair.settle();
		expect(pair.uplinks).toEqual([""]);
		pair.ue.send(new Uint8Array(1222));
		pair.drainUe();
		expect(pair.toHse[0]).toHaveLength(1232);
		expect(() => pair.ue.send(new Uint8Array(1223))).toThrow(/1223 octets does not fit.*1222/);
	});

	test("no COUNT is used past the last one", () => {
		const pair = new Pair().connect();
		const context = pair.ue.session?.context;
		if (context === undefined) throw new Error("no session");
		context.user.next = COUNT.highest;
		pair.send("the last one");
		expect(() => pair.send("one more")).toThrow(/No COUNT is left/);
		expect(context.user.next).toBe(COUNT.highest + 1);
	});

	test("a downlink's payload is not overwritten by an uplink", () => {
		const pair = new Pair().connect();
		pair.answerUe("keep me");
		const datagram = pair.toUe.shift() as Uint8Array;
		pair.ue.handleDatagram(pair.now, datagram, datagram.length);
		const event = pair.ue.outbox.takeEvent();
		pair.ue.send(new Uint8Array(100).fill(0x55));
		expect(event?.kind === "downlink" && new TextDecoder().decode(event.payload)).toBe("keep me");
	});
});

describe("what nobody knows", () => {
	test("an unknown session is told once a second, unprotected, to the source", () => {
		const pair = new Pair().connect();
		const datagram = flipped(pair.send("reading"), HEADER.sessionId);
		pair.toHse.length = 0;
		expect(pair.deliverToHse(datagram, "x")).toBe("reject");
		expect(pair.lastDestination).toBe("x");
		expect(pair.deliverToHse(datagram, "x")).toBe("rate limit");
		expect(pair.deliverToHse(datagram, "y")).toBe("reject");
		pair.now += 1000;
		expect(pair.deliverToHse(datagram, "x")).toBe("reject");
	});

	test("a UE stays silent", () => {
		const pair = new Pair().connect();
		pair.answerUe("answer");
		const datagram = flipped(pair.toUe.shift() as Uint8Array, HEADER.sessionId);
		expect(pair.deliverToUe(datagram)).toBe("session or Key ID unknown");
		expect(pair.toHse).toHaveLength(0);
		expect(pair.hse.sessionOf(IMSI)).toBeDefined();
	});
});
