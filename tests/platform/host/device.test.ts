import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { startDevice } from "../../../host-tools/device/device.js";
import { hasXsHost, newFolder } from "./hosts.js";

const script = `
	const into = new Uint8Array(65535);
	host.onInput = () => {
		for (;;) {
			const length = host.inputRead(into);
			if (length === -1) return;
			if (length === -2) throw new Error("the end");
			host.print("reading of " + length + ", the last octet " + into[length - 1]);
		}
	};`;

function newBundle(): { bundle: string; storeDirectory: string } {
	const folder = newFolder();
	const bundle = join(folder, "bundle.js");
	writeFileSync(bundle, script);
	return { bundle, storeDirectory: join(folder, "store") };
}

// In Node, the device runs by way of the `best` program, whose tests are elsewhere.
(hasXsHost ? describe : describe.skip)("a device on XS", () => {
	test("takes readings, prints lines, ends with a status", async () => {
		const device = startDevice(newBundle());
		const lines: string[] = [];
		const errorLines: string[] = [];
		device.onLine((line) => lines.push(line));
		device.onErrorLine((line) => errorLines.push(line));
		const octets = Uint8Array.of(1, 2, 3);
		device.sendReading(octets);
		octets.fill(0);
		device.sendReading(new Uint8Array(65535).fill(9));
		device.end();
		expect(await device.exited).toBe(1);
		expect(lines).toEqual(["reading of 3, the last octet 3", "reading of 65535, the last octet 9"]);
		expect(errorLines).toEqual(["xs-host: Error: the end"]);
		expect(device.engineDescription).toMatch(/^XS \d+\.\d+\.\d+$/);
	});

	test("can be cut off from power", async () => {
		const device = startDevice(newBundle());
		device.cutPower();
		expect(await device.exited).toBe(-1);
		device.sendReading(Uint8Array.of(1));
	});

	test("refuses a reading that no frame holds", async () => {
		const device = startDevice(newBundle());
		expect(() => device.sendReading(new Uint8Array(65536))).toThrow(RangeError);
		device.end();
		await device.exited;
	});
});
