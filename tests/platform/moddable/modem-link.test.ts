import { describe, expect, test } from "@jest/globals";
import { modemLink } from "../../../firmware/platform/moddable/modem-link.js";
import { IoSerial, type SerialPort } from "../../../firmware/platform/moddable/serial.js";
import { ScriptedModem } from "../../modem/scripted-modem.js";
import { VirtualTime } from "../../modem/world.js";
import { SeededRandom } from "../../support/pair.js";

interface PortOptions {
	readonly baud: number;
	readonly format: string;
	onReadable(count: number): void;
	onWritable(count: number): void;
}

/** An ECMA-419 serial port with room for so many octets, which go out one by one when the test says so. */
function fakePort(room: number) {
	const state = { options: undefined as PortOptions | undefined, full: 0, sent: [] as number[], isClosed: false };
	const incoming: ArrayBuffer[] = [];
	class Port implements SerialPort {
		constructor(options: object) {
			state.options = options as PortOptions;
		}
		read() {
			return incoming.shift();
		}
		write(buffer: ArrayBuffer) {
			if (buffer.byteLength > room - state.full) throw new Error("output full");
			state.full += buffer.byteLength;
			state.sent.push(...new Uint8Array(buffer));
		}
		close() {
			state.isClosed = true;
		}
	}
	const drain = () => {
		state.full = 0;
		state.options?.onWritable(room);
	};
	const deliver = (octets: Uint8Array) => {
		incoming.push(Uint8Array.from(octets).buffer);
		state.options?.onReadable(octets.length);
	};
	return { Port, state, drain, deliver };
}

describe("a serial port of ECMA-419", () => {
	test("takes more than it has room for, in order, when there is room", () => {
		const { Port, state, drain } = fakePort(8);
		const serial = new IoSerial({ io: Port, port: {} });
		const octets = Uint8Array.from({ length: 50 }, (_, i) => i);
		serial.write(octets, 30);
		serial.write(octets.subarray(30), 20);
		octets.fill(0xff);
		expect(state.sent).toEqual([]);
		for (let i = 0; i < 10; i++) drain();
		expect(state.sent).toEqual(Array.from({ length: 50 }, (_, i) => i));
		expect(state.options).toMatchObject({ baud: 115_200, format: "buffer" });
	});

	test("loses a whole write that is too much, and nothing else", () => {
		const { Port, state, drain } = fakePort(4096);
		const serial = new IoSerial({ io: Port, port: {} });
		serial.write(new Uint8Array(4000).fill(1), 4000);
		serial.write(new Uint8Array(97).fill(2), 97);
		serial.write(new Uint8Array(96).fill(3), 96);
		drain();
		expect([state.sent.length, state.sent.includes(2), state.sent.at(-1)]).toEqual([4096, false, 3]);
	});

	test("is read in pieces, and closed once", () => {
		const { Port, state, deliver } = fakePort(8);
		const serial = new IoSerial({ io: Port, port: {}, baud: 9600 });
		const into = new Uint8Array(3);
		const seen: number[] = [];
		serial.onReadable = () => {
			for (let count = serial.read(into); count > 0; count = serial.read(into)) seen.push(...into.subarray(0, count));
		};
		deliver(Uint8Array.of(1, 2, 3, 4, 5, 6, 7));
		expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7]);
		expect(state.options?.baud).toBe(9600);
		serial.close();
		serial.close();
		expect(serial.read(into)).toBe(0);
		serial.write(into, 3);
		expect(state.isClosed).toBe(true);
	});
});

test("a modem on such a port carries datagrams of 1,000 octets through room for 16", () => {
	const time = new VirtualTime();
	const { Port, state, drain, deliver } = fakePort(16);
	const uplinks: string[] = [];
	const printed: string[] = [];
	const modem = new ScriptedModem({
		family: "nordic",
		random: new SeededRandom(1),
		later: (milliseconds, action) => time.later(milliseconds, action),
		toDevice: deliver,
		onUplink: (datagram) => uplinks.push(Buffer.from(datagram).toString("hex")),
	});
	const { openDatagram, usim } = modemLink({
		serial: { io: Port, port: {} },
		clock: time.clock(),
		configuration: { dialect: "nordic", apn: "" },
		print: (text) => printed.push(text),
	});
	expect(state.options).toBeUndefined();
	// The line takes what is in the port's room every millisecond.
	const tick = () => {
		modem.receive(Uint8Array.from(state.sent.splice(0)));
		drain();
		time.later(1, tick);
	};
	tick();
	const datagram = openDatagram("192.0.2.1", 33163);
	datagram.write(new Uint8Array(1000).fill(7), 1000);
	time.until(() => uplinks.length === 1);
	expect(uplinks[0]).toBe("07".repeat(1000));
	expect(printed).toEqual(['{"event":"modem open"}']);
	expect(usim).toBeUndefined();
});

test("a modem without a port is an error that says what to do, and not before it is needed", () => {
	const { openDatagram, usim } = modemLink({
		serial: { io: fakePort(1).Port, port: undefined },
		clock: new VirtualTime().clock(),
		configuration: { dialect: "quectel", usim: "csim" },
		print: () => {},
	});
	expect(usim).toBeDefined();
	expect(() => openDatagram("192.0.2.1", 33163)).toThrow(/modemPort=/);
});
