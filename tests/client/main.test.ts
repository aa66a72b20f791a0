import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { startDevice } from "../../host-tools/device/device.js";

let store: string;
beforeEach(() => {
	store = mkdtempSync(join(tmpdir(), "best-test-"));
});
afterEach(() => {
	rmSync(store, { recursive: true });
});

async function linesOfDevice() {
	const device = startDevice({ storeDirectory: store });
	const lines: string[] = [];
	device.onLine((line) => lines.push(line));
	device.end();
	return { status: await device.exited, lines: lines.map((line) => JSON.parse(line)) };
}

describe("the firmware tells why it cannot start, and ends with status 1", () => {
	test("without an identity", async () => {
		const { status, lines } = await linesOfDevice();
		expect(status).toBe(1);
		expect(lines).toEqual([{ event: "failed", why: "The device has no identity yet: provision it." }]);
	});

	test("with a damaged one", async () => {
		writeFileSync(join(store, "identity"), Buffer.alloc(70, 1));
		const { status, lines } = await linesOfDevice();
		expect(status).toBe(1);
		expect(lines).toEqual([
			{ event: "failed", why: "The identity in the store is not usable: provision the device again." },
		]);
	});
});
