import type { Datagram } from "best/ports/datagram";
import config from "mc/config";
import { openDatagram as openUdp } from "./udp.js";

export { usim } from "./udp.js";

/**
 * UDP over Wi-Fi, which the SDK joins before the first module of the firmware runs.
 * @throws Error where no network was named; RangeError if the address is no IPv4 address or the port none
 */
export function openDatagram(address: string, port: number): Datagram {
	if (!config.ssid) throw new Error("No Wi-Fi network is named: give ssid= and password= to mcconfig.");
	return openUdp(address, port);
}
