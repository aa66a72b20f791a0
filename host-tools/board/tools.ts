/** The programs from Debian that build the firmware for the emulated board and run it. */
import { spawnSync } from "node:child_process";

export const QEMU = "qemu-system-arm";
const COMPILER = "arm-none-eabi-gcc";
const PACKAGES = ["gcc-arm-none-eabi", "libnewlib-arm-none-eabi", "qemu-system-arm"];

/** What a person is to do about programs that are not there; undefined where all are. */
export function missingTools(): string | undefined {
	const missing = [COMPILER, QEMU].filter((program) => spawnSync(program, ["--version"]).error !== undefined);
	if (missing.length === 0) return undefined;
	return `The board needs ${missing.join(" and ")}: install the Debian packages ${PACKAGES.join(" ")}.`;
}
