import Serial from "embedded:io/serial";
import { buttonOf, serialPort } from "best/platform/moddable/host-provider";
import type { IoSerialOptions } from "best/platform/moddable/serial";
import { ioConsole } from "best/platform/moddable/serial-console";
import type { Provisioning } from "best/ports/provisioning";
import { target } from "best/target";
import config from "mc/config";
import Timer from "timer";

const port = serialPort(globalThis.device, config, "console");
const openButton = buttonOf(globalThis.device);

/** The line over which `best provision --port` reaches this device; undefined where it has none. */
export const provisioning: Provisioning | undefined =
	port &&
	ioConsole({
		kernel: target.kernel,
		random: target.random,
		store: target.store,
		later: (action, milliseconds) => void Timer.set(action, milliseconds),
		print: (text) => trace(text, "\n"),
		serial: { io: Serial as IoSerialOptions["io"], port },
		...(openButton && { openButton }),
	});
