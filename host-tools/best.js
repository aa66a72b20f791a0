#!/usr/bin/env node
// The `best` command. Its sources stand beside it, so it first brings what it needs of build/ up to date.
import { build } from "../scripts/build.js";
import { hasBoardCompiler } from "../scripts/build-board.js";

/** Commands that start a device. */
const WITH_DEVICE = ["demo", "device", "bench"];
/** Commands with an HSE that others reach over UDP. */
const WITH_SOCKETS = ["hse", "bench"];
/** Commands that use the emulated board. */
const WITH_BOARD = ["board", "bench"];

await build("tools");
if (WITH_DEVICE.includes(process.argv[2])) for (const step of ["firmware", "xs-host"]) await build(step);
if (WITH_SOCKETS.includes(process.argv[2])) await build("udp");
// Without the cross compiler, `board` says what to install, and `bench` leaves the board's rows out.
if (WITH_BOARD.includes(process.argv[2]) && hasBoardCompiler()) await build("board");
await import("../build/tools/main.js");
