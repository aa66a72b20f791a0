import { withAllAlgorithms } from "../../algorithms/all.js";
import type { Platform } from "../../ports/platform.js";
import { platform as host } from "./platform.js";

/** A PC as a device that has SNOW 3G and ZUC beside AES. Any other platform gets them in the same way. */
export const platform = { ...host, kernel: withAllAlgorithms(host.kernel) } satisfies Platform;
