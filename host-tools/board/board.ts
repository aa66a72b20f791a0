/** The emulated board as a device: a Cortex-M4 in QEMU that runs the firmware's ROM image. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Device } from "../device/device.js";
import { projectRoot } from "../device/project-root.js";
import { giveRandom } from "./flash-image.js";
import { QEMU } from "./tools.js";

/** How the lines begin that the board prints before it resets. */
const ERROR_PREFIX = "board: ";
/** The length that stands for the end of the readings. */
const END = Uint8Array.of(0xff, 0xff);
const LONGEST_READING = 0xfffe;
const DISCARD_PORT = 9;
/** Octets of random numbers for one start. */
const RANDOM_OCTETS = 16 << 10;

export interface BoardOptions {
	/** The file behind the emulated flash, see flash-image.ts. */
	readonly flash: string;
	/** The program; build/board/firmware/firmware.elf by default. */
	readonly program?: string;
	/** The port of a {@link BoardLink}; without it the board has no network. */
	readonly linkPort?: number;
	/** What its source of randomness gives. */
	readonly random?: Uint8Array | undefined;
	/** Time goes by instructions: one every 2^N ns, so that every run is the same. */
	readonly instructionShift?: number;
}

export function builtProgram(name: string): string {
	return join(projectRoot(), `build/board/${name}/${name}.elf`);
}

export function startBoard(options: BoardOptions): Device {
	const { flash, linkPort, instructionShift, program = builtProgram("firmware") } = options;
	giveRandom(flash, options.random ?? randomBytes(RANDOM_OCTETS));
	// Without a link, frames go to a port where nobody listens: QEMU complains about a controller without a peer.
	const peer = `socket,id=link,udp=127.0.0.1:${linkPort ?? DISCARD_PORT},localaddr=127.0.0.1:0`;
	const child = spawn(
		QEMU,
		[
			...["-machine", "mps2-an386,memory-backend=external", "-kernel", program],
			...["-object", `memory-backend-file,id=external,size=16M,mem-path=${flash},share=on`],
			...["-display", "none", "-monitor", "none", "-chardev", "stdio,id=uart,signal=off", "-serial", "chardev:uart"],
			...["-semihosting-config", "enable=on,target=native", "-no-reboot"],
			...(instructionShift === undefined ? [] : ["-icount", `shift=${instructionShift},align=off,sleep=off`]),
			...["-netdev", peer, "-net", "nic,model=lan9118,netdev=link"],
		],
		{ stdio: "pipe" },
	);
	child.stdin.on("error", () => {});
	let hasFailed = false;
	const errorLines: ((line: string) => void)[] = [];
	const lines: ((line: string) => void)[] = [];
	const tell = (line: string) => {
		const isError = line.startsWith(ERROR_PREFIX);
		hasFailed ||= isError;
		for (const callback of isError ? errorLines : lines) callback(line);
	};
	createInterface({ input: child.stdout }).on("line", tell);
	createInterface({ input: child.stderr }).on("line", (line) => {
		for (const callback of errorLines) callback(line);
	});
	return {
		engineDescription: "XS on an emulated Cortex-M4 (QEMU mps2-an386)",
		sendReading(octets) {
			if (octets.length > LONGEST_READING) throw new RangeError("A reading has at most 65,534 octets.");
			child.stdin.write(Uint8Array.of(octets.length >> 8, octets.length & 0xff));
			child.stdin.write(octets.slice());
		},
		end: () => child.stdin.write(END),
		cutPower: () => child.kill("SIGKILL"),
		onLine: (callback) => lines.push(callback),
		onErrorLine: (callback) => errorLines.push(callback),
		exited: new Promise((resolve, reject) => {
			child.on("error", reject);
			// A reset after a failure ends QEMU without a status.
			child.on("close", (status) => resolve(status === 0 && hasFailed ? 1 : (status ?? -1)));
		}),
	};
}
