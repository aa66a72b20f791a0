import UDP from "embedded:io/socket/udp";
import { UdpDatagram, type UdpDatagramOptions } from "best/platform/moddable/datagram";
import type { Datagram } from "best/ports/datagram";
import type { Usim } from "best/ports/usim";

// The SDK's own declarations lack a socket's close().
const io = UDP as unknown as UdpDatagramOptions["io"];

/** UDP, where the network is there by itself. @throws RangeError if the address is no IPv4 address or the port none */
export function openDatagram(address: string, port: number): Datagram {
	return new UdpDatagram({ io, address, port });
}

/** There is no modem, and so no card in it. */
export const usim: Usim | undefined = undefined;
