#!/usr/bin/env node
// Builds the firmware with the Moddable SDK's mcconfig and starts it: npm run sim, deploy, debug.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const examples = join(root, "firmware/examples");

const USAGE = `npm run sim -- [--example NAME] [name=value …]              in the simulator, with the debugger
npm run debug -- TARGET [--example NAME] [name=value …]     on a board, with the debugger
npm run deploy -- TARGET [--example NAME] [name=value …]    on a board, without it
  TARGET    esp32/nodemcu, nrf52/dk, zephyr/nrf52840dk and so on: what mcconfig's -p takes
  NAME      one of firmware/examples: ${readdirSync(examples).join(", ")}
  name=value goes into the firmware as it is: ssid= and password= for Wi-Fi, readingInterval= in milliseconds,
  consolePort= for best provision (off while debugging, unless given)
The network is reached by Wi-Fi, or by what the environment variable BEST_LINK says: udp (Ethernet), modem.`;

function fail(text, status) {
	console.error(text);
	process.exit(status);
}

/** The command line of mcconfig, and where it is to be run. */
export function commandFor(args) {
	const [action, ...rest] = args;
	const values = rest.filter((argument) => /^\w+=/.test(argument));
	const words = rest.filter((argument) => !values.includes(argument));
	let folder = root;
	const at = words.indexOf("--example");
	if (at >= 0) {
		const [, name] = words.splice(at, 2);
		folder = join(examples, name ?? "");
		if (name === undefined || !existsSync(join(folder, "manifest.json"))) return undefined;
	}
	const target = action === "sim" ? "sim" : words.shift();
	if (!["sim", "deploy", "debug"].includes(action) || target === undefined || words.length > 0) return undefined;
	if (target.startsWith("-")) return undefined;
	// The simulator's store is below this folder: beside the database that `best hse` is given in the documentation.
	if (action === "sim" && !values.some((value) => value.startsWith("files=")))
		values.push(`files=${join(root, "build")}`);
	// The debugger may have the only port that there is.
	if (action === "debug" && folder === root && !values.some((value) => value.startsWith("consolePort=")))
		values.push("consolePort=off");
	return { folder, args: [...(action === "deploy" ? [] : ["-d"]), "-m", "-p", target, ...values] };
}

/** Why mcconfig cannot run here, undefined where it can. */
export function whyNot(environment) {
	const { MODDABLE } = environment;
	if (MODDABLE === undefined || !existsSync(join(MODDABLE, "examples/manifest_base.json")))
		return "The Moddable SDK is needed: install it (npx xs-dev setup) and set MODDABLE to its folder.";
	if (!existsSync(join(root, "build/kernels/best-ct.c")))
		return "The kernels have not been built as C yet: run npm run build first.";
	return undefined;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const command = commandFor(process.argv.slice(2));
	if (command === undefined) fail(USAGE, 2);
	const why = whyNot(process.env);
	if (why !== undefined) fail(why, 1);
	const { MODDABLE, PATH } = process.env;
	const tools = ["lin", "mac", "win"]
		.map((system) => join(MODDABLE, "build/bin", system, "release"))
		.filter(existsSync);
	// TypeScript's compiler is this project's.
	const path = [join(root, "node_modules/.bin"), ...tools, PATH].join(delimiter);
	const result = spawnSync("mcconfig", command.args, {
		cwd: command.folder,
		stdio: "inherit",
		env: { ...process.env, PATH: path },
	});
	if (result.error !== undefined)
		fail(`mcconfig cannot be run: build the SDK's tools first (${result.error.message}).`, 1);
	process.exit(result.status ?? 1);
}
