/** Runs on XS, on this machine and on the emulated board: replays the traces that were put in, and prints what comes of each input. */
import { platform } from "../../firmware/platform/host/platform.js";
import { replay, type Trace } from "./replay.js";

declare const TRACES: readonly Trace[];

for (const trace of TRACES) replay(platform.kernel, trace, (line) => platform.print(line));
platform.exit(0);
