import { AttachedModem } from "../../modem/attached-modem.js";
import { type ModemConfiguration, modemOptions } from "../../modem/configuration.js";
import type { Clock } from "../../ports/clock.js";
import type { Datagram } from "../../ports/datagram.js";
import type { Usim } from "../../ports/usim.js";
import { IoSerial, type IoSerialOptions } from "./serial.js";

export interface ModemLinkOptions {
	/** No port where the board or its configuration names none. */
	readonly serial: Omit<IoSerialOptions, "port"> & { readonly port: object | undefined };
	/** With an alarm that nobody else uses. */
	readonly clock: Clock;
	readonly configuration: ModemConfiguration;
	/** A line of JSON for whoever watches the device. */
	print(text: string): void;
}

/** What a modem on a serial port gives to a platform. */
export interface ModemLink {
	/** @throws Error if no serial port is named; RangeError if the address is not numeric, or the port none */
	openDatagram(address: string, port: number): Datagram;
	/** Its card, where the configuration says how that is reached. */
	readonly usim: Usim | undefined;
}

/**
 * The port is opened with the first datagram port or the first use of the card: until then somebody else may have it, such
 * as the provisioning console of a board with one UART.
 * @throws Error where the configuration names no dialect or no way to the card that there is
 */
export function modemLink({ serial, clock, configuration, print }: ModemLinkOptions): ModemLink {
	const options = modemOptions(configuration);
	let attached: AttachedModem | undefined;
	const modem = () => {
		const { port } = serial;
		if (port === undefined) throw new Error("No serial port is named for the modem: give modemPort= to mcconfig.");
		attached ??= new AttachedModem({ ...options, serial: new IoSerial({ ...serial, port }), clock, print });
		return attached;
	};
	const usim: Usim = {
		readImsi: (done) => modem().readImsi(done),
		authenticate: (rand, autn, done) => modem().authenticate(rand, autn, done),
	};
	return {
		openDatagram: (address, port) => modem().openDatagram(address, port),
		usim: options.card && usim,
	};
}
