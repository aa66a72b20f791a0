import Serial from "embedded:io/serial";
import { TickClock } from "best/platform/moddable/clock";
import { modemLink } from "best/platform/moddable/modem-link";
import type { IoSerialOptions } from "best/platform/moddable/serial";
import config from "mc/config";
import Time from "time";
import Timer from "timer";

/** ECMA-419's host provider: what it names as the serial port of the board. */
declare const device: { readonly Serial?: { readonly default?: object } };

/** In the simulator the path of a terminal, from mcconfig's command line. @throws Error where neither names a port */
function port(): object {
	if (config.modemPort) return { device: String(config.modemPort) };
	const named = typeof device === "object" ? device.Serial?.default : undefined;
	if (named === undefined) throw new Error("No serial port is named for the modem: give modemPort= to mcconfig.");
	return named;
}

/** Datagrams over the modem that the manifest or mcconfig's command line describes, and its card where that is used. */
export const { openDatagram, usim } = modemLink({
	serial: { io: Serial as IoSerialOptions["io"], port: port() },
	// Its own: a clock has one alarm.
	clock: new TickClock({ time: Time, timer: Timer }),
	configuration: {
		dialect: String(config.modemDialect),
		apn: String(config.modemApn),
		usim: String(config.modemUsim),
	},
	print: (text) => trace(text, "\n"),
});
