import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { IDENTITY_KEY } from "../../firmware/client/identity.js";
import { lines, machineReadings } from "../demo/readings.js";
import { startDevice } from "../device/device.js";
import { Failure } from "./errors.js";
import { type Command, numberOption, textOption } from "./options.js";

export const device: Command = {
	name: "device",
	summary: "run the complete firmware on this machine against an HSE; a line of JSON for each thing that happens",
	options: {
		store: { value: "DIR", help: "the device's store, as `best provision` made it (best-store)" },
		input: {
			value: "FILE|-",
			help: "send the lines of a file, or of standard input, instead of readings of this machine",
		},
		count: { value: "N", help: "how many readings of this machine (10)" },
		interval: { value: "MS", help: "milliseconds between two readings (1000)" },
		console: { value: "PATH|pty", help: "a provisioning console on a terminal, or on a new pseudo-terminal" },
		button: { help: "start as if somebody pressed the device's button: the console takes another identity" },
	},
	example: "best device --store best-store --count 3",
	async run(options) {
		const storeDirectory = textOption(options, "store", "best-store");
		const { input } = options;
		const interval = numberOption(options, "interval", 1000, 0, 86_400_000);
		const count = numberOption(options, "count", 10, 1, 1_000_000);
		const { console: line, button } = options;
		if (line === undefined && !existsSync(join(storeDirectory, IDENTITY_KEY)))
			throw new Failure(`There is no identity in ${storeDirectory}: make one with best provision --store DIR.`);
		const readings = typeof input === "string" ? lines(input) : machineReadings(count);
		const running = startDevice({
			storeDirectory,
			isComplete: true,
			...(typeof line === "string" && { console: line }),
			isButtonPressed: button === true,
		});
		console.log(JSON.stringify({ event: "boot", engine: running.engineDescription }));
		running.onLine((line) => console.log(line));
		running.onErrorLine((line) => console.error(line));
		let isOver = false;
		const exited = running.exited.finally(() => {
			isOver = true;
		});
		// Ctrl-C is a power cut: the session stays in the store, and the next start resumes it.
		process.once("SIGINT", () => running.cutPower());
		for await (const reading of readings) {
			if (isOver) break;
			running.sendReading(reading);
			await Promise.race([exited, sleep(interval, undefined, { ref: false })]);
		}
		running.end();
		return (await exited) === 0 ? 0 : 1;
	},
};
