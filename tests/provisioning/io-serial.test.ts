import { describe, expect, test } from "@jest/globals";
import { encodeIdentity } from "../../firmware/client/identity.js";
import { ioConsole } from "../../firmware/platform/moddable/serial-console.js";
import { ConsoleClient } from "../../host-tools/provision/console-client.js";
import type { Line } from "../../host-tools/provision/line.js";
import { MemoryStore, SeededRandom } from "../support/pair.js";
import { isUsable, kernel, newIdentity } from "./support.js";

/** Octets that a board's UART takes at once. */
const ROOM = 64;

/** A stand-in for the class of embedded:io/serial. */
class FakeSerial {
	static opened: FakeSerial[] = [];
	readonly options: Record<string, unknown> & { onReadable(count: number): void; onWritable(count: number): void };
	waiting: number[] = [];
	isClosed = false;
	toLaptop: (octets: Uint8Array) => void = () => {};

	constructor(options: object) {
		this.options = options as FakeSerial["options"];
		FakeSerial.opened.push(this);
		this.tellRoom();
	}

	/** ECMA-419 has it that a port says when it takes octets, and how many. */
	tellRoom(): void {
		queueMicrotask(() => this.options.onWritable(ROOM));
	}

	read(): ArrayBuffer | undefined {
		if (this.waiting.length === 0) return undefined;
		return Uint8Array.from(this.waiting.splice(0)).buffer;
	}

	write(buffer: ArrayBuffer): void {
		// As on Linux, where a view is not taken.
		if (!(buffer instanceof ArrayBuffer)) throw new TypeError("not a buffer");
		if (buffer.byteLength > ROOM) throw new Error("output full");
		const octets = new Uint8Array(buffer);
		this.tellRoom();
		queueMicrotask(() => this.toLaptop(octets));
	}

	close(): void {
		this.isClosed = true;
	}
}

function listen(store: MemoryStore, button?: number) {
	FakeSerial.opened = [];
	const lines: string[] = [];
	const later: (() => void)[] = [];
	let provisioned = 0;
	const waits = ioConsole({
		kernel,
		random: new SeededRandom(5),
		store,
		print: (text) => lines.push(text),
		later: (action, milliseconds) => {
			expect(milliseconds).toBeGreaterThan(100);
			later.push(action);
		},
		serial: { io: FakeSerial, port: { receive: 3, transmit: 1, port: 2 } },
		...(button !== undefined && { openButton: () => ({ read: () => button, close: () => {} }) }),
	}).listen({ isUsable, onProvisioned: () => provisioned++ });
	return { waits, lines, serial: FakeSerial.opened[0], later, provisioned: () => provisioned };
}

describe("the console on an ECMA-419 serial port", () => {
	test("is provisioned over it, and says so once", async () => {
		const store = new MemoryStore();
		const { waits, lines, serial, later, provisioned } = listen(store);
		expect(waits).toBe(true);
		expect(serial.options).toMatchObject({ baud: 115200, format: "buffer", receive: 3, transmit: 1, port: 2 });
		const line: Line = {
			isOpen: true,
			onOctets: undefined,
			onGone: undefined,
			write(octets) {
				// In pieces, as a UART hands them over.
				for (let at = 0; at < octets.length; at += 5) {
					serial.waiting.push(...octets.subarray(at, at + 5));
					serial.options.onReadable(serial.waiting.length);
				}
			},
			close: async () => {},
		};
		serial.toLaptop = (octets) => line.onOctets?.(octets);
		const client = new ConsoleClient(line, kernel, { interval: 1000, times: 1 });
		const fingerprint = await client.identify();
		expect(lines).toEqual([JSON.stringify({ event: "console open", fingerprint })]);
		await client.agree();
		await client.write(encodeIdentity(newIdentity()));
		// The answer gets out before the port is closed, and whoever needs it next comes after that.
		expect([provisioned(), serial.isClosed, later.length]).toEqual([0, false, 1]);
		later[0]();
		expect([provisioned(), serial.isClosed]).toEqual([1, true]);
		expect(lines[1]).toBe('{"event":"provisioned"}');
		expect(store.values.has("identity")).toBe(true);
	});

	test("a provisioned device leaves the port off, unless its button is pressed", () => {
		const store = new MemoryStore();
		store.write("identity", encodeIdentity(newIdentity()));
		for (const button of [undefined, 1]) {
			const { waits, serial } = listen(store, button);
			expect(waits).toBe(false);
			expect(serial).toBeUndefined();
		}
		const { waits, serial } = listen(store, 0);
		expect(waits).toBe(true);
		expect(serial).toBeDefined();
	});
});
