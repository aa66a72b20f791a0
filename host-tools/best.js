#!/usr/bin/env node
// The `best` command. Its sources stand beside it, so it first brings what it needs of build/ up to date.
import { build } from "../scripts/build.js";

/** Commands that start a device. */
const WITH_DEVICE = ["demo", "device", "bench"];

await build("tools");
if (WITH_DEVICE.includes(process.argv[2])) for (const step of ["firmware", "xs-host"]) await build(step);
await import("../build/tools/main.js");
