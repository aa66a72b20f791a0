import { readFileSync } from "node:fs";

/** Fields of the first line of /proc/stat behind its name (proc_stat(5)), in hundredths of a second of all processors. */
const FIELDS = 8;
const STEAL = 7;

/** Processor time since the start of the machine, undefined where the system does not tell. */
interface MachineTime {
	readonly all: number;
	/** What a virtual machine wanted and its host gave to others. */
	readonly stolen: number;
}

export function machineTime(): MachineTime | undefined {
	try {
		const [line] = readFileSync("/proc/stat", "latin1").split("\n", 1);
		const times = line
			.split(" ")
			.filter((word) => word !== "")
			.slice(1, 1 + FIELDS)
			.map(Number);
		return { all: times.reduce((sum, time) => sum + time, 0), stolen: times[STEAL] };
	} catch {
		return undefined;
	}
}

/** Part of the machine's processor time that was stolen since then. */
export function stolenSince(before: MachineTime | undefined): number | undefined {
	const now = machineTime();
	return before && now && (now.stolen - before.stolen) / (now.all - before.all);
}
