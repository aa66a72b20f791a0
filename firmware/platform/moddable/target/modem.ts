import Serial from "embedded:io/serial";
import { TickClock } from "best/platform/moddable/clock";
import { serialPort } from "best/platform/moddable/host-provider";
import { modemLink } from "best/platform/moddable/modem-link";
import type { IoSerialOptions } from "best/platform/moddable/serial";
import config from "mc/config";
import Time from "time";
import Timer from "timer";

/** Datagrams over the modem that the manifest or mcconfig's command line describes, and its card where that is used. */
export const { openDatagram, usim } = modemLink({
	serial: { io: Serial as IoSerialOptions["io"], port: serialPort(globalThis.device, config, "modem") },
	// Its own: a clock has one alarm.
	clock: new TickClock({ time: Time, timer: Timer }),
	configuration: {
		dialect: String(config.modemDialect),
		apn: String(config.modemApn),
		usim: String(config.modemUsim),
	},
	print: (text) => trace(text, "\n"),
});
