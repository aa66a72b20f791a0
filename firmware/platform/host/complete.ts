import { withAllAlgorithms } from "../../algorithms/all.js";
import { AKA_ALGORITHM } from "../../keys/aka.js";
import { concealingWith } from "../../keys/suci.js";
import { CURVES } from "../../keys/suci-curves.js";
import { tuakFrom } from "../../keys/tuak.js";
import { AttachedModem } from "../../modem/attached-modem.js";
import { modemOptions } from "../../modem/configuration.js";
import { SharedClock } from "../../modem/shared-clock.js";
import type { Platform } from "../../ports/platform.js";
import { SerialConsole } from "../../provisioning/serial-console.js";
import { host } from "./natives.js";
import { platform as pc } from "./platform.js";
import { HostSerial } from "./serial.js";

const { kernel, random, store, print } = pc;

/** What a modem stands in for, where the host was started with one. */
function throughModem(): Partial<Platform> {
	if (host.modemPath === "") return {};
	print(JSON.stringify({ event: "modem", path: host.modemPath }));
	const clock = new SharedClock(pc.clock);
	const { modemDialect: dialect, modemApn: apn, modemUsim: usim } = host;
	const options = modemOptions({ dialect, apn, ...(usim !== "" && { usim }) });
	const modem = new AttachedModem({ ...options, serial: new HostSerial("modem"), clock: clock.share(), print });
	return {
		clock: clock.share(),
		openDatagram: (address, port) => modem.openDatagram(address, port),
		...(options.card && { usim: modem }),
	};
}

/**
 * A PC as a device, with all that a device can leave out: SNOW 3G and ZUC, TUAK, the SUCI with its curves, the console, a
 * modem.
 */
export const platform: Platform = {
	...pc,
	kernel: withAllAlgorithms(pc.kernel),
	akaAlgorithms: { [AKA_ALGORITHM.tuak]: tuakFrom },
	makeConceal: concealingWith(CURVES),
	...throughModem(),
	...(host.consolePath !== "" && {
		provisioning: new SerialConsole({
			kernel,
			random,
			store,
			openSerial() {
				print(JSON.stringify({ event: "console", path: host.consolePath }));
				return new HostSerial("console");
			},
			isRequested: () => host.isButtonPressed,
			print,
		}),
	}),
};
