/** The firmware on XS with its console on a pseudo-terminal, for tests. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "@jest/globals";
import { type Device, type DeviceOptions, startDevice } from "../../host-tools/device/device.js";

export interface ConsoleDevice {
	readonly device: Device;
	readonly storeDirectory: string;
	/** Of the pseudo-terminal. */
	readonly path: string;
	/** Undefined where the console is closed. */
	readonly fingerprint: string | undefined;
	/** All that it has printed. */
	readonly lines: Record<string, unknown>[];
	/** Waits for a line. */
	until(event: string): Promise<Record<string, unknown>>;
}

const folders: string[] = [];
const devices = new Set<Device>();

afterAll(async () => {
	for (const device of devices) {
		device.cutPower();
		await device.exited;
	}
	for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

export function newFolder(): string {
	const folder = mkdtempSync(join(tmpdir(), "best-console-"));
	folders.push(folder);
	return folder;
}

/** Starts a device and waits until its console is there. */
export async function bootWithConsole(options: Partial<DeviceOptions> = {}): Promise<ConsoleDevice> {
	const storeDirectory = options.storeDirectory ?? join(newFolder(), "store");
	const device = startDevice({ console: "pty", isComplete: true, ...options, storeDirectory });
	devices.add(device);
	const lines: Record<string, unknown>[] = [];
	let wake = () => {};
	const take = (line: Record<string, unknown>) => {
		lines.push(line);
		wake();
	};
	device.onLine((line) => take(JSON.parse(line)));
	device.onErrorLine((line) => take({ event: "error", line }));
	void device.exited.then((status) => take({ event: "exit", status }));
	const until = async (event: string) => {
		for (;;) {
			const found = lines.find((line) => line.event === event);
			if (found !== undefined) return found;
			if (lines.some((line) => line.event === "exit")) throw new Error(`The device ended: ${JSON.stringify(lines)}`);
			await new Promise<void>((resolve) => {
				wake = resolve;
			});
		}
	};
	const { path } = await until("console");
	const isProvisioned = lines.some((line) => line.event === "console open")
		? false
		: options.storeDirectory !== undefined;
	const opened = isProvisioned && !options.isButtonPressed ? undefined : await until("console open");
	return { device, storeDirectory, path: path as string, fingerprint: opened?.fingerprint as string, lines, until };
}

/** Power off. */
export async function cutPower({ device }: ConsoleDevice): Promise<void> {
	device.cutPower();
	await device.exited;
	devices.delete(device);
}
