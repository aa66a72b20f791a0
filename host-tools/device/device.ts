/** A device on this PC: the firmware's bundle in a process of its own, on XS where its host has been built, else on Node. */
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Failure } from "../cli/errors.js";
import { projectRoot } from "./project-root.js";

/** The command of the `best` program, not shown in its help, that runs a bundle in Node: runInNode(BUNDLE, STORE). */
export const NODE_HOST_COMMAND = "node-host";

/** A modem, in the words of the firmware's configuration. */
export interface ModemDescription {
	/** A terminal's path, or "pty" for a new one. */
	readonly path: string;
	/** A name of DIALECTS. */
	readonly dialect: string;
	/** The network's own by default. */
	readonly apn?: string | undefined;
	/** A name of CARD_ACCESS; by default the modem's USIM is not used. */
	readonly usim?: string | undefined;
}

export interface DeviceOptions {
	/** The device's non-volatile storage: identity, configuration, sessions. Made if it does not exist. */
	readonly storeDirectory: string;
	/** The firmware; one of those in build/firmware by default. */
	readonly bundle?: string;
	/** Of these, the one with all that a board leaves out: SNOW 3G and ZUC, TUAK, SUCIs, the console, the modem. */
	readonly isComplete?: boolean;
	/** The line of its provisioning console: a terminal's path, or "pty" for a new one. Only XS has it. */
	readonly console?: string;
	/** Its modem. Only XS has it. */
	readonly modem?: ModemDescription;
	/** Whether somebody presses the device's button while it starts. */
	readonly isButtonPressed?: boolean;
	/** The program that runs it; build/xs-host/xs-host by default, and Node where that does not exist. */
	readonly xsHost?: string;
}

export interface Device {
	/** "XS 13.3.0", or V8's version in Node. */
	readonly engineDescription: string;
	/** Hands a payload to the firmware: at most 65,535 octets. */
	sendReading(octets: Uint8Array): void;
	/** No more readings: the firmware ends when it has done its work. */
	end(): void;
	/** Ends the process as a power cut does: at once. */
	cutPower(): void;
	/** Called for each line that the firmware prints. */
	onLine(callback: (line: string) => void): void;
	/** Called for each line of an error that ends the firmware. */
	onErrorLine(callback: (line: string) => void): void;
	/** The exit status: 0, or 1 after a failure; −1 after {@link Device.cutPower} or another signal. */
	readonly exited: Promise<number>;
}

const builtXsHost = () => join(projectRoot(), "build/xs-host/xs-host");

/** Whether devices run on XS unless told otherwise. */
export function hasXsHost(): boolean {
	return existsSync(builtXsHost());
}

export function startDevice(options: DeviceOptions): Device {
	const root = projectRoot();
	const built = options.isComplete === true ? "complete.js" : "main.js";
	const bundle = options.bundle ?? join(root, "build/firmware", built);
	const xsHost = options.xsHost ?? builtXsHost();
	const onXs = existsSync(xsHost);
	if (!onXs && (options.console ?? options.modem) !== undefined)
		throw new Failure("A console or a modem needs the firmware on XS: install a C compiler, then run npm run build.");
	const [program, ...first] = onXs
		? [xsHost]
		: [process.execPath, "--no-warnings", join(root, "build/tools/main.js"), NODE_HOST_COMMAND];
	const last = options.console === undefined ? [] : ["--console", options.console];
	const { path, ...words } = options.modem ?? {};
	if (path !== undefined) last.push("--modem", path);
	for (const [name, word] of Object.entries(words)) if (word !== undefined) last.push(`--${name}`, word);
	if (options.isButtonPressed) last.push("--button");
	const child = spawn(program, [...first, bundle, options.storeDirectory, ...last], { stdio: "pipe" });
	// A device that has ended takes no more readings; its exit status tells why.
	child.stdin.on("error", () => {});
	const lines = createInterface({ input: child.stdout });
	const errorLines = createInterface({ input: child.stderr });
	return {
		engineDescription: onXs
			? spawnSync(xsHost, ["--version"], { encoding: "utf8" }).stdout.trim()
			: `V8 ${process.versions.v8}`,
		sendReading(octets) {
			if (octets.length > 0xffff) throw new RangeError("A reading has at most 65,535 octets.");
			child.stdin.write(Uint8Array.of(octets.length >> 8, octets.length & 0xff));
			child.stdin.write(octets.slice());
		},
		end: () => child.stdin.end(),
		cutPower: () => child.kill("SIGKILL"),
		onLine: (callback) => lines.on("line", callback),
		onErrorLine: (callback) => errorLines.on("line", callback),
		exited: new Promise((resolve, reject) => {
			child.on("error", reject);
			child.on("close", (status) => resolve(status ?? -1));
		}),
	};
}
