/** What `best doctor` looks at on this machine, as data: what each thing is for, how it is looked for, and what to do about it. */
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readdirSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { projectRoot } from "../device/project-root.js";
import { hasSimd } from "../kernel.js";
import { loadBatchedUdp } from "../udp/batched-socket.js";

export interface Check {
	readonly name: string;
	/** What does not work without it. */
	readonly purpose: string;
	/** Whether nothing works without it. */
	readonly isNeeded: boolean;
	/** What was found, or undefined. */
	find(): string | undefined;
	/** What a person does where nothing was found. */
	readonly advice: string;
}

/** One finding, as it is printed. */
export interface Finding {
	readonly name: string;
	readonly purpose: string;
	readonly state: "ok" | "missing" | "failed";
	readonly found?: string;
	readonly advice?: string;
}

export function examine({ name, purpose, isNeeded, find, advice }: Check): Finding {
	const found = find();
	if (found !== undefined) return { name, purpose, state: "ok", found };
	return { name, purpose, state: isNeeded ? "failed" : "missing", advice };
}

/** The first line that a program prints about itself. */
function versionOf(program: string, ...words: string[]): string | undefined {
	const { error, status, stdout, stderr } = spawnSync(program, words, { encoding: "utf8", timeout: 10_000 });
	if (error !== undefined || status !== 0) return undefined;
	return (stdout || stderr).split("\n")[0].trim();
}

function onPath(program: string): string | undefined {
	const folders = (process.env.PATH ?? "").split(delimiter);
	return folders.map((folder) => join(folder, program)).find((file) => existsSync(file));
}

function leastNode(): number[] {
	const { engines } = JSON.parse(readFileSync(join(projectRoot(), "package.json"), "utf8"));
	return engines.node.replace(">=", "").split(".").map(Number);
}

function node(): string | undefined {
	const [major, minor] = leastNode();
	const [ownMajor, ownMinor] = process.versions.node.split(".").map(Number);
	return ownMajor > major || (ownMajor === major && ownMinor >= minor) ? process.version : undefined;
}

/** A folder that an environment variable names, if it holds a file. */
function folderOf(variable: string, file: string): string | undefined {
	const folder = process.env[variable];
	return folder !== undefined && existsSync(join(folder, file)) ? folder : undefined;
}

function moddable(): string | undefined {
	const folder = folderOf("MODDABLE", "examples/manifest_base.json");
	const tool = onPath("mcconfig");
	return folder !== undefined && tool !== undefined ? `${folder}, ${tool}` : undefined;
}

function batchedSocket(): string | undefined {
	try {
		return loadBatchedUdp() && "build/udp/batched-udp.node";
	} catch {
		// It was built for another version of Node.js.
		return undefined;
	}
}

const DEVICES = "/dev";
const SERIAL_NAMES = ["ttyUSB", "ttyACM", "cu.usb"];

/** Serial lines, and which of them this user may not open. */
function serialLines(): string | undefined {
	if (!existsSync(DEVICES)) return undefined;
	const lines = readdirSync(DEVICES)
		.filter((name) => SERIAL_NAMES.some((start) => name.startsWith(start)))
		.map((name) => join(DEVICES, name));
	return lines.length === 0
		? undefined
		: lines.map((line) => (mayOpen(line) ? line : `${line} (no right to open it)`)).join(", ");
}

function mayOpen(path: string): boolean {
	try {
		accessSync(path, constants.R_OK | constants.W_OK);
		return true;
	} catch {
		return false;
	}
}

const compiler = process.env.CC || "cc";

export const CHECKS: readonly Check[] = [
	{
		name: "Node.js",
		purpose: "everything",
		isNeeded: true,
		find: node,
		advice: `Install Node.js ${leastNode().join(".")} or later.`,
	},
	{
		name: "kernels",
		purpose: "everything",
		isNeeded: true,
		find: () => (existsSync(join(projectRoot(), "build/kernels/best-ct.wasm")) ? "build/kernels" : undefined),
		advice: 'Run "npm ci", then "npm run build".',
	},
	{
		name: "WebAssembly SIMD",
		purpose: "the faster constant-time kernel of the HSE",
		isNeeded: false,
		find: () => (hasSimd() ? "the engine has it" : undefined),
		advice: "Nothing: the kernel without it is used, which takes twice as long.",
	},
	{
		name: "C compiler",
		purpose: "the firmware on the XS engine on this machine (else it runs in Node)",
		isNeeded: false,
		find: () => versionOf(compiler, "--version"),
		advice: "Install gcc or clang (Debian: gcc libc6-dev), or set CC.",
	},
	{
		name: "XS host",
		purpose: "the firmware on the XS engine on this machine (else it runs in Node)",
		isNeeded: false,
		find: () => (existsSync(join(projectRoot(), "build/xs-host/xs-host")) ? "build/xs-host/xs-host" : undefined),
		advice: 'Run "npm run build" where a C compiler is installed.',
	},
	{
		name: "batched socket",
		purpose: "the HSE to take datagrams in batches (else it takes them one by one)",
		isNeeded: false,
		find: batchedSocket,
		advice: 'On Linux install a C compiler and the headers of Node.js, then run "npm run build". Elsewhere: nothing.',
	},
	{
		name: "arm-none-eabi-gcc",
		purpose: "npm run board, the emulated Cortex-M4",
		isNeeded: false,
		find: () => versionOf("arm-none-eabi-gcc", "--version"),
		advice: "Install the Debian packages gcc-arm-none-eabi and libnewlib-arm-none-eabi.",
	},
	{
		name: "qemu-system-arm",
		purpose: "npm run board, the emulated Cortex-M4",
		isNeeded: false,
		find: () => versionOf("qemu-system-arm", "--version"),
		advice: "Install the Debian package qemu-system-arm.",
	},
	{
		name: "Moddable SDK",
		purpose: "the simulator, and every real board",
		isNeeded: false,
		find: moddable,
		advice: "Install it (npx xs-dev setup), set MODDABLE to its folder and put its build/bin/*/release on the PATH.",
	},
	{
		name: "ESP-IDF",
		purpose: "ESP32 boards",
		isNeeded: false,
		find: () => folderOf("IDF_PATH", "tools/idf.py"),
		advice: "npx xs-dev setup --device esp32, then set IDF_PATH by its export.sh.",
	},
	{
		name: "nRF5 SDK",
		purpose: "nRF52 boards",
		isNeeded: false,
		find: () => folderOf("NRF52_SDK_PATH", "license.txt") ?? folderOf("NRF_SDK_DIR", "license.txt"),
		advice: "npx xs-dev setup --device nrf52 installs it.",
	},
	{
		name: "Zephyr",
		purpose: "Zephyr boards",
		isNeeded: false,
		find: () => folderOf("ZEPHYR_BASE", "zephyr-env.sh"),
		advice: "Install Zephyr with west, and set ZEPHYR_BASE.",
	},
	{
		name: "serial lines",
		purpose: "flashing a board, provisioning it over USB",
		isNeeded: false,
		find: serialLines,
		advice: "Plug the board in. Where its line cannot be opened on Linux, join the group dialout and log in again.",
	},
	{
		name: "tshark",
		purpose: "reading captures of best demo --pcap",
		isNeeded: false,
		find: () => versionOf("tshark", "--version"),
		advice: "Install Wireshark (Debian: tshark).",
	},
];
