import { withAllAlgorithms } from "../../algorithms/all.js";
import { AKA_ALGORITHM } from "../../keys/aka.js";
import { concealingWith } from "../../keys/suci.js";
import { CURVES } from "../../keys/suci-curves.js";
import { tuakFrom } from "../../keys/tuak.js";
import type { Platform } from "../../ports/platform.js";
import { platform as pc } from "./platform.js";

/** A PC as a device, with all that a device can leave out: SNOW 3G and ZUC, TUAK, and the SUCI with its curves. */
export const platform = {
	...pc,
	kernel: withAllAlgorithms(pc.kernel),
	akaAlgorithms: { [AKA_ALGORITHM.tuak]: tuakFrom },
	makeConceal: concealingWith(CURVES),
} satisfies Platform;
