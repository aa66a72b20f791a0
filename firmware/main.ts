import { platform } from "best/platform";
import { run } from "./run.js";

run(platform);
