import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { IDENTITY_KEY } from "../../firmware/client/identity.js";
import { CARD_ACCESS } from "../../firmware/modem/card-access.js";
import { modemOptions } from "../../firmware/modem/configuration.js";
import { DIALECTS } from "../../firmware/modem/dialect.js";
import { lines, machineReadings } from "../demo/readings.js";
import { type ModemDescription, startDevice } from "../device/device.js";
import { Failure, UsageError } from "./errors.js";
import { type Command, numberOption, type Options, textOption } from "./options.js";

/** @throws UsageError where the firmware would have no use for it */
function modemOf({ modem: path, dialect, apn, usim }: Options): ModemDescription | undefined {
	if (typeof path !== "string") {
		if ((dialect ?? apn ?? usim) !== undefined) throw new UsageError("--dialect, --apn and --usim go with --modem.");
		return undefined;
	}
	if (typeof dialect !== "string")
		throw new UsageError(`--dialect is missing: ${Object.keys(DIALECTS).join(", ")} are allowed.`);
	const words = {
		dialect,
		...(typeof apn === "string" && { apn }),
		...(typeof usim === "string" && { usim }),
	};
	try {
		modemOptions(words);
	} catch (error) {
		throw new UsageError((error as Error).message);
	}
	return { path, ...words };
}

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
		modem: { value: "PATH", help: "send through a modem on a serial port, or on a new pseudo-terminal (pty)" },
		dialect: { value: Object.keys(DIALECTS).join("|"), help: "what the modem speaks" },
		apn: { value: "NAME", help: "access point of the modem's context (the network's own)" },
		usim: {
			value: ["soft", ...Object.keys(CARD_ACCESS)].join("|"),
			help: "how the modem's card is reached (soft: not)",
		},
		button: { help: "start as if somebody pressed the device's button: the console takes another identity" },
	},
	example: "best device --store best-store --count 3",
	async run(options) {
		const storeDirectory = textOption(options, "store", "best-store");
		const { input } = options;
		const interval = numberOption(options, "interval", 1000, 0, 86_400_000);
		const count = numberOption(options, "count", 10, 1, 1_000_000);
		const { console: line, button } = options;
		const modem = modemOf(options);
		if (line === undefined && !existsSync(join(storeDirectory, IDENTITY_KEY)))
			throw new Failure(`There is no identity in ${storeDirectory}: make one with best provision --store DIR.`);
		const readings = typeof input === "string" ? lines(input) : machineReadings(count);
		const running = startDevice({
			storeDirectory,
			isComplete: true,
			...(typeof line === "string" && { console: line }),
			...(modem && { modem }),
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
