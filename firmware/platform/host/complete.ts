import { withAllAlgorithms } from "../../algorithms/all.js";
import { AKA_ALGORITHM } from "../../keys/aka.js";
import { concealingWith } from "../../keys/suci.js";
import { CURVES } from "../../keys/suci-curves.js";
import { tuakFrom } from "../../keys/tuak.js";
import type { Platform } from "../../ports/platform.js";
import { SerialConsole } from "../../provisioning/serial-console.js";
import { host } from "./natives.js";
import { platform as pc } from "./platform.js";
import { HostSerial } from "./serial.js";

const { kernel, random, store, print } = pc;

/** A PC as a device, with all that a device can leave out: SNOW 3G and ZUC, TUAK, the SUCI with its curves, the console. */
export const platform: Platform = {
	...pc,
	kernel: withAllAlgorithms(pc.kernel),
	akaAlgorithms: { [AKA_ALGORITHM.tuak]: tuakFrom },
	makeConceal: concealingWith(CURVES),
	...(host.consolePath !== "" && {
		provisioning: new SerialConsole({
			kernel,
			random,
			store,
			openSerial() {
				print(JSON.stringify({ event: "console", path: host.consolePath }));
				return new HostSerial();
			},
			isRequested: () => host.isButtonPressed,
			print,
		}),
	}),
};
