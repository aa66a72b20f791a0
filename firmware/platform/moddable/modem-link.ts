import { AttachedModem } from "../../modem/attached-modem.js";
import { type ModemConfiguration, modemOptions } from "../../modem/configuration.js";
import type { Clock } from "../../ports/clock.js";
import type { Datagram } from "../../ports/datagram.js";
import type { Usim } from "../../ports/usim.js";
import { IoSerial, type IoSerialOptions } from "./serial.js";

export interface ModemLinkOptions {
	readonly serial: IoSerialOptions;
	/** With an alarm that nobody else uses. */
	readonly clock: Clock;
	readonly configuration: ModemConfiguration;
	/** A line of JSON for whoever watches the device. */
	print(text: string): void;
}

/** What a modem on a serial port gives to a platform. */
export interface ModemLink {
	/** @throws RangeError if the address is not numeric, or the port none */
	openDatagram(address: string, port: number): Datagram;
	/** Its card, where the configuration says how that is reached. */
	readonly usim: Usim | undefined;
}

/** @throws Error where the configuration names no dialect or no way to the card that there is */
export function modemLink({ serial, clock, configuration, print }: ModemLinkOptions): ModemLink {
	const options = modemOptions(configuration);
	const modem = new AttachedModem({ ...options, serial: new IoSerial(serial), clock, print });
	return {
		openDatagram: (address, port) => modem.openDatagram(address, port),
		usim: options.card && modem,
	};
}
