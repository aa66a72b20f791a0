import { LOAD_COMMAND } from "./bench/load/messages.js";
import { runLoadProcess } from "./bench/load/process.js";
import { bench } from "./cli/bench.js";
import { board } from "./cli/board.js";
import { ca } from "./cli/ca.js";
import { demo } from "./cli/demo.js";
import { device } from "./cli/device.js";
import { doctor } from "./cli/doctor.js";
import { eas } from "./cli/eas.js";
import { Failure, UsageError } from "./cli/errors.js";
import { hse } from "./cli/hse.js";
import { keygen } from "./cli/keygen.js";
import { type Command, parseOptions } from "./cli/options.js";
import { provision } from "./cli/provision.js";
import { subscriber } from "./cli/subscriber.js";
import { vectors } from "./cli/vectors.js";
import { NODE_HOST_COMMAND } from "./device/device.js";
import { runInNode } from "./device/node-host.js";
import { DatabaseError } from "./hse/database.js";

/** Columns of an option in the help; what is longer has its text on the next line. */
const OPTION_WIDTH = 33;

const COMMANDS: readonly Command[] = [
	demo,
	hse,
	eas,
	ca,
	device,
	provision,
	keygen,
	subscriber,
	vectors,
	bench,
	board,
	doctor,
];

function overview(): string {
	const rows = COMMANDS.map(({ name, summary }) => `  ${name.padEnd(12)}${summary}`);
	return [
		"best: Battery Efficient Security for cellular IoT (3GPP TS 33.163)",
		"",
		...rows,
		"",
		"best COMMAND --help tells more.",
	].join("\n");
}

function help({ name, summary, operands = [], options, example }: Command): string {
	const rows = Object.entries(options).map(([option, { value, help: text }]) => {
		const left = `--${option}${value === undefined ? "" : ` ${value}`}`;
		return left.length > OPTION_WIDTH
			? `  ${left}\n${" ".repeat(OPTION_WIDTH + 3)}${text}`
			: `  ${left.padEnd(OPTION_WIDTH)} ${text}`;
	});
	const usage = ["best", name, ...operands, rows.length > 0 ? "[options]" : ""].join(" ").trim();
	return [usage, summary, "", ...rows, "", `Example: ${example}`].join("\n");
}

async function run([name, ...words]: readonly string[]): Promise<number> {
	if (name === "help" && words.length > 0) return run([words[0], "--help"]);
	if (name === undefined || name === "--help" || name === "-h" || name === "help") {
		console.log(overview());
		return name === undefined ? 2 : 0;
	}
	const command = COMMANDS.find((known) => known.name === name);
	if (command === undefined)
		throw new UsageError(`There is no command "${name}"; allowed: ${COMMANDS.map((known) => known.name).join(", ")}.`);
	if (words.includes("--help") || words.includes("-h")) {
		console.log(help(command));
		return 0;
	}
	const { options, operands } = parseOptions(command, words);
	return command.run(options, operands);
}

/** The exit status of an error: 2 for wrong use, 1 for what failed. One line for what a person can mend. */
function report(error: unknown): number {
	if (error instanceof UsageError) {
		console.error(error.message);
		return 2;
	}
	const isPlain = error instanceof Failure || error instanceof DatabaseError;
	console.error(isPlain ? error.message : error);
	return 1;
}

const words = process.argv.slice(2);
// The device's own process where the firmware runs on Node's engine (see device.ts).
if (words[0] === NODE_HOST_COMMAND) runInNode(words[1], words[2]);
else if (words[0] === LOAD_COMMAND) runLoadProcess(words.slice(1));
else
	run(words)
		.catch(report)
		.then((status) => {
			process.exitCode = status;
		});
