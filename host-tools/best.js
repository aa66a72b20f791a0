#!/usr/bin/env node
// The `best` command. What it is built from stands beside it, so it first brings build/ up to date.
import { build } from "../scripts/build.js";

for (const step of ["firmware", "tools", "xs-host"]) await build(step);
await import("../build/tools/main.js");
