import { expect, test } from "@jest/globals";
import { CAUSE } from "../../../firmware/emsdp/profile.js";
import { ROWS, SessionView } from "../../../firmware/platform/moddable/simulator/session-view.js";
import type { Datagram } from "../../../firmware/ports/datagram.js";
import type { Readings } from "../../../firmware/ports/readings.js";

let now = 0;
const clock = { now: () => now, setDeadline() {}, onDeadline: undefined };
const texts = (view: SessionView) => ROWS.map((row) => view.text(row));

test("the simulator's screen shows the session, the keys' age, what passed, and the last event", () => {
	now = 1000;
	const view = new SessionView(clock);
	expect(texts(view)).toEqual([
		"asking for a session",
		"none",
		"0 messages, 0 octets",
		"none yet",
		"0 messages, 0 octets",
		"none yet",
		"",
	]);

	view.tell({ kind: "attempt over", cause: undefined });
	expect(view.text("note")).toBe("attempt over: no answer");
	view.tell({ kind: "back-off", seconds: 30 });
	expect(view.text("note")).toBe("back-off: 30 s");

	view.tell({ kind: "session started", sessionId: 0x1234, keyId: 1 });
	now += 125_000;
	expect([view.text("state"), view.text("keys")]).toEqual(["session 00001234", "Key ID 1, 2:05 old"]);
	view.tell({ kind: "new keys", keyId: 2 });
	expect(view.text("keys")).toBe("Key ID 2, 0:00 old");

	view.tell({ kind: "downlink", payload: Uint8Array.of(0x6f, 0x6b) });
	expect([view.text("last downlink"), view.text("downlink")]).toEqual(["6f6b", "1 messages, 0 octets"]);

	view.tell({ kind: "session over", cause: CAUSE.normalRelease, by: "HSE" });
	expect(texts(view).slice(0, 2)).toEqual(["no session", "none"]);
	expect(view.text("note")).toBe("session over by the HSE: normal release");
});

test("after a resume the age of the keys is not known; a failure is told", () => {
	const view = new SessionView(clock);
	view.tell({ kind: "session resumed" });
	expect(texts(view).slice(0, 2)).toEqual(["session resumed", "from before the start"]);
	view.fail("The device has no identity yet: provision it.");
	expect(view.text("state")).toBe("not running");
	expect(view.text("note")).toBe("The device has no identity yet: provision it.");
});

test("it counts what passes the ports, and passes it on", () => {
	const view = new SessionView(clock);
	const written: number[][] = [];
	const link: Datagram = {
		onReadable: undefined,
		read: (into) => {
			into.set([1, 2, 3]);
			return 3;
		},
		write: (octets, length) => written.push([...octets.subarray(0, length)]),
		close() {},
	};
	const datagram = view.watchDatagram(link);
	const onReadable = () => {};
	datagram.onReadable = onReadable;
	expect(link.onReadable).toBe(onReadable);
	expect(datagram.onReadable).toBe(onReadable);
	datagram.write(Uint8Array.of(9, 8, 7), 2);
	expect(written).toEqual([[9, 8]]);
	expect(datagram.read(new Uint8Array(8))).toBe(3);
	const source: Readings = {
		onReadable: undefined,
		read: (into) => {
			into.fill(0xab, 0, 12);
			return 12;
		},
	};
	const readings = view.watchReadings(source);
	readings.onReadable = onReadable;
	expect(source.onReadable).toBe(onReadable);
	expect(readings.read(new Uint8Array(20))).toBe(12);
	source.read = () => -1;
	expect(readings.read(new Uint8Array(20))).toBe(-1);
	expect(view.text("uplink")).toBe("1 messages, 2 octets");
	expect(view.text("last uplink")).toBe(`${"ab".repeat(11)}…`);
	expect(view.text("downlink")).toBe("0 messages, 3 octets");
});
